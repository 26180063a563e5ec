//! Which objects of a program are key material, by the name of the variable or member and by
//! the name of the type. Tables: each row has examples, and a test that they hold.

use crate::field_name::{self, Sureness};
use crate::kind::Kind;

/// How much of an object is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// All of it, whatever its type is.
    Whole(Kind),
    /// Bytes and lists of numbers; a string or a structure of that name is most often something
    /// else: the key of a map, the private part of an object.
    Bytes(Kind),
}

impl Material {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Whole(kind) | Self::Bytes(kind) => kind,
        }
    }
}

/// Names that end with one of these words.
struct NameRow {
    /// Alternatives, in lower case: the last word of the name.
    last: &'static [&'static str],
    /// Words of the name that make it something else.
    unless: &'static [&'static str],
    /// Names that it is about, and names that it is not.
    #[cfg(test)]
    examples: (&'static [&'static str], &'static [&'static str]),
}

/// Words before `key` that make it no secret.
const NO_SECRET: &[&str] = &[
    "alternate",
    "arrow",
    "cache",
    "cached",
    "candidate",
    "column",
    "composite",
    "config",
    "db",
    "dict",
    "entry",
    "equal",
    "file",
    "foreign",
    "group",
    "hash",
    "header",
    "hot",
    "index",
    "item",
    "json",
    "lookup",
    "map",
    "max",
    "min",
    "node",
    "object",
    "order",
    "partition",
    "peer",
    "press",
    "pressed",
    "primary",
    "pub",
    "public",
    "record",
    "registry",
    "routing",
    "row",
    "search",
    "settings",
    "shift",
    "sort",
    "sorted",
    "string",
    "table",
    "tree",
    "unique",
    "verify",
    "verifying",
    "verification",
    "wake",
    "yaml",
];

/// Key material by its name where the value is a list of numbers. Passwords, secrets and
/// qualified keys are known by [`field_name`]; they are hidden whatever the value is.
#[rustfmt::skip]
const NAMES: &[NameRow] = &[
    NameRow {
        last: &["key", "keys", "skey", "subkey", "subkeys", "keydata", "keybytes", "keymaterial",
            "rawkey", "keyblock", "keystream", "roundkey", "roundkeys", "keyschedule"],
        unless: NO_SECRET,
        #[cfg(test)]
        examples: (
            &["key", "k_key", "cipher.key", "round_keys", "keyBytes", "m_key", "key_buf", "key.data",
                "keyMaterial", "ticketKey", "key1", "ctx->key"],
            &["key_len", "cache_key", "primaryKey", "keyboard", "public_key", "pubkey", "hotkey",
                "sort_keys", "keyword", "monkey", "verifying_key", "key_id"],
        ),
    },
    NameRow {
        last: &["schedule", "rk", "ks", "rdkey", "expanded"],
        unless: &["job", "time", "task", "train"],
        #[cfg(test)]
        examples: (&["rk", "enc_schedule", "ks"], &["task_schedule", "scheduler", "risk"]),
    },
    NameRow {
        last: &["priv", "private", "privkey", "sk", "sks", "secretscalar", "scalar", "dh_priv"],
        unless: &["public"],
        #[cfg(test)]
        examples: (&["sk", "priv", "ecdh_priv", "scalar", "ctx.sk"], &["task", "private_data_len"]),
    },
    NameRow {
        last: &["dmp", "dmq", "iqmp", "qinv", "privateexponent", "privexp", "primes"],
        unless: &[],
        #[cfg(test)]
        examples: (&["rsa.dmp1", "iqmp", "Primes", "qInv"], &["prime_count", "dump"]),
    },
    NameRow {
        last: &["premaster", "master", "pms", "prk", "ikm", "okm", "kek", "dek", "cek", "tek", "psk",
            "pmk", "ptk", "gtk", "pmsk", "msk", "emsk", "ipad", "opad"],
        unless: &["is"],
        #[cfg(test)]
        examples: (&["premaster", "prk", "dek", "wpa.pmk", "ipad"], &["masters", "is_master", "ptr"]),
    },
    NameRow {
        last: &["seed", "seeds", "entropy", "drbg"],
        unless: &[],
        #[cfg(test)]
        examples: (&["seed", "ed25519_seed", "entropy"], &["seeded", "seed_count", "proceed"]),
    },
    NameRow {
        last: &["passwordbytes", "passbytes", "pwbytes", "secretbytes", "tokenbytes", "nonce"],
        unless: &["public", "client", "server", "request", "block"],
        #[cfg(test)]
        examples: (&["secretBytes", "key_nonce"], &["client_nonce", "announce"]),
    },
];

/// Types whose objects are key material.
struct TypeRow {
    /// Whose they are.
    #[cfg(test)]
    library: &'static str,
    /// Names without template arguments and namespaces of Go, Rust and C++; `*` is any text.
    names: &'static [&'static str],
    /// Types that it is about, as debuggers write them, and types that it is not.
    #[cfg(test)]
    examples: (&'static [&'static str], &'static [&'static str]),
}

#[rustfmt::skip]
const TYPES: &[TypeRow] = &[
    TypeRow {
        #[cfg(test)]
        library: "OpenSSL, BoringSSL, LibreSSL",
        names: &["AES_KEY", "aes_key_st", "EVP_PKEY", "evp_pkey_st", "RSA", "rsa_st", "DSA", "dsa_st",
            "EC_KEY", "ec_key_st", "DH", "dh_st", "ECX_KEY", "ecx_key_st", "ssl_session_st",
            "SSL_SESSION", "DES_key_schedule", "DES_ks", "CAMELLIA_KEY", "camellia_key_st", "CAST_KEY",
            "RC4_KEY", "rc4_key_st", "BF_KEY", "bf_key_st", "IDEA_KEY_SCHEDULE", "SEED_KEY_SCHEDULE",
            "HMAC_CTX", "hmac_ctx_st", "CMAC_CTX", "CMAC_CTX_st", "GCM128_CONTEXT", "gcm128_context",
            "EVP_AES_KEY", "PROV_*_CTX", "prov_*_ctx_st", "ssl_ctx_ext_secure_st", "EVP_HPKE_KEY",
            "evp_hpke_key_st", "X509_SIG_INFO_KEY", "PKCS8_PRIV_KEY_INFO", "pkcs8_priv_key_info_st"],
        #[cfg(test)]
        examples: (
            &["AES_KEY", "struct aes_key_st", "EVP_PKEY", "const RSA", "struct ssl_session_st",
                "PROV_GCM_CTX"],
            &["EVP_CIPHER", "X509", "SSL", "RSA_METHOD"],
        ),
    },
    TypeRow {
        #[cfg(test)]
        library: "mbed TLS",
        names: &["mbedtls_aes_context", "mbedtls_rsa_context", "mbedtls_pk_context",
            "mbedtls_ecp_keypair", "mbedtls_ecdh_context*", "mbedtls_des*_context",
            "mbedtls_gcm_context", "mbedtls_ssl_session", "mbedtls_ssl_key_cert",
            "mbedtls_ssl_ticket_key", "mbedtls_ssl_transform", "mbedtls_chachapoly_context",
            "mbedtls_chacha20_context", "mbedtls_ctr_drbg_context", "mbedtls_hmac_drbg_context"],
        #[cfg(test)]
        examples: (&["mbedtls_aes_context", "mbedtls_des3_context"], &["mbedtls_x509_crt"]),
    },
    TypeRow {
        #[cfg(test)]
        library: "GnuTLS and Nettle",
        names: &["gnutls_x509_privkey_int", "gnutls_privkey_st", "gnutls_pk_params_st",
            "gnutls_session_ticket_key*", "security_parameters_st", "auth_cred_st",
            "aes*_ctx", "rsa_private_key", "dsa_private_key", "hmac_*_ctx", "gcm_aes*_ctx",
            "chacha_ctx", "arcfour_ctx", "camellia*_ctx"],
        #[cfg(test)]
        examples: (&["struct rsa_private_key", "struct aes256_ctx"], &["rsa_public_key", "sha256_ctx"]),
    },
    TypeRow {
        #[cfg(test)]
        library: "libsodium, NaCl, Monocypher",
        names: &["crypto_*_state", "crypto_*_aes256gcm_state", "crypto_secretstream_*", "hydro_*_keypair"],
        #[cfg(test)]
        examples: (&["crypto_generichash_state", "crypto_aead_aes256gcm_state"], &["crypto_result"]),
    },
    TypeRow {
        #[cfg(test)]
        library: "Rust: ring, rustls, RustCrypto, dalek, secrecy, zeroize",
        names: &["LessSafeKey", "UnboundKey", "SealingKey", "OpeningKey", "EphemeralPrivateKey",
            "Ed25519KeyPair", "EcdsaKeyPair", "RsaKeyPair", "RsaPrivateKey", "OkmBlock", "HkdfPrk",
            "Prk", "SigningKey", "ExpandedSecretKey", "StaticSecret", "EphemeralSecret",
            "ReusableSecret", "SharedSecret", "SecretKey", "PrivateKey", "PrivateKeyDer",
            "PrivatePkcs*KeyDer", "PrivateSec1KeyDer", "SecretBox", "SecretSlice", "SecretVec",
            "Zeroizing", "ConnectionSecrets", "TicketSwitcher", "KeySchedule*", "AeadKey",
            "Tls12ClientSessionValue", "Tls13ClientSessionValue", "Aes128", "Aes192", "Aes256",
            "Aes128Enc", "Aes256Enc", "Aes128Dec", "Aes256Dec", "NonZeroScalar", "ScalarPrimitive"],
        #[cfg(test)]
        examples: (
            &["ed25519_dalek::signing::SigningKey", "rsa::key::RsaPrivateKey",
                "zeroize::Zeroizing<alloc::vec::Vec<u8, alloc::alloc::Global>>", "&keys::SigningKey"],
            &["VerifyingKey", "RsaPublicKey", "KeyEvent"],
        ),
    },
    TypeRow {
        #[cfg(test)]
        library: "Go: crypto/*, golang.org/x/crypto",
        names: &["PrivateKey", "PrecomputedValues", "CRTValue", "aesCipher*", "gcmAsm", "aesCipherGCM",
            "desCipher", "tripleDESCipher", "hmac", "halfConn", "ticketKey", "ticketKeys",
            "keySchedule*",
            "chacha20poly1305", "xchacha20poly1305"],
        #[cfg(test)]
        examples: (
            &["crypto/rsa.PrivateKey", "*crypto/ecdsa.PrivateKey", "crypto/aes.aesCipherAsm",
                "crypto/hmac.hmac", "crypto/ed25519.PrivateKey", "*crypto/aes.aesCipherGCM"],
            &["crypto/rsa.PublicKey", "crypto/cipher.Block"],
        ),
    },
    TypeRow {
        #[cfg(test)]
        library: "C++: Crypto++, Botan; Windows-like names",
        names: &["SecByteBlock", "AlignedSecByteBlock", "SecBlock", "RSA_PrivateKey", "Private_Key",
            "ECDSA_PrivateKey", "Ed25519_PrivateKey", "secure_vector", "SymmetricKey", "secure_string",
            "SecureString", "SecretString", "SecureBuffer", "KeyPair", "PrivateKeyInfo"],
        #[cfg(test)]
        examples: (&["CryptoPP::SecBlock<unsigned char>", "Botan::Private_Key"], &["Botan::Public_Key"]),
    },
    TypeRow {
        #[cfg(test)]
        library: "Linux and WireGuard",
        names: &["crypto_aes_ctx", "noise_static_identity", "noise_handshake", "noise_symmetric_key",
            "symmetric_key", "key_payload", "encrypted_key_payload", "user_key_payload"],
        #[cfg(test)]
        examples: (&["struct crypto_aes_ctx"], &["struct key_type"]),
    },
];

/// What `name`, the way to a value from its variable, says of all of its value.
pub(crate) fn of_name(name: &str) -> Option<Material> {
    let plain = field_name::without_storage(name);
    if let Some(field) = field_name::field(plain.as_bytes()) {
        return of_field(plain, field);
    }
    let words = Words::of(plain);
    let last = words.last()?;
    // `qInv`, `rd_key`: two words that are one.
    let pair = words.pair(last);
    let is_of = |row: &&NameRow| {
        row.last.iter().any(|word| *word == last || pair.as_deref() == Some(*word))
    };
    let row = NAMES.iter().find(is_of)?;
    let is_other = words.all().any(|word| row.unless.contains(&word));
    (!is_other).then_some(Material::Bytes(Kind::Secret))
}

/// What a name that is known in texts says of objects.
fn of_field(name: &str, field: field_name::Field) -> Option<Material> {
    // In a parser, a token is a word; to a kernel, credentials are ids; a session is a record.
    const ORDINARY: &[&str] = &[
        "token",
        "tokens",
        "cred",
        "creds",
        "credential",
        "credentials",
        "community",
        "unlock",
        "pass",
        "passe",
        "keypass",
    ];
    match (field.kind, field.sureness) {
        (_, Sureness::Maybe) => None,
        // `struct tm`.
        (Kind::Birth, _) => Some(Material::Whole(Kind::Birth)),
        (Kind::Password | Kind::Secret, Sureness::Sure) => {
            let words = Words::of(name);
            let is_ordinary = words.last().is_none_or(|last| ORDINARY.contains(&last));
            let is_public = words.all().any(|word| matches!(word, "public" | "pub"));
            match (is_public, is_ordinary) {
                (true, _) => None,
                (false, true) => Some(Material::Bytes(field.kind)),
                (false, false) => Some(Material::Whole(field.kind)),
            }
        }
        (
            Kind::Password
            | Kind::Secret
            | Kind::PasswordHash
            | Kind::Code
            | Kind::Card
            | Kind::Account
            | Kind::NationalId
            | Kind::Passport
            | Kind::Phone
            | Kind::Cookie,
            _,
        ) => Some(Material::Bytes(field.kind)),
        _ => None,
    }
}

/// As what all of an object of this type is hidden.
pub(crate) fn of_type(type_name: &str) -> Option<Kind> {
    let name = bare(type_name);
    if name.is_empty() {
        return None;
    }
    let is_known = TYPES.iter().flat_map(|row| row.names).any(|pattern| matches(pattern, name));
    is_known.then_some(Kind::Secret)
}

/// Whether `name`, a part of an object that is called a key, says that it is no secret part.
pub(crate) fn is_beside_key(name: &str) -> bool {
    const BESIDE: &[&str] = &[
        "hash",
        "digest",
        "id",
        "ident",
        "fingerprint",
        "public",
        "pub",
        "pk",
        "tag",
        "mac",
        "iv",
        "label",
        "name",
        "oid",
        "ctr",
        "counter",
        "type",
        "flags",
        "version",
        "usage",
        "point",
        "x",
        "y",
        "n",
        "e",
        "modulus",
    ];
    let last = name.rsplit('.').next().unwrap_or_default();
    Words::of(last).all().any(|word| BESIDE.contains(&word))
}

/// `struct aes_key_st *`, `&keys::SigningKey`, `*crypto/rsa.PrivateKey`, `Secret<T>`: the name
/// alone.
fn bare(type_name: &str) -> &str {
    let name = type_name.split(['<', '[']).next().unwrap_or_default();
    let name = name.trim_matches(['*', '&', ' ']);
    // `RSA const *`
    let name = [" const", " volatile"].iter().fold(name, |name, end| name.trim_end_matches(end));
    name.rsplit([':', '.', '/', ' ']).next().unwrap_or_default()
}

/// Whether `name` is `pattern`, of which one `*` is any text.
fn matches(pattern: &str, name: &str) -> bool {
    let first = pattern.as_bytes().first();
    if first != Some(&b'*') && first != name.as_bytes().first() {
        return false;
    }
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}

/// The words of a name in lower case.
struct Words(String);

impl Words {
    fn of(name: &str) -> Self {
        let mut words = String::with_capacity(name.len() + 8);
        field_name::for_each_word(name.as_bytes(), |word| {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&String::from_utf8_lossy(word));
        });
        Self(words)
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }

    /// `last` joined to the word before it.
    fn pair(&self, last: &str) -> Option<String> {
        let before = self.all().take_while(|word| *word != last).last()?;
        Some(format!("{before}{last}"))
    }

    /// The last word that says anything: a trailing `2`, `raw` or `s` says nothing.
    fn last(&self) -> Option<&str> {
        const SAYS_NOTHING: &[&str] = &[
            "a", "b", "c", "old", "new", "copy", "tmp", "raw", "ptr", "buf", "bytes", "data", "in",
            "out", "words", "ref", "view", "slice", "array", "vec", "material", "value",
        ];
        self.all()
            .filter(|word| !SAYS_NOTHING.contains(word))
            .last()
            .filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_names_holds_for_its_examples_and_not_for_others() {
        for row in NAMES {
            let (about, not) = row.examples;
            assert!(!about.is_empty() && !not.is_empty(), "{:?}", row.last);
            for name in about {
                assert!(of_name(name).is_some(), "{name}");
            }
            for name in not {
                assert_eq!(of_name(name), None, "{name}");
            }
        }
    }

    #[test]
    fn each_row_of_types_holds_for_its_examples_and_not_for_others() {
        for row in TYPES {
            let (about, not) = row.examples;
            assert!(!about.is_empty() && !not.is_empty(), "{}", row.library);
            for name in about {
                assert_eq!(of_type(name), Some(Kind::Secret), "{name}");
            }
            for name in not {
                assert_eq!(of_type(name), None, "{name}");
            }
        }
        assert_eq!((of_type(""), of_type("*"), of_type("[u8; 32]")), (None, None, None));
    }

    #[test]
    fn secrets_are_hidden_whatever_they_are_and_tokens_only_as_bytes() {
        for name in [
            "master_secret",
            "private_key",
            "hmac_key",
            "passcode",
            "password_bytes",
            "aes_key",
            "session.master_secret",
            "jwt_secret.__0",
            "g_aes_key",
            "resumption_secret",
        ] {
            assert!(matches!(of_name(name), Some(Material::Whole(_))), "{name}");
        }
        for name in ["token", "access_token", "credentials", "key", "pin", "otp", "card_digits"] {
            assert!(matches!(of_name(name), Some(Material::Bytes(_)) | None), "{name}");
        }
        for name in ["token_count", "cache_key", "key_len", "user", "name", "public_key", ""] {
            assert_eq!(of_name(name), None, "{name}");
        }
    }
}
