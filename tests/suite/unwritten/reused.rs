// A writer that was moved from and written, whose buffer another vector has by now.
use std::fs::File;
use std::io::{BufWriter, Write};

#[inline(never)]
fn consume(mut out: BufWriter<File>) {
    out.write_all(b"x\n").unwrap();
}

fn main() {
    let directory = std::env::args().nth(1).unwrap();
    let mut first = BufWriter::new(File::create(format!("{directory}/first")).unwrap());
    first.write_all(b"line one of the first\nline two of the first\n").unwrap();
    consume(first);
    let mut other: Vec<u8> = Vec::with_capacity(8192);
    for i in 0..200 {
        other.extend_from_slice(format!("written otherwise {i}\n").as_bytes());
    }
    std::fs::write(format!("{directory}/other"), &other).unwrap();
    unsafe { std::ptr::null_mut::<i32>().write_volatile(1) };
    println!("{other:?}");
}
