//! Whether a file that was found, and not named, may decide anything: a directory above the
//! working directory may be one that everybody can write to, as /tmp is.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Distrust {
    #[error("{} belongs to another user (uid {uid})", path.display())]
    Foreign { path: PathBuf, uid: u32 },
    #[error("other users may write to {}", .0.display())]
    Writable(PathBuf),
    #[error("{} cannot be examined: {source}", path.display())]
    Unknown { path: PathBuf, source: io::Error },
}

/// Who is trusted.
#[derive(Clone, Copy, Debug)]
struct User {
    uid: u32,
    gid: u32,
    /// Who called sudo; only where this is root.
    caller: Option<u32>,
}

/// Whether the file at `path` and its directory belong to the user or to root, and no one
/// else may write to them. For links this holds for the link and for what it leads to.
///
/// # Errors
/// Why it is not to be used.
pub(crate) fn trusted(path: &Path) -> Result<(), Distrust> {
    let uid = rustix::process::geteuid().as_raw();
    let caller = std::env::var("SUDO_UID").ok().filter(|_| uid == 0);
    let caller = caller.and_then(|uid| uid.parse().ok());
    let user = User { uid, gid: rustix::process::getegid().as_raw(), caller };
    path.parent().into_iter().chain([path]).try_for_each(|one| {
        let unknown = |source| Distrust::Unknown { path: one.to_owned(), source };
        let link = fs::symlink_metadata(one).map_err(unknown)?;
        user.trusts_owner(one, &link)?;
        let found = fs::metadata(one).map_err(unknown)?;
        user.trusts_owner(one, &found)?;
        match found.mode() & 0o002 != 0 || found.mode() & 0o020 != 0 && !user.is_alone(&found) {
            true => Err(Distrust::Writable(one.to_owned())),
            false => Ok(()),
        }
    })
}

/// Whether no one but root can change the file at `path`, which is canonical, or put another in
/// its place: the file and all directories above it are root's, and no one else may write to
/// them. Where others may write to a directory further up, only their own names are theirs (the
/// sticky bit). The user who called sudo is one of the others.
///
/// # Errors
/// Who else can change it.
pub(crate) fn only_root_changes(path: &Path) -> Result<(), Distrust> {
    path.ancestors().enumerate().try_for_each(|(height, one)| {
        let unknown = |source| Distrust::Unknown { path: one.to_owned(), source };
        let metadata = fs::symlink_metadata(one).map_err(unknown)?;
        let mode = metadata.mode();
        let keeps_names = height > 1 && mode & 0o1000 != 0;
        match metadata.uid() {
            0 if mode & 0o022 == 0 || keeps_names => Ok(()),
            0 => Err(Distrust::Writable(one.to_owned())),
            uid => Err(Distrust::Foreign { path: one.to_owned(), uid }),
        }
    })
}

impl User {
    fn trusts_owner(self, path: &Path, metadata: &Metadata) -> Result<(), Distrust> {
        let uid = metadata.uid();
        if uid == self.uid || uid == 0 || Some(uid) == self.caller {
            return Ok(());
        }
        Err(Distrust::Foreign { path: path.to_owned(), uid })
    }

    /// Whether the file's group has no other member, by the convention of a group for each
    /// user: the umask there is 002.
    fn is_alone(self, metadata: &Metadata) -> bool {
        metadata.gid() == self.gid && self.gid == self.uid
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_trusted_if_no_one_else_can_change_it() {
        let directory = tempfile::tempdir().unwrap();
        let (dir, file) = (directory.path().join(".obit"), directory.path().join(".obit/x"));
        fs::create_dir(&dir).unwrap();
        fs::write(&file, "").unwrap();
        set_mode(&dir, 0o755);
        set_mode(&file, 0o644);
        assert!(trusted(&file).is_ok());
        set_mode(&dir, 0o777);
        assert!(matches!(trusted(&file), Err(Distrust::Writable(path)) if path == dir));
        set_mode(&dir, 0o755);
        set_mode(&file, 0o666);
        assert!(matches!(trusted(&file), Err(Distrust::Writable(path)) if path == file));
    }

    #[test]
    fn a_file_of_another_user_is_not_trusted_nor_is_a_link_of_his() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("x"), directory.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        // Only root gives files away.
        if std::os::unix::fs::lchown(&link, Some(4242), None).is_err() {
            return;
        }
        assert!(matches!(trusted(&link), Err(Distrust::Foreign { uid: 4242, .. })));
        assert!(trusted(&file).is_ok());
        chown(&file, Some(4242), None).unwrap();
        assert!(matches!(trusted(&file), Err(Distrust::Foreign { uid: 4242, .. })));
    }
    #[test]
    fn what_runs_as_root_is_below_directories_of_root_alone() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let (bin, file) = (top.join("bin"), top.join("bin/obit"));
        fs::create_dir(&bin).unwrap();
        fs::write(&file, "").unwrap();
        for path in [&top, &bin, &file] {
            set_mode(path, 0o755);
        }
        assert!(only_root_changes(&file).is_ok(), "below /tmp, which has the sticky bit");
        for (path, mode) in [(&file, 0o775), (&bin, 0o775), (&bin, 0o1777), (&top, 0o777)] {
            set_mode(path, mode);
            let refused = only_root_changes(&file);
            assert!(matches!(refused, Err(Distrust::Writable(of)) if of == *path), "{mode:o}");
            set_mode(path, 0o755);
        }
        for path in [&file, &bin, &top] {
            chown(path, Some(4242), None).unwrap();
            let refused = only_root_changes(&file);
            assert!(matches!(refused, Err(Distrust::Foreign { uid: 4242, .. })), "{path:?}");
            chown(path, Some(0), None).unwrap();
        }
    }
}
