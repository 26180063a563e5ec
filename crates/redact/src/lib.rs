//! Finds personal data and secrets in text, logs and values of variables, and replaces them
//! by tokens that say what was there.
//!
//! A hidden text becomes `<kind:digest>`, as `<email:a91f>`. Digests are keyed: the same
//! value has the same token under one key, so lines can still be compared, and different
//! tokens under two. Values of which there are few (codes, dates, short texts and numbers)
//! become `<kind>`.
//!
//! ```
//! use obit_redact::{Level, Named, Origin, Redactor};
//!
//! let mut redactor = Redactor::with_random_key(Level::Default);
//! let line = redactor.show(Origin::MessageText, "no mail for ann@example.com, code 550");
//! assert!(line.as_str().starts_with("no mail for <email:"));
//! assert!(line.as_str().ends_with(">, code 550"));
//!
//! // A value may be judged by the name of its variable.
//! let named = Named { name: "db_password", ..Named::default() };
//! let value = redactor.show_value(Origin::VariableText, &named, "sunshine");
//! assert!(value.as_str().starts_with("<password:"));
//! assert_eq!(redactor.counts()["email"], 1);
//!
//! // Any bytes, of any length, in blocks.
//! let (mut log, mut shown) = (&b"login user=ann.lee from 203.0.113.9\n"[..], Vec::new());
//! obit_redact::stream::redact(&mut redactor, &mut log, &mut shown)?;
//! assert!(!String::from_utf8_lossy(&shown).contains("ann.lee"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **What for.** Logs and crash reports that leave the machine: what identifies people or
//! opens doors goes, what debugging needs stays (addresses, hashes, versions, file and
//! line). Text is read as UTF-8, Latin-1, UTF-16 and UTF-32, through escapes of strings and
//! URLs, and through base64, hexadecimal digits and dumps of memory. Nothing is compiled or
//! allocated for a text that has nothing to hide, and the time is linear in its length.
//!
//! **What not for.** Anonymisation in the sense of a law: names and addresses in running
//! prose, which nothing announces, are not found. Tokens are pseudonyms: who has the key and a
//! list of candidates can rule most of them out.
//!
//! | name | what it is |
//! |---|---|
//! | [`Redactor`] | decides what of a text may leave, and counts what it hid |
//! | [`Level`], [`Origin`] | how much is hidden, and where a text comes from |
//! | [`RULE_SET`] | the version of the built-in rules |
//! | [`Shown`] | text that may leave; only the redactor makes it out of foreign data |
//! | [`Kind`] | as what a text is hidden |
//! | [`stream`] | logs of any length |
//! | [`memory`] | what of the bytes of a process may leave |
//! | [`Rules`], [`Named`], [`Verdict`] | what the user says of his own data, and of which values |
//! | [`Whole`] | what rules say of a value of any type |
//! | [`RuleError`], [`RuleProblem`] | what is wrong with a file of rules |
//! | [`Decision`], [`Reason`] | what was hidden, where and why |
//! | [`Wanted`], [`WantedError`], [`FORGOTTEN`] | a value or a person that texts are to forget |
//! | [`is_token`], [`without_digests`] | tokens in a text that was redacted |
//! | [`KeyBytes`], [`private_keys`], [`round_keys`] | keys as bytes: copies of known ones, and those that their structure shows |
//! | [`kind_of_name`] | what the name of a variable or field announces |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod arguments;
mod field_name;
mod find;
mod key_bytes;
mod key_jwk;
mod key_material;
mod key_shape;
mod key_text;
mod kind;
mod log;
pub mod memory;
mod policy;
mod redactor;
mod remembered;
mod rules;
#[cfg(feature = "serde")]
mod serial;
mod shown;
pub mod stream;
mod text_in_numbers;
mod token;
mod wanted;
mod word_set;

pub use field_name::kind_of_name;
pub use key_bytes::KeyBytes;
pub use key_shape::{private_keys, round_keys};
pub use kind::Kind;
pub use log::{Decision, Reason};
pub use policy::{Level, Origin, RULE_SET};
pub use redactor::{Object, Redactor, Whole};
pub use rules::{Named, RuleError, RuleProblem, Rules, Verdict};
pub use shown::Shown;
pub use token::{is_token, without_digests};
pub use wanted::{FORGOTTEN, Wanted, WantedError};
