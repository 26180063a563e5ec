//! Any text, of any length: a log beside a core. Works in blocks that end with a line, so
//! memory is bounded and nothing that is in one line is cut.

use std::io::{self, Read, Write};

use super::find::Carried;
use super::{Level, Redactor};

/// Bytes that are looked at together.
const BLOCK: usize = 256 << 10;
/// Bytes of the longest line that is not cut.
const LONGEST_LINE: usize = 4 << 20;

/// Copies `input` to `output`, with what is sensitive replaced by tokens.
///
/// # Errors
///
/// What reading and writing end with.
pub fn redact(
    redactor: &mut Redactor,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK);
    let mut carried = Carried::through_long_text();
    let mut in_key = false;
    let mut wanted = BLOCK;
    loop {
        let missing = wanted - block.len();
        let read = (&mut *input).take(missing as u64).read_to_end(&mut block)?;
        let is_last = block.len() < wanted;
        if redactor.level() == Level::Off {
            output.write_all(&block)?;
            block.clear();
        } else {
            let end = if is_last { block.len() } else { end_of_whole(&block) };
            if end == 0 && !is_last {
                wanted = block.len() + BLOCK;
                continue;
            }
            let whole = block.get(..end).unwrap_or_default();
            let key = if in_key { key_end(whole) } else { 0 };
            let rest = whole.get(key..).unwrap_or_default();
            output.write_all(&redactor.redact_bytes(rest, &mut carried))?;
            in_key = (in_key && rest.is_empty()) || carried.is_in_key;
            block.drain(..end);
        }
        wanted = BLOCK.max(block.len() + 1);
        if is_last && read < BLOCK && block.is_empty() {
            return output.flush();
        }
    }
}

/// Where the block may be cut: behind its last line; in one that has none, nowhere until
/// it is too long.
fn end_of_whole(block: &[u8]) -> usize {
    if let Some(line) = block.iter().rposition(|byte| *byte == b'\n') {
        // In UTF-16 and UTF-32 the lower byte may be the first of the character; a block begins
        // with a whole one.
        let is_first = line.is_multiple_of(2);
        let behind = block.get(line + 1..).unwrap_or_default().iter().take(3);
        let zeros = behind.take_while(|byte| **byte == 0).count();
        return line + 1 + if is_first { zeros } else { 0 };
    }
    if block.len() < LONGEST_LINE {
        return 0;
    }
    let blank = block.iter().rposition(|byte| *byte <= b' ');
    blank.filter(|blank| *blank > block.len() / 2).map_or(block.len(), |blank| blank + 1)
}

/// Bytes of a private key that began in an earlier block.
fn key_end(block: &[u8]) -> usize {
    block.windows(5).position(|part| part == b"-----").unwrap_or(block.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(input: &[u8]) -> Vec<u8> {
        let mut redactor = Redactor::new(Level::Default, "key");
        let mut output = Vec::new();
        redact(&mut redactor, &mut &input[..], &mut output).unwrap();
        output
    }

    #[test]
    fn a_secret_across_the_edge_of_a_block_is_found() {
        for shift in 0..40 {
            let mut input = vec![b'x'; BLOCK - shift];
            input.extend(b" mail ann@example.com\nnext line\n");
            let output = redacted(&input);
            let end = String::from_utf8_lossy(&output[BLOCK - shift..]).into_owned();
            assert!(end.starts_with(" mail <email:") && end.ends_with(">\nnext line\n"), "{end}");
        }
    }

    #[test]
    fn characters_of_several_bytes_are_not_cut() {
        let line = "имя: x, mail ann@example.com\n";
        for size in [2, 4] {
            let bytes = |c: char| u32::from(c).to_le_bytes().into_iter().take(size);
            let input: Vec<u8> =
                line.repeat(BLOCK / size / line.len() * 2).chars().flat_map(bytes).collect();
            let lines = input.len() / size / line.chars().count();
            let output = redacted(&input);
            let units: Vec<u8> = output.chunks(size).map(|unit| unit[0]).collect();
            let shown = String::from_utf8_lossy(&units).matches("mail <email:").count();
            assert_eq!(shown, lines);
            assert!(output.len().is_multiple_of(size));
            assert!(end_of_whole(&input[..BLOCK - size]).is_multiple_of(size));
        }
    }

    #[test]
    fn a_private_key_longer_than_a_block_is_hidden_to_its_end() {
        let mut input = b"-----BEGIN PRIVATE KEY-----\n".to_vec();
        for _ in 0..BLOCK / 32 {
            input.extend(b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xt\n");
        }
        input.extend(b"-----END PRIVATE KEY-----\nx\n");
        let output = String::from_utf8(redacted(&input)).unwrap();
        assert!(!output.contains("QUJD"), "{}", output.len());
        assert!(output.ends_with("-----END PRIVATE KEY-----\nx\n"));
    }

    #[test]
    fn bytes_that_are_no_text_pass_unchanged() {
        let input: Vec<u8> = (0..=255).cycle().take(5000).collect();
        assert_eq!(redacted(&input), input);
        assert_eq!(redacted(b""), b"");
    }
}
