//! A digest of a period on its way to those who get one.

use std::sync::atomic::AtomicBool;

use data_encoding::{BASE64, HEXLOWER};
use obit_triage::Status;
use obit_triage::views::Overview;
use sha2::{Digest as _, Sha256};

use super::Delivery;
#[cfg(feature = "webhook")]
use super::chat;
use super::mail::{body_lines, header};

/// A digest, in the form of each way of delivery.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// For programs: `obit.top/1`.
    pub json: Vec<u8>,
    /// For people who read text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The subject of a mail, and the first line of a message.
    pub subject: String,
    /// Groups that are new, regressed or increasing, a line for each.
    pub lines: Vec<String>,
}

/// Groups that a message lists.
const LINES: usize = 20;

impl Digest {
    /// Of the groups of a period.
    pub fn of(overview: &Overview, json: Vec<u8>, text: String, html: String) -> Self {
        let count = |status| overview.by_status.get(&status).copied().unwrap_or(0);
        let subject = format!(
            "[obit] {} dumps; {} regressed, {} new, {} increasing",
            overview.dumps,
            count(Status::Regressed),
            count(Status::New),
            count(Status::Increasing)
        );
        let urgent = [Status::Regressed, Status::New, Status::Increasing];
        let groups = urgent
            .into_iter()
            .flat_map(|status| overview.groups.iter().filter(move |group| group.status == status));
        let lines = groups.take(LINES).map(|group| {
            let title = group.headline.as_deref().or(group.title.as_deref());
            let title = title.unwrap_or(&group.signature);
            format!("{} {}: {title} ({} dumps)", group.status_words(), group.id, group.count)
        });
        Self { lines: lines.collect(), json, text, html, subject }
    }

    /// Delivers it by one way; what a program writes is handed to `say`.
    ///
    /// # Errors
    /// What came of it, without a secret.
    pub fn deliver(&self, way: &Delivery, say: fn(&str)) -> Result<(), String> {
        let closing = AtomicBool::new(false);
        let id = HEXLOWER.encode(Sha256::digest(&self.json).get(..8).unwrap_or_default());
        let done = match way {
            Delivery::Exec(program) => {
                program.run(&[], &self.json, &closing, say).map_err(|error| error.to_string())
            }
            #[cfg(feature = "webhook")]
            Delivery::Webhook(webhook) => {
                webhook.post(&id, &self.json, &closing).map_err(|error| error.to_string())
            }
            #[cfg(feature = "webhook")]
            Delivery::Chat(webhook) => {
                let lines = std::iter::once(&self.subject).chain(&self.lines);
                let body = chat::message(lines.map(String::as_str));
                webhook.post(&id, &body, &closing).map_err(|error| error.to_string())
            }
            Delivery::Mail { address, sendmail } => {
                let mail = self.mail(address, &id);
                let ran = sendmail.run(&["-t", "-i"], &mail, &closing, say);
                ran.map_err(|error| error.to_string())
            }
        };
        done.map_err(|problem| format!("{}: {problem}", way.name()))
    }

    /// As a mail to `address`: text, and HTML for those who prefer it.
    fn mail(&self, address: &str, id: &str) -> Vec<u8> {
        let boundary = format!("obit-{id}");
        let mut mail = format!(
            "To: {address}\nSubject: {}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
             Content-Type: multipart/alternative; boundary=\"{boundary}\"\nX-Obit-Delivery: {id}\n",
            header(&self.subject),
        );
        for (media, text) in [("plain", &self.text), ("html", &self.html)] {
            mail.push_str(&format!(
                "\n--{boundary}\nContent-Type: text/{media}; charset=utf-8\n\
                 Content-Transfer-Encoding: base64\n\n"
            ));
            mail.push_str(&body_lines(&BASE64.encode(text.as_bytes())));
        }
        mail.push_str(&format!("\n--{boundary}--\n"));
        mail.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_triage::views::GroupSummary;

    #[test]
    fn a_mail_has_both_forms_and_a_message_the_urgent_groups() {
        let group = |id: &str, status| GroupSummary {
            id: id.to_owned(),
            status,
            is_sure: true,
            headline: Some("a & <b>".to_owned()),
            count: 3,
            ..GroupSummary::default()
        };
        let groups = vec![group("old", Status::Active), group("fresh", Status::New)];
        let mut overview = Overview { groups, dumps: 6, ..Overview::default() };
        overview.by_status.insert(Status::New, 1);
        let digest = Digest::of(&overview, b"{}".to_vec(), "text".into(), "<p>page</p>".into());
        assert_eq!(digest.lines, ["new fresh: a & <b> (3 dumps)"]);
        let mail = String::from_utf8(digest.mail("ops@example.org", "7f")).unwrap();
        assert!(mail.contains("Subject: [obit] 6 dumps; 0 regressed, 1 new, 0 increasing\n"));
        let parts: Vec<&str> = mail.split("--obit-7f").collect();
        assert_eq!(parts.len(), 4, "{mail}");
        let decoded = |part: &str| {
            let (_, body) = part.trim_start().split_once("\n\n").unwrap();
            String::from_utf8(BASE64.decode(body.replace('\n', "").as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(
            (decoded(parts[1]).as_str(), decoded(parts[2]).as_str()),
            ("text", "<p>page</p>")
        );
    }
}
