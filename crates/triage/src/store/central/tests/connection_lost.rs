//! The connection is cut, at any byte of a run.

use super::proxy::{Cut, Proxy};
use super::{Machine, add, is_whole};
use crate::testkit::postgres::{PASSWORD, Server};

/// Bytes between two places where the connection is cut.
const STEP: usize = 1_499;

/// Adds dumps to a store over a connection that is cut; whether it was, and the store open.
fn is_cut_and_whole(server: &Server, cut: Cut) -> bool {
    server.sql("postgres", "CREATE DATABASE crashes TEMPLATE two");
    let proxy = Proxy::that_cuts(cut, server.port());
    let address = format!("postgres://owner:{PASSWORD}@localhost:{}/crashes", proxy.port);
    // While it is opened a cut may be an error: nothing is there to be lost.
    if let Ok(mut store) = Machine::new().open(&address) {
        add(&mut store, 0..4);
        store.regroup().unwrap();
        is_whole(&server.socket("crashes"), 4);
        let records = server.sql("crashes", "SELECT count(*) FROM obit.record");
        assert_eq!(records, "4", "{cut:?}");
    }
    server.sql("postgres", "DROP DATABASE crashes WITH (FORCE)");
    proxy.has_cut()
}

/// A server with a store of two dumps, of which copies are made.
fn server() -> Option<Server> {
    let server = Server::start()?;
    server.database("two");
    add(&mut Machine::new().open(&server.socket("two")).unwrap(), 0..2);
    Some(server)
}

#[test]
fn a_connection_that_is_cut_anywhere_loses_and_doubles_nothing() {
    let Some(server) = server() else { return };
    for cut in [Cut::ToServer, Cut::ToClient] {
        let places = (1_500..).step_by(STEP);
        let cuts = places.take_while(|bytes| is_cut_and_whole(&server, cut(*bytes))).count();
        assert!(cuts > 5, "{cuts} cuts");
    }
}

#[test]
fn a_connection_that_is_cut_at_a_commit_loses_and_doubles_nothing() {
    let Some(server) = server() else { return };
    for cut in [Cut::BeforeCommit, Cut::AfterCommit] {
        let cuts = (0..).take_while(|before| is_cut_and_whole(&server, cut(*before))).count();
        // Two dumps that are new, and the groups.
        assert_eq!(cuts, 3);
    }
}

#[test]
fn a_server_that_starts_again_between_two_changes_is_found_again() {
    let Some(mut server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let mut store = Machine::new().open(&address).unwrap();
    add(&mut store, 0..2);
    server.stop();
    server.go_on();
    add(&mut store, 2..4);
    is_whole(&address, 4);
}

#[test]
fn a_server_that_is_gone_is_one_error_and_nothing_is_changed_here() {
    let Some(mut server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let machine = Machine::new();
    let mut store = machine.open(&address).unwrap();
    add(&mut store, 0..2);
    server.stop();
    let error = store.set_state("nothing", &crate::history::State::Ignored, 1).unwrap_err();
    assert!(error.to_string().contains("nothing of the change was stored"), "{error}");
    assert_eq!(store.counts().unwrap().dumps, 2);
    let error = machine.open(&address).unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}
