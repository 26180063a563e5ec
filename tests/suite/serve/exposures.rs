//! Crashes per exposure, as the server shows them.

use std::fs;

use super::server::Server;

#[test]
fn rates_are_in_pages_and_documents_and_a_file_that_changes_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exposure.csv");
    // The releases of the invented program.
    let server = Server::open();
    let builds = server.get("/api/v1/builds").json();
    let program = &builds["programs"][0];
    let release = program["releases"].as_array().unwrap().last().unwrap().clone();
    let name = release["name"].as_str().unwrap();
    drop(server);
    fs::write(&path, format!("version,hours\n{name},1000\n")).unwrap();
    let server = Server::start(&["--exposure", path.to_str().unwrap()]);
    let group = server.groups(&[])[0].clone();
    for path in ["/builds".to_owned(), "/".to_owned(), format!("/groups/{group}")] {
        let page = server.get(&path);
        assert!(page.body.contains("per 1,000 hours"), "{path}: {page:?}");
    }
    let rate = |server: &Server| {
        let builds = server.get("/api/v1/builds").json();
        let releases = builds["programs"][0]["releases"].as_array().unwrap().clone();
        releases.last().unwrap()["rate"].clone()
    };
    assert_eq!(rate(&server)["exposure"], 1000.0);
    let detail = server.get(&format!("/api/v1/groups/{group}")).json();
    assert_eq!(detail["group"]["rate"]["unit"], "hours", "{detail}");
    fs::write(&path, format!("version,sessions\n{name},50000\n")).unwrap();
    assert_eq!(rate(&server)["exposure"], 50000.0);
    assert!(server.get("/").body.contains("sessions"));
    // One that makes no sense changes nothing, and the server's own messages say so.
    fs::write(&path, format!("version,sessions\n{name},-1\n")).unwrap();
    assert_eq!(rate(&server)["exposure"], 50000.0);
    let (_, said) = server.end();
    assert!(said.contains("line 2") && said.contains("the exposures are those before"), "{said}");
}
