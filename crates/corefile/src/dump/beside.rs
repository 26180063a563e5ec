//! What the collector of a core wrote beside it. ABRT keeps each fact in a file of its own, in
//! the directory in which the core is called `coredump` (source: libreport's `dump_dir.c`);
//! systemd-coredump in attributes of the core (`fix_xattr` in its `coredump.c`).
//!
//! Both are read where the core is opened: attributes are for those alone who may open the file,
//! and a process that was confined may not any more.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::mapped_file::open_regular_in;

/// ABRT's name of the core.
const CORE: &str = "coredump";
/// The facts that are read, by the names of their files.
pub const ABRT_FACTS: [&str; 9] =
    ["cgroup", "count", "executable", "global_pid", "hostname", "package", "pid", "time", "uid"];
/// Bytes of a fact.
const LONGEST: usize = 4096;
/// The attributes that are read.
const ATTRIBUTES: [&str; 6] = [
    "user.coredump.timestamp",
    "user.coredump.hostname",
    "user.coredump.pid",
    "user.coredump.uid",
    "user.coredump.signal",
    "user.coredump.exe",
];

/// Names and texts of the attributes of `core`, and of the facts beside it at `path`.
pub(super) fn beside(path: &Path, core: &File) -> Vec<(String, String)> {
    let attribute = |name: &&str| {
        let mut value = [0; LONGEST];
        let length = rustix::fs::fgetxattr(core, *name, &mut value[..]).ok()?;
        named(name, std::str::from_utf8(value.get(..length)?).ok()?)
    };
    let attributes = ATTRIBUTES.iter().filter_map(attribute);
    attributes.chain(facts(path, core).unwrap_or_default()).collect()
}

/// Those who can write to the directory can put other names for files there: only files of the
/// core's own owner that have no other name are read, and only in the directory that has the
/// core itself.
fn facts(path: &Path, core: &File) -> Option<Vec<(String, String)>> {
    path.file_name().filter(|name| *name == CORE)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = parent.unwrap_or(Path::new("."));
    let directory = rustix::fs::open(parent, flags, Mode::empty()).ok()?;
    let there = rustix::fs::statat(&directory, CORE, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let core = rustix::fs::fstat(core).ok()?;
    if (there.st_dev, there.st_ino) != (core.st_dev, core.st_ino) {
        return None;
    }
    let fact = |name: &&str| {
        let file = open_regular_in(directory.as_fd(), name, |stat| match stat {
            stat if stat.st_uid != core.st_uid => Err("belongs to someone else"),
            stat if stat.st_nlink != 1 => Err("has another name"),
            _ => Ok(()),
        });
        let mut text = String::new();
        file.ok()?.take(LONGEST as u64).read_to_string(&mut text).ok()?;
        named(name, &text)
    };
    Some(ABRT_FACTS.iter().filter_map(fact).collect())
}

fn named(name: &str, text: &str) -> Option<(String, String)> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| (name.to_owned(), text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn facts_are_read_beside_a_core_of_abrts_name_and_links_to_other_files_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (name, text) in [
            ("coredump", "core"),
            ("core", "core"),
            ("executable", "/usr/bin/shop\n"),
            ("time", "1773146096"),
            ("hostname", ""),
            ("secret", "secret"),
        ] {
            fs::write(at(name), text).unwrap();
        }
        fs::hard_link(at("secret"), at("package")).unwrap();
        fs::write(at("other"), "other").unwrap();
        std::os::unix::fs::symlink(at("other"), at("pid")).unwrap();
        let fifo = at("count");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR, 0)
            .unwrap();
        let of = |name: &str| beside(&at(name), &File::open(at(name)).unwrap());
        let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            of("coredump"),
            [text("executable", "/usr/bin/shop"), text("time", "1773146096")]
        );
        assert_eq!(of("core"), []);
        // A directory with a link to the core is not its collector's.
        let elsewhere = directory.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("uid"), "7").unwrap();
        std::os::unix::fs::symlink(at("coredump"), elsewhere.join("coredump")).unwrap();
        let core = File::open(at("coredump")).unwrap();
        assert_eq!(beside(&elsewhere.join("coredump"), &core), []);
    }
}
