//! Encrypted files: who they are written for, and how they are opened.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use obit::dump::CoreFile;
use obit::mapped_file::open_regular;
use obit_age::{BadKey, DecryptError, Identity, Kind, Lock, Recipient, Unlock};

use super::args::unlocking::Unlocking;
use super::exit::Exit;
use super::failure::Failure;
use super::passphrase;

/// Bytes of a file of keys.
const KEYS: u64 = 1 << 20;
/// Bytes that say whether a file is encrypted.
const HEAD: u64 = 64;

/// Whether the file that begins with these bytes is encrypted.
pub(super) fn is_encrypted(file: &mut File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(obit_age::is_encrypted(&head))
}

/// The content of the encrypted `file`, which is called `path`, in a file without a name.
pub(super) fn opened(path: &Path, mut file: File, with: &Unlocking) -> Result<File, Failure> {
    let name = path.display();
    let failed = |error: &DecryptError| {
        let advice = match error {
            DecryptError::NoKeyFits => "; give the file with your secret key: --identity FILE",
            _ => "",
        };
        Failure::new(Exit::Unusable, &format_args!("{name}: {error}{advice}"))
    };
    let io = |error: io::Error| failed(&error.into());
    let kind = obit_age::kind(&mut BufReader::new(&file)).map_err(|error| failed(&error))?;
    file.rewind().map_err(io)?;
    let (identities, passphrase);
    let unlock = match kind {
        Kind::Keys if with.identity.is_empty() => {
            let problem = format!(
                "{name} is encrypted: give the file with your secret key, --identity FILE or \
                 OBIT_IDENTITY"
            );
            return Err(Failure::usage(&problem));
        }
        Kind::Keys => {
            identities = identities_of(&with.identity)?;
            Unlock::Identities(&identities)
        }
        Kind::Passphrase => {
            passphrase = passphrase::to_open(&name.to_string())?;
            Unlock::Passphrase(&passphrase)
        }
    };
    let mut content = obit_age::decrypt(BufReader::with_capacity(1 << 18, file), &unlock)
        .map_err(|error| failed(&error))?;
    let mut room = CoreFile::room().map_err(io)?;
    io::copy(&mut content, &mut room).map_err(io)?;
    room.rewind().map_err(io)?;
    Ok(room)
}

/// Who a file is encrypted for; `None` if for no one.
pub(super) fn lock(
    recipients: &[String],
    files: &[PathBuf],
    by_passphrase: bool,
) -> Result<Option<Lock>, Failure> {
    if by_passphrase {
        return passphrase::to_write().map(|text| Some(Lock::Passphrase(text)));
    }
    let mut to = Vec::new();
    for text in recipients {
        let recipient = text.parse::<Recipient>();
        to.push(recipient.map_err(|bad| Failure::usage(&format!("--recipient {text}: {bad}")))?);
    }
    for path in files {
        to.extend(keys_of::<Recipient>(path, "recipients")?);
    }
    Ok(Some(to).filter(|to| !to.is_empty()).map(Lock::Recipients))
}

fn identities_of(files: &[PathBuf]) -> Result<Vec<Identity>, Failure> {
    let all = files.iter().map(|path| keys_of::<Identity>(path, "secret keys"));
    Ok(all.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// The keys of a file: one a line, `#` before comments. No message quotes a line.
fn keys_of<K: std::str::FromStr<Err = BadKey>>(path: &Path, what: &str) -> Result<Vec<K>, Failure> {
    let mut text = String::new();
    let name = path.display();
    let read = open_regular(path).and_then(|file| file.take(KEYS).read_to_string(&mut text));
    read.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => {
            Failure::usage(&format!("{name} is no text; a file of {what} is expected"))
        }
        _ => Failure::usage(&format!("{name}: {error}")),
    })?;
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|(number, line)| {
        let problem = |bad| Failure::usage(&format!("{name}, line {}: {bad}", number + 1));
        line.parse().map_err(problem)
    });
    let keys = keys.collect::<Result<Vec<K>, _>>()?;
    if keys.is_empty() {
        return Err(Failure::usage(&format!("{name} has no {what}")));
    }
    Ok(keys)
}
