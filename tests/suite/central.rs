//! A store in PostgreSQL (`--db postgres://…`), on a server that the test starts.

#[cfg(feature = "postgres")]
mod server;

#[cfg(not(feature = "postgres"))]
#[test]
fn without_the_feature_an_address_is_one_error_that_says_how_to_get_it() {
    use crate::fixture::{obit, stderr};

    let output = obit().args(["top", "--db", "postgres://a:secret@host/crashes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let error = stderr(&output);
    assert!(error.contains("--features postgres") && !error.contains("secret"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
