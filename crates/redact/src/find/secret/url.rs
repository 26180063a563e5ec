//! Credentials within an address: before its host, or as its path.

use super::is_mixed;
use crate::find::plausible::person_name::is_role_account;
use crate::find::scan::Scan;
use crate::find::text::is_word;
use crate::kind::Kind;

/// Hosts, and beginnings of paths, of addresses whose path is the secret.
const WEBHOOKS: &[&[u8]] = &[
    b"hooks.slack.com/",
    b"discord.com/api/webhooks/",
    b"discordapp.com/api/webhooks/",
    b"hooks.zapier.com/hooks/catch/",
    b"api.telegram.org/bot",
    b"maker.ifttt.com/trigger/",
];

impl Scan<'_> {
    /// `user:password@` behind the `://` at `place`, and secrets in paths.
    pub(in crate::find) fn behind_scheme(&mut self, place: usize) -> usize {
        let text = self.text;
        let start = place + 3;
        let is_part = |byte: u8| byte > b' ' && !b"/?#\"'<>`\\@{}".contains(&byte);
        let mut at = text.run(start, 512, is_part);
        // A password may hold an `@` or a slash; the last `@` before the path counts.
        if text.at(at) == b'/' || text.at(at) == b'#' || text.at(at) == b'?' {
            let further =
                text.run(at + 1, 128, |byte| byte > b' ' && !b"?\"'<>`\\@".contains(&byte));
            let has_colon = text.slice(start..at).contains(&b':');
            let port =
                text.slice(start..at).rsplit(|byte| *byte == b':').next().unwrap_or_default();
            if text.at(further) == b'@' && has_colon && !port.iter().all(u8::is_ascii_digit) {
                at = further;
            }
        }
        while text.at(at) == b'@' {
            let more = text.run(at + 1, 256, is_part);
            if text.at(more) != b'@' {
                break;
            }
            at = more;
        }
        if text.at(at) != b'@' {
            return self.webhook(start);
        }
        let colon = text.run(start, 512, |byte| byte != b':' && byte != b'@');
        let user = start..colon.min(at);
        if text.at(colon) == b':' && colon < at {
            if !is_slot(text.slice(user.clone())) && !is_role_account(text.slice(user.clone())) {
                self.hide(user, Kind::User);
            }
            if !is_slot(text.slice(colon + 1..at)) {
                self.hide(colon + 1..at, Kind::Password);
            }
        } else if user.len() >= 16 && is_mixed(text.slice(user.clone())) {
            self.hide(user, Kind::Secret);
        } else if !user.is_empty()
            && text.slice(user.clone()) != b"git"
            && !is_slot(text.slice(user.clone()))
        {
            self.hide(user, Kind::User);
        }
        at + 1
    }

    /// Addresses whose path is the secret: anyone who knows it can post there.
    fn webhook(&mut self, start: usize) -> usize {
        let text = self.text;
        let is_path = |byte: u8| is_word(byte) || b"/-.%:@".contains(&byte);
        for host in WEBHOOKS {
            if text.has(start, host) {
                let from =
                    text.run_back(start.saturating_sub(3), 8, |byte| byte.is_ascii_alphabetic());
                let end = text.run(start, 512, is_path);
                return self.hide(from..end, Kind::Key);
            }
        }
        // `https://outlook.office.com/webhook/…`, `….webhook.office.com/…`
        let host = text.run(start, 128, |byte| is_word(byte) || b".-".contains(&byte));
        if text.slice(start..host).ends_with(b"webhook.office.com") || text.has(host, b"/webhook/")
        {
            return self.hide(host..text.run(host, 512, is_path), Kind::Key);
        }
        start
    }
}

/// Placeholders within a URL.
fn is_slot(part: &[u8]) -> bool {
    part.is_empty()
        || matches!(part.first(), Some(b'$' | b'{' | b'<' | b'%' | b'*'))
            && !part.iter().any(u8::is_ascii_digit)
        || part.iter().all(|byte| *byte == b'*' || *byte == b'x')
}
