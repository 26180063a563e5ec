//! Directories that the kernel makes up: a search enters none of them by itself. `/proc` leads
//! to all other directories, and reading a device or a file of `/sys` may have effects.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where they are.
const PLACES: [&str; 3] = ["/proc", "/sys", "/dev"];
/// `f_type` of those that are elsewhere, too: proc, sysfs, debugfs, tracefs, cgroup and
/// cgroup2 (`include/uapi/linux/magic.h`).
const MAGICS: [u64; 6] = [0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x27_e0eb, 0x6367_7270];

/// Whether a path, absolute or not, is one of them or below one.
pub(super) fn is_within(path: &Path) -> bool {
    let real = path.canonicalize();
    let real = real.as_deref().unwrap_or(path);
    PLACES.iter().any(|place| real.starts_with(place))
}

/// Whether the directory at `path` is one of them. `known` has the file systems that were
/// asked for before.
pub(super) fn is_one(path: &Path, metadata: &Metadata, known: &mut HashMap<u64, bool>) -> bool {
    let is_place = |place: &str| {
        path.file_name() == Path::new(place).file_name()
            && std::fs::metadata(place)
                .is_ok_and(|it| (it.dev(), it.ino()) == (metadata.dev(), metadata.ino()))
    };
    let is_of_kernel = *known.entry(metadata.dev()).or_insert_with(|| {
        rustix::fs::statfs(path).is_ok_and(|found| MAGICS.contains(&(found.f_type as u64)))
    });
    is_of_kernel || PLACES.iter().any(|place| is_place(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_one_and_a_directory_of_that_name_is_not() {
        let is_found = |path: &Path| {
            let metadata = std::fs::metadata(path).unwrap();
            is_one(path, &metadata, &mut HashMap::new())
        };
        let directory = tempfile::tempdir().unwrap();
        let other = directory.path().join("proc");
        std::fs::create_dir(&other).unwrap();
        assert!(is_found(Path::new("/proc")) && is_found(Path::new("/dev")));
        assert!(!is_found(&other) && !is_within(&other));
        assert!(is_within(Path::new("/proc/self/fd")));
    }
}
