//! Programs with keys in them (tests/fixtures/keys), and everything that obit writes of their
//! cores: eight bytes of a key must not be there in any notation, nor in a scrubbed core. The
//! programs are built and crashed here; a language without a compiler here is skipped.

mod detector;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::fixture::run;
use detector::{Detector, Leaks};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys")
}

/// How a program is made and run.
struct Program {
    name: &'static str,
    /// Builds `prog` in the directory where it is called; nothing where a script is run.
    build: &'static [&'static str],
    source: &'static str,
    libraries: &'static [&'static str],
    arguments: &'static [&'static str],
    /// What is printed to look at, in several frames.
    expressions: &'static [&'static str],
}

/// What any program's core is asked for: registers and stacks without a name.
const UNNAMED: [&str; 9] = [
    "x/64xb $sp",
    "x/32gx $sp",
    "x/64wx $sp",
    "x/64dw $sp",
    "x/200xb $sp-64",
    "$rbx",
    "$r12",
    "$xmm7",
    "$xmm8",
];

/// Frames whose variables are printed: those of panics come first in Rust and Go.
const FRAMES: [&str; 12] = ["0", "1", "2", "3", "4", "5", "6", "9", "10", "13", "14", "15"];

/// A program's core, as the kernel wrote it.
struct Crash {
    directory: PathBuf,
    core: PathBuf,
    program: PathBuf,
}

impl Program {
    /// `None`, with a line that says so, where it cannot be built or leaves no core here.
    fn crash(&self) -> Option<Crash> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys").join(self.name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("keys.bin"), key_file()).unwrap();
        fs::copy(sources().join("rsa.der"), directory.join("rsa.der")).unwrap();
        let source = sources().join(self.source);
        let program = match self.build {
            [] => interpreter()?,
            [compiler, options @ ..] => {
                let mut command = Command::new(compiler);
                command.args(options).arg("-o").arg("prog").arg(&source).args(self.libraries);
                // Of Go only.
                command.env("GOCACHE", directory.join("cache")).env("GO111MODULE", "off");
                let built = command.current_dir(&directory).stderr(Stdio::null()).status();
                if !built.is_ok_and(|status| status.success()) {
                    eprintln!("skipped: {} was not built by {compiler}", self.name);
                    return None;
                }
                directory.join("prog")
            }
        };
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh"]).arg(&program);
        if self.build.is_empty() {
            command.arg(&source);
        }
        command.args(self.arguments).env("GOTRACEBACK", "crash").current_dir(&directory);
        let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(ended.signal().is_some(), "{} ended by itself: {ended}", self.name);
        let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let is_core = |path: &PathBuf| {
            path.file_name().unwrap().to_string_lossy().split('.').next() == Some("core")
        };
        let core = files.into_iter().find(is_core);
        if core.is_none() {
            eprintln!("skipped: the kernel writes no core of {} beside it", self.name);
        }
        Some(Crash { core: core?, program, directory })
    }
}

/// Python itself: what is in the search path may be a script that starts it.
fn interpreter() -> Option<PathBuf> {
    let asked = Command::new("python3")
        .args(["-c", "import os, sys; print(os.path.realpath(sys.executable))"])
        .output();
    match asked {
        Ok(output) if output.status.success() => {
            Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()))
        }
        _ => {
            eprintln!("skipped: there is no python3");
            None
        }
    }
}

/// Go's command: distributions keep some versions beside each other.
fn go() -> Option<String> {
    let versions = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let versions = versions.filter(|entry| entry.file_name().to_string_lossy().starts_with("go-"));
    let versions = versions.map(|entry| entry.path().join("bin/go").display().to_string());
    let mut all = ["go".to_owned()].into_iter().chain(versions);
    all.find(|path| Command::new(path).arg("version").output().is_ok())
}

/// Bytes that look like chance.
fn random(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ word >> 31).to_le_bytes()
    };
    (0..count.div_ceil(8)).flat_map(|_| next()).take(count).collect()
}

const SYMMETRIC: [(&str, usize); 4] =
    [("AES key", 32), ("Ed25519 seed", 32), ("TLS master secret", 48), ("JWT secret", 32)];

/// `keys.bin`: the keys one behind the other.
fn key_file() -> Vec<u8> {
    SYMMETRIC.into_iter().zip(1..).flat_map(|((_, size), seed)| random(seed, size)).collect()
}

fn keys() -> Vec<(&'static str, Vec<u8>)> {
    let mut keys: Vec<_> = SYMMETRIC
        .into_iter()
        .zip(1..)
        .map(|((name, size), seed)| (name, random(seed, size)))
        .collect();
    // Of `RSAPrivateKey` (RFC 8017, A.1.2) what is secret follows the public exponent.
    let der = fs::read(sources().join("rsa.der")).unwrap();
    let exponent = [0x02, 0x03, 0x01, 0x00, 0x01];
    let from = der.windows(5).position(|part| part == exponent).unwrap() + 5;
    let mut rest = &der[from..];
    while let [0x02, length @ ..] = rest {
        let (size, value) = match length {
            [0x82, high, low, value @ ..] => (usize::from(*high) << 8 | usize::from(*low), value),
            [0x81, size, value @ ..] | [size, value @ ..] => (usize::from(*size), value),
            [] => break,
        };
        keys.push(("RSA private key", value[..size].to_vec()));
        rest = &value[size..];
    }
    assert_eq!(keys.len(), 4 + 6);
    keys
}

fn both(output: &Output) -> Vec<u8> {
    [&output.stdout[..], &output.stderr].concat()
}

/// All that obit writes of a core, and how it was asked.
fn outputs(crash: &Crash, expressions: &[&str], level: &str) -> Vec<(String, Vec<u8>)> {
    let redact = format!("--redact={level}");
    let (core, program) = (crash.core.to_str().unwrap(), crash.program.to_str().unwrap());
    let sources = sources();
    let base = [core, program, "--source-path", sources.to_str().unwrap(), &redact];
    let mut all = Vec::new();
    for arguments in [
        &[][..],
        &["-v"],
        &["-a", "--locals", "all", "--registers", "-v"],
        &["--locals", "all", "--max-elements", "4096", "--max-depth", "8", "-v"],
        &["--json", "--locals", "all", "--registers", "--max-elements", "4096"],
        &["--json", "--memory"],
        &["--format", "html", "--locals", "all", "--registers"],
        &["--format", "brief"],
        &["--format", "markdown", "--registers"],
        &["--format", "sarif"],
        &["--format", "junit"],
        &["--format", "sentry", "--locals", "all"],
        &["--format", "github"],
        &["--format", "gitlab"],
        &["signature", "--explain"],
        &["redact", "--explain"],
        &["redact", "--explain", "--json"],
    ] {
        all.push((arguments.join(" "), both(&run([arguments, &base].concat()))));
    }
    // A frame has some of the variables; those that it has not cost a line of the answer.
    for frame in FRAMES {
        for form in ["", "--json"] {
            let words = ["print", "-f", frame, "-c", core, "-e", program];
            let mut words = [&words[..], &base[2..], expressions, &UNNAMED].concat();
            words.extend((!form.is_empty()).then_some(form));
            all.push((format!("print -f {frame} {form}"), both(&run(words))));
        }
    }
    all
}

/// What of the keys is in the outputs, each as a line.
fn leaks_of(outputs: &[(String, Vec<u8>)], detector: &Detector) -> Vec<String> {
    let leaks = outputs.iter().map(|(asked, text)| (asked, detector.leaks(text)));
    let leaks = leaks.filter(|(_, leaks): &(_, Leaks)| !leaks.is_empty());
    leaks.map(|(asked, leaks)| format!("{asked}: {leaks:?}")).collect()
}

fn no_key_leaves(program: &Program) {
    let Some(crash) = program.crash() else { return };
    let detector = Detector::new(&keys());
    let whole = detector.leaks(&fs::read(&crash.core).unwrap());
    // OpenSSL does not keep the secret of a MAC as it is.
    let planted = SYMMETRIC.iter().filter(|(name, _)| whole.keys().any(|(found, _)| found == name));
    assert!(planted.count() >= 3, "the keys are not in the core: {whole:?}");
    let mut found = leaks_of(&outputs(&crash, program.expressions, "default"), &detector);
    let scrubbed = crash.directory.join("scrubbed");
    let (core, program_file) = (crash.core.to_str().unwrap(), crash.program.to_str().unwrap());
    let output = run(["scrub", core, program_file, "-o", scrubbed.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&both(&output)));
    let left = detector.leaks(&fs::read(&scrubbed).unwrap());
    if !left.is_empty() {
        found.push(format!("the scrubbed core: {left:?}"));
    }
    let verified = run(["scrub", core, program_file, "--verify", scrubbed.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&both(&verified)));
    assert!(found.is_empty(), "{} outputs:\n{}", found.len(), found.join("\n"));
}

const C: [&str; 23] = [
    "key",
    "*key@32",
    "key[3]",
    "*(long *)key",
    "*(unsigned long (*)[4])key",
    "x/32xb key",
    "x/4gx key",
    "x/s key",
    "g_aes_key",
    "t_sign_key",
    "*g_session",
    "x/6gx g_session->master_secret",
    "g_copy",
    "*g_copy@32",
    "x/4gx g_copy",
    "x/32xb g_copy",
    "signer",
    "*signer",
    "session",
    "cipher",
    "block",
    "seed",
    "scratch",
];

#[test]
fn no_key_of_a_c_program_leaves() {
    no_key_leaves(&Program {
        name: "c",
        build: &["cc", "-g", "-O0", "-pthread"],
        source: "keys.c",
        libraries: &[],
        arguments: &[],
        expressions: &C,
    });
}

#[test]
fn no_key_of_an_optimised_c_program_leaves() {
    no_key_leaves(&Program {
        name: "c-optimised",
        build: &["cc", "-g", "-O2", "-pthread"],
        source: "keys.c",
        libraries: &[],
        arguments: &[],
        expressions: &C,
    });
}

#[test]
fn no_key_of_a_stripped_program_leaves() {
    no_key_leaves(&Program {
        name: "stripped",
        build: &["cc", "-O2", "-s", "-pthread"],
        source: "keys.c",
        libraries: &[],
        arguments: &[],
        expressions: &[],
    });
}

#[test]
fn no_key_that_openssl_holds_leaves() {
    no_key_leaves(&Program {
        name: "openssl",
        build: &["cc", "-g", "-O1"],
        source: "keys_openssl.c",
        libraries: &["-lssl", "-lcrypto"],
        arguments: &[],
        expressions: &[
            "keys",
            "*keys",
            "schedule",
            "*schedule",
            "local",
            "x/60xw schedule",
            "all",
            "der",
            "raw",
            "exponent",
            "x/s exponent",
            "x/64xb raw",
        ],
    });
}

const CPP: [&str; 19] = [
    "hmac_key",
    "key_view",
    "*key_view.data@32",
    "signer",
    "signer.bytes_",
    "work",
    "aes_key",
    "aes_key[3]",
    "session",
    "session.master_secret",
    "shared_secret",
    "binary_secret",
    "keys",
    "round_keys",
    "*owned",
    "private_words",
    "encoded",
    "jwt",
    "master",
];

#[test]
fn no_key_in_containers_of_cpp_leaves() {
    no_key_leaves(&Program {
        name: "cpp",
        build: &["c++", "-std=c++17", "-g", "-O0"],
        source: "keys.cc",
        libraries: &[],
        arguments: &[],
        expressions: &CPP,
    });
}

#[test]
fn no_key_in_an_exception_of_cpp_leaves() {
    no_key_leaves(&Program {
        name: "cpp-exception",
        build: &["c++", "-std=c++17", "-g", "-O2"],
        source: "keys.cc",
        libraries: &[],
        arguments: &["assert"],
        expressions: &CPP,
    });
}

#[test]
fn no_key_of_a_rust_program_leaves() {
    no_key_leaves(&Program {
        name: "rust",
        build: &["rustc", "--edition", "2021", "-g", "-C", "panic=abort"],
        source: "keys.rs",
        libraries: &[],
        arguments: &[],
        expressions: &[
            "key",
            "copy",
            "words",
            "signer",
            "*signer",
            "session",
            "credential",
            "hmac",
            "aes_key",
            "shared",
            "jwt_secret",
            "keys",
            "document",
            "private_key",
        ],
    });
}

#[test]
fn no_key_of_a_go_program_leaves() {
    let Some(go) = go() else {
        eprintln!("skipped: there is no go");
        return;
    };
    let go: &'static str = String::leak(go);
    let build = [go, "build", "-gcflags=all=-N -l"];
    let build: &'static [&'static str] = Vec::leak(build.to_vec());
    no_key_leaves(&Program {
        name: "go",
        build,
        source: "keys.go",
        libraries: &[],
        arguments: &[],
        expressions: &[
            "key",
            "scratch",
            "line",
            "session",
            "*session",
            "vault",
            "*vault",
            "vault.rsa",
            "*vault.rsa",
            "vault.signing",
            "aesKey",
            "jwtSecret",
            "document",
            "all",
        ],
    });
}

#[test]
fn no_key_of_a_python_program_leaves() {
    no_key_leaves(&Program {
        name: "python",
        build: &[],
        source: "keys.py",
        libraries: &[],
        arguments: &[],
        expressions: &["args", "*args", "callargs", "tstate"],
    });
}

#[test]
fn off_shows_the_keys_that_are_hidden_else() {
    let program = Program {
        name: "c-off",
        build: &["cc", "-g", "-O0", "-pthread"],
        source: "keys.c",
        libraries: &[],
        arguments: &[],
        expressions: &C,
    };
    let Some(crash) = program.crash() else { return };
    let detector = Detector::new(&keys());
    let shown: Vec<u8> = outputs(&crash, program.expressions, "off")
        .into_iter()
        .flat_map(|(_, text)| text)
        .collect();
    let shown = detector.leaks(&shown);
    for (name, _) in SYMMETRIC {
        assert!(shown.keys().any(|(found, _)| *found == name), "{name}: {shown:?}");
    }
}
