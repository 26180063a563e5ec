//! The numbers in a file, for the textfile collector of node_exporter.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Metrics;

/// The collector runs as another user. There is nothing in the file but numbers.
const MODE: u32 = 0o644;

/// A file that always holds all of the numbers of some moment.
#[derive(Clone, Debug)]
pub struct MetricsFile {
    path: PathBuf,
    /// What it is called until it is complete: the collector reads names that end in `.prom`.
    draft: PathBuf,
}

impl MetricsFile {
    /// The file at `path`, which need not be there.
    ///
    /// # Errors
    /// When `path` has no file name.
    pub fn at(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("not the name of a file"))?;
        let mut draft = OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}.part", std::process::id()));
        Ok(Self { path: path.to_owned(), draft: path.with_file_name(draft) })
    }

    /// The one of `directories` that the file is in or below, if any.
    pub fn directory_around<'d>(&self, directories: &'d [PathBuf]) -> Option<&'d Path> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
        let is_around =
            |directory: &&PathBuf| directory.canonicalize().is_ok_and(|it| parent.starts_with(it));
        directories.iter().find(is_around).map(PathBuf::as_path)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// Those of the file system. The file is as it was then.
    pub fn write(&self, metrics: &Metrics) -> io::Result<()> {
        let written = self.write_draft(metrics.text().as_bytes());
        if written.is_err() {
            // It may not be there; the error that is reported is the first.
            let _ = fs::remove_file(&self.draft);
        }
        written
    }

    fn write_draft(&self, text: &[u8]) -> io::Result<()> {
        // One is left by a process that had this id and was killed.
        let _ = fs::remove_file(&self.draft);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(MODE).open(&self.draft)?;
        // The file mode creation mask of a service may take the others' right to read it.
        file.set_permissions(fs::Permissions::from_mode(MODE))?;
        file.write_all(text)?;
        fs::rename(&self.draft, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_around_the_file_is_found_through_links() {
        let root = tempfile::tempdir().unwrap();
        let (cores, other) = (root.path().join("cores"), root.path().join("other"));
        fs::create_dir_all(cores.join("sub")).unwrap();
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&cores, root.path().join("link")).unwrap();
        let around = |file: &str, directory: &Path| {
            let file = MetricsFile::at(&root.path().join(file)).unwrap();
            file.directory_around(&[other.clone(), directory.to_owned()]).is_some()
        };
        assert!(around("cores/obit.prom", &cores) && around("cores/sub/obit.prom", &cores));
        assert!(around("link/obit.prom", &cores));
        assert!(around("cores/obit.prom", &root.path().join("link")));
        assert!(!around("obit.prom", &cores) && !around("none/obit.prom", &cores));
    }

    #[test]
    fn the_file_is_replaced_whole_and_a_link_in_its_place_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("obit.prom"), directory.path().join("other"));
        fs::write(&other, "keep").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let file = MetricsFile::at(&path).unwrap();
        let metrics = Metrics::default();
        file.write(&metrics).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), metrics.text());
        assert_eq!(fs::read_to_string(&other).unwrap(), "keep");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        assert!(
            MetricsFile::at(&directory.path().join("none/x")).unwrap().write(&metrics).is_err()
        );
    }
}
