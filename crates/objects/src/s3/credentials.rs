//! Who asks, and whom: from the environment and the files of the AWS tools.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::ObjectError;

/// Bytes of a file of credentials that are read.
const MOST_OF_A_FILE: u64 = 1 << 20;
const REGION: &str = "us-east-1";

/// What a request is signed with.
pub(super) struct Credentials {
    pub(super) key: String,
    pub(super) secret: String,
    /// Of credentials that are valid for a time.
    pub(super) token: Option<String>,
    pub(super) region: String,
}

impl std::fmt::Debug for Credentials {
    /// They are in no message.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Where names are looked up.
pub(super) struct Sources<'s> {
    pub(super) variable: &'s dyn Fn(&str) -> Option<String>,
    pub(super) file: &'s dyn Fn(&str, &str) -> Option<String>,
}

/// A variable that is set, and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The text of a file of the AWS tools: the one that `variable` names, else the usual one.
pub(super) fn file(name: &str, usual: &str) -> Option<String> {
    let path = match variable(name) {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(variable("HOME")?).join(".aws").join(usual),
    };
    let file = File::open(path).ok()?;
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut text = String::new();
    file.take(MOST_OF_A_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

impl Credentials {
    /// Those of the environment, else those of a profile (`AWS_PROFILE`).
    pub(super) fn find(sources: &Sources<'_>) -> Result<Self, ObjectError> {
        let variable = sources.variable;
        let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let config = (sources.file)("AWS_CONFIG_FILE", "config").unwrap_or_default();
        let section = match profile.as_str() {
            "default" => profile.clone(),
            other => format!("profile {other}"),
        };
        let region = variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| value_of(&config, &section, "region"))
            .unwrap_or_else(|| REGION.to_owned());
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !region.bytes().all(is_plain) {
            return Err(ObjectError::Credentials("the region (AWS_REGION) is not a name"));
        }
        let found = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(key), Some(secret)) => {
                Self { key, secret, token: variable("AWS_SESSION_TOKEN"), region }
            }
            (Some(_), None) => {
                let problem = "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not";
                return Err(ObjectError::Credentials(problem));
            }
            _ => {
                let shared = (sources.file)("AWS_SHARED_CREDENTIALS_FILE", "credentials");
                let shared = shared.unwrap_or_default();
                let of_profile = |name: &str| {
                    value_of(&shared, &profile, name).or_else(|| value_of(&config, &section, name))
                };
                let pair = of_profile("aws_access_key_id").zip(of_profile("aws_secret_access_key"));
                let Some((key, secret)) = pair else {
                    return Err(ObjectError::Credentials(
                        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or make \
                         ~/.aws/credentials with the profile of AWS_PROFILE",
                    ));
                };
                Self { key, secret, token: of_profile("aws_session_token"), region }
            }
        };
        let is_header = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_header(&found.key) && found.token.as_deref().is_none_or(is_header) {
            return Ok(found);
        }
        Err(ObjectError::Credentials("the access key or the session token has odd characters"))
    }
}

/// `name = value` in a section of an INI file; the last one counts.
fn value_of(text: &str, section: &str, name: &str) -> Option<String> {
    let (mut is_here, mut found) = (false, None);
    for line in text.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_here = title.trim() == section;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_here)
            && key.trim() == name
            && !value.trim().is_empty()
        {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "[default]\naws_access_key_id = K1\naws_secret_access_key=S1\n\n\
        [two]\naws_access_key_id=K2\naws_secret_access_key=S2\naws_session_token=T2\n";
    const CONFIG: &str = "[default]\nregion=eu-west-1\n[profile two]\nregion = eu-north-1\n";

    fn found(set: &[(&str, &str)]) -> Result<Credentials, ObjectError> {
        let variable = |name: &str| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let file =
            |_: &str, usual: &str| Some(if usual == "config" { CONFIG } else { SHARED }.to_owned());
        Credentials::find(&Sources { variable: &variable, file: &file })
    }

    #[test]
    fn the_environment_comes_before_the_files_and_a_profile_is_named() {
        let of = |set: &[(&str, &str)]| {
            let found = found(set).unwrap();
            (found.key, found.secret, found.token, found.region)
        };
        let text = |text: &str| text.to_owned();
        assert_eq!(of(&[]), (text("K1"), text("S1"), None, text("eu-west-1")));
        let two = (text("K2"), text("S2"), Some(text("T2")), text("eu-north-1"));
        assert_eq!(of(&[("AWS_PROFILE", "two")]), two);
        let set = [("AWS_ACCESS_KEY_ID", "K"), ("AWS_SECRET_ACCESS_KEY", "S")];
        assert_eq!(of(&set), (text("K"), text("S"), None, text("eu-west-1")));
    }

    #[test]
    fn what_is_missing_is_said_and_no_value_is_repeated() {
        for set in [
            &[("AWS_PROFILE", "three")][..],
            &[("AWS_ACCESS_KEY_ID", "K7secret")],
            &[("AWS_REGION", "eu/../K7secret")],
            &[("AWS_ACCESS_KEY_ID", "K7secret\n"), ("AWS_SECRET_ACCESS_KEY", "K7secret")],
        ] {
            let message = found(set).unwrap_err().to_string();
            assert!(message.starts_with("no credentials"), "{message}");
            assert!(!message.contains("K7secret"), "{message}");
        }
        let debug = format!("{:?}", found(&[]).unwrap());
        assert!(!debug.contains("S1") && !debug.contains("K1"), "{debug}");
    }
}
