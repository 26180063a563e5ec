//! What is taken of an archive.

use super::*;

fn frame(kind: u8, path: &[u8], text: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
    [&[kind][..], &[0; 8], &length(path), path, &[0; 4], text].concat()
}

#[test]
fn what_a_worker_says_of_a_file_is_not_believed() {
    let member = member_of(&frame(2, b"a/b.c", b"int b;"), None).unwrap().unwrap();
    assert_eq!(member.path, PathBuf::from("a/b.c"));
    for path in [&b"../a"[..], b"/a", b"a/../../b", b"", b"a\0b"] {
        assert!(member_of(&frame(2, path, b"x"), None).unwrap().is_none(), "{path:?}");
    }
    let (pipe, _end) = io::pipe().unwrap();
    let pipe = File::from(std::os::fd::OwnedFd::from(pipe));
    assert!(member_of(&frame(0, b"core", b""), Some(pipe)).is_err());
    assert!(member_of(&frame(0, b"core", b""), None).is_err());
    for end in 0..frame(2, b"a", b"").len() {
        assert!(member_of(&frame(2, b"a", b"")[..end], None).is_err());
    }
}

#[test]
fn facts_are_those_of_the_core_that_they_are_about() {
    let mut companions = Companions::default();
    let mut add = |path: &str, text: &str| {
        companions.add(path.into(), Companion::Text(text.as_bytes().to_vec(), None));
    };
    add("/a.tar/ccpp/uid", "1000\n");
    add("/a.tar/x-1-2.json", "{\"schema\":\"obit-capture/1\"}");
    let info = "   PID: 7 (x)\n  Signal: 11 (SEGV)\n Executable: /x\n";
    add("/a.tar/info.txt", &format!("{info} Storage: /var/lib/systemd/coredump/core.x.7\n"));
    let of = |path: &str| {
        let found = beside(Path::new(path), &companions, &infos(&companions), false);
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(of("/a.tar/ccpp/coredump"), ["uid"]);
    assert_eq!(of("/a.tar/x-1-2.core.zst"), ["obit-capture"]);
    assert_eq!(of("/a.tar/core.x.7"), ["coredumpctl-info"]);
    assert_eq!(of("/a.tar/core.y.8"), [] as [String; 0]);
}
#[test]
fn however_many_texts_there_are_each_is_searched_once_and_few_are_kept() {
    let mut companions = Companions::default();
    let mut add = |path: String, text: String| {
        companions.add(path.into(), Companion::Text(text.into_bytes(), None));
    };
    let info = "PID: 7 (x)\nSignal: 11 (SEGV)\nExecutable: /x\n";
    for number in 0..16_000 {
        let text = format!("{info}Storage: /var/core.{number}\n{}", "\n".repeat(2000));
        add(format!("/a.tar/{number:05}"), text);
    }
    let long = format!("{info}{}", " ".repeat(LONGEST_FACTS));
    add("/a.tar/0".to_owned(), long);
    let begun = Instant::now();
    let infos = infos(&companions);
    assert_eq!(infos.len(), MOST_INFOS);
    let of = |name: String| beside(&Path::new("/a.tar").join(name), &companions, &infos, false);
    let found = (0..2000).filter(|number| !of(format!("core.{number}")).is_empty());
    assert_eq!(found.count(), MOST_INFOS);
    assert!(begun.elapsed() < Duration::from_secs(20));
}
/// An archive as it is received from a worker that sends these frames.
fn received(frames: &[Vec<u8>]) -> Archive {
    let (here, there) = Channel::pair().unwrap();
    let outcome = Outcome::Done {
        kind: "a tar archive".to_owned(),
        files: 1,
        notes: Vec::new(),
        ended: None,
        is_partial: false,
    };
    let done = serde_json::to_vec(&outcome).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            frames.iter().for_each(|frame| there.send(ask::MEMBER, &[frame], None).unwrap());
            there.send(ask::DONE, &[&done], None).unwrap();
        });
        let (file, limits) = (CoreFile::room().unwrap(), Limits::default());
        Archive::receive(&here, Path::new("/a.tar"), &file, None, &limits).unwrap().unwrap()
    })
}

#[test]
fn a_file_with_a_bad_name_is_counted_and_the_others_are_taken() {
    let long = vec![b'x'; 8000];
    let archive = received(&[frame(2, &long, b"x"), frame(2, b"../x", b"x")]);
    assert!(archive.notes[0].ends_with("ignored: 2"), "{:?}", archive.notes);
}

#[test]
fn the_paths_that_are_sent_with_each_core_are_at_most_a_mebibyte() {
    let path = |number: u32| format!("{number}/{}", "d".repeat(1000)).into_bytes();
    let frames: Vec<_> = (0..1200).map(|number| frame(2, &path(number), b"x")).collect();
    let archive = received(&frames);
    assert!(archive.is_partial);
    let ignored = archive.notes[0].strip_prefix("files beyond 1 MiB of paths, ignored: ");
    let ignored: usize = ignored.unwrap().parse().unwrap();
    assert!((150..200).contains(&ignored), "{ignored}");
}

#[test]
fn a_worker_that_gets_no_room_goes_on() {
    let (here, there) = Channel::pair().unwrap();
    give(&here, Err(io::ErrorKind::StorageFull.into())).unwrap();
    give(&here, CoreFile::room()).unwrap();
    let answers = [there.receive(None).unwrap(), there.receive(None).unwrap()];
    let answers = answers.map(|answer| answer.map(|frame| (frame.kind, frame.file.is_some())));
    assert_eq!(answers, [Some((say::ANSWER, false)), Some((say::ANSWER, true))]);
}
