use std::io::{Read, Write};

use super::*;

fn identity() -> Identity {
    Identity::generate().unwrap()
}

fn encrypted(lock: &Lock, content: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut out = encrypt(lock, &mut file).unwrap();
    out.write_all(content).unwrap();
    out.finish().unwrap();
    file
}

fn decrypted(file: &[u8], unlock: &Unlock<'_>) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut input = decrypt(file, unlock).map_err(|error| error.to_string())?;
    input.read_to_end(&mut content).map_err(|error| error.to_string())?;
    Ok(content)
}

#[test]
fn any_recipient_reads_the_file_and_no_one_else() {
    let (one, two, other) = (identity(), identity(), identity());
    let file = encrypted(&Lock::Recipients(vec![one.recipient(), two.recipient()]), b"text");
    for key in [&one, &two] {
        let keys = [other.clone(), key.clone()];
        assert_eq!(decrypted(&file, &Unlock::Identities(&keys)).unwrap(), b"text");
    }
    let refused = decrypted(&file, &Unlock::Identities(&[other])).unwrap_err();
    assert_eq!(refused, "it is encrypted to other keys");
    let refused = decrypted(&file, &Unlock::Passphrase("x")).unwrap_err();
    assert_eq!(refused, "it is encrypted to keys, not by a passphrase");
}

#[test]
fn contents_of_any_length_come_back() {
    let key = identity();
    let lock = Lock::Recipients(vec![key.recipient()]);
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001] {
        let content: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let file = encrypted(&lock, &content);
        let keys = [key.clone()];
        assert!(decrypted(&file, &Unlock::Identities(&keys)).unwrap() == content, "{length}");
    }
}

#[test]
fn a_file_that_was_changed_or_cut_anywhere_is_refused() {
    let key = identity();
    let keys = [key.clone()];
    let content = vec![7; 70_000];
    let file = encrypted(&Lock::Recipients(vec![key.recipient()]), &content);
    let payload = file.windows(5).position(|at| at == b"\n--- ").unwrap();
    let cuts = (0..file.len()).step_by(997).chain(payload..payload + 90);
    for cut in cuts.chain([file.len() - 1, file.len() - 4464]) {
        assert!(decrypted(&file[..cut], &Unlock::Identities(&keys)).is_err(), "cut at {cut}");
    }
    let places = (0..file.len()).step_by(1009).chain(0..payload + 90);
    for at in places {
        let mut changed = file.clone();
        changed[at] ^= 4;
        assert!(decrypted(&changed, &Unlock::Identities(&keys)).is_err(), "changed at {at}");
    }
    let mut longer = file;
    longer.push(0);
    assert!(decrypted(&longer, &Unlock::Identities(&keys)).is_err());
}

#[test]
fn a_passphrase_reads_the_file_and_another_does_not() {
    let file = encrypted(&Lock::Passphrase("correct horse".into()), b"text");
    assert_eq!(kind(&mut file.as_slice()).unwrap(), Kind::Passphrase);
    assert_eq!(decrypted(&file, &Unlock::Passphrase("correct horse")).unwrap(), b"text");
    let wrong = decrypted(&file, &Unlock::Passphrase("correct hors")).unwrap_err();
    assert_eq!(wrong, "the passphrase is wrong");
    let needs = decrypted(&file, &Unlock::Identities(&[identity()])).unwrap_err();
    assert_eq!(needs, "it is encrypted by a passphrase");
}

#[test]
fn a_file_does_not_choose_how_much_work_its_passphrase_takes() {
    let header = |stanza: &str| {
        let body = "A".repeat(43);
        format!("age-encryption.org/v1\n-> {stanza}\n{body}\n--- {body}\n")
    };
    let salt = "A".repeat(22);
    let refused =
        |stanza: &str| decrypted(header(stanza).as_bytes(), &Unlock::Passphrase("x")).unwrap_err();
    assert!(refused(&format!("scrypt {salt} 21")).contains("2^21"));
    for work in ["018", "+18", "-1", "300", "x", ""] {
        assert!(refused(&format!("scrypt {salt} {work}")).contains("damaged"), "{work}");
    }
    let beside = format!("X25519 {}\n{}\n-> scrypt {salt} 10", "A".repeat(43), "A".repeat(43));
    assert!(refused(&beside).contains("a passphrase beside other recipients"));
}

#[test]
fn headers_are_bounded_and_have_one_form() {
    let refused =
        |text: &str| decrypted(text.as_bytes(), &Unlock::Identities(&[identity()])).unwrap_err();
    assert_eq!(refused(""), "it is not an encrypted file");
    assert_eq!(refused("age-encryption.org/v2\n"), "it is not an encrypted file");
    assert!(refused("-----BEGIN AGE ENCRYPTED FILE-----\nYW\n").contains("text form"));
    let start = "age-encryption.org/v1\n";
    assert!(refused(&format!("{start}-> {}", "x".repeat(5000))).contains("too long"));
    let many = "-> x\n\n".repeat(400_000);
    assert!(refused(&format!("{start}{many}")).contains("too long"));
    for bad in ["->x\n\n", "-> \n\n", "-> a  b\n\n", "-> x\nQQ==\n", "-> x\nQR\n", "-- \n"] {
        let code = "A".repeat(43);
        assert!(refused(&format!("{start}{bad}--- {code}\n")).contains("damaged"), "{bad:?}");
    }
}

#[test]
fn keys_have_a_text_form_that_shows_typing_errors() {
    let key = identity();
    let (public, secret) = (key.recipient().to_string(), key.reveal());
    assert_eq!(public.parse::<Recipient>().unwrap(), key.recipient());
    assert_eq!(secret.parse::<Identity>().unwrap().recipient(), key.recipient());
    assert!(!format!("{key:?}").contains(&secret));
    let mut wrong = public.clone().into_bytes();
    wrong[10] = if wrong[10] == b'q' { b'p' } else { b'q' };
    let wrong = String::from_utf8(wrong).unwrap();
    assert_eq!(wrong.parse::<Recipient>(), Err(BadKey::Damaged));
    assert_eq!(secret.parse::<Recipient>(), Err(BadKey::Secret));
    assert_eq!(public.parse::<Identity>().unwrap_err(), BadKey::Public);
    assert_eq!("ssh-ed25519 AAAA".parse::<Recipient>(), Err(BadKey::OtherKind));
    assert_eq!("age1yubikey1qqq".parse::<Recipient>(), Err(BadKey::OtherKind));
}
