//! Messages to a chat, as the incoming webhooks of Slack and of those that copy it take them.

/// Characters of a message.
const LONGEST: usize = 3_000;

/// The body of a message of these lines. What would be markup there is text.
pub(super) fn message<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<u8> {
    let mut text = String::new();
    for line in lines {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if text.len() + line.len() > LONGEST {
            text.push_str("\u{2026}\n");
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    let text = text.trim_end();
    serde_json::json!({ "text": text }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup_and_a_message_is_not_endless() {
        let text = |lines: &[&str]| {
            let body = message(lines.iter().copied());
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            body["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(text(&["<!channel> a&b\u{1b}[31m", "two"]), "&lt;!channel&gt; a&amp;b[31m\ntwo");
        let long = "x".repeat(1_000);
        assert!(text(&[long.as_str(); 9]).ends_with("x\n\u{2026}"));
    }
}
