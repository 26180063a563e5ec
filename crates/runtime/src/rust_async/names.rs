//! What names of Rust's types say of futures.

use crate::model::WaitKind;

/// Futures that are no async code, by what their types begin with: the chain ends there.
const LEAVES: &[&str] = &[
    "tokio::time::sleep::Sleep",
    "tokio::time::driver::sleep::Sleep",
    "tokio::sync::batch_semaphore::Acquire",
    "tokio::runtime::task::join::JoinHandle<",
    "tokio::task::join_set::JoinSet<",
    "tokio::sync::notify::Notified",
    "tokio::sync::notify::OwnedNotified",
    "tokio::sync::oneshot::Receiver<",
    "tokio::sync::mpsc::bounded::Receiver<",
    "tokio::sync::mpsc::unbounded::UnboundedReceiver<",
    "tokio::sync::broadcast::Recv<",
    "tokio::runtime::io::scheduled_io::Readiness",
    "tokio::io::driver::scheduled_io::Readiness",
    "futures_channel::oneshot::Receiver<",
    "futures_channel::mpsc::Receiver<",
    "futures_channel::mpsc::UnboundedReceiver<",
    "event_listener::EventListener",
    "async_io::Timer",
    "async_task::task::Task<",
];

/// Futures that hold others and are worth a frame of their own.
const HOLDERS: &[&str] = &[
    "tokio::time::timeout::Timeout<",
    "futures_util::stream::futures_unordered::FuturesUnordered<",
];

/// Crates whose functions a program awaits: what of them is outermost names the wait.
const LIBRARIES: &[&str] = &[
    "tokio::",
    "tokio_util::",
    "tokio_stream::",
    "futures_util::",
    "futures_channel::",
    "futures_core::",
    "core::",
    "alloc::",
    "std::",
    "event_listener::",
    "async_io::",
    "async_channel::",
    "async_lock::",
    "async_task::",
    "smol::",
    "async_std::",
];

/// What is not worth a frame.
const GLUE: &[&str] =
    &["core::", "alloc::", "futures_util::future::maybe_done::", "tokio::future::"];

pub(super) fn is_leaf(name: &str) -> bool {
    LEAVES.iter().any(|leaf| name.starts_with(leaf))
}

/// Whether a type is a future in its own right, of those that are no async code.
pub(super) fn is_future(name: &str) -> bool {
    is_leaf(name) || HOLDERS.iter().any(|holder| name.starts_with(holder))
}

/// Whether a pointer is to a trait object that can be polled.
pub(super) fn is_dyn_future(name: &str) -> bool {
    ["dyn core::future::future::Future", "dyn futures_core::stream::Stream"]
        .iter()
        .any(|it| name.contains(it))
}

pub(super) fn is_glue(name: &str) -> bool {
    GLUE.iter().any(|it| name.starts_with(it)) || name.starts_with(['(', '[', '&'])
}

pub(super) fn is_of_library(name: &str) -> bool {
    LIBRARIES.iter().any(|it| name.starts_with(it))
}

/// Whether a future that holds one other waits for nothing besides: those of libraries but for
/// what can be aborted, and closures of libraries.
pub(super) fn is_transparent(name: &str) -> bool {
    let inner = name.split_once("::poll_fn::PollFn<").map_or(name, |(_, closure)| closure);
    let is_known = is_of_library(inner) || inner.starts_with("tracing::instrument::");
    is_known && !inner.starts_with("futures_util::abortable::")
}

/// Whether a function is of the standard library.
pub(super) fn is_std(function: &str) -> bool {
    ["core::", "alloc::", "std::", "<core::", "<alloc::", "<std::", "__rust", "_start"]
        .iter()
        .any(|it| function.starts_with(it))
}

/// What a reference or a smart pointer is to, by its type's name.
pub(super) fn behind(name: &str) -> &str {
    let mut name = name;
    loop {
        let stripped = name.strip_prefix("&mut ").or_else(|| name.strip_prefix('&'));
        let stripped = stripped.or_else(|| {
            let inner = name.strip_prefix("core::pin::Pin<")?;
            inner.strip_suffix('>')
        });
        match stripped {
            Some(inner) => name = inner,
            None => return name,
        }
    }
}

/// The function whose async code has the type `name`. `of` is the type of its `self`: the debug
/// information numbers `impl` blocks only.
pub(super) fn of_async(name: &str, of: Option<&str>) -> String {
    let (scope, own) = match own_part(name) {
        Some(at) => (name.get(..at).unwrap_or(name), name.get(at..).unwrap_or_default()),
        None => ("", name),
    };
    let scope = scope.strip_suffix("::").unwrap_or(scope);
    let own = own.split_once('<').map_or(own, |(own, _)| own);
    let scope = match (scope.rfind("{impl#"), of) {
        (Some(at), Some(of)) => {
            let rest = scope.get(at..).and_then(|rest| rest.split_once('}'));
            format!("{of}{}", rest.map_or("", |(_, rest)| rest))
        }
        _ => scope.to_owned(),
    };
    match own.strip_prefix("{async_fn_env#") {
        Some("0}") if !scope.is_empty() => scope,
        _ => format!("{scope}::{}", own.replacen("_env#", "#", 1)),
    }
}

/// The future that a function of tokio called `block_on<F>` blocks on.
pub(super) fn future_blocked_on(function: &str) -> Option<&str> {
    let (scope, future) = function.split_once("::block_on<")?;
    let future = future.strip_suffix('>')?;
    (scope.starts_with("tokio::runtime::") && !future.is_empty()).then_some(future)
}

/// Where the last part of a path begins, arguments left alone.
fn own_part(name: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut found = None;
    let mut last = ' ';
    for (at, c) in name.char_indices() {
        match c {
            '<' | '(' | '[' => depth = depth.saturating_add(1),
            '>' if last == '-' => {}
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ':' if last == ':' && depth == 0 => found = at.checked_add(1),
            _ => {}
        }
        last = c;
    }
    found
}

/// A name without its arguments: `tokio::sync::mutex::Mutex::lock`.
pub(super) fn plain(name: &str) -> String {
    let mut depth = 0_usize;
    let mut found = String::with_capacity(name.len());
    let mut last = ' ';
    for c in name.chars() {
        match c {
            '<' => depth = depth.saturating_add(1),
            '>' if last == '-' => {}
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => found.push(c),
            _ => {}
        }
        last = c;
    }
    found
}

/// What is waited for, by the names of the function that the program awaits and of the leaf.
pub(super) fn kind(function: &str, leaf: &str) -> WaitKind {
    let has = |parts: &[&str]| parts.iter().any(|part| function.contains(part));
    let leaf_is = |parts: &[&str]| parts.iter().any(|part| leaf.starts_with(part));
    if leaf_is(&["tokio::runtime::task::join::JoinHandle<", "tokio::task::join_set::"])
        || has(&["::JoinSet::", "join_set"])
    {
        WaitKind::Join
    } else if leaf_is(&["tokio::time::", "async_io::Timer"]) || has(&["tokio::time::"]) {
        WaitKind::Timer
    } else if has(&["mpsc", "oneshot", "broadcast", "async_channel"]) {
        match has(&["send", "reserve", "closed"]) {
            true => WaitKind::Send,
            false => WaitKind::Receive,
        }
    } else if has(&["mutex", "rwlock", "semaphore", "async_lock"]) {
        WaitKind::Lock
    } else if has(&["notify", "barrier", "watch", "event_listener", "once_cell"]) {
        WaitKind::Notification
    } else if has(&["::net::", "::io::", "::process::", "::signal::", "async_io"])
        || leaf_is(&["tokio::runtime::io::", "tokio::io::"])
    {
        WaitKind::Io
    } else {
        WaitKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn async_code_is_called_as_its_function() {
        for (name, of, function) in [
            ("tok::inner::{async_fn_env#0}", None, "tok::inner"),
            (
                "tok::main::{async_block#0}::{async_block_env#0}",
                None,
                "tok::main::{async_block#0}::{async_block#0}",
            ),
            (
                "tokio::sync::mutex::{impl#3}::lock::{async_fn_env#0}<u32>",
                Some("tokio::sync::mutex::Mutex<u32>"),
                "tokio::sync::mutex::Mutex<u32>::lock",
            ),
            ("a::{impl#0}::f::{async_fn_env#0}", None, "a::{impl#0}::f"),
        ] {
            assert_eq!(of_async(name, of), function);
        }
    }

    #[test]
    fn a_future_that_is_blocked_on_is_an_argument() {
        let function = "tokio::runtime::park::CachedParkThread::block_on<a::run::{async_fn_env#0}>";
        assert_eq!(future_blocked_on(function), Some("a::run::{async_fn_env#0}"));
        assert_eq!(future_blocked_on("a::block_on<u8>"), None);
    }

    #[test]
    fn a_wait_is_named_without_arguments() {
        assert_eq!(plain("a::Mutex<core::option::Option<fn() -> u8>>::lock"), "a::Mutex::lock");
    }

    #[test]
    fn what_a_function_waits_for_is_known_by_its_module() {
        let sleep = "tokio::time::sleep::Sleep";
        let acquire = "tokio::sync::batch_semaphore::Acquire";
        assert_eq!(kind(sleep, sleep), WaitKind::Timer);
        assert_eq!(kind("tokio::sync::mutex::Mutex::lock", acquire), WaitKind::Lock);
        assert_eq!(kind("tokio::sync::mpsc::bounded::Sender::send", acquire), WaitKind::Send);
        assert_eq!(kind("tokio::net::tcp::TcpStream::readable", "x"), WaitKind::Io);
    }
}
