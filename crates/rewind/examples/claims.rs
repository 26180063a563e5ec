//! What is known of the states before the end of a core's crashed thread, as JSON lines for
//! `scripts/check-rewind`: `claims CORE [STEPS]`.

use obit_process::process::{Options, Process};
use obit_rewind::{OfProcess, REGISTERS, Work, rewind};
use std::path::Path;

const NAMES: [&str; 16] = [
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let core = args.next().ok_or("usage: claims CORE [STEPS]")?;
    let steps = args.next().map_or(Ok(200), |steps| steps.parse())?;
    let process = Process::open(Path::new(&core), Options::default(), &())?;
    let thread = process.crashed().ok_or("no thread crashed")?;
    let world = OfProcess::new(&process, thread);
    let mut walk = rewind(&world, Work::default()).map_err(|why| format!("{why:?}"))?;
    let end = walk.back(steps);
    let (chain, proved) = (walk.chain(), walk.proved());
    for k in 1..=chain.len() {
        let is_proved = k <= proved.len();
        let pc = chain.address(k).unwrap_or_default();
        println!(
            "{{\"k\": {k}, \"reg\": \"rip\", \"value\": \"{pc:#x}\", \"proved\": {is_proved}}}"
        );
        for (number, name) in NAMES.iter().enumerate().take(REGISTERS) {
            if let Some(value) = chain.register(k, number) {
                let is_proved = proved.register(k, number) == Some(value);
                println!(
                    "{{\"k\": {k}, \"reg\": \"{name}\", \"value\": \"{value:#x}\", \"proved\": {is_proved}}}"
                );
            }
        }
    }
    let (steps, certain) = (chain.len(), proved.len());
    println!("{{\"end\": \"{end:?}\", \"steps\": {steps}, \"proved\": {certain}}}");
    Ok(())
}
