//! Messages between obit and its workers: a length of four bytes, the lowest first, then
//! so many bytes.

use std::io::{self, Read, Write};

/// Bytes of one message: far beyond any record.
const MOST: u32 = 1 << 30;

/// Writes one message.
pub(super) fn send(out: &mut impl Write, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).ok().filter(|length| *length <= MOST);
    let length = length.ok_or_else(|| io::Error::other("a message is too long"))?;
    let mut message = length.to_le_bytes().to_vec();
    parts.iter().for_each(|part| message.extend_from_slice(part));
    out.write_all(&message)?;
    out.flush()
}

/// Reads one message; `None` where the other side ended in good order.
pub(super) fn receive(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let Some((first, rest)) = length.split_first_mut() else { return Ok(None) };
    if from.read(std::slice::from_mut(first))? == 0 {
        return Ok(None);
    }
    from.read_exact(rest)?;
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
    }
    let mut message = Vec::new();
    let read = from.take(u64::from(length)).read_to_end(&mut message)?;
    if read as u64 != u64::from(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_sent_and_a_cut_one_is_an_error() {
        let mut sent = Vec::new();
        send(&mut sent, &[b"a", b"", b"bc"]).unwrap();
        send(&mut sent, &[]).unwrap();
        let mut from = &sent[..];
        assert_eq!(receive(&mut from).unwrap().unwrap(), b"abc");
        assert_eq!(receive(&mut from).unwrap().unwrap(), b"");
        assert_eq!(receive(&mut from).unwrap(), None);
        assert!(receive(&mut &sent[..5]).is_err());
        assert!(receive(&mut &[0xff, 0xff, 0xff, 0xff, 0][..]).is_err());
    }
}
