use super::*;
use std::fs;

fn log(directory: &Path, lines: u64) -> AuditLog {
    let log = AuditLog::beside(&directory.join("t.db"));
    for n in 0..lines {
        let entry = Entry {
            time: 1_000 + i64::try_from(n).unwrap(),
            user: "ada".to_owned(),
            action: "state".to_owned(),
            target: format!("g{n}"),
            detail: "\u{1b}[31m\n\"".to_owned(),
            ..Entry::default()
        };
        log.append(entry, None).unwrap();
    }
    log
}

#[test]
fn a_log_that_no_one_touched_is_whole_and_its_lines_are_plain_text() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 5);
    let mut seen = Vec::new();
    let end = log.verify(None, &mut |line| seen.push(line.entry.target.clone())).unwrap();
    assert_eq!(seen, ["g0", "g1", "g2", "g3", "g4"]);
    let end = end.unwrap();
    assert_eq!(end.n, 5);
    assert_eq!(end.to_string().parse::<Anchor>(), Ok(end.clone()));
    log.verify(Some(&end), &mut |_| {}).unwrap();
    let text = fs::read_to_string(log.path()).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
}

#[test]
fn every_change_of_a_single_byte_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 3);
    let whole = fs::read(log.path()).unwrap();
    for at in 0..whole.len() {
        for byte in [b' ', b'0', b'z', b'\n', b'"'] {
            if whole[at] == byte {
                continue;
            }
            let mut changed = whole.clone();
            changed[at] = byte;
            fs::write(log.path(), &changed).unwrap();
            assert!(log.verify(None, &mut |_| {}).is_err(), "byte {at} became {byte}");
        }
    }
}

#[test]
fn lines_that_are_removed_added_or_moved_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 4);
    let text = fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for order in [
        &[1, 2, 3][..],
        &[0, 2, 3],
        &[0, 1, 3],
        &[1, 0, 2, 3],
        &[0, 1, 1, 2, 3],
        &[3, 2, 1, 0],
        &[0, 1, 3, 2],
    ] {
        let changed: String = order.iter().map(|at| format!("{}\n", lines[*at])).collect();
        fs::write(log.path(), changed).unwrap();
        assert!(log.verify(None, &mut |_| {}).is_err(), "{order:?}");
    }
    fs::write(log.path(), &text[..text.len() - 1]).unwrap();
    let said = log.verify(None, &mut |_| {}).unwrap_err().to_string();
    assert!(said.contains("incomplete last line"), "{said}");
}

#[test]
fn an_anchor_shows_what_was_cut_off_and_what_was_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 4);
    let anchor = log.verify(None, &mut |_| {}).unwrap().unwrap();
    let text = fs::read_to_string(log.path()).unwrap();
    let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(log.path(), cut).unwrap();
    // The chain alone cannot know.
    assert_eq!(log.verify(None, &mut |_| {}).unwrap().unwrap().n, 2);
    let error = log.verify(Some(&anchor), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("the anchor is of line 4, and it has 2"), "{error}");
    fs::remove_file(log.path()).unwrap();
    for n in 0..6 {
        let entry = Entry { user: "eve".to_owned(), time: n, ..Entry::default() };
        log.append(entry, None).unwrap();
    }
    assert_eq!(log.verify(None, &mut |_| {}).unwrap().unwrap().n, 6);
    let error = log.verify(Some(&anchor), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("not the one of the anchor"), "{error}");
}

#[test]
fn nothing_is_appended_to_a_log_whose_end_was_changed() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 2);
    let text = fs::read_to_string(log.path()).unwrap();
    let changed = text.replacen("ada", "eve", 1);
    for end in ["nonsense\n", "\n", &changed[..changed.len() - 3], &"x".repeat(20_000)] {
        fs::write(log.path(), end).unwrap();
        assert!(log.append(Entry::default(), None).is_err(), "{end:?}");
        assert_eq!(fs::read_to_string(log.path()).unwrap(), end);
    }
}

#[test]
fn writers_at_once_make_one_chain() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                for _ in 0..10 {
                    log.append(Entry::default(), None).unwrap();
                }
            });
        }
    });
    assert_eq!(log.verify(None, &mut |_| {}).unwrap().unwrap().n, 41);
}

#[test]
fn a_write_that_fails_leaves_the_log_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 2);
    let before = fs::read(log.path()).unwrap();
    for written in [0, 1, 100] {
        let mut full = |file: &mut File, line: &[u8]| {
            file.write_all(&line[..written])?;
            Err(io::ErrorKind::StorageFull.into())
        };
        let failed = log.append_by(Entry::default(), None, &mut full);
        assert!(matches!(failed, Err(AuditError::Io { .. })), "{failed:?}");
        assert_eq!(fs::read(log.path()).unwrap(), before, "{written} bytes were written");
    }
    assert_eq!(log.append(Entry::default(), None).unwrap().n, 3);
}

#[test]
fn an_incomplete_last_line_is_removed_and_that_is_an_entry() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 3);
    let text = fs::read(log.path()).unwrap();
    let two: usize = text.split_inclusive(|b| *b == b'\n').take(2).map(<[u8]>::len).sum();
    for there in [two + 1, two + 50, text.len() - 2] {
        for is_start in [true, false] {
            fs::write(log.path(), &text[..there]).unwrap();
            let said = log.verify(None, &mut |_| {}).unwrap_err().to_string();
            assert!(said.contains("incomplete last line") && !said.contains("changed"), "{said}");
            match is_start {
                true => assert_eq!(log.repair(7).unwrap().unwrap().n, 3),
                false => assert_eq!(log.append(Entry::default(), None).unwrap().n, 4),
            }
            let mut details = Vec::new();
            log.verify(None, &mut |line| details.push(line.entry.detail.clone())).unwrap();
            let removed = format!("incomplete line of {} bytes removed", there - two);
            assert!(details[2].starts_with(&removed), "{details:?}");
            let hash = HEXLOWER.encode(&Sha256::digest(&text[two..there]));
            assert!(details[2].ends_with(&hash), "{details:?}");
        }
    }
    // Only its end is missing: nothing is lost.
    fs::write(log.path(), &text[..text.len() - 1]).unwrap();
    assert_eq!(log.repair(7).unwrap().unwrap().n, 3);
    assert_eq!(fs::read(log.path()).unwrap(), text);
}

#[test]
fn an_incomplete_line_that_cannot_be_replaced_by_an_entry_stays() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 2);
    let text = fs::read(log.path()).unwrap();
    let cut = &text[..text.len() - 9];
    fs::write(log.path(), cut).unwrap();
    let mut full = |_: &mut File, _: &[u8]| Err(io::ErrorKind::StorageFull.into());
    assert!(log.append_by(Entry::default(), None, &mut full).is_err());
    assert_eq!(fs::read(log.path()).unwrap(), cut);
}

#[test]
fn nothing_is_appended_where_what_was_written_last_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(directory.path(), 3);
    let known = log.verify(None, &mut |_| {}).unwrap().unwrap();
    let text = fs::read_to_string(log.path()).unwrap();
    let end = text.lines().take(2).map(|line| line.len() + 1).sum::<usize>();
    for there in [end, end + 30] {
        fs::write(log.path(), &text[..there]).unwrap();
        let refused = log.append(Entry::default(), Some(&known));
        assert!(matches!(refused, Err(AuditError::Anchor { .. })), "{there}: {refused:?}");
        assert_eq!(fs::read_to_string(log.path()).unwrap(), &text[..there]);
    }
    fs::write(log.path(), &text).unwrap();
    assert_eq!(log.append(Entry::default(), Some(&known)).unwrap().n, 4);
}
