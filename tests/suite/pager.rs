//! The pager: when it is started, with what, and what it changes of a run, on a terminal that
//! `script` makes.

use std::process::Command;

use crate::fixture::Case;

/// What a terminal of so many lines shows of `obit WORDS` in this environment, and the
/// exit code.
fn on_terminal(lines: u32, environment: &[(&str, &str)], words: &str) -> (String, i32) {
    let obit = env!("CARGO_BIN_EXE_obit");
    let line = format!("stty rows {lines} cols 100; {obit} {words}; echo \"code=$?\"");
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]);
    for name in ["OBIT_PAGER", "PAGER", "LESS", "LV", "COLUMNS", "NO_COLOR", "CLICOLOR"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").env("SHELL", "/bin/sh").envs(environment.iter().copied());
    let out = command.stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap().replace('\r', "");
    let (shown, code) = text.rsplit_once("code=").unwrap_or_else(|| panic!("no code: {text}"));
    (shown.to_owned(), code.trim().parse().unwrap())
}

fn core() -> String {
    Case::named("null-field").core().display().to_string()
}

/// Marks each line that went through it.
const MARKING: &str = "sed 's/^/@@ /'";

#[test]
fn a_page_longer_than_the_screen_goes_through_the_pager_in_colours() {
    let (shown, code) = on_terminal(20, &[("PAGER", MARKING)], &core());
    assert!(shown.lines().all(|line| line.starts_with("@@ ")), "{shown}");
    assert!(shown.contains("\u{1b}[") && shown.contains("id obit-"), "{shown}");
    assert_eq!(code, 0);
}

#[test]
fn a_page_that_fits_the_screen_does_not() {
    let (shown, _) = on_terminal(200, &[("PAGER", MARKING)], &core());
    assert!(shown.starts_with("obit: "), "{shown}");
}

#[test]
fn who_wants_no_pager_gets_none() {
    let marked = |environment: &[(&str, &str)], words: &str| {
        on_terminal(20, environment, words).0.contains("@@ ")
    };
    let core = core();
    assert!(!marked(&[("PAGER", MARKING)], &format!("--no-pager {core}")));
    assert!(!marked(&[("PAGER", MARKING), ("TERM", "dumb")], &core));
    assert!(!marked(&[("PAGER", MARKING), ("OBIT_PAGER", "cat")], &core));
    assert!(!marked(&[("PAGER", MARKING), ("OBIT_PAGER", "")], &core));
    assert!(!marked(&[("PAGER", MARKING)], &format!("{core} | cat")));
    assert!(!marked(&[("PAGER", MARKING)], &format!("--json {core}")));
    assert!(marked(&[("PAGER", "cat"), ("OBIT_PAGER", MARKING)], &core));
}

#[test]
fn less_shows_colours_unless_the_user_set_its_options() {
    let printed = |environment: &[(&str, &str)]| {
        let pager = ("PAGER", "echo \"LESS=$LESS LV=$LV\"");
        on_terminal(20, &[&[pager], environment].concat(), &core()).0
    };
    assert_eq!(printed(&[]).trim(), "LESS=FRX LV=-c");
    assert_eq!(printed(&[("LESS", "-S"), ("LV", "-a")]).trim(), "LESS=-S LV=-a");
}

#[test]
fn a_pager_that_ends_early_says_nothing_and_changes_no_exit_code() {
    let words = format!("--fail-on class=null-read {} 2>/dev/null", core());
    assert_eq!(on_terminal(20, &[("PAGER", "true")], &words), (String::new(), 3));
    assert_eq!(on_terminal(20, &[("PAGER", "false")], &core()), (String::new(), 0));
}

#[test]
fn a_pager_that_cannot_be_run_costs_no_text() {
    let (shown, code) = on_terminal(20, &[("PAGER", "no-such-pager")], &core());
    assert!(shown.contains("no-such-pager") && shown.contains("id obit-"), "{shown}");
    assert_eq!(code, 0);
}

#[test]
fn an_interrupt_is_the_pagers_alone() {
    // The terminal sends SIGINT to all of its foreground: to obit, and to the pager, which
    // here goes on as less does.
    let pager = "trap '' INT; kill -INT $PPID; cat > /dev/null; echo still here";
    let (shown, code) = on_terminal(20, &[("PAGER", pager)], &core());
    assert_eq!((shown.trim(), code), ("still here", 0));
}
