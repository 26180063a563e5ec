//! A program with numbers that belong to people (tests/fixtures/keys/numbers.cc): none of them
//! is in a report or in a scrubbed core, whatever type and place it has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fixture::run;

pub const CARD: u64 = 4_929_804_463_622_139;
const PIN: &str = "7391";
const BIRTH: i64 = 157_795_283;
const PEER: [u8; 4] = [203, 0, 113, 77];

/// The core and the program; `None` where it cannot be built or leaves no core here.
pub fn crash(name: &str, options: &[&str]) -> Option<(PathBuf, PathBuf)> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("numbers").join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let address = PEER.map(|octet| octet.to_string()).join(".");
    fs::write(directory.join("numbers.txt"), format!("{CARD} {PIN} {BIRTH} {address}\n")).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys/numbers.cc");
    let mut compiler = Command::new("c++");
    compiler.args(options).arg("-o").arg("prog").arg(source).current_dir(&directory);
    if !compiler.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no C++ compiler");
        return None;
    }
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c unlimited && exec ./prog"]).current_dir(&directory);
    command.stderr(Stdio::null()).status().unwrap();
    let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let is_core = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("core");
    let core = files.into_iter().find(is_core);
    if core.is_none() {
        eprintln!("skipped: the kernel writes no core beside the program");
    }
    Some((core?, directory.join("prog")))
}

/// The numbers as bytes of memory.
fn bytes() -> Vec<(&'static str, Vec<u8>)> {
    let digits: Vec<u8> = CARD.to_string().bytes().map(|digit| digit - b'0').collect();
    let bcd = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let list = digits.iter().flat_map(|digit| u32::from(*digit).to_le_bytes()).collect();
    vec![
        ("a card as a number", CARD.to_le_bytes()[..7].to_vec()),
        ("a card as a floating-point number", (CARD as f64).to_le_bytes().to_vec()),
        ("a card in decimals", bcd),
        ("a card as digits", list),
        ("a card as text", CARD.to_string().into_bytes()),
        ("a PIN", PIN.as_bytes().to_vec()),
        ("a date of birth", BIRTH.to_le_bytes().to_vec()),
        ("an address", PEER.to_vec()),
    ]
}

/// The same as obit would write them.
fn texts() -> Vec<String> {
    let digits: Vec<String> = CARD.to_string().chars().map(String::from).collect();
    let bcd: Vec<String> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.concat(), 16).unwrap().to_string())
        .collect();
    vec![
        CARD.to_string(),
        format!("{CARD:x}"),
        format!("{:.9e}", CARD as f64),
        digits[..8].join(", "),
        bcd[..4].join(", "),
        format!("\"{PIN}\""),
        BIRTH.to_string(),
        u32::from_le_bytes(PEER).to_string(),
        PEER.map(|octet| octet.to_string()).join("."),
    ]
}

fn hides_numbers(name: &str, options: &[&str], wanted: &str) {
    let Some((core, program)) = crash(name, options) else { return };
    let out = core.with_extension("scrubbed");
    let paths = [&core, &program].map(|path| path.to_str().unwrap());
    let output = run(["scrub", paths[0], paths[1], "-o", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (whole, scrubbed) = (fs::read(&core).unwrap(), fs::read(&out).unwrap());
    for (what, bytes) in bytes().into_iter().filter(|(what, _)| what.starts_with(wanted)) {
        assert!(holds(&whole, &bytes), "{what} is not in the core");
        assert!(!holds(&scrubbed, &bytes), "{what} is in the scrubbed core");
    }
    for arguments in [
        &["--locals", "all", "--registers", "-v"][..],
        &["--json", "--locals", "all", "--registers"],
        &["--format", "html", "--locals", "all"],
    ] {
        let output = run([arguments, &paths].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for number in texts() {
            assert!(!text.contains(&number), "{arguments:?}: {number}");
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn numbers_of_people_are_hidden_by_name_type_or_check_digit() {
    hides_numbers("unoptimised", &["-g", "-O0"], "a");
}

#[test]
fn numbers_of_people_are_hidden_in_optimised_code() {
    hides_numbers("optimised", &["-g", "-O2"], "a");
}

#[test]
fn cards_are_hidden_by_their_check_digit_in_a_stripped_program() {
    hides_numbers("stripped", &["-s", "-O2"], "a card");
}
