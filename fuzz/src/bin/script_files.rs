//! Writes the core and the program that an input of `whole`, or of another target whose input is
//! a script, describes: `script_files INPUT DIRECTORY`. Then `obit DIRECTORY/core DIRECTORY/prog`
//! shows what is in them.

use std::path::PathBuf;
use std::{env, fs, io};

use obit_fuzz::Script;

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(directory)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: script_files INPUT DIRECTORY"));
    };
    let script = Script::of(&fs::read(input)?);
    let base = script.base();
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("core"), script.core(base))?;
    fs::write(directory.join("prog"), script.program(base))?;
    println!("{}: {} changes", base.name, script.edits.len());
    for edit in &script.edits {
        println!("{edit:x?}");
    }
    Ok(())
}

/// What the fuzzer's library calls: not here.
#[unsafe(no_mangle)]
extern "C" fn rust_fuzzer_test_input(_: *const u8, _: usize) -> i32 {
    0
}
