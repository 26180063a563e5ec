//! Whether something is written at a place that a notation has for a kind of value. The place
//! says what it is, so little is asked of the value itself: that it is neither a code nor a mask, and
//! not empty.

use crate::find::plausible::placeholder::is_no_value;
use crate::find::text::is_letter;
use crate::kind::Kind;
use crate::word_set::WordSet;

/// Whether `bytes` are a value of `kind`, and nothing that is written where there is none.
pub(in crate::find) fn is_filled(bytes: &[u8], kind: Kind) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| is_letter(**byte)).count();
    let first = bytes.first().copied().unwrap_or(0);
    let is_masked = bytes.iter().filter(|byte| matches!(byte, b'*' | b'#')).count() >= 3
        || bytes.windows(4).any(|four| four.eq_ignore_ascii_case(b"xxxx"));
    let is_one_sign = bytes.iter().all(|byte| *byte == first || b" -./".contains(byte));
    if bytes.len() < 2 || is_one_sign || is_masked || is_no_value(bytes) {
        return false;
    }
    match kind {
        Kind::Name => letters >= 2 && digits <= 2 && !NO_ONE.has(bytes),
        Kind::User => letters >= 1 && !NO_ONE.has(bytes),
        Kind::Address => letters >= 3 || digits >= 3,
        Kind::Birth => digits >= 6,
        Kind::Phone => digits >= 5,
        Kind::Account => digits >= 3,
        Kind::NationalId => digits >= 2,
        Kind::Passport => {
            let is_whole = bytes.iter().all(u8::is_ascii_alphanumeric);
            digits >= 4 || digits >= 1 && is_whole && (6..=14).contains(&bytes.len())
        }
        Kind::Place => digits >= 3,
        Kind::Code => digits >= 3,
        Kind::Secret | Kind::Key => bytes.len() >= 4,
        _ => true,
    }
}

/// What is written instead of a person.
static NO_ONE: WordSet<64> = WordSet::new(&[
    b"unknown",
    b"anonymous",
    b"none",
    b"test",
    b"patient",
    b"customer",
    b"system",
    b"staff",
    b"tba",
    b"tbd",
    b"tbc",
    b"guest",
    b"root",
    b"admin",
    b"occupier",
    b"cash",
    b"bearer",
    b"various",
    b"nobody",
    b"not provided",
    b"notprovided",
    b"not available",
    b"no name",
]);

/// Whether a company, an authority or a clinic is called so, and no person.
pub(in crate::find) fn is_organisation(bytes: &[u8]) -> bool {
    let mut words = bytes.split(|byte| b" ,/&+-:()".contains(byte));
    words.any(|word| ORGANISATIONS.has(word.strip_suffix(b".").unwrap_or(word)))
}

/// Words in names of companies, authorities and clinics.
static ORGANISATIONS: WordSet<512> = WordSet::new(&[
    b"ab",
    b"ag",
    b"airlines",
    b"airport",
    b"airways",
    b"as",
    b"asa",
    b"assurance",
    b"authority",
    b"bank",
    b"banking",
    b"banque",
    b"bhd",
    b"bv",
    b"b.v",
    b"capital",
    b"care",
    b"center",
    b"central",
    b"centre",
    b"city",
    b"clinic",
    b"co",
    b"college",
    b"company",
    b"consulting",
    b"corp",
    b"corporation",
    b"council",
    b"court",
    b"county",
    b"cv",
    b"customs",
    b"dental",
    b"department",
    b"dept",
    b"depot",
    b"distribution",
    b"dmv",
    b"doo",
    b"electronics",
    b"engineering",
    b"enterprises",
    b"eg",
    b"ev",
    b"e.v",
    b"exchange",
    b"express",
    b"federal",
    b"finance",
    b"financial",
    b"fonds",
    b"foods",
    b"foundation",
    b"freight",
    b"fund",
    b"gbr",
    b"global",
    b"gmbh",
    b"government",
    b"group",
    b"health",
    b"healthcare",
    b"holding",
    b"holdings",
    b"hospital",
    b"hotel",
    b"imports",
    b"inc",
    b"industries",
    b"institute",
    b"insurance",
    b"international",
    b"investments",
    b"kft",
    b"kg",
    b"kgaa",
    b"kk",
    b"klinik",
    b"klinikum",
    b"lab",
    b"laboratory",
    b"labs",
    b"limited",
    b"llc",
    b"llp",
    b"logistics",
    b"ltd",
    b"ltda",
    b"mbh",
    b"medical",
    b"ministry",
    b"motors",
    b"national",
    b"nhs",
    b"nv",
    b"n.v",
    b"office",
    b"ohg",
    b"oy",
    b"oyj",
    b"partners",
    b"pharma",
    b"pharmacy",
    b"plc",
    b"products",
    b"pty",
    b"pvt",
    b"radiology",
    b"retail",
    b"sa",
    b"s.a",
    b"sarl",
    b"sas",
    b"savings",
    b"school",
    b"se",
    b"service",
    b"services",
    b"shipping",
    b"shop",
    b"sl",
    b"s.l",
    b"societe",
    b"software",
    b"solutions",
    b"spa",
    b"s.p.a",
    b"srl",
    b"s.r.l",
    b"stores",
    b"supermarket",
    b"supplies",
    b"supply",
    b"systems",
    b"tax",
    b"technologies",
    b"technology",
    b"terminal",
    b"trading",
    b"transport",
    b"treasury",
    b"trust",
    b"union",
    b"university",
    b"utilities",
    b"warehouse",
    b"wholesale",
    b"works",
    b"zoo",
    b"acme",
    b"marketing",
    b"media",
    b"manufacturing",
    b"kliniken",
    b"krankenhaus",
    b"versicherung",
    b"sparkasse",
    b"volksbank",
    b"stiftung",
    b"verein",
    b"store",
    b"stores",
    b"market",
    b"supplier",
    b"medicaid",
    b"medicare",
    b"aetna",
    b"cigna",
    b"bcbs",
    b"blue",
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_at_a_place_is_a_value() {
        for (kind, value) in [
            (Kind::Name, "LEE"),
            (Kind::Name, "Ng"),
            (Kind::Name, "李"),
            (Kind::Birth, "19800203"),
            (Kind::Address, "CB7 4AA"),
            (Kind::Account, "DE89370400440532013000"),
            (Kind::Password, "tulip"),
            (Kind::Passport, "CGT7ZWPL7"),
        ] {
            assert!(is_filled(value.as_bytes(), kind), "{value}");
        }
    }

    #[test]
    fn nothings_codes_and_masks_are_none() {
        for (kind, value) in [
            (Kind::Name, ""),
            (Kind::Name, "X"),
            (Kind::Name, "XX"),
            (Kind::Name, "UNKNOWN"),
            (Kind::NationalId, "000-00-0000"),
            (Kind::NationalId, "***-**-1120"),
            (Kind::Account, "XXXXXXXX1234"),
            (Kind::Birth, "0000"),
            (Kind::Phone, "911"),
            (Kind::Password, "%s"),
            (Kind::Address, "GB"),
        ] {
            assert!(!is_filled(value.as_bytes(), kind), "{value}");
        }
    }

    #[test]
    fn companies_are_distinguished_from_persons() {
        for name in ["Acme Tools GmbH", "CITY HOSPITAL", "Lee & Sons, Inc.", "First Bank"] {
            assert!(is_organisation(name.as_bytes()), "{name}");
        }
        for name in ["ANN LEE", "Bo Bankston", "SMITH:JOHN"] {
            assert!(!is_organisation(name.as_bytes()), "{name}");
        }
    }
}
