//! Makes a large store from a few records, to measure how commands scale.
//!
//!     obit triage CORES --no-db --format ndjson > records
//!     cargo run --release -p obit-triage --example multiply -- records big.db 100000 20000 40
//!
//! The numbers are those of dumps, of groups and of programs. Each dump is one of the
//! records with another id, time, host and build, and with the functions of its program
//! renamed, so that it is of another group. A few groups have most of the dumps.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use obit_ownership::Owner;
use obit_redact::Shown;
use obit_report::Report;
use obit_triage::{FileFacts, FileStamp, PackedRecord, Record, RecordStatus, Rules, Store};

/// Records of one transaction.
const TOGETHER: usize = 2_000;
/// Hosts.
const HOSTS: u64 = 500;
/// 2026-03-01, and the days that dumps are spread over.
const START: i64 = 1_772_323_200;
const DAYS: i64 = 90;
/// Of so many dumps one file cannot be read.
const FAILED: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [records, db, dumps, groups, programs] = arguments.as_slice() else {
        return Err("usage: multiply RECORDS DB DUMPS GROUPS PROGRAMS".into());
    };
    let (dumps, groups): (u64, u64) = (dumps.parse()?, groups.parse()?);
    let programs = programs.parse::<u64>()?.max(1);
    // By signature: each gives one group of a variant.
    let mut kinds: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for line in std::fs::read_to_string(records)?.lines() {
        let record = obit_triage::read_record(line.as_bytes())?;
        if let Some(signature) = &record.signature {
            kinds.entry(signature.id.clone()).or_default().push(record);
        }
    }
    let kinds: Vec<Vec<Record>> = kinds.into_values().collect();
    if kinds.is_empty() {
        return Err("no record has a signature".into());
    }
    let rules = Rules::built_in();
    let mut store = Store::create(Path::new(db))?;
    let mut held = Vec::new();
    for n in 0..dumps {
        let mut dice = Dice(n);
        // Each group has one dump, and the first have most of the others.
        let group =
            if n < groups { n } else { (groups as f64).powf(dice.share()) as u64 % groups.max(1) };
        let record = made(&kinds, n, group, programs, &mut dice, &rules)?;
        held.push((stamp(n), PackedRecord::of(&record)?));
        if held.len() == TOGETHER {
            store.add(&held, START)?;
            held.clear();
        }
    }
    store.add(&held, START)?;
    let made = store.regroup()?;
    println!("{dumps} dumps, {} groups", made.groups);
    Ok(())
}

fn made(
    kinds: &[Vec<Record>],
    n: u64,
    group: u64,
    programs: u64,
    dice: &mut Dice,
    rules: &Rules,
) -> Result<Record, Box<dyn Error>> {
    let (kind, variant) = (group % kinds.len() as u64, group / kinds.len() as u64);
    let of_kind = &kinds[usize::try_from(kind)?];
    let model = &of_kind[usize::try_from(dice.below(of_kind.len() as u64))?];
    let facts = FileFacts {
        dump: format!("made-{n:08x}"),
        time: Some(START + i64::try_from(dice.below((DAYS * 86_400).unsigned_abs()))?),
        host: Some(Shown::from_report(format!("host-{}", dice.below(HOSTS)))),
    };
    if n % FAILED == FAILED - 1 {
        let failed = Record { status: RecordStatus::Failed, ..Record::default() };
        let reason = obit_triage::Reason {
            code: "no-threads".to_owned(),
            text: Shown::from_report("it has no threads".to_owned()),
        };
        let level = failed.redactions.level();
        return Ok(Record::failed(failed.core, facts, reason, level));
    }
    let mut report = model.clone().into_report();
    report.id = format!("obit-{n:016x}");
    report.signature = None;
    rename(&mut report, variant, programs);
    Ok(Record::of(report, facts, rules))
}

/// Gives the functions of the program, the program and its build other names.
fn rename(report: &mut Report, variant: u64, programs: u64) {
    let program = variant % programs;
    let path = |shown: &Shown| {
        let path = shown.as_str();
        let is_system = ["/usr/", "/lib"].iter().any(|start| path.starts_with(start));
        let name = match path.rsplit_once('/') {
            Some((directory, name)) if !is_system => format!("{directory}/p{program}{name}"),
            _ => path.to_owned(),
        };
        Shown::from_report(name)
    };
    let build = |id: &mut Option<String>| {
        if let Some(id) = id {
            *id = format!("{program:04x}{id}");
        }
    };
    if let Some(exe) = &mut report.process.exe {
        *exe = path(exe);
    }
    build(&mut report.process.build_id);
    for module in &mut report.modules {
        module.path = path(&module.path);
    }
    for frame in report.threads.iter_mut().flat_map(|thread| &mut thread.frames) {
        if let Some(module) = &mut frame.module {
            let renamed = path(&module.path);
            if renamed != module.path {
                module.path = renamed;
                build(&mut module.build_id);
            }
        }
        if frame.owner == Some(Owner::Application)
            && let Some(function) = &mut frame.function
            && function.as_str() != "main"
        {
            *function = Shown::from_report(format!("{}_{variant}", function.as_str()));
            frame.linkage_name = None;
        }
    }
}

fn stamp(n: u64) -> FileStamp {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    key[8..16].copy_from_slice(&n.to_le_bytes());
    FileStamp { key, size: 1 << 20, mtime: 0, inode: n, device: 1 }
}

/// Numbers that look thrown (SplitMix64).
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
        self.next() % end.max(1)
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
