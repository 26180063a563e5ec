//! What joins a line of a log to a process: the number of it or of a thread, an id of a request.

use memchr::memmem;

/// Whether a line has an id as a word of its own.
pub(crate) fn mentions(line: &[u8], id: &[u8]) -> bool {
    !id.is_empty() && words(line, id).next().is_some()
}

/// Whether a line names a process or thread as logs do: `prog[7]:`, `pid=7`, `tid 7`, `7#9:`,
/// `(7)`. A number alone may be anything.
pub(crate) fn mentions_process(line: &[u8], number: i64, labels: &[&str]) -> bool {
    let number = number.to_string();
    words(line, number.as_bytes()).any(|at| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at.saturating_add(number.len())..).unwrap_or_default();
        let is_enclosed = matches!(
            (before.last(), after.first()),
            (Some(b'['), Some(b']')) | (Some(b'('), Some(b')'))
        );
        let is_of_nginx =
            after.first() == Some(&b'#') && after.get(1).is_some_and(u8::is_ascii_digit);
        let label = before.trim_ascii_end();
        let label = label.strip_suffix(b"=").or_else(|| label.strip_suffix(b":")).unwrap_or(label);
        let label = label.trim_ascii_end().strip_suffix(b"\"").unwrap_or(label);
        let is_labelled = labels.iter().any(|known| {
            let start = label.len().checked_sub(known.len());
            let found = start.and_then(|start| Some((start, label.get(start..)?)));
            found.is_some_and(|(start, found)| {
                let outside = start.checked_sub(1).and_then(|before| label.get(before));
                found.eq_ignore_ascii_case(known.as_bytes())
                    && !outside.is_some_and(u8::is_ascii_alphanumeric)
            })
        });
        is_enclosed || is_of_nginx || is_labelled
    })
}

/// Places of a word that is part of no longer one.
fn words<'l>(line: &'l [u8], word: &'l [u8]) -> impl Iterator<Item = usize> + 'l {
    memmem::find_iter(line, word).filter(move |at| {
        let is_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        !is_of_word(before) && !is_of_word(line.get(at.saturating_add(word.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_in_the_ways_of_logs() {
        let names = |line: &str| mentions_process(line.as_bytes(), 77, &["pid", "process"]);
        for line in ["prog[77]: x", "pid=77 x", "pid 77", "\"pid\":77", "77#78: *1", "process (77)"]
        {
            assert!(names(line), "{line}");
        }
        for line in ["77 apples", "prog[770]: x", "rapid 77", "x77", "line 77"] {
            assert!(!names(line), "{line}");
        }
        assert!(mentions(b"trace 7bf92f in it", b"7bf92f"));
        assert!(!mentions(b"trace 7bf92f3 in it", b"7bf92f"));
    }
}
