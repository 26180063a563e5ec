//! A program full of secrets (tests/fixtures/canary-cpp), and everything that obit writes
//! of it: none of them may be there, in whatever form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::dap::Editor;
use crate::fixture::run;
use crate::mcp::Agent;
use data_encoding::BASE64;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};

/// What each way to die is about.
const WAYS: [&str; 7] = ["null", "wild", "smash", "registers", "symbol", "what", "assert"];

/// Secrets, of each the part that no other text has, and where it is.
const SECRETS: [(&str, &str); 45] = [
    ("AL-willow-Grebe73", "the value of an option"),
    ("AS-alder-Plover84", "the value of a short option"),
    ("ap.edda.loam", "a word of the command line"),
    ("ag fennel drizzle lantern", "another"),
    ("EN-tansy-Ocelot95", "environment"),
    ("eg gorse thrush dapple", "environment"),
    ("ep.ilsa.wren", "the directory of the program"),
    ("cp.alwin.drey", "the directory of the core"),
    ("tn@quarry", "the name of a thread"),
    ("TL-mallow-Ermine39", "a thread's own variable"),
    ("TM-clary-Pipit51", "a thread's own variable"),
    ("GL-nettle-Dormouse40", "a global variable"),
    ("hp.tamsin.orrell", "the heap"),
    ("HP-bracken-Stoat41", "the heap"),
    ("4929804463622139", "an integer in the heap"),
    ("739164", "an integer in the heap"),
    ("hn.oswin.pell", "the heap, behind a pointer"),
    ("HN-sorrel-Marten52", "the heap, behind a pointer"),
    ("lc.maren.thistle", "an array of characters"),
    ("LC-juniper-Otter63", "an array of characters"),
    ("LU-campion-Shrew74", "a string"),
    ("1512 8830417", "a string"),
    ("AKIALOCQ7ZX4KPWNMRTB", "a string"),
    ("lbQ7xkz4wplnm2r8tcv6ys3dfg9hj", "a string"),
    ("lx.wendel.rook", "UTF-16"),
    ("lv.ysolde.fenn", "a vector of bytes"),
    ("lk.corin.ashby", "the key of a map"),
    ("LL-teasel-Badger85", "an element of a vector"),
    ("5425233430109903", "an integer"),
    ("624918", "an integer"),
    ("LPmarjo9", "a union of text, pointer, integer and number"),
    ("lg.quillon.marsh", "behind a pointer, and in the source"),
    ("LT-fescue-Lapwing62", "behind a pointer, and in the source"),
    ("RG-lovage-Weasl1", "general registers"),
    ("RX-yarrow-Hare27", "a vector register"),
    ("RT-elm96", "a general register"),
    ("WPfennl4", "a pointer"),
    ("SMtansy1", "a stack"),
    ("SNclove3", "a return address"),
    ("SPbasil7", "a stack"),
    ("SR-madrone-Vole28", "a line of source, and a variable"),
    ("so.tove.birk", "a line of source"),
    ("ex.lowri.gorse", "an exception"),
    ("EX-vetch-Polecat96", "an exception"),
    ("as.bram.heath", "an assertion"),
];

/// An assertion's second secret. The first one does not hide it from a check that looks for both.
const ASSERTED: &str = "AS-sedge-Ferret17";

/// Text that only the strict policy hides: nothing says that it is anybody's.
const WORDS: [(&str, &str); 2] =
    [("lw free words of somebody", "a string"), ("hp heather moorland errand", "the heap")];

/// Names of code come from a linker and must be exact: they are shown at all levels but
/// where the strict policy finds a secret in one.
const SYMBOL: &str = "AKIASYMBQ7XKZ4WPLNM";

/// The owner of a home directory is shown at the default level: a reader of the report
/// may have to open the file. The strict policy hides it.
const HOME_OWNER: &str = "orsolya";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/canary-cpp")
}

/// The core below a directory that is a secret and somebody's home.
fn core_of(way: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("canary/mnt/home").join(HOME_OWNER);
    let directory = home.join("cp.alwin.drey@quarrymail.example");
    fs::create_dir_all(&directory).unwrap();
    let core = directory.join(format!("{way}.core.zst"));
    fs::copy(fixtures().join(format!("{way}.core.zst")), &core).unwrap();
    core
}

/// An address behind two pointers.
const NEXT: &str = "accounts._M_t._M_t._M_head_impl->next._M_t._M_t._M_head_impl->owner_email";

/// What is printed to look at: variables by name, casts, members, globals, registers.
const EXPRESSIONS: [&str; 19] = [
    "mail",
    "password",
    "connection",
    "cloud_key",
    "header",
    "wide_mail",
    "bytes",
    "attempts_of",
    "lines",
    "card_no",
    "pin",
    "password_word",
    "*(long *)password",
    "password_word.number",
    "*accounts._M_t._M_t._M_head_impl",
    NEXT,
    "global_secret",
    "tls_token",
    "$r12",
];

/// All that obit writes, and how it was asked.
fn outputs(way: &str, level: &str) -> Vec<(String, Vec<u8>)> {
    let core = core_of(way);
    let program = fixtures().join("prog");
    let redact = format!("--redact={level}");
    let (core, program) = (core.to_str().unwrap(), program.to_str().unwrap());
    let sources = fixtures();
    let base = [core, program, "--source-path", sources.to_str().unwrap(), &redact];
    let mut all = Vec::new();
    let mut ask = |arguments: &[&str]| {
        let output = run([arguments, &base].concat());
        all.push((format!("{way} {level} {}", arguments.join(" ")), both(&output)));
    };
    for arguments in [
        &[][..],
        &["-v"],
        &["-a"],
        &["--registers", "-a", "-v"],
        &["--color=always", "-v"],
        &["--locals", "all", "-v", "-a"],
        &["--no-source", "-v"],
        &["--context", "6", "-v"],
        &["--json", "--locals", "all", "--registers"],
        &["--json", "--no-source"],
        &["modules", "-v"],
        &["modules", "--json"],
        &["signature", "--explain"],
        &["signature", "--json"],
        &["memory"],
        &["memory", "--json"],
        &["memory", "--format", "markdown"],
        &["memory", "--format", "html"],
        &["--format", "html", "--locals", "all", "--registers"],
        &["--format", "brief"],
        &["--format", "markdown", "--registers"],
        &["--format", "sarif"],
        &["--format", "junit"],
        &["--format", "sentry", "--locals", "all"],
        &["--format", "github"],
        &["--format", "gitlab"],
        &["redact", "--explain"],
        &["redact", "--explain", "--json"],
        &["--thread", "cp.alwin.drey@quarrymail.example"],
        &["--max-depth", "password=AL-willow-Grebe73"],
        &["--frobnicate=password=AL-willow-Grebe73"],
    ] {
        ask(arguments);
    }
    for expression in EXPRESSIONS {
        for frame in ["0", "1"] {
            let words = ["print", expression, "-f", frame, "-c"];
            let output = run([&words, &base[..1], &["-e"], &base[1..]].concat());
            all.push((format!("{way} {level} print {expression}"), both(&output)));
        }
    }
    for format in ["human", "ndjson"] {
        let words = ["triage", core, "--no-db", "--format", format, "-e", program, &redact];
        all.push((format!("{way} {level} triage {format}"), both(&run(words))));
    }
    all.push((format!("{way} {level} mcp"), by_tools(way, core, level)));
    all.push((format!("{way} {level} dap"), by_editor(way, core, level)));
    let bad = ["print", "password +* mail", "-c"];
    let output = run([&bad, &base[..1], &["-e"], &base[1..]].concat());
    all.push((format!("{way} {level} a bad expression"), both(&output)));
    let missing = core.replace("core.zst", "gone");
    all.push((format!("{way} {level} no core"), both(&run([missing.as_str(), &redact]))));
    let twice = run([core, program, program, &redact]);
    all.push((format!("{way} {level} too many files"), both(&twice)));
    all
}

/// All that an agent gets.
fn by_tools(way: &str, core: &str, level: &str) -> Vec<u8> {
    let root = Path::new(core).parent().unwrap();
    let (program, sources) = (fixtures().join("prog"), fixtures());
    let level = format!("--redact={level}");
    let words = ["--root", root.to_str().unwrap(), "--exe", program.to_str().unwrap()];
    let more = ["--source-path", sources.to_str().unwrap(), &level];
    let mut agent = Agent::start(&[&words[..], &more].concat());
    let mut all = agent.call("open", &json!({ "path": core })).to_string();
    let mut ask = |tool: &str, arguments: Value| all += &agent.call(tool, &arguments).to_string();
    for tool in
        ["why", "stack", "variables", "locks", "tasks", "heap", "modules", "registers", "source"]
    {
        ask(tool, json!({}));
    }
    ask("stack", json!({ "groups": true }));
    ask("source", json!({ "context": 100 }));
    ask("print", json!({ "expressions": &EXPRESSIONS[..15] }));
    // Where the frame of a number is lost, nothing says that it is a code, and words of the stack
    // are shown as they are (docs/mcp.md).
    let has_lost_frame = way == "smash";
    for expression in EXPRESSIONS {
        if has_lost_frame && expression == "$r12" {
            continue;
        }
        ask("variables", json!({ "of": expression }));
        ask("memory", json!({ "address": expression, "count": 64 }));
        ask("memory", json!({ "address": format!("&({expression})"), "format": "s" }));
        ask("memory", json!({ "address": format!("&({expression})"), "size": "b", "count": 99 }));
        ask("who_points_to", json!({ "expression": expression }));
        ask("verify", json!({ "claim": format!("{expression} is NULL") }));
        ask("verify", json!({ "claim": format!("{expression} points to freed memory") }));
        for letter in 0..4 {
            ask("print", json!({ "expressions": format!("(char)({expression})[{letter}]") }));
            ask("print", json!({ "expressions": format!("({expression})[{letter}] > 100") }));
        }
    }
    // Without redaction, the environment is in the memory of a stack.
    if level != "--redact=off" && !has_lost_frame {
        ask("memory", json!({ "address": "$sp", "size": "g", "count": 256 }));
    }
    ask("find", json!({ "value": "0x4141414141414141" }));
    ask("open", json!({ "path": "../cp.alwin.drey@quarrymail.example/none" }));
    ask("triage", json!({}));
    for uri in ["obit://c1/report.json", "obit://c1/report.md"] {
        all += &agent.ask("resources/read", &json!({ "uri": uri })).to_string();
    }
    all.into_bytes()
}

/// All that an editor gets.
fn by_editor(way: &str, core: &str, level: &str) -> Vec<u8> {
    let (program, sources) = (fixtures().join("prog"), fixtures());
    let level_word = level;
    let level = format!("--redact={level}");
    let mut editor = Editor::new(&["--source-path", sources.to_str().unwrap(), &level], |_| {});
    editor.begin(&json!({ "coreFile": core, "program": program }));
    let mut all = editor.stopped.to_string() + &editor.output;
    let mut ask = |command: &str, arguments: Value| {
        let answer = editor.ask(command, &arguments);
        // A file is sent as text, bytes as they are in memory.
        let data = answer["body"]["data"].as_str().map(|data| BASE64.decode(data.as_bytes()));
        let bytes = data.into_iter().flatten().flatten();
        all += &answer.to_string();
        all += "\n";
        all.extend(bytes.map(char::from));
        answer["body"].clone()
    };
    let has_lost_frame = way == "smash";
    for command in ["threads", "modules", "loadedSources"] {
        ask(command, json!({}));
    }
    let threads = ask("threads", json!({}))["threads"].clone();
    for thread in threads.as_array().unwrap() {
        let stack = ask("stackTrace", json!({ "threadId": thread["id"] }));
        ask("exceptionInfo", json!({ "threadId": thread["id"] }));
        for frame in stack["stackFrames"].as_array().unwrap().iter().take(6) {
            let source = frame["source"]["sourceReference"].clone();
            if !source.is_null() {
                ask("source", json!({ "sourceReference": source }));
            }
            let scopes = ask("scopes", json!({ "frameId": frame["id"] }));
            for scope in scopes["scopes"].as_array().unwrap() {
                if has_lost_frame && scope["name"] == "Registers" {
                    continue;
                }
                let mut level = vec![scope.clone()];
                for _ in 0..4 {
                    let mut next = Vec::new();
                    for one in level.iter().take(60) {
                        let reference = one["variablesReference"].clone();
                        let parts = ask("variables", json!({ "variablesReference": reference }));
                        for part in parts["variables"].as_array().into_iter().flatten() {
                            // Without redaction, the environment is in the memory of a stack.
                            let is_hidden = level_word != "off";
                            if is_hidden && !part["memoryReference"].is_null() {
                                let at = part["memoryReference"].clone();
                                ask("readMemory", json!({ "memoryReference": at, "count": 99 }));
                            }
                            if part["variablesReference"] != 0 {
                                next.push(part.clone());
                            }
                        }
                    }
                    level = next;
                }
            }
            if let Some(at) = frame["instructionPointerReference"].as_str() {
                ask(
                    "disassemble",
                    json!({
                        "memoryReference": at, "instructionOffset": -100, "instructionCount": 200,
                    }),
                );
            }
            for expression in EXPRESSIONS {
                if has_lost_frame && expression == "$r12" {
                    continue;
                }
                for context in ["repl", "hover"] {
                    ask(
                        "evaluate",
                        json!({
                            "expression": expression, "frameId": frame["id"], "context": context,
                        }),
                    );
                }
                for text in [format!("x/99xb &({expression})"), format!("x/s {expression}")] {
                    ask(
                        "evaluate",
                        json!({
                            "expression": text, "frameId": frame["id"], "context": "repl",
                        }),
                    );
                }
            }
        }
    }
    ask("evaluate", json!({ "expression": "why", "context": "repl" }));
    ask("completions", json!({ "text": "mail", "column": 5 }));
    ask("launch", json!({ "coreFile": core }));
    all.into_bytes()
}

fn both(output: &Output) -> Vec<u8> {
    [&output.stdout[..], &output.stderr].concat()
}

/// Bytes in a row that would reveal a secret.
const PIECE: usize = 8;

/// Pieces of `secret` in all forms that text and numbers have.
fn forms(secret: &str) -> BTreeSet<Vec<u8>> {
    let bytes = secret.as_bytes();
    let mut forms = BTreeSet::new();
    for piece in bytes.windows(PIECE.min(bytes.len())) {
        forms.insert(piece.to_vec());
        forms.insert(piece.iter().flat_map(|byte| [*byte, 0]).collect());
        let hex = |bytes: &mut dyn Iterator<Item = &u8>| {
            bytes.map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()
        };
        forms.insert(hex(&mut piece.iter()));
        forms.insert(hex(&mut piece.iter().rev()));
        if let Ok(word) = piece.try_into().map(u64::from_le_bytes) {
            forms.insert(word.to_string().into_bytes());
            forms.insert(f64::from_bits(word).to_string().into_bytes());
        }
    }
    if let Ok(number) = secret.parse::<u64>() {
        forms.insert(format!("{number:x}").into_bytes());
    }
    for skipped in 0..3 {
        let text = bytes.get(skipped..).unwrap_or_default();
        let whole = text.len() - text.len() % 3;
        forms.insert(base64(&text[..whole]));
    }
    forms.retain(|form| form.len() >= 5);
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).flat_map(|group| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| LETTERS[bits >> shift & 63])
    });
    groups.collect()
}

/// Finds secrets in all their forms at once.
struct Detector<'s> {
    owners: BTreeMap<Vec<u8>, &'s str>,
    any: Regex,
}

impl<'s> Detector<'s> {
    fn new(secrets: &[(&'s str, &str)]) -> Self {
        let mut owners = BTreeMap::new();
        for (secret, _) in secrets {
            owners.extend(forms(secret).into_iter().map(|form| (form, *secret)));
        }
        let escaped =
            |form: &Vec<u8>| form.iter().map(|byte| format!(r"\x{byte:02x}")).collect::<String>();
        let all: Vec<String> = owners.keys().map(escaped).collect();
        let any = RegexBuilder::new(&all.join("|")).size_limit(1 << 28).unicode(false).build();
        Self { owners, any: any.unwrap() }
    }

    /// The secrets of which a part is in `text`.
    fn leaks(&self, text: &[u8]) -> BTreeSet<&'s str> {
        self.any.find_iter(text).map(|found| self.owners[found.as_bytes()]).collect()
    }
}

fn leaks<'s>(text: &[u8], secrets: &[(&'s str, &str)]) -> BTreeSet<&'s str> {
    Detector::new(secrets).leaks(text)
}

fn no_leak(level: &str, secrets: &[(&str, &str)]) {
    let detector = Detector::new(secrets);
    let mut found = Vec::new();
    for way in WAYS {
        for (asked, text) in outputs(way, level) {
            let leaks = detector.leaks(&text);
            if !leaks.is_empty() {
                found.push(format!("{asked}: {leaks:?}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn by_default_no_secret_is_in_anything_that_is_written() {
    let asserted = [(ASSERTED, "an assertion")];
    no_leak("default", &[&SECRETS[..], &asserted].concat());
}

#[test]
fn the_strict_policy_shows_no_text_at_all() {
    let more = [(ASSERTED, "an assertion"), (HOME_OWNER, "a path")];
    no_leak("strict", &[&SECRETS[..], &WORDS, &more].concat());
}

#[test]
fn what_is_shown_by_default_is_shown_on_purpose() {
    let all = |way: &str| outputs(way, "default").into_iter().flat_map(|(_, text)| text);
    let symbol: Vec<u8> = all("symbol").collect();
    assert!(!leaks(&symbol, &[(SYMBOL, "a function")]).is_empty(), "names of code are shown");
    let text: Vec<u8> = all("null").collect();
    assert!(!leaks(&text, &[(HOME_OWNER, "a path")]).is_empty(), "paths keep home directories");
    assert_eq!(leaks(&text, &WORDS).len(), WORDS.len(), "plain text is shown");
}

#[test]
fn off_shows_what_the_other_levels_hide() {
    let all = WAYS.iter().flat_map(|way| outputs(way, "off"));
    let text: Vec<u8> = all.flat_map(|(_, text)| text).collect();
    // The environment is in no report at all.
    let nowhere = ["EN-tansy-Ocelot95", "eg gorse thrush dapple"];
    let secrets: Vec<_> =
        SECRETS.into_iter().filter(|(secret, _)| !nowhere.contains(secret)).collect();
    let shown = leaks(&text, &secrets);
    let missing: Vec<_> = secrets.iter().filter(|(secret, _)| !shown.contains(secret)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(leaks(&text, &nowhere.map(|secret| (secret, ""))).is_empty());
}

#[test]
fn a_scrubbed_core_and_its_report_hold_no_secret() {
    let words = [&SECRETS[..], &WORDS, &[(ASSERTED, "an assertion")]].concat();
    let (sources, program) = (fixtures(), fixtures().join("prog"));
    for way in WAYS {
        let core = core_of(way);
        let out = core.with_extension("scrubbed");
        let scrub = [Path::new("scrub"), &core, &program, Path::new("-o"), &out];
        let output = run(scrub);
        let said = both(&output);
        // Its own line names the file that the user named.
        let said = leaks(&said, &words);
        assert!(said.iter().all(|secret| *secret == "cp.alwin.drey"), "{way}: {said:?}");
        let text = [&out, &program, Path::new("--source-path"), &sources];
        let shown = leaks(&both(&run(text)), &SECRETS);
        assert!(shown.is_empty(), "{way}: {shown:?}");
    }
}
