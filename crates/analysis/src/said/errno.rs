//! `errno` of a thread: a variable of the C library in thread-local storage.

use super::fact::Fact;
use super::stack::Stack;
use obit_process::module::{Module, thread_local_block};

/// What glibc (`csu/errno.c`) calls it, for others and for itself.
const NAMES: [&str; 2] = ["errno", "__libc_errno"];

/// The crashed thread's `errno`, if a call has failed since it began.
pub(super) fn errno(stack: &Stack<'_>) -> Option<Fact> {
    let process = stack.process;
    let pointer = process.dump.threads.get(stack.thread)?.thread_pointer?;
    let (modules, memory) = (&process.modules, &process.memory);
    let is_libc = |module: &Module| {
        let file = module.path.file_name().map(|name| name.to_string_lossy());
        file.is_some_and(|file| file.starts_with("libc.so") || file.starts_with("libc-2"))
    };
    let module = modules.list().iter().position(is_libc).or_else(|| modules.executable())?;
    // Some function of the library is on every stack: to look for another's debug
    // information is not worth the time.
    let debug = modules.debug_if_searched(module)?;
    let offset = NAMES.iter().find_map(|name| debug.thread_local_named(name))?;
    let block = thread_local_block(modules, memory, process.dump.machine, pointer.0, module);
    let mut bytes = [0; 4];
    memory.read(block.ok()?.checked_add(offset)?, &mut bytes).ok()?;
    let number = i32::try_from(memory.unsigned(&bytes)).ok()?;
    name(number).map(|name| Fact::Errno(number, name))
}

/// The name of an error's number on Linux (`include/uapi/asm-generic/errno-base.h` and
/// `errno.h`; Mips, PowerPC and others number those above 34 differently).
fn name(number: i32) -> Option<&'static str> {
    const NAMES: [&str; 134] = [
        "",
        "EPERM",
        "ENOENT",
        "ESRCH",
        "EINTR",
        "EIO",
        "ENXIO",
        "E2BIG",
        "ENOEXEC",
        "EBADF",
        "ECHILD",
        "EAGAIN",
        "ENOMEM",
        "EACCES",
        "EFAULT",
        "ENOTBLK",
        "EBUSY",
        "EEXIST",
        "EXDEV",
        "ENODEV",
        "ENOTDIR",
        "EISDIR",
        "EINVAL",
        "ENFILE",
        "EMFILE",
        "ENOTTY",
        "ETXTBSY",
        "EFBIG",
        "ENOSPC",
        "ESPIPE",
        "EROFS",
        "EMLINK",
        "EPIPE",
        "EDOM",
        "ERANGE",
        "EDEADLK",
        "ENAMETOOLONG",
        "ENOLCK",
        "ENOSYS",
        "ENOTEMPTY",
        "ELOOP",
        "",
        "ENOMSG",
        "EIDRM",
        "ECHRNG",
        "EL2NSYNC",
        "EL3HLT",
        "EL3RST",
        "ELNRNG",
        "EUNATCH",
        "ENOCSI",
        "EL2HLT",
        "EBADE",
        "EBADR",
        "EXFULL",
        "ENOANO",
        "EBADRQC",
        "EBADSLT",
        "",
        "EBFONT",
        "ENOSTR",
        "ENODATA",
        "ETIME",
        "ENOSR",
        "ENONET",
        "ENOPKG",
        "EREMOTE",
        "ENOLINK",
        "EADV",
        "ESRMNT",
        "ECOMM",
        "EPROTO",
        "EMULTIHOP",
        "EDOTDOT",
        "EBADMSG",
        "EOVERFLOW",
        "ENOTUNIQ",
        "EBADFD",
        "EREMCHG",
        "ELIBACC",
        "ELIBBAD",
        "ELIBSCN",
        "ELIBMAX",
        "ELIBEXEC",
        "EILSEQ",
        "ERESTART",
        "ESTRPIPE",
        "EUSERS",
        "ENOTSOCK",
        "EDESTADDRREQ",
        "EMSGSIZE",
        "EPROTOTYPE",
        "ENOPROTOOPT",
        "EPROTONOSUPPORT",
        "ESOCKTNOSUPPORT",
        "EOPNOTSUPP",
        "EPFNOSUPPORT",
        "EAFNOSUPPORT",
        "EADDRINUSE",
        "EADDRNOTAVAIL",
        "ENETDOWN",
        "ENETUNREACH",
        "ENETRESET",
        "ECONNABORTED",
        "ECONNRESET",
        "ENOBUFS",
        "EISCONN",
        "ENOTCONN",
        "ESHUTDOWN",
        "ETOOMANYREFS",
        "ETIMEDOUT",
        "ECONNREFUSED",
        "EHOSTDOWN",
        "EHOSTUNREACH",
        "EALREADY",
        "EINPROGRESS",
        "ESTALE",
        "EUCLEAN",
        "ENOTNAM",
        "ENAVAIL",
        "EISNAM",
        "EREMOTEIO",
        "EDQUOT",
        "ENOMEDIUM",
        "EMEDIUMTYPE",
        "ECANCELED",
        "ENOKEY",
        "EKEYEXPIRED",
        "EKEYREVOKED",
        "EKEYREJECTED",
        "EOWNERDEAD",
        "ENOTRECOVERABLE",
        "ERFKILL",
        "EHWPOISON",
    ];
    let name = NAMES.get(usize::try_from(number).ok()?)?;
    (!name.is_empty()).then_some(*name)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn an_error_is_named_as_errno_h_does() {
        assert_eq!(name(2), Some("ENOENT"));
        assert_eq!(name(12), Some("ENOMEM"));
        assert_eq!(name(35), Some("EDEADLK"));
        assert_eq!(name(40), Some("ELOOP"));
        assert_eq!(name(84), Some("EILSEQ"));
        assert_eq!(name(98), Some("EADDRINUSE"));
        assert_eq!(name(110), Some("ETIMEDOUT"));
        assert_eq!(name(111), Some("ECONNREFUSED"));
        assert_eq!(name(133), Some("EHWPOISON"));
        assert_eq!((name(0), name(41), name(134), name(-1)), (None, None, None, None));
    }
}
