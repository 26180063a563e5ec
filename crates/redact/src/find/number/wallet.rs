//! Addresses and keys of cryptocurrencies, by their checksums: Bech32 (BIP 173, BIP 350),
//! Base58Check, and the mixed case of Ethereum (EIP 55).

use sha2::{Digest, Sha256};

use super::keccak::keccak256;
use crate::find::scan::Scan;
use crate::find::text::is_word;
use crate::kind::Kind;

impl Scan<'_> {
    /// The address or key that is the word at `start..end`.
    pub(in crate::find) fn wallet(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let word = text.slice(start..end);
        if is_word(text.before(start)) {
            return None;
        }
        let kind = if word.starts_with(b"0x") {
            self.is_ethereum(start, word).then_some(Kind::Wallet)
        } else if is_bech32(word) {
            Some(Kind::Wallet)
        } else {
            base58check(word)
        }?;
        Some(self.hide(start..end, kind))
    }

    /// `0x` and the digits of an account, that its case or a word before it proves.
    fn is_ethereum(&self, start: usize, word: &[u8]) -> bool {
        let Some(digits) = word.get(2..).filter(|digits| digits.len() == 40) else { return false };
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        let has_case = |wanted: fn(&u8) -> bool| digits.iter().any(wanted);
        let is_mixed = has_case(u8::is_ascii_lowercase) && has_case(u8::is_ascii_uppercase);
        if is_mixed { is_cased(digits) } else { self.speaks_of(start, WALLET_WORDS) }
    }
}

/// Words near which forty hexadecimal digits are an account.
const WALLET_WORDS: &[&[u8]] = &[
    b"wallet",
    b"ethereum",
    b"eth",
    b"payer",
    b"payee",
    b"erc",
    b"usdt",
    b"usdc",
    b"metamask",
    b"withdraw",
    b"withdrawal",
    b"deposit",
    b"payout",
    b"recipient",
];

/// Whether the case of the digits is that which their hash demands.
fn is_cased(digits: &[u8]) -> bool {
    let hash = keccak256(&digits.to_ascii_lowercase());
    digits.iter().enumerate().all(|(at, digit)| {
        let byte = hash.get(at / 2).copied().unwrap_or(0);
        let nibble = if at % 2 == 0 { byte >> 4 } else { byte & 15 };
        digit.is_ascii_digit() || digit.is_ascii_uppercase() == (nibble >= 8)
    })
}

/// A prefix, `1`, and letters whose last six are a checksum.
fn is_bech32(word: &[u8]) -> bool {
    const LETTERS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const CHECKS: [u32; 2] = [1, 0x2bc8_30a3];
    // Prefixes begin with a letter, and hashes do not have those behind it.
    let may_be =
        |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'1' | b'b' | b'i' | b'o');
    if !word.first().is_some_and(u8::is_ascii_alphabetic)
        || !word
            .iter()
            .rev()
            .take(6)
            .all(|byte| byte.is_ascii_digit() && *byte != b'1' || may_be(byte.to_ascii_lowercase()))
    {
        return false;
    }
    let Some(one) = word.iter().rposition(|byte| *byte == b'1') else { return false };
    let (prefix, data) = word.split_at(one);
    let has_case = |wanted: fn(&u8) -> bool| word.iter().any(wanted);
    let is_one_case = !(has_case(u8::is_ascii_lowercase) && has_case(u8::is_ascii_uppercase));
    if !(2..=20).contains(&prefix.len()) || !(21..=160).contains(&data.len()) || !is_one_case {
        return false;
    }
    let mut sum = 1u32;
    let mut step = |value: u32| {
        const GENERATOR: [u32; 5] =
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ value;
        for (bit, word) in GENERATOR.iter().enumerate() {
            sum ^= if top >> bit & 1 == 1 { *word } else { 0 };
        }
    };
    let lower = |byte: &u8| byte.to_ascii_lowercase();
    prefix.iter().map(lower).for_each(|byte| step(u32::from(byte >> 5)));
    step(0);
    prefix.iter().map(lower).for_each(|byte| step(u32::from(byte & 31)));
    for byte in data.iter().skip(1).map(lower) {
        let Some(value) = LETTERS.iter().position(|letter| *letter == byte) else { return false };
        step(value as u32);
    }
    CHECKS.contains(&sum)
}

/// What Base58Check encodes in `word`: version, length of the data and four bytes of a hash
/// must fit.
fn base58check(word: &[u8]) -> Option<Kind> {
    const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    const RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
    let (letters, lens) = match word.first()? {
        b'1' | b'3' | b'L' | b'M' | b'D' | b'T' | b't' | b'm' | b'2' | b'n' => (BITCOIN, 26..=35),
        b'5' | b'K' | b'9' | b'c' => (BITCOIN, 51..=52),
        b'6' => (BITCOIN, 58..=58),
        b'r' => (RIPPLE, 25..=35),
        b's' => (RIPPLE, 27..=31),
        _ => return extended_key(word, BITCOIN),
    };
    // A key of Litecoin begins as an address.
    let is_key = matches!(word.first(), Some(b'L' | b'T')) && word.len() == 52;
    if !is_key && !lens.contains(&word.len()) {
        return extended_key(word, BITCOIN);
    }
    let (decoded, len) = decode(word, letters)?;
    let decoded = decoded.get(..len).filter(|decoded| has_checksum(decoded))?;
    // Of a version of one byte, or of two as in Zcash.
    match (len, decoded.first()?, letters == RIPPLE) {
        (25 | 26, ..) if word.len() < 51 => Some(Kind::Wallet),
        (21, 0x21, true) => Some(Kind::Secret),
        (37 | 38, 0x80 | 0xef | 0xb0 | 0x9e, false) => Some(Kind::Secret),
        (43, 0x01, false) => Some(Kind::Secret),
        _ => None,
    }
}

/// BIP 32: `xpub…` from which all addresses of a wallet follow, and `xprv…` that spends.
fn extended_key(word: &[u8], letters: &[u8; 58]) -> Option<Kind> {
    if word.len() != 111 || !matches!(word.get(1..4)?, b"pub" | b"prv") {
        return None;
    }
    let (decoded, len) = decode(word, letters)?;
    let is_right = len == 82 && decoded.get(..len).is_some_and(has_checksum);
    let kind = if word.get(1..4) == Some(b"prv") { Kind::Secret } else { Kind::Wallet };
    is_right.then_some(kind)
}

const LONGEST: usize = 96;

/// The bytes that `word` stands for as a number of base 58.
fn decode(word: &[u8], letters: &[u8; 58]) -> Option<([u8; LONGEST], usize)> {
    let mut bytes = [0u8; LONGEST];
    let mut len = 0;
    for letter in word {
        let mut carry = letters.iter().position(|known| known == letter)? as u32;
        for byte in bytes.get_mut(..len)? {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            *bytes.get_mut(len)? = carry as u8;
            carry >>= 8;
            len += 1;
        }
    }
    len += word.iter().take_while(|letter| letters.first() == Some(letter)).count();
    bytes.get_mut(..len)?.reverse();
    Some((bytes, len))
}

/// Whether the last four bytes are the first of the hash of the hash of the rest.
fn has_checksum(bytes: &[u8]) -> bool {
    let Some((data, check)) = bytes.split_last_chunk::<4>() else { return false };
    Sha256::digest(Sha256::digest(data)).starts_with(check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::{Carried, find};

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let found = find(text.as_bytes(), &mut Carried::default(), true);
        found.into_iter().map(|span| (span.kind, &text[span.range])).collect()
    }

    /// Published in the specifications named above and in the manuals of the wallets.
    const ADDRESSES: &[&str] = &[
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "rf1BiGeXwwQoi8Z2ueFYTEXSwuJYfV2Jpn",
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
    ];
    const KEYS: &[&str] = &[
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
        "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    ];

    #[test]
    fn addresses_are_hidden_as_wallets_and_private_keys_as_secrets() {
        for address in ADDRESSES {
            assert_eq!(kinds(&format!("x {address}, y")), [(Kind::Wallet, *address)]);
        }
        for key in KEYS {
            assert_eq!(kinds(&format!("x {key}, y")), [(Kind::Secret, *key)]);
        }
    }

    #[test]
    fn a_word_before_it_makes_an_account_of_digits_in_one_case() {
        let account = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        assert_eq!(kinds(&format!("payout to {account}")), [(Kind::Wallet, account)]);
        assert_eq!(kinds(&format!("hash {account}")), []);
    }

    #[test]
    fn a_wrong_letter_makes_it_a_word_like_others() {
        for address in
            ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLz"]
        {
            assert!(!is_bech32(address.as_bytes()));
            assert_eq!(base58check(address.as_bytes()), None);
        }
        assert_eq!(kinds("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"), []);
    }
}
