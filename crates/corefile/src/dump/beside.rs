//! What the collector of a core wrote beside it: ABRT keeps each fact in a file of its own, in
//! the directory in which the core is called `coredump`. Source: libreport's `dump_dir.c`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::mapped_file::open_regular_if;

/// ABRT's name of the core.
const CORE: &str = "coredump";
/// The facts that are read.
const FACTS: [&str; 9] =
    ["cgroup", "count", "executable", "global_pid", "hostname", "package", "pid", "time", "uid"];
/// Bytes of a fact.
const LONGEST: u64 = 4096;

/// Names and texts of the facts beside the core at `path`, which `core` is.
///
/// Those who can write to the directory can put other names for files there: only files of the
/// core's own owner that have no other name are read.
pub(super) fn beside(path: &Path, core: &File) -> Vec<(String, String)> {
    if path.file_name().is_none_or(|name| name != CORE) {
        return Vec::new();
    }
    let Ok(owner) = rustix::fs::fstat(core).map(|stat| stat.st_uid) else { return Vec::new() };
    let fact = |name: &&str| {
        let file = open_regular_if(&path.with_file_name(name), |stat| match stat {
            stat if stat.st_uid != owner => Err("belongs to someone else"),
            stat if stat.st_nlink != 1 => Err("has another name"),
            _ => Ok(()),
        });
        let mut text = String::new();
        file.ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| ((*name).to_owned(), text.to_owned()))
    };
    FACTS.iter().filter_map(fact).collect()
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
        let fifo = at("count");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let of = |name: &str| beside(&at(name), &File::open(at(name)).unwrap());
        let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            of("coredump"),
            [text("executable", "/usr/bin/shop"), text("time", "1773146096")]
        );
        assert_eq!(of("core"), []);
    }
}
