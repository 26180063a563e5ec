//! Records of invented crashes: programs with builds, bugs of very different
//! frequency, stacks that differ with what the program was at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod postgres;

use crate::record::{FileFacts, Record};
use crate::signature::Rules;
use crate::store::FileStamp;
use obit_redact::Shown;
use obit_report::{
    Blame, Cause, Confidence, FrameReport, Hex, ModulePlace, ProcessReport, Report, SourcePlace,
    ThreadReport,
};

/// Functions of one program.
const FUNCTIONS: u64 = 600;
/// Bugs of one program.
const BUGS: u64 = 25;
/// Programs.
const PROGRAMS: u64 = 12;
/// Builds of each.
const BUILDS: u64 = 8;
/// 2026-01-01.
const START: i64 = 1_767_225_600;
/// Library functions that a bug may fail in.
const CALLED: &[&str] = &["strlen", "__memmove_avx_unaligned_erms", "free", "abort", "strcmp"];

/// One crash, and what is known of it because it was made up.
#[derive(Clone, Debug)]
pub struct Crash {
    /// The file it would lie in.
    pub stamp: FileStamp,
    /// What obit would say of it.
    pub record: Record,
    /// The bug it is of.
    pub bug: u64,
}

/// The `n`th crash of a series: the same for the same numbers.
pub fn crash(series: u64, n: u64, rules: &Rules) -> Crash {
    let mut dice = Dice(series.wrapping_mul(0x9e37_79b9).wrapping_add(n).wrapping_mul(0xbf58_476d));
    // Few bugs make most crashes: the rank falls off like 1 / n.
    let rank = ((PROGRAMS * BUGS) as f64).powf(dice.share()) as u64 % (PROGRAMS * BUGS);
    let bug = rank * 7919 % (PROGRAMS * BUGS);
    let (program, build) = (bug % PROGRAMS, dice.below(BUILDS));
    let report = report(bug, program, build, &mut dice);
    let time = START + i64::try_from(n * 60 % (90 * 86_400)).unwrap_or(0);
    let host = Shown::from_report(format!("host-{}", dice.below(200)));
    let facts =
        FileFacts { dump: format!("made-{series}-{n}"), time: Some(time), host: Some(host) };
    let mut key = [0; 32];
    key[..8].copy_from_slice(&series.to_le_bytes());
    key[8..16].copy_from_slice(&n.to_le_bytes());
    let stamp = FileStamp { key, size: 1 << 20, mtime: time * 1_000_000_000, inode: n, device: 1 };
    Crash { stamp, record: Record::of(report, facts, rules), bug }
}

fn report(bug: u64, program: u64, build: u64, dice: &mut Dice) -> Report {
    let mut of_bug = Dice(bug.wrapping_mul(0xd6e8_feb8));
    let place = |path: &str, build_id: String, offset: u64| ModulePlace {
        path: Shown::from_report(path.to_owned()),
        build_id: Some(build_id),
        offset: Hex(offset),
    };
    let path = format!("/opt/program{program}/bin/program{program}");
    let build_id = format!("{:016x}{:024x}", program * 1000 + build + 1, build);
    let mut frames: Vec<FrameReport> = Vec::new();
    let push = |frames: &mut Vec<FrameReport>, name: Option<String>, module: ModulePlace| {
        frames.push(FrameReport {
            index: frames.len() as u64,
            function: name.map(Shown::from_report),
            source: Some(SourcePlace::default()),
            module: Some(module),
            ..FrameReport::default()
        });
    };
    if of_bug.below(5) < 2 {
        let called = CALLED[of_bug.below(CALLED.len() as u64) as usize];
        let name = (dice.below(20) > 0).then(|| called.to_owned());
        push(&mut frames, name, place("/usr/lib/libc.so.6", "c0".repeat(20), 0x9000));
    }
    let passed_on = of_bug.below(4) == 0;
    let fails = frames.len() as u64;
    // Down from the bug to main: near it one of a few ways, further out what the day brought.
    // A bug of a caller of one of a few helpers, or one of its own.
    let mut function = of_bug.below(if passed_on { 4 } else { FUNCTIONS });
    let mut caller = passed_on.then(|| of_bug.below(FUNCTIONS));
    let depth = 6 + dice.below(20);
    let ways = 1 + of_bug.below(6);
    let mut way = Dice(bug * 64 + dice.below(ways));
    for level in 0..depth {
        let name = format!("part{}::function_{function}", function % 24);
        push(&mut frames, Some(name), place(&path, build_id.clone(), 0x1000 + function * 64));
        let further = if level < 3 { way.below(FUNCTIONS) } else { dice.below(12) * 40 + level };
        function = caller.take().unwrap_or(further);
    }
    push(&mut frames, Some("main".to_owned()), place(&path, build_id.clone(), 0x900));
    let blame = Blame {
        frame: Some(if passed_on { fails + 1 } else { fails }),
        confidence: Confidence::Likely,
        ..Blame::default()
    };
    let thread = ThreadReport { crashed: true, frames, ..ThreadReport::default() };
    Report {
        process: ProcessReport {
            exe: Some(Shown::from_report(path)),
            build_id: Some(build_id),
            ..ProcessReport::default()
        },
        cause: Some(Cause {
            class: "unmapped-read".to_owned(),
            blame: Some(blame),
            ..Cause::default()
        }),
        threads: vec![thread],
        ..Report::default()
    }
}

/// Numbers that look thrown (Steele and others, SplitMix64).
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
