//! libstdc++ and libc++.

use crate::told::variables;

#[test]
#[ignore]
fn dump() {
    let case = std::env::var("CASE").unwrap();
    for function in ["hold"] {
        for (name, told) in variables(&case, function) {
            println!("{name:18} {told}");
        }
    }
}
