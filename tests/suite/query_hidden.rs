//! What `obit query` may not say of hidden values, letter by letter, by comparison or by
//! calculation, in a program that holds some.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::fixture::{obit, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

/// As of grep.
const NOTHING_FOUND: i32 = 1;

/// A program that crashes with texts of which a part, or all, is hidden.
const HOLDER: &str = r#"
    #include <stdio.h>
    #include <string.h>
    struct account { int id; char mail[48]; double share; };
    static struct account a[2];
    static unsigned char by[40];
    static char mail[64];
    static char longt[800];
    static char path[400];
    static unsigned char wide[200];
    static volatile int *volatile nowhere;
    int numbers[100];
    static char huge[6000];
    __attribute__((noinline)) void hold(char *pw, long place) { *nowhere = pw[0] + (int)place; }
    int main(void) {
        a[0].id = 7;
        a[0].share = 2.5;
        strcpy(a[0].mail, "alice@example.com");
        strcpy((char *)by, "bobby@example.com");
        strcpy(mail, "write to alice@example.com now");
        memset(longt, 'z', 540);
        strcpy(longt + 540, " carol@example.com");
        memset(path, 'p', 300);
        memset(huge, 'h', 5999);
        memset(wide, 3, 100);
        strcpy((char *)wide + 100, "dave@example.com");
        hold(mail, (long)mail);
        return 0;
    }"#;

struct Holder(TempDir);

impl Holder {
    fn crashed() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let root = place.0.path();
        fs::write(root.join("holder.c"), HOLDER).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-g", "-O0", "-Wl,--build-id", "-o", "holder", "holder.c"]);
        assert!(compiler.current_dir(root).status().unwrap().success());
        let mut run = place.command(&["run", "-q", "-o", "cores/core", "--", "./holder"]);
        fs::create_dir(root.join("cores")).unwrap();
        run.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        place
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = obit();
        command.args(words).env("XDG_CACHE_HOME", self.0.path().join("cache"));
        command.env("XDG_STATE_HOME", self.0.path().join("state"));
        command.current_dir(self.0.path());
        command
    }

    fn ask(&self, expressions: &str, more: &[&str]) -> Output {
        let query = format!("hold {{ {expressions} }}");
        self.command(&[&["query", "--json", "-q", &query, "cores"], more].concat())
            .output()
            .unwrap()
    }

    /// The only row.
    fn row(&self, expressions: &str, more: &[&str]) -> Value {
        let output = self.ask(expressions, more);
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(1), "{}", stderr(&output));
        found["rows"][0].clone()
    }
}

#[test]
fn no_way_of_writing_it_reads_a_hidden_text_letter_by_letter() {
    let holder = Holder::crashed();
    let ways = [
        "a[0].mail[0]",
        "*(&a[0].mail[0])",
        "*&by[2]",
        "(&by[2])[1]",
        "&a[0].mail[2]",
        "mail[9]",
        "mail[9] == 97",
        "*(mail + 9)",
        "pw[9]",
        "*(char*)((long)&mail + 9)",
        "*(char*)((long)pw + 9)",
        "*(char*)(place + 9)",
        "((char*)place)[9]",
        "{char} (place + 9)",
        "*(char*)(place + 9) == 97",
        "*(int*)(place + 10) & 255",
        "*(unsigned char*)&by[2]",
        "longt[545]",
        "wide[101]",
        "*(char*)((long)&numbers[0] + ((long)&mail - (long)&numbers[0]) + 9)",
        "(char*)(place + 11)",
        "mail[9] ? 1 : 0",
        "(long)numbers << (mail[9] == 97)",
    ];
    let columns: Vec<String> =
        ways.iter().enumerate().map(|(at, way)| format!("w{at} = {way}")).collect();
    let row = holder.row(&columns.join(", "), &[]);
    for (at, way) in ways.iter().enumerate() {
        let cell = &row[format!("w{at}")];
        assert!(cell["hidden"].is_string(), "{way}: {cell}");
    }
    let open = holder.row(&columns.join(", "), &["--redact=off"]);
    for (at, way) in ways.iter().enumerate() {
        let cell = &open[format!("w{at}")];
        assert!(!cell.is_object(), "{way}: {cell}");
    }
}

#[test]
fn why_there_is_no_value_says_no_hidden_letter() {
    let holder = Holder::crashed();
    let ways = ["*(char*)(long)mail[9]", "1 / (mail[9] - 97)", "*(int*)(mail[9] * 4096L)"];
    let columns: Vec<String> =
        ways.iter().enumerate().map(|(at, way)| format!("w{at} = {way}")).collect();
    let row = holder.row(&columns.join(", "), &[]);
    let open = holder.row(&columns.join(", "), &["--redact=off"]);
    for (at, way) in ways.iter().enumerate() {
        let name = format!("w{at}");
        assert!(row[&name]["hidden"].is_string(), "{way}: {}", row[&name]);
        assert!(
            open[&name].is_object() && open[&name]["hidden"].is_null(),
            "{way}: {}",
            open[&name]
        );
    }
}

#[test]
fn what_lies_beside_a_hidden_text_is_shown() {
    let holder = Holder::crashed();
    let row = holder.row("a[0].id, a[0].share, n = numbers[3], where = &by[2], path[7]", &[]);
    assert_eq!((&row["a[0].id"], &row["a[0].share"]), (&7.into(), &2.5.into()));
    assert_eq!(row["n"], 0);
    assert!(row["where"].as_str().is_some_and(|at| at.starts_with("0x")), "{row}");
    assert_eq!(row["path[7]"], i64::from(b'p'));
}

#[test]
fn a_text_that_is_hidden_in_part_is_compared_with_nothing() {
    let holder = Holder::crashed();
    let row = holder.row("mail", &[]);
    assert!(row["mail"].as_str().unwrap().starts_with("write to <email"), "{row}");
    for condition in [
        "mail[9] == 97",
        "mail != 'write to alice@example.com now'",
        "not mail == 'write to alice@example.com now'",
        "mail ~ alice",
        "not mail ~ alice",
        "mail < zz",
    ] {
        let condition = condition.replace("mail[9]", "`mail[9]`");
        let output = holder.ask("mail, mail[9]", &["--where", &condition]);
        assert_eq!(output.status.code(), Some(NOTHING_FOUND), "{condition}");
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let notes = found["notes"].to_string();
        assert!(notes.contains("could not decide"), "{condition}: {notes}");
    }
}

#[test]
fn an_expression_of_too_many_parts_is_not_answered() {
    let holder = Holder::crashed();
    let many: Vec<String> = (0..70).map(|number| format!("numbers[{number}]")).collect();
    let sums: Vec<String> = many.chunks(10).map(|part| format!("({})", part.join("+"))).collect();
    let sum = format!("letter = mail[9] + {}", sums.join("+"));
    let row = holder.row(&sum, &[]);
    let why = row["letter"]["unavailable"].as_str().unwrap_or_default();
    assert!(why.contains("too many parts"), "{row}");
    assert_eq!(holder.row(&sum, &["--redact=off"])["letter"], i64::from(b'a'));
}

#[test]
fn a_value_that_goes_on_is_decided_and_grouped_by_its_start_and_that_is_said() {
    let holder = Holder::crashed();
    let ask = |condition: &str| {
        let output = holder.ask("huge, numbers", &["--where", condition]);
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let is_undecided = found["notes"].to_string().contains("could not decide");
        (found["total_rows"] == 1, is_undecided)
    };
    assert_eq!(ask("huge != hhx"), (true, false));
    assert_eq!(ask("huge == hhh"), (false, false));
    assert_eq!(ask("huge ~ '^hh'"), (true, false));
    let start = "h".repeat(4096);
    for condition in ["huge ~ 'x'", "huge ~ 'h$'", "numbers == '{0}'", &format!("huge != {start}")]
    {
        assert_eq!(ask(condition), (false, true), "{condition:.20}");
    }
    for columns in ["huge", "numbers"] {
        let output = holder.ask("huge, numbers", &["--group-by", columns]);
        let said = stdout(&output);
        assert!(said.contains("rows grouped by the start of a longer value: 1"), "{said:.300}");
    }
    let row = holder.row("huge", &[]);
    assert!(row["huge"].as_str().unwrap().ends_with("hh\u{2026}"));
}
