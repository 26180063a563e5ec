//! What secrets and people look like in running text.

use std::ops::Range;

use regex::Regex;

/// A stretch of text to hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    /// Name of the token that replaces it.
    pub(super) kind: &'static str,
}

/// One kind of secret. Compiled when a text first holds its mark: most reports hold
/// none, and compiling costs more than all the rest of a redaction.
struct Pattern {
    kind: &'static str,
    /// Every match holds this text, in this case.
    mark: &'static str,
    /// The first group is hidden if there is one, else the whole match.
    expression: &'static str,
}

const PATTERNS: &[Pattern] = &[
    Pattern {
        kind: "secret",
        mark: "-----BEGIN",
        expression: r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|\z)",
    },
    Pattern {
        kind: "secret",
        mark: "://",
        expression: r"[A-Za-z][A-Za-z0-9+.-]*://([^/\s:@]*:[^/\s@]+)@",
    },
    Pattern { kind: "secret", mark: "A", expression: r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b" },
    Pattern { kind: "secret", mark: "AIza", expression: r"\bAIza[0-9A-Za-z_-]{35}" },
    Pattern { kind: "secret", mark: "gh", expression: r"\bgh[pousr]_[0-9A-Za-z]{20,}" },
    Pattern { kind: "secret", mark: "github_pat_", expression: r"\bgithub_pat_[0-9A-Za-z_]{20,}" },
    Pattern { kind: "secret", mark: "glpat-", expression: r"\bglpat-[0-9A-Za-z_-]{16,}" },
    Pattern { kind: "secret", mark: "xox", expression: r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}" },
    Pattern { kind: "secret", mark: "sk", expression: r"\bsk[-_][0-9A-Za-z_-]{16,}" },
    Pattern {
        kind: "secret",
        mark: "eyJ",
        expression: r"\beyJ[0-9A-Za-z_-]{5,}\.[0-9A-Za-z_-]{5,}(?:\.[0-9A-Za-z_-]*)?",
    },
    Pattern {
        kind: "secret",
        mark: "earer ",
        expression: r"\b[Bb]earer ([0-9A-Za-z._~+/-]{8,}=*)",
    },
    Pattern { kind: "secret", mark: "asic ", expression: r"\b[Bb]asic ([0-9A-Za-z+/]{12,}=*)" },
    Pattern {
        kind: "secret",
        mark: "",
        expression: r#"(?i)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)["']?\s*[=:]\s*["']?([^\s"'&;,<>:=][^\s"'&;,]*)"#,
    },
    Pattern {
        kind: "email",
        mark: "@",
        expression: r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b",
    },
];

/// The catalogue with what of it was compiled so far.
#[derive(Debug)]
pub(super) struct Patterns {
    compiled: Vec<Option<Regex>>,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { compiled: vec![None; PATTERNS.len()] }
    }
}

impl Patterns {
    /// Everything to hide in `text`, in order, not overlapping. Of two that overlap the
    /// earlier counts, then the one that stands first in the catalogue.
    pub(super) fn find(&mut self, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for (pattern, compiled) in PATTERNS.iter().zip(&mut self.compiled) {
            if !may_match(pattern, text) {
                continue;
            }
            if compiled.is_none() {
                *compiled = Regex::new(pattern.expression).ok();
            }
            let Some(expression) = compiled else { continue };
            for captures in expression.captures_iter(text) {
                let hidden = captures.get(1).or_else(|| captures.get(0));
                found.extend(hidden.map(|m| Finding { range: m.range(), kind: pattern.kind }));
            }
        }
        // Stable: ties keep the catalogue's order.
        found.sort_by_key(|finding| finding.range.start);
        let mut end = 0;
        found.retain(|finding| {
            let apart = finding.range.start >= end;
            if apart {
                end = finding.range.end;
            }
            apart
        });
        found
    }
}

/// Whether it is worth asking the expression.
fn may_match(pattern: &Pattern, text: &str) -> bool {
    if pattern.mark.is_empty() {
        // `name = value` and `name: value`, in any case: no letter to look for.
        return text.bytes().any(|byte| byte == b'=' || byte == b':') && {
            let lower = text.to_ascii_lowercase();
            ["pass", "pwd", "secret", "token", "key", "credential"]
                .iter()
                .any(|w| lower.contains(w))
        };
    }
    text.contains(pattern.mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> Vec<(&'static str, String)> {
        let found = Patterns::default().find(text);
        found.into_iter().map(|f| (f.kind, text[f.range].to_owned())).collect()
    }

    #[test]
    fn every_expression_compiles() {
        for pattern in PATTERNS {
            assert!(Regex::new(pattern.expression).is_ok(), "{}", pattern.expression);
        }
    }

    #[test]
    fn secrets_are_found_in_running_text() {
        let key = format!("AKIA{}", "ABCDEFGH12345678");
        assert_eq!(hidden(&format!("key {key}.")), [("secret", key)]);
        assert_eq!(
            hidden("GET https://bob:hunter2@db.example/x"),
            [("secret", "bob:hunter2".to_owned())]
        );
        assert_eq!(
            hidden("Authorization: Bearer abcdefgh12345"),
            [("secret", "abcdefgh12345".to_owned())]
        );
        assert_eq!(hidden("db password = hunter2;"), [("secret", "hunter2".to_owned())]);
        assert_eq!(hidden("password:hunter2"), [("secret", "hunter2".to_owned())]);
        assert_eq!(hidden(r#"{"api_key": "k-123"}"#), [("secret", "k-123".to_owned())]);
        assert_eq!(hidden("ghp_0123456789abcdefghijABCDEFGHIJ456789").len(), 1);
        assert_eq!(hidden("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl").len(), 1);
    }

    #[test]
    fn a_private_key_is_hidden_to_its_end_or_to_the_end_of_the_text() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
        assert_eq!(hidden(&format!("x {key} y")), [("secret", key.to_owned())]);
        let cut = "-----BEGIN PRIVATE KEY-----\nMIIE";
        assert_eq!(hidden(cut), [("secret", cut.to_owned())]);
    }

    #[test]
    fn people_are_found_and_symbol_versions_are_not() {
        assert_eq!(
            hidden("to a.b+c@mail.example.org,"),
            [("email", "a.b+c@mail.example.org".into())]
        );
        for innocent in ["memcpy@@GLIBC_2.14", "foo@plt", "a::token::b", "x == 3", "keys: "] {
            assert_eq!(hidden(innocent), [], "{innocent}");
        }
    }
}
