//! Crash reports of Ubuntu's apport: a text of fields as in RFC 822, one of which is the
//! core. Source: apport's `problem_report.py` (`write`, `_read_key_value`).
//!
//! Each line of the field starts with a blank and is base64 of its own, padding and all;
//! the decoded lines together are one gzip stream, one zlib stream (old reports) or one
//! zstd stream (new ones).

use std::io::{self, BufRead, BufReader, Read};

const FIELD: &[u8] = b"CoreDump:";
/// Bytes of a line looked at in one go.
const PIECE: u64 = 4096;

/// The core in a report.
pub(super) fn reader<'b>(mut report: impl BufRead + 'b) -> io::Result<Box<dyn Read + 'b>> {
    find_field(&mut report)?;
    let mut packed = BufReader::new(Base64Lines::new(report));
    Ok(match packed.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
        [0x78, ..] => Box::new(flate2::bufread::ZlibDecoder::new(packed)),
        [] => return Err(invalid("its CoreDump field is empty")),
        _ => return Err(invalid("its CoreDump field is neither gzip, zlib nor zstd")),
    })
}

/// Reads to the line after the field's name.
fn find_field(report: &mut impl BufRead) -> io::Result<()> {
    let mut piece = Vec::new();
    let mut at_line_start = true;
    loop {
        piece.clear();
        if report.by_ref().take(PIECE).read_until(b'\n', &mut piece)? == 0 {
            return Err(invalid("it has no CoreDump field; was the report made without a core?"));
        }
        let ended = piece.ends_with(b"\n");
        if let (true, Some(value)) = (at_line_start, piece.strip_prefix(FIELD)) {
            return match (value.trim_ascii(), ended) {
                (b"base64", true) => Ok(()),
                _ => Err(invalid("its CoreDump field is not base64")),
            };
        }
        at_line_start = ended;
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Decodes lines that start with a blank, up to the first that does not.
struct Base64Lines<R> {
    lines: R,
    decoder: Decoder,
}

struct Decoder {
    place: Place,
    /// The low `count` bits are decoded and not yet given out.
    bits: u32,
    count: u32,
}

#[derive(PartialEq, Eq)]
enum Place {
    LineStart,
    Line,
    End,
}

impl<R> Base64Lines<R> {
    fn new(lines: R) -> Self {
        Self { lines, decoder: Decoder { place: Place::LineStart, bits: 0, count: 0 } }
    }
}

impl Decoder {
    /// Takes one character; gives a byte when one is whole.
    fn take(&mut self, character: u8) -> io::Result<Option<u8>> {
        let value = match (&self.place, character) {
            (Place::End, _) => return Ok(None),
            (Place::LineStart, character) => {
                self.place = if character == b' ' { Place::Line } else { Place::End };
                return Ok(None);
            }
            (Place::Line, b'\n') => {
                self.place = Place::LineStart;
                self.count = 0;
                return Ok(None);
            }
            (Place::Line, b'=' | b'\r' | b' ') => return Ok(None),
            (Place::Line, character) => {
                sextet(character).ok_or_else(|| invalid("its CoreDump field is not base64"))?
            }
        };
        self.bits = (self.bits << 6) | u32::from(value);
        self.count = self.count.saturating_add(6);
        let Some(left) = self.count.checked_sub(8) else { return Ok(None) };
        self.count = left;
        Ok(Some((self.bits >> left).to_le_bytes()[0]))
    }
}

fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => character.checked_sub(b'A'),
        b'a'..=b'z' => character.checked_sub(b'a' - 26),
        b'0'..=b'9' => character.checked_add(52 - b'0'),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

impl<R: BufRead> Read for Base64Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut places = buf.iter_mut();
        let wanted = places.len();
        while places.len() > 0 && self.decoder.place != Place::End {
            let characters = self.lines.fill_buf()?;
            if characters.is_empty() {
                break;
            }
            let mut used = 0_usize;
            for character in characters {
                // A whole byte is only taken where there is a place for it.
                if places.len() == 0 {
                    break;
                }
                used = used.saturating_add(1);
                if let Some(byte) = self.decoder.take(*character)? {
                    places.by_ref().take(1).for_each(|place| *place = byte);
                }
            }
            self.lines.consume(used);
        }
        Ok(wanted.saturating_sub(places.len()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Writes a report as apport does: the first ten bytes on a line of their own.
    pub(in crate::dump) fn report(packed: &[u8]) -> Vec<u8> {
        let mut text = b"ProblemType: Crash\nTitle: x\n CoreDump: no\n".to_vec();
        text.extend(b"CoreDump: base64\n");
        let (head, tail) = packed.split_at(packed.len().min(10));
        for line in [head].into_iter().chain(tail.chunks(1000)) {
            text.extend(format!(" {}\n", encode(line)).bytes());
        }
        text.extend(b"Uname: Linux\n not base64!\n");
        text
    }

    fn encode(bytes: &[u8]) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let at = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for n in 0..4 {
                let value = (bits >> (18 - 6 * n)) & 63;
                text.push(if n <= group.len() {
                    char::from(alphabet[value as usize])
                } else {
                    '='
                });
            }
        }
        text
    }

    fn decode(text: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Base64Lines::new(text.as_bytes()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn each_line_is_padded_for_itself_and_the_field_ends_with_the_next() {
        assert_eq!(decode(" TQ==\n TWE=\n TWFu\nNext: x\n").unwrap(), b"MMaMan");
        assert_eq!(decode(" T!==\n").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(encode(b"Ma"), "TWE=");
    }

    #[test]
    fn old_reports_hold_zlib_and_new_ones_zstd() {
        let mut zlib = Vec::new();
        let level = flate2::Compression::fast();
        flate2::read::ZlibEncoder::new(&b"core"[..], level).read_to_end(&mut zlib).unwrap();
        let zstd = zstd::encode_all(&b"core"[..], 1).unwrap();
        for packed in [zlib, zstd] {
            let mut core = Vec::new();
            let report = report(&packed);
            reader(&report[..]).unwrap().read_to_end(&mut core).unwrap();
            assert_eq!(core, b"core");
        }
    }

    #[test]
    fn a_report_without_a_core_says_so() {
        let problem = |text: &str| reader(text.as_bytes()).err().unwrap().to_string();
        assert!(problem("ProblemType: Crash\nTitle: x\n").contains("no CoreDump field"));
        assert!(problem("CoreDump: base64\nNext: x\n").contains("empty"));
        assert!(problem("CoreDump: plain\n").contains("not base64"));
    }
}
