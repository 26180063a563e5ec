use super::*;
use std::fs;
use std::io::{Read, Write};

fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

fn read(store: &Objects, id: Id) -> Result<Vec<u8>, ObjectError> {
    let mut into = tempfile::tempfile().unwrap();
    store.get(id, &mut into)?;
    into.rewind().unwrap();
    let mut bytes = Vec::new();
    into.read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

fn all(store: &Objects) -> Vec<Entry> {
    let mut all = Vec::new();
    store.list(&mut |entry| all.push(entry)).unwrap();
    all
}

#[test]
fn what_was_put_in_comes_out_and_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = Objects::open(&directory.path().join("objects")).unwrap();
    let first = store.put(&mut file(b"a report")).unwrap();
    assert!(first.is_new && first.size == 8);
    let second = store.put(&mut file(b"a report")).unwrap();
    assert_eq!((second.id, second.is_new), (first.id, false));
    let other = store.put(&mut file(b"another")).unwrap();
    assert_eq!(read(&store, first.id).unwrap(), b"a report");
    let mut ids: Vec<Id> = all(&store).iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&other.id) && all(&store)[0].stored.is_some());
    store.remove(first.id).unwrap();
    store.remove(first.id).unwrap();
    assert!(matches!(read(&store, first.id), Err(ObjectError::Missing(id)) if id == first.id));
}

#[test]
fn a_damaged_object_is_not_given_out_and_is_made_whole_by_storing_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Objects::open(directory.path()).unwrap();
    let stored = store.put(&mut file(b"a report")).unwrap();
    let (start, rest) = stored.id.parts();
    let path = directory.path().join(start).join(rest);
    for damage in [&b"A report"[..], b"a rep", b"", b"a report and more"] {
        fs::write(&path, damage).unwrap();
        assert!(matches!(read(&store, stored.id), Err(ObjectError::Damaged(_))));
        assert!(store.put(&mut file(b"a report")).unwrap().is_new);
        assert_eq!(read(&store, stored.id).unwrap(), b"a report");
    }
}

#[test]
fn what_is_not_an_object_is_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let store = Objects::open(directory.path()).unwrap();
    let stored = store.put(&mut file(b"a report")).unwrap();
    let id = Id::parse(&"ab".repeat(32)).unwrap();
    let (start, rest) = id.parts();
    fs::create_dir_all(directory.path().join(&start)).unwrap();
    let path = directory.path().join(&start).join(rest);
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    fs::write(directory.path().join(&start).join("notes"), "x").unwrap();
    fs::write(directory.path().join("README"), "x").unwrap();
    assert_eq!(all(&store).iter().map(|entry| entry.id).collect::<Vec<_>>(), [stored.id]);
    assert!(matches!(read(&store, id), Err(ObjectError::Missing(_))));
}

/// A store with one object, the object, and where it lies.
fn with_one() -> (tempfile::TempDir, Objects, Id, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = Objects::open(&directory.path().join("objects")).unwrap();
    let id = store.put(&mut file(b"a report")).unwrap().id;
    let (start, rest) = id.parts();
    let path = directory.path().join("objects").join(start).join(rest);
    (directory, store, id, path)
}

fn others(store: &Objects) -> Vec<std::path::PathBuf> {
    let mut others = Vec::new();
    store.list_with(&mut |_| {}, &mut |path| others.push(path.to_owned())).unwrap();
    others
}

#[test]
fn a_pipe_at_the_place_of_an_object_is_not_waited_for_and_is_replaced() {
    let (_directory, store, id, path) = with_one();
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    assert!(matches!(read(&store, id), Err(ObjectError::Missing(_))));
    assert_eq!((all(&store).len(), others(&store)), (0, vec![path]));
    assert!(store.put(&mut file(b"a report")).unwrap().is_new);
    assert_eq!(read(&store, id).unwrap(), b"a report");
    assert!(others(&store).is_empty());
}

#[test]
fn a_link_to_an_object_is_no_object_also_where_its_content_is_right() {
    let (directory, store, id, path) = with_one();
    let outside = directory.path().join("outside");
    fs::rename(&path, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &path).unwrap();
    assert!(matches!(read(&store, id), Err(ObjectError::Missing(_))));
    assert_eq!(others(&store), [path.as_path()]);
    assert!(store.put(&mut file(b"a report")).unwrap().is_new);
    assert!(fs::symlink_metadata(&path).unwrap().is_file() && outside.exists());
}

#[test]
fn nothing_behind_a_linked_directory_is_read_listed_written_or_deleted() {
    let (directory, store, id, path) = with_one();
    let (shelf, outside) = (path.parent().unwrap(), directory.path().join("outside"));
    fs::rename(shelf, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, shelf).unwrap();
    assert!(matches!(read(&store, id), Err(ObjectError::Missing(_))));
    assert_eq!((all(&store).len(), others(&store)), (0, vec![shelf.to_owned()]));
    assert!(matches!(store.put(&mut file(b"a report")), Err(ObjectError::File { .. })));
    assert!(store.remove(id).is_err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn nothing_is_left_of_a_put_that_failed_and_of_one_that_was_interrupted_only_for_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let store = Objects::open(directory.path()).unwrap();
    let stored = store.put(&mut file(b"a report")).unwrap();
    // A file where the directory of the object should be.
    let mut second = file(b"another");
    let (id, _) = id::digest(
        &mut {
            second.rewind().unwrap();
            second.try_clone().unwrap()
        },
        99,
        |_| Ok(()),
    )
    .unwrap();
    let (start, _) = id.parts();
    fs::write(directory.path().join(start), "x").unwrap();
    assert!(matches!(store.put(&mut second), Err(ObjectError::File { .. })));
    let part = directory.path().join(".part-1-1");
    fs::write(&part, "x").unwrap();
    assert_eq!(store.remove_parts().unwrap(), 0);
    let day = std::time::Duration::from_secs(25 * 3600);
    File::options()
        .write(true)
        .open(&part)
        .unwrap()
        .set_modified(std::time::SystemTime::now() - day)
        .unwrap();
    assert_eq!(store.remove_parts().unwrap(), 1);
    let parts = fs::read_dir(directory.path()).unwrap().flatten();
    let parts = parts.filter(|entry| entry.file_name().to_string_lossy().starts_with(".part"));
    assert_eq!(parts.count(), 0);
    assert_eq!(all(&store)[0].id, stored.id);
}

#[test]
fn what_is_too_large_for_one_request_is_refused_before_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = Objects::open(directory.path()).unwrap();
    let mut large = tempfile::tempfile().unwrap();
    large.set_len(MOST_OF_AN_OBJECT + 1).unwrap();
    assert!(matches!(store.put(&mut large), Err(ObjectError::TooLarge)));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_is_not_an_address_is_refused() {
    for wrong in ["", "http://host/bucket", "S3://bucket"] {
        let error = Objects::open(Path::new(wrong)).unwrap_err();
        assert!(matches!(error, ObjectError::Address(_)), "{wrong}: {error}");
    }
    for wrong in ["s3://", "s3://ab", "s3://UPPER", "s3://bucket/../x", "s3://bucket//x"] {
        let error = Objects::open(Path::new(wrong)).unwrap_err();
        let is_refused = matches!(error, ObjectError::Address(_) | ObjectError::NoS3);
        assert!(is_refused, "{wrong}: {error}");
    }
}
