//! What grouping sees of a crash.

use serde::{Deserialize, Serialize};

use super::site::Site;
use crate::record::Record;
use crate::signature::{RECURSION, module_name};
use obit_ownership::{cut, normalized};
use obit_redact::{Shown, is_token, without_digests};
use obit_report::{Blame, Cause, Confidence, Decision, DecisionAction, EvidenceKind};

/// Digits of a build ID that distinguish builds.
const BUILD: usize = 16;
/// Classes of causes of a check of the language.
const PANICS: [&str; 2] = ["rust-panic", "go-panic"];
/// Bytes of an expression that are kept.
const LONGEST_EXPRESSION: usize = 120;

/// A crash as grouping sees it. Crashes with equal keys are one to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashKey {
    /// The signature's id.
    pub signature: String,
    /// The signature in words.
    pub text: String,
    /// The image of the function that the signature ends with.
    pub image: String,
    /// Digits of that image's build ID; empty where it has none.
    pub build: String,
    /// The function of the system that was called; empty where none was.
    pub called: Called,
    /// The functions of the program in the signature.
    pub functions: Vec<String>,
    /// Functions of the program on the stack, innermost first, by normal name.
    pub frames: Vec<String>,
    /// Which of them is to blame; empty where that is not known.
    pub blamed: String,
    /// The function that returned the bad value to the one to blame; empty where that is not
    /// known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub returned_by: String,
    /// What the function to blame calls the bad value, without the numbers in it; empty where
    /// it has no name for it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expression: String,
    /// The line of that function at which it got the bad value that it handed on, else the
    /// line and the function that it called; empty where it did not, or that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub made_at: String,
    /// The heap chunk before damaged metadata: its size; empty where no damage was found.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub damaged: String,
    /// What its header was overwritten with; empty where that has no form.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub overwritten_with: String,
    /// The bytes by which the write may be known; empty where it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// Where the pointer to the chunk before the damage is kept; empty where that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointed_from: String,
    /// The address of an access that the compiler proved to go through NULL: its instruction
    /// has no register in it. Empty for others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fixed_address: String,
    /// The address of an access through NULL: the offset of what was accessed. Empty for
    /// others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub null_address: String,
    /// The condition that an assertion reported; empty where none did.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub asserted: String,
    /// The line and column of a panic in the last function of the signature; empty for others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub panicked_at: String,
    /// The class of the cause. The last field: the store renames classes in place.
    #[serde(deserialize_with = "obit_report::class_name::current")]
    pub class: String,
}

/// What is between the program and the fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Called {
    /// Nothing: the program failed by itself.
    #[default]
    Nothing,
    /// This function of the system.
    Function(String),
    /// A function of this image, whose symbols are missing.
    Unnamed(String),
    /// More and more calls of the program itself.
    Recursion,
}

impl CrashKey {
    /// Of a record; `None` if it has no signature.
    pub fn of(record: &Record) -> Option<Self> {
        let signature = record.signature.as_ref()?;
        // Digests differ between reports of one bug.
        let plain = |text: &Shown| without_digests(text.as_str()).into_owned();
        let names = |names: &[Shown]| -> Vec<String> { names.iter().map(plain).collect() };
        let text = signature.text.as_str();
        let frames = names(&record.frames);
        let mut functions = names(&signature.frames);
        let joined = functions.join(" | ");
        let image = text.strip_prefix(joined.as_str()).and_then(|rest| rest.strip_prefix(" in "));
        let is_from_program = match (functions.first(), frames.first()) {
            (Some(first), Some(frame)) => first == frame,
            _ => false,
        };
        let called = match functions.first() {
            Some(first) if first == RECURSION => Called::Recursion,
            Some(first) if !is_from_program => {
                let is_unnamed = *first == module_name(first)
                    && signature.decisions.iter().any(is_without_symbol);
                let of = if is_unnamed { Called::Unnamed } else { Called::Function };
                of(first.clone())
            }
            _ => Called::Nothing,
        };
        if called != Called::Nothing {
            functions.remove(0);
        }
        let ends = |decision: &&Decision| decision.action == DecisionAction::Stop;
        let end = signature.decisions.iter().rev().find(ends).map(|decision| decision.frame);
        let all = || record.threads.iter().flat_map(|thread| &thread.frames);
        let at = all().find(|frame| Some(frame.index) == end && frame.module.is_some());
        let place = at.and_then(|frame| frame.module.as_ref());
        let build = place.and_then(|place| place.build_id.as_ref());
        let panicked_at = at.filter(|_| is_panic(record.cause.as_ref())).and_then(|frame| {
            let source = frame.source.as_ref()?;
            Some(Site { line: source.line?, column: source.column.unwrap_or(0) })
        });
        let blame = record.cause.as_ref().and_then(|cause| cause.blame.as_ref());
        let blame = blame.filter(|_| record.blamed.is_some());
        let returned_by = blame.and_then(|blame| blame.returned_by.as_ref());
        let is_of_callee = blame.is_some_and(|blame| blame.is_expression_of_callee);
        let is_sure = |blame: &&Blame| blame.expression_confidence != Some(Confidence::Guess);
        let expression = blame.filter(is_sure).and_then(|blame| blame.expression.as_ref());
        let blamed = record.blamed.as_ref().map(plain);
        let is_handed_on = blamed.as_ref() != functions.last();
        let callee = blamed.as_ref().and_then(|blamed| callee(&frames, blamed));
        let made_at = blame.filter(|_| is_handed_on).and_then(|blame| {
            // One line may call several functions through a pointer, of which the one that got
            // the value may have ended in a jump.
            let at_call = || {
                let line = blame.source.as_ref()?.line?;
                Some(format!("{line} {}", callee.unwrap_or_default()))
            };
            blame.made_at_line.map(|line| line.to_string()).or_else(at_call)
        });
        let damage = record.findings.iter().find(|finding| finding.chunk_size.is_some());
        let damaged = damage.and_then(|damage| damage.chunk_size);
        // What failed beyond the heap ran over its end by itself.
        let is_run = record.cause.as_ref().is_some_and(|cause| {
            cause.class.starts_with("unmapped-")
                && cause.evidence.iter().any(|evidence| evidence.kind == EvidenceKind::Heap)
        });
        let damage = damage.filter(|_| !is_run);
        Some(Self {
            signature: signature.id.clone(),
            text: text.to_owned(),
            image: image.unwrap_or_default().to_owned(),
            build: build
                .and_then(|id| id.get(..BUILD.min(id.len())))
                .unwrap_or_default()
                .to_owned(),
            called,
            functions,
            frames,
            blamed: blamed.unwrap_or_default(),
            made_at: made_at.unwrap_or_default(),
            returned_by: returned_by.map(|name| normalized(&plain(name))).unwrap_or_default(),
            expression: expression
                .filter(|_| !is_of_callee)
                .map(|text| without_numbers(cut(&plain(text), LONGEST_EXPRESSION)))
                .unwrap_or_default(),
            fixed_address: record.cause.as_ref().and_then(fixed_address).unwrap_or_default(),
            null_address: record.cause.as_ref().and_then(null_address).unwrap_or_default(),
            asserted: record
                .cause
                .as_ref()
                .filter(|cause| cause.class == "assertion")
                .and_then(|cause| condition(&plain(cause.message.as_ref()?)))
                .unwrap_or_default(),
            panicked_at: panicked_at.map(|site| site.to_string()).unwrap_or_default(),
            damaged: damaged.map(|size| format!("{size}-byte chunk")).unwrap_or_default(),
            overwritten_with: damage
                .and_then(|damage| damage.overwritten_with.clone())
                .unwrap_or_default(),
            pattern: damage
                .and_then(|damage| damage.pattern.as_ref())
                .map(plain)
                // Two texts that are hidden need not be one.
                .filter(|pattern| !is_token(pattern))
                .unwrap_or_default(),
            pointed_from: damage
                .and_then(|damage| damage.pointed_from.as_ref())
                .map(|place| without_clones(&plain(place)))
                .unwrap_or_default(),
            class: record.cause.as_ref().map(|cause| cause.class.clone()).unwrap_or_default(),
        })
    }
}

/// Whether a check of the language ended the process: its line is exact at every level of
/// optimization.
fn is_panic(cause: Option<&Cause>) -> bool {
    cause.is_some_and(|cause| PANICS.contains(&cause.class.as_str()))
}

/// The function of the program that `function` called.
fn callee<'f>(frames: &'f [String], function: &str) -> Option<&'f str> {
    let at = frames.iter().position(|name| name == function)?;
    frames.get(at.checked_sub(1)?).map(String::as_str)
}

/// The address that the instruction of an access through NULL has in it.
fn fixed_address(cause: &Cause) -> Option<String> {
    let has = |kind| cause.evidence.iter().any(|evidence| evidence.kind == kind);
    let is_fixed = has(EvidenceKind::Instruction) && !has(EvidenceKind::Register);
    null_address(cause).filter(|_| is_fixed)
}

fn null_address(cause: &Cause) -> Option<String> {
    let mut evidence = cause.evidence.iter().filter(|_| cause.class.starts_with("null-"));
    let access = evidence.find(|evidence| evidence.kind == EvidenceKind::Memory)?;
    access.address.map(|address| address.to_string())
}

/// `x < 4` of ``prog: a.c:4: check: Assertion `x < 4' failed.``
fn condition(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Assertion `")?;
    let (condition, _) = rest.rsplit_once("' failed")?;
    Some(cut(condition, LONGEST_EXPRESSION).to_owned())
}

/// A variable without what compilers add to its name where they keep its members apart.
fn without_clones(place: &str) -> String {
    match place.split_once(" [clone") {
        Some((name, rest)) => {
            let rest = rest.split_once(']').map_or("", |(_, rest)| rest);
            format!("{name}{rest}")
        }
        None => place.to_owned(),
    }
}

/// An expression whose indices are left out: which element was bad differs between crashes
/// of one bug.
fn without_numbers(expression: &str) -> String {
    let mut text = String::new();
    let mut is_in_name = false;
    for c in expression.chars().filter(|c| !c.is_whitespace()) {
        let is_number = c.is_ascii_digit() && !is_in_name;
        if !is_number {
            text.push(c);
            is_in_name = c.is_alphanumeric() || c == '_';
        }
    }
    text
}

/// Whether a function of the system was taken that has no name.
fn is_without_symbol(decision: &Decision) -> bool {
    decision.action == DecisionAction::Prefix && decision.rule.ends_with(", no symbol")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::testkit::crash;
    use obit_report::{Evidence, Finding, Hex};

    #[test]
    fn which_element_was_bad_is_no_part_of_what_it_is_called() {
        assert_eq!(without_numbers("jobs[17].owner"), "jobs[].owner");
        assert_eq!(without_numbers("this->v4.w[0x1f] + 8"), "this->v4.w[x1f]+");
        assert_eq!(without_numbers(""), "");
    }

    #[test]
    fn an_access_without_a_register_has_a_fixed_address() {
        let seen = |kind, address| Evidence { kind, address, ..Evidence::default() };
        let access = vec![
            seen(EvidenceKind::Instruction, Some(Hex(0x5580_1234))),
            seen(EvidenceKind::Memory, Some(Hex(0x10))),
        ];
        let cause = |evidence: Vec<Evidence>| Cause {
            class: "null-read".to_owned(),
            evidence,
            ..Cause::default()
        };
        assert_eq!(fixed_address(&cause(access.clone())).as_deref(), Some("0x10"));
        let with_register = [access, vec![seen(EvidenceKind::Register, None)]].concat();
        assert_eq!(fixed_address(&cause(with_register)), None);
    }

    #[test]
    fn the_condition_of_an_assertion_is_what_is_between_its_quotes() {
        let message = "prog: a.c:4: check: Assertion `c == 'x' && n < 4' failed.";
        assert_eq!(condition(message).as_deref(), Some("c == 'x' && n < 4"));
        assert_eq!(condition("Assertion failed: x"), None);
    }

    #[test]
    fn a_key_of_before_is_written_as_it_was() {
        let old = r#"{"signature":"s","text":"walk in app","image":"app","build":"1","called":"nothing","functions":["walk"],"frames":["walk","main"],"blamed":"walk","class":"null-read"}"#;
        let key: CrashKey = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&key).unwrap(), old);
    }
    #[test]
    fn two_reports_of_one_crash_have_one_key_whatever_the_digests_of_their_tokens() {
        let key = |digest: &str| {
            let shown = |text: &str| Some(Shown::from_report(text.replace("a91f", digest)));
            let mut record = crash(3, 1, &Rules::built_in()).record;
            let blame = Blame { expression: shown("users[<user:a91f>]"), ..Blame::default() };
            record.cause = Some(Cause {
                class: "assertion".to_owned(),
                message: shown("Assertion `name != \"<user:a91f>\"' failed"),
                blame: Some(blame),
                ..Cause::default()
            });
            record.findings = vec![Finding {
                chunk_size: Some(64),
                pattern: shown("<text:a91f>"),
                pointed_from: shown("`names` of <email:a91f>"),
                ..Finding::default()
            }];
            CrashKey::of(&record).unwrap()
        };
        assert_eq!(key("a91f"), key("0b2c"));
        assert_eq!(key("a91f").asserted, "name != \"<user>\"");
        // Two texts that are hidden need not be one.
        assert_eq!(key("a91f").pattern, "");
    }
}
