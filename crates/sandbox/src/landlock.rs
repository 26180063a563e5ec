//! Landlock: no path, no TCP port, no other process (landlock(7)).

use ::landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};

/// The newest interface whose rights are handled; older kernels handle what they know.
const NEWEST: ABI = ABI::V6;

/// Takes every right that Landlock knows from this process.
///
/// # Errors
/// What is missing, in words.
pub(crate) fn restrict() -> Result<(), String> {
    let restricted = || -> Result<_, RulesetError> {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .restrict_self()
    };
    match restricted() {
        Ok(status) if status.ruleset == RulesetStatus::NotEnforced => {
            Err("the kernel has no Landlock (Linux 5.13 and CONFIG_SECURITY_LANDLOCK)".to_owned())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The version of Landlock's interface that the kernel has; `None` without Landlock.
pub(crate) fn version() -> Option<u32> {
    /// `LANDLOCK_CREATE_RULESET_VERSION` (linux/landlock.h).
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call reads no memory of ours and only returns a number.
    #[allow(unsafe_code)]
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION)
    };
    u32::try_from(version).ok()
}
