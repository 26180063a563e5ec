//! `obit unpack`: a crash that came in one file, as files.

use std::fs::{self, File};
use std::io::{self, Seek};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use clap::Args;

use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;
use crate::cli::private_file;
use crate::cli::request::Request;

/// Which file, and where to.
#[derive(Clone, Debug, Args)]
pub(crate) struct UnpackArgs {
    /// The archive, as `obit pack` writes it; one that is encrypted is decrypted first
    #[arg(value_name = "FILE")]
    archive: PathBuf,
    /// Write the files into this directory, which must not exist
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
}

/// Writes the core and the files that came with it.
pub(crate) fn run(args: &UnpackArgs, general: &General) -> Result<Exit, Failure> {
    let archive = &args.archive;
    let inputs = Inputs { core: archive.clone(), ..Inputs::default() };
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let directory = match &args.output {
        Some(directory) => directory.clone(),
        None => archive
            .with_extension("")
            .file_name()
            .map(PathBuf::from)
            .ok_or_else(|| Failure::usage(&"no directory for the files; give one: -o DIR"))?,
    };
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(Exit::Output, &format_args!("cannot write {}: {error}", path.display()))
    };
    if directory.symlink_metadata().is_ok() {
        let shown = directory.display();
        return Err(Failure::usage(&format!("{shown} exists; give another directory: -o DIR")));
    }
    let core = request.open(general.quiet)?;
    if core.companions.is_empty() {
        let shown = archive.display();
        let problem = format!("{shown} is no archive of a core with other files");
        return Err(Failure::new(Exit::Unusable, &problem));
    }
    let draft = Draft::of(&directory).map_err(|error| failed(&directory, &error))?;
    let within = |path: &Path| -> Option<PathBuf> {
        let path = path.strip_prefix(archive).ok()?;
        let leads_down = path.components().all(|part| matches!(part, Component::Normal(_)));
        leads_down.then(|| draft.path.join(path))
    };
    let mut written = 0_usize;
    let mut write = |path: &Path, mut content: File| -> Result<(), Failure> {
        let Some(to) = within(path) else { return Ok(()) };
        let fill = || -> io::Result<()> {
            private_file::create_directory(to.parent().unwrap_or(&draft.path))?;
            content.rewind()?;
            io::copy(&mut content, &mut private_file::create_new(&to)?)?;
            Ok(())
        };
        let filled = { fill }();
        filled.map_err(|error| failed(&to, &error))?;
        written = written.saturating_add(1);
        Ok(())
    };
    let core_file = core.file.try_clone().map_err(|error| failed(&core.path, &error))?;
    write(&core.path, core_file)?;
    for path in core.companions.paths() {
        if let Some(content) = core.companions.open(path) {
            write(path, content.map_err(|error| failed(path, &error))?)?;
        }
    }
    draft.publish(&directory).map_err(|error| failed(&directory, &error))?;
    if !general.quiet {
        say(&format!("{}: {written} files", directory.display()));
    }
    Ok(Exit::Success)
}

/// The directory while it is filled; gone unless it gets its name.
struct Draft {
    path: PathBuf,
    is_published: bool,
}

impl Draft {
    fn of(directory: &Path) -> io::Result<Self> {
        let path = private_file::name_of_draft(directory)?;
        private_file::create_directory(directory.parent().unwrap_or(Path::new("")))?;
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path, is_published: false })
    }

    fn publish(mut self, directory: &Path) -> io::Result<()> {
        fs::rename(&self.path, directory)?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            // There is no one left to report a failure to.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
