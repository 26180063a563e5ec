//! Numbers of signals as x86 and Arm count them, which a dump's signals are translated to.

pub(crate) const SIGINT: u16 = 2;
pub(crate) const SIGQUIT: u16 = 3;
pub(crate) const SIGILL: u16 = 4;
pub(crate) const SIGTRAP: u16 = 5;
pub(crate) const SIGABRT: u16 = 6;
pub(crate) const SIGBUS: u16 = 7;
pub(crate) const SIGFPE: u16 = 8;
pub(crate) const SIGSEGV: u16 = 11;
pub(crate) const SIGTERM: u16 = 15;
pub(crate) const SIGSTOP: u16 = 19;
pub(crate) const SIGTSTP: u16 = 20;
pub(crate) const SIGTTIN: u16 = 21;
pub(crate) const SIGTTOU: u16 = 22;
pub(crate) const SIGXCPU: u16 = 24;
pub(crate) const SIGXFSZ: u16 = 25;
