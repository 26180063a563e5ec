// Writers of Rust, as in streams.c.
use std::fs::File;
use std::io::{BufWriter, LineWriter, Write};

struct Log {
    name: &'static str,
    out: Box<dyn Write>,
}

static GLOBAL: std::sync::Mutex<Option<BufWriter<File>>> = std::sync::Mutex::new(None);

fn lines(out: &mut dyn Write, what: &str, count: u32) {
    for i in 0..count {
        writeln!(out, "{what} line {i} of {count}").unwrap();
    }
}

fn moved(mut out: BufWriter<File>, last: bool) {
    lines(&mut out, "moved on", 11);
    if last {
        out.flush().unwrap();
        std::process::exit(0);
    }
    std::process::abort();
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap();
    let whole = arguments.next().is_some();
    let file = |name: &str| File::create(format!("{directory}/{name}")).unwrap();
    let mut plain = BufWriter::new(file("plain"));
    lines(&mut plain, "plain", 1000);
    let mut flushed = BufWriter::new(file("flushed"));
    lines(&mut flushed, "flushed", 100);
    flushed.flush().unwrap();
    let mut dropped = BufWriter::new(file("dropped"));
    lines(&mut dropped, "dropped", 50);
    drop(dropped);
    let mut by_line = LineWriter::new(file("by-line"));
    lines(&mut by_line, "by line", 10);
    write!(by_line, "a line that has not ended").unwrap();
    let mut log = Log { name: "boxed", out: Box::new(BufWriter::with_capacity(1 << 16, file("boxed"))) };
    lines(&mut log.out, log.name, 300);
    let mut global = BufWriter::new(file("global"));
    lines(&mut global, "global", 60);
    *GLOBAL.lock().unwrap() = Some(global);
    // The variable that it was moved from has lines which are on disk by now.
    GLOBAL.lock().unwrap().as_mut().unwrap().flush().unwrap();
    lines(GLOBAL.lock().unwrap().as_mut().unwrap(), "after the flush", 3);
    let mut to_move = BufWriter::new(file("moved"));
    lines(&mut to_move, "before the move", 7);
    println!("standard output");
    print!("a line of it that has not ended");
    if whole {
        plain.flush().unwrap();
        by_line.flush().unwrap();
        log.out.flush().unwrap();
        GLOBAL.lock().unwrap().as_mut().unwrap().flush().unwrap();
        std::io::stdout().flush().unwrap();
    }
    moved(to_move, whole);
}
