use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

const QUOTA: Quota = Quota { bytes: 100 << 10, percent: 100, free_percent: 0, crashes: 100 };

fn spool() -> (tempfile::TempDir, Spool) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cores");
    (directory, Spool::create(&path).unwrap())
}

fn publish(spool: &Spool, id: &str, bytes: usize) -> Result<File, SpoolError> {
    let mut draft = spool.draft()?;
    draft.file.write_all(&vec![1; bytes]).unwrap();
    spool.publish(draft, id, Part::Core, None)
}

fn names(spool: &Spool) -> Vec<String> {
    let files = fs::read_dir(spool.path()).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != LOCK);
    names.sort();
    names
}

#[test]
fn a_file_has_no_name_before_it_is_complete_and_is_its_owners_alone() {
    let (_directory, spool) = spool();
    let mut draft = spool.draft().unwrap();
    draft.file.write_all(b"half").unwrap();
    assert!(names(&spool).is_empty());
    spool.publish(draft, "a-1-2", Part::Core, None).unwrap();
    assert_eq!(names(&spool), ["a-1-2.core.zst"]);
    let metadata = fs::symlink_metadata(spool.path().join("a-1-2.core.zst")).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    drop(spool.draft().unwrap());
    assert_eq!(names(&spool).len(), 1);
}

#[test]
fn a_file_is_given_to_the_user_of_the_process() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (_directory, spool) = spool();
    let owner = Some(Owner { user: 4242, group: 4243 });
    let file = spool.publish(spool.draft().unwrap(), "a-1-2", Part::Facts, owner).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (4242, 4243));
}

#[test]
fn a_link_under_the_name_of_a_core_is_not_written_through() {
    let (directory, spool) = spool();
    let target = directory.path().join("target");
    fs::write(&target, "keep").unwrap();
    symlink(&target, spool.path().join("a-1-2.core.zst")).unwrap();
    assert!(publish(&spool, "a-1-2", 10).is_err());
    assert_eq!(fs::read(&target).unwrap(), b"keep");
    assert_eq!(spool.new_id("a", 1, 2).unwrap(), "a-1-2-2");
    assert!(spool.entries().unwrap().is_empty(), "a link is not a crash");
}

#[test]
fn a_spool_that_others_may_write_to_or_that_is_a_link_is_refused() {
    let (directory, spool) = spool();
    let link = directory.path().join("link");
    symlink(spool.path(), &link).unwrap();
    assert!(matches!(Spool::create(&link), Err(SpoolError::Open { .. })));
    fs::set_permissions(spool.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Spool::create(spool.path()).unwrap_err();
    assert!(refused.to_string().contains("others may write to it"), "{refused}");
}

#[test]
fn the_oldest_crashes_are_removed_until_the_quota_holds() {
    let (_directory, spool) = spool();
    for id in ["a-1-1", "b-1-2", "c-1-3"] {
        publish(&spool, id, 40 << 10).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    fs::write(spool.path().join("notes.txt"), vec![1; 200 << 10]).unwrap();
    let room = spool.make_room(&QUOTA, 0).unwrap();
    assert_eq!(names(&spool), ["b-1-2.core.zst", "c-1-3.core.zst", "notes.txt"]);
    assert_eq!(room.for_core(0), 20 << 10, "what the others leave");
    spool.make_room(&QUOTA, 90 << 10).unwrap();
    assert_eq!(names(&spool), ["notes.txt"], "files of others stay");
}

#[test]
fn the_oldest_crashes_are_removed_until_there_are_few_enough() {
    let (_directory, spool) = spool();
    for number in 1..6 {
        publish(&spool, &format!("a-1-{number}"), 1).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    spool.make_room(&Quota { crashes: 3, ..QUOTA }, 0).unwrap();
    assert_eq!(names(&spool), ["a-1-4.core.zst", "a-1-5.core.zst"], "and the one that comes");
}

#[test]
fn a_locked_spool_has_room_all_the_same() {
    let (_directory, spool) = spool();
    publish(&spool, "a-1-1", 90 << 10).unwrap();
    let _lock = spool.lock().unwrap();
    assert_eq!(spool.room_of_empty(&QUOTA).unwrap().for_core(0), 100 << 10);
    assert_eq!(names(&spool).len(), 1);
}

#[test]
fn what_a_killed_capture_left_is_removed_and_what_one_is_writing_stays() {
    let (_directory, spool) = spool();
    fs::write(spool.path().join(".7-0.part"), "left").unwrap();
    let draft = Draft::with_name(&spool.directory).unwrap();
    spool.make_room(&QUOTA, 0).unwrap();
    assert_eq!(names(&spool).len(), 1);
    spool.publish(draft, "a-1-2", Part::Core, None).unwrap();
    assert_eq!(names(&spool), ["a-1-2.core.zst"]);
}

#[test]
fn counts_survive_and_a_damaged_file_of_them_counts_from_zero() {
    let (_directory, spool) = spool();
    let rates = Rates { per_program: 1, per_user: 9, seconds: 60 };
    let keys = RateKeys { user: "u".to_owned(), program: "a".to_owned() };
    assert_eq!(spool.admit(&rates, &keys, 5).unwrap(), Admission::Admitted);
    assert!(matches!(spool.admit(&rates, &keys, 6).unwrap(), Admission::TooMany { .. }));
    assert_eq!(spool.refused(), 1);
    fs::write(spool.path().join(".rates.json"), "{\"windows\":").unwrap();
    assert_eq!(spool.admit(&rates, &keys, 7).unwrap(), Admission::Admitted);
}

#[test]
fn few_reports_are_made_at_once() {
    let (_directory, spool) = spool();
    let slot = || spool.report_slot(Duration::from_millis(30)).unwrap();
    let mut slots: Vec<_> = (0..REPORTS_AT_ONCE).map(|_| slot().unwrap()).collect();
    assert!(slot().is_none());
    slots.pop();
    assert!(slot().is_some(), "one is free again");
}
