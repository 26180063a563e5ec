//! Texts that PostgreSQL cannot have as they are, what is forgotten, and files and servers that
//! are not to be trusted.

use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};
use std::{fs, thread};

use obit_redact::{Shown, Wanted};

use super::{Machine, add, exported};
use crate::history::CodeRow;
use crate::signature::Rules;
use crate::store::{PackedRecord, Store};
use crate::testkit::crash;
use crate::testkit::postgres::Server;

/// Text that hardly compresses.
fn long(seed: u64) -> String {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..20_000).map(|_| next()).collect()
}

fn with_host(store: &mut Store, number: u64, host: &str) {
    let mut crash = crash(1, number, &Rules::built_in());
    crash.record.host = Some(Shown::from_report(host.to_owned()));
    let packed = PackedRecord::of(&crash.record).unwrap();
    store.add(&[(crash.stamp, packed)], 7).unwrap();
}

fn code(symbol: &str) -> CodeRow {
    let (build, module) = ("b1".to_owned(), "libx.so".to_owned());
    CodeRow { build, module, symbol: symbol.to_owned(), hash: Some("00".to_owned()) }
}

#[test]
fn texts_of_any_length_and_with_nul_are_kept_as_they_are() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let machine = Machine::new();
    let mut file = Store::temporary().unwrap();
    let mut central = machine.open(&address).unwrap();
    let symbols =
        [long(1), long(2), "a\0b".to_owned(), "a\u{2400}b".to_owned(), "a\\0b".to_owned()];
    for store in [&mut file, &mut central] {
        for (number, host) in (0..).zip(["a\0", "a\u{2400}", "a\u{2400}0", &long(3), &long(4)]) {
            with_host(store, number, host);
        }
        store.add_code(&[], &symbols.each_ref().map(|symbol| code(symbol))).unwrap();
        store.regroup().unwrap();
    }
    let code_of = |store: &Store| {
        let sql = "SELECT group_concat(symbol || hash, ' ' ORDER BY symbol) FROM code";
        store.connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let other = Machine::new().open(&address).unwrap();
    for store in [&central, &other] {
        assert_eq!(exported(store), exported(&file));
        assert_eq!(code_of(store), code_of(&file));
    }
    // One that is gone is gone elsewhere.
    central
        .change(|work| Ok(work.execute("DELETE FROM code WHERE symbol LIKE 'a%'", [])?))
        .unwrap();
    drop(other);
    let other = Machine::new().open(&address).unwrap();
    assert_eq!(code_of(&other), code_of(&central));
}

#[test]
fn what_is_forgotten_is_in_no_table_and_every_copy_learns_of_it() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let (one, other) = (Machine::new(), Machine::new());
    let mut here = one.open(&address).unwrap();
    add(&mut here, 0..4);
    with_host(&mut here, 5, "annlee-laptop");
    here.add_code(&[], &[code("greet_annlee"), code("greet")]).unwrap();
    here.regroup().unwrap();
    drop(other.open(&address).unwrap());
    let person = Wanted::value("annlee", None).unwrap();
    assert!(here.erase(&person, false).unwrap().count >= 2);
    let there = other.open(&address).unwrap();
    assert_eq!(exported(&there), exported(&here));
    let tables = "SELECT string_agg(format('%I.%I', schemaname, tablename), ' ') FROM pg_tables
        WHERE schemaname = 'obit'";
    for table in server.sql("crashes", tables).split_whitespace() {
        let sql = format!("SELECT count(*) FROM {table} AS t WHERE t::text LIKE '%annlee%'");
        assert_eq!(server.sql("crashes", &sql), "0", "{table}");
    }
    let left = "SELECT count(*) FROM code WHERE symbol LIKE '%annlee%'";
    for store in [&here, &there] {
        assert_eq!(store.connection.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

#[test]
fn a_copy_that_others_can_write_or_that_is_a_link_is_not_used() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let machine = Machine::new();
    drop(machine.open(&address).unwrap());
    let directory = machine.caches.path().join("obit/central");
    let file = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|it| it == "db")).unwrap();
    let error = || machine.open(&address).unwrap_err().to_string();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).unwrap();
    assert!(error().contains("others may write to it"), "{}", error());
    let elsewhere = machine.caches.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert!(error().contains("not a file"), "{}", error());
    fs::remove_file(&file).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(error().contains("others may write to it"), "{}", error());
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    drop(machine.open(&address).unwrap());
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_an_error_within_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let begun = Instant::now();
    let address = format!("postgres://a@127.0.0.1:{port}/c?connect_timeout=1");
    let error = Machine::new().open(&address).unwrap_err().to_string();
    assert!(error.contains("did not answer within 3 s"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}
