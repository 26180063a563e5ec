//! What is hidden, by kind: the word that is in its token.

/// A kind of sensitive text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A payment card's number.
    Card,
    /// A card's security code, a PIN, a one-time code.
    Code,
    /// An international or national bank account number.
    Account,
    /// The address or the extended public key of a wallet of a cryptocurrency.
    Wallet,
    /// A number a state, an insurance or a clinic gave a person.
    NationalId,
    /// A passport or driving licence.
    Passport,
    /// A vehicle's identification number or its licence plate.
    Vehicle,
    /// An Internet address, of either version.
    Ip,
    /// A hardware address of a network.
    Mac,
    /// A number of a device or of the card in it: IMEI, IMSI, ICCID, a serial number.
    Device,
    /// A JSON Web Token.
    Jwt,
    /// A key or token of a service, known by its shape.
    Key,
    /// The value of a field that says it is secret; text of high entropy.
    Secret,
    /// A password.
    Password,
    /// What a password was hashed to.
    PasswordHash,
    /// The body of a private key.
    PrivateKey,
    /// A cookie that stands for a session.
    Cookie,
    /// A person's name.
    Name,
    /// What a person is called by a machine.
    User,
    /// A date of birth.
    Birth,
    /// A postal address, or a part of one.
    Address,
    /// Degrees of latitude or longitude.
    Place,
    /// Text that only the strict policy hides.
    Text,
    /// What a rule of the user hides.
    Rule,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Code,
        Self::Account,
        Self::Wallet,
        Self::NationalId,
        Self::Passport,
        Self::Vehicle,
        Self::Ip,
        Self::Mac,
        Self::Device,
        Self::Jwt,
        Self::Key,
        Self::Secret,
        Self::Password,
        Self::PasswordHash,
        Self::PrivateKey,
        Self::Cookie,
        Self::Name,
        Self::User,
        Self::Birth,
        Self::Address,
        Self::Place,
        Self::Text,
        Self::Rule,
    ];

    /// The word in a token, in counts and in the user's rules.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Code => "code",
            Self::Account => "account",
            Self::Wallet => "wallet",
            Self::NationalId => "national-id",
            Self::Passport => "passport",
            Self::Vehicle => "vehicle",
            Self::Ip => "ip",
            Self::Mac => "mac",
            Self::Device => "device",
            Self::Jwt => "jwt",
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Password => "password",
            Self::PasswordHash => "password-hash",
            Self::PrivateKey => "private-key",
            Self::Cookie => "cookie",
            Self::Name => "name",
            Self::User => "user",
            Self::Birth => "dob",
            Self::Address => "address",
            Self::Place => "geo",
            Self::Text => "text",
            Self::Rule => "rule",
        }
    }

    /// What it is, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Email => "e-mail addresses",
            Self::Phone => "telephone numbers",
            Self::Card => "numbers of payment cards",
            Self::Code => "security codes, PINs, one-time codes",
            Self::Account => "account numbers, IBAN",
            Self::NationalId => "numbers that a state, an insurance or a clinic gave a person",
            Self::Passport => "passports and driving licences",
            Self::Ip => "Internet addresses, without loopback, private and link-local ones",
            Self::Wallet => "wallets of cryptocurrencies",
            Self::Vehicle => "identification numbers and licence plates of vehicles",
            Self::Device => "numbers of devices and SIM cards: IMEI, IMSI, ICCID",
            Self::Mac => "hardware addresses",
            Self::Jwt => "JSON Web Tokens",
            Self::Key => "keys and tokens of services, by their shape",
            Self::Secret => "values of fields that say they are secret; text of high entropy",
            Self::Password => "passwords",
            Self::PasswordHash => "what passwords were hashed to",
            Self::PrivateKey => "private keys",
            Self::Cookie => "cookies of sessions",
            Self::Name => "names of people",
            Self::User => "user names, owners of home directories",
            Self::Birth => "dates of birth",
            Self::Address => "postal addresses",
            Self::Place => "coordinates",
            Self::Text => "quoted text at strict; numbers and memory that spell text",
            Self::Rule => "what a rule of the user's hides without naming a kind",
        }
    }

    /// Whether its tokens show which values are equal. Others have too few values: ten thousand
    /// codes, forty thousand dates, places of few decimals.
    pub fn has_digest(self) -> bool {
        !matches!(self, Self::Code | Self::Birth | Self::Place)
    }

    /// The kind of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}
