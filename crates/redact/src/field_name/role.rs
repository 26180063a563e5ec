//! The words of field names that matter, and what each adds to a name's meaning.

use crate::word_set;

/// What a word adds to the meaning of the name it is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Names a password.
    Password,
    /// A code of digits that opens something.
    Pin,
    /// Names something that must stay secret.
    Secret,
    /// Names something whose holder may act for someone.
    Token,
    /// Names a key that must stay secret.
    SecretKey,
    /// A key: secret only if qualified, as keys of tables are none.
    Key,
    /// Makes a key a secret one.
    KeyQualifier,
    /// What a password is stored as.
    Hash,
    /// A password's hash, in one word.
    Salted,
    /// Proof of authority in a URL.
    Signature,
    /// Cookies.
    Cookie,
    /// A session's handle.
    Session,
    /// Credentials of a request.
    Auth,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// A party of a call, whose number may follow.
    PhoneWord,
    /// Payment cards.
    Card,
    /// Makes a number a card's.
    CardQualifier,
    /// A card's security code.
    Cvv,
    /// A code of some kind.
    Code,
    /// Makes a code a secret one.
    CodeQualifier,
    /// One-time codes.
    Otp,
    /// Bank accounts.
    Iban,
    /// Makes a number an account's.
    Bank,
    /// An account, of any kind.
    Account,
    /// Numbers that states and insurances give people.
    NationalId,
    /// Makes a number one of those.
    IdQualifier,
    /// An identifier.
    Id,
    /// A number.
    Number,
    /// Passports and driving licences.
    Passport,
    /// Makes a licence a driver's.
    License,
    /// A licence, of a driver or of a program.
    LicenseNoun,
    /// Makes a name a person's.
    Given,
    /// Names of people, in one word.
    FullName,
    /// A person in some part.
    PersonNoun,
    /// A name, of anything.
    Name,
    /// Whom a machine knows a person as.
    User,
    /// A user's number, or name in directories.
    Uid,
    /// Dates of birth.
    Birth,
    /// A date, of anything.
    Date,
    /// An address: of a house, of memory, of a machine.
    Address,
    /// A part of a postal address.
    Postal,
    /// Makes an address a postal one.
    PostalQualifier,
    /// Towns.
    City,
    /// Postal codes.
    Zip,
    /// Degrees north.
    Latitude,
    /// Degrees east.
    Longitude,
    /// Both of them.
    Location,
    /// Internet addresses.
    Ip,
    /// A telephone as its network knows it.
    Device,
    /// Hardware addresses.
    Mac,
    /// Adds nothing: what is before it counts.
    Neutral,
    /// A property of what is before it: not sensitive itself.
    Benign,
    /// Makes a name one of a thing.
    Thing,
}

/// The role of a word in lower case, if it has one.
pub(crate) fn role(word: &[u8]) -> Option<Role> {
    let mut slot = slot_of(word);
    loop {
        let Slot { group, start, len } = *SLOTS.get(slot)?;
        if len == 0 {
            return None;
        }
        let (role, words) = WORDS.get(usize::from(group))?;
        let start = usize::from(start);
        if words.as_bytes().get(start..start + usize::from(len)) == Some(word) {
            return Some(*role);
        }
        slot = (slot + 1) % SLOTS.len();
    }
}

/// A word's place in [`WORDS`]; without length where there is none.
#[derive(Clone, Copy)]
struct Slot {
    group: u8,
    len: u8,
    start: u16,
}

/// Where each word is, by its hash; in the next free slot where two have the same. Made
/// by the compiler: nothing is built when obit starts.
static SLOTS: [Slot; COUNT] = slots();
/// More than twice the words, so that the next free slot is near.
const COUNT: usize = 4096;

#[allow(clippy::indexing_slicing)]
const fn slots() -> [Slot; COUNT] {
    let mut slots = [Slot { group: 0, len: 0, start: 0 }; COUNT];
    let mut group = 0;
    while group < WORDS.len() {
        let words = WORDS[group].1.as_bytes();
        let mut start = 0;
        while start < words.len() {
            let mut end = start;
            while end < words.len() && words[end] != b' ' {
                end += 1;
            }
            let mut slot = slot_of(words.split_at(start).1.split_at(end - start).0);
            while slots[slot].len > 0 {
                slot = (slot + 1) % COUNT;
            }
            slots[slot] =
                Slot { group: group as u8, len: (end - start) as u8, start: start as u16 };
            start = end + 1;
        }
        group += 1;
    }
    slots
}

/// The slot where a word is looked for first.
const fn slot_of(word: &[u8]) -> usize {
    word_set::hash(word) % COUNT
}

/// Words in lower case, with one blank between. A word has one role.
const WORDS: &[(Role, &str)] = &[
    (
        Role::Password,
        "adgangskode bindpassword bindpw clave contrasena contrasenya contraseña dbpass \
         dbpassword dbpwd haslo hasło heslo jelszó kennwort keypass losenord lösenord mdp \
         motdepasse parola pass passcode passe passkey passord passphrase passwd password \
         passwords passwort pgpassword psw pswd pw pwd rootpw salasana senha sifre sshpass \
         storepass unlock upwd userpassword userpwd wachtwoord şifre пароль パスワード 密码 密碼 口令",
    ),
    (Role::Pin, "mpin pin pincode puk upin"),
    (
        Role::Secret,
        "appsecret clientsecret community consumersecret cred credential credentials creds \
         geheimnis mnemonic passwordless psk sas secret secretkeybase secreto secrets \
         secretstring secretvalue seedphrase sharedsecret webhooksecret",
    ),
    (
        Role::Token,
        "accesstoken apitoken authtoken bearer bearertoken csrf csrftoken devicetoken \
         idtoken jeton jwt magiclink oauthtoken pushtoken refreshtoken securitytoken token \
         tokens usertoken xsrf xsrftoken",
    ),
    (
        Role::SecretKey,
        "accesskey accesskeyid accountkey aeskey apikey apisecret appkey authkey cryptkey \
         enckey encryptionkey hmackey ikey instrumentationkey licensekey masterkey \
         privatekey privkey secretaccesskey secretkey serverkey servicekey sharedaccesskey \
         sharedkey signingkey skey sshkey subscriptionkey writekey",
    ),
    (Role::Key, "answer answers key keys phrase"),
    (
        Role::KeyQualifier,
        "access admin aes algolia api apim app application aws azure cipher crypt crypto \
         datadog dd decrypt decryption dek deploy encrypt encrypting encryption firebase \
         functions gcp github gitlab google gpg hmac ingest integration kek mailgun maps \
         master merchant newrelic oauth ocp openai partner pgp preshared private publishable recovery \
         rsa seed sendgrid sentry service shared sign signing slack ssh storage stripe \
         subscription twilio vault wallet webhook wrapping write writer",
    ),
    (Role::Hash, "bcrypt digest hash hashed md pwhash salt shadow verifier"),
    (Role::Salted, "passhash passwordhash passwordsalt userpasswordhash"),
    (Role::Signature, "hmacsignature sig signature xamzsignature"),
    (Role::Cookie, "aspsessionid cookie cookies jsessionid phpsessid setcookie"),
    (Role::Session, "sess sessid session sessionid sessionkey sessiontoken sid"),
    (
        Role::Auth,
        "auth authentication authorisation authorization proxyauthorization wwwauthenticate",
    ),
    (
        Role::Email,
        "correo courriel courrier email emailaddr emailaddress emails eml epost mail \
         mailaddress mailbox mailto rcpt recipientemail replyto upn useremail \
         userprincipalname почта пошта メール メールアドレス 邮箱",
    ),
    (
        Role::Phone,
        "ani callback callerid cell cellphone cellular cellulare celular cep contactno dnis \
         fax gsm handy handynummer homephone landline mobil mobile mobileno mobilenumber \
         mobilephone mobilnummer mobiltelefon movil msisdn móvil numer phone phonehome \
         phoneno phonenumber phones portable puhelin puhelinnumero rufnummer smsnumber tel \
         telefax telefon telefone telefonnr telefonnummer telefono telefonu telefoon \
         telephone telephonenumber telno teléfono tfno tlf téléphone whatsapp workphone \
         телефон 手机 手机号 手机号码 电话 電話 電話番号 携帯 携帯電話 携帯番号",
    ),
    (
        Role::PhoneWord,
        "callee caller contactnumber dial dialed dialled otpto sms subscriber voicemail",
    ),
    (
        Role::Card,
        "acctpan bankcard card cardno cardnum cardnumber cards cartao carte cartão cc ccno \
         ccnum ccnumber creditcard creditcardnumber debitcard karta kartennr kartennummer \
         kreditkarte numerocarte pan primaryaccountnumber tarjeta",
    ),
    (Role::CardQualifier, "amex credit debit maestro mastercard payment visa"),
    (Role::Cvv, "cardcode csc cvc cvv cvvcvc prüfziffer securitycode verificationvalue"),
    (Role::Code, "code codes"),
    (
        Role::CodeQualifier,
        "activation backup confirmation mfa onetime security twofactor verification",
    ),
    (Role::Otp, "authcode mfacode onetimepassword otp otpcode smscode totp verificationcode"),
    (
        Role::Iban,
        "aba accountno accountnumber acctno acctnumber bankaccount bankaccountnumber bban \
         ccc clabe creditoraccount creditorref cuenta debtoraccount iban ibannumber ibans \
         kontonr kontonumber kontonummer rekeningnummer rib routingnumber sortcode",
    ),
    (
        Role::Bank,
        "ach bacs bank checking compte creditor debtor deposit konto routing savings sepa \
         sort wire",
    ),
    (Role::Account, "acc account acct"),
    (
        Role::NationalId,
        "aadhaar aadhar abn afm ahv amka asmenskodas ausweis ausweisnummer avs bsn \
         burgerservicenummer carnet cccd cedula cif citizenid cnp cnpj codfisc \
         codicefiscale cpf cpr cprnummer cuil cuit curp curpid cédula dni documento dpi dui \
         egn ein emirates emiratesid fnr fodselsnummer fødselsnummer healthid henkilotunnus \
         henkilötunnus hetu hkid idcard idcardnumber identitynumber idnr idnumber inn insee \
         insuranceid isikukood itin jmbg kimlik ktp medicalrecordnumber medicare medicareno \
         mrn mykad mynumber nationalid nationalidnumber nationalinsurance nhs nhsno \
         nhsnumber nie nif nik nino nir nit nric nuip numerosecu oib patientid \
         personalausweis personalausweisnummer personalid personalnumber personas personnr \
         personnumber personnummer pesel pps ppsn rodnecislo rrn rut rvnr secu snils \
         socialsecurity socialsecuritynumber sofi sozialversicherung \
         sozialversicherungsnummer ssn steuerid steueridentifikationsnummer steuernummer \
         svnr svnummer taxid taxnumber tckimlik tckn teudat teudatzehut tfn tin utr vat \
         vatid vatnumber voterid инн снилс 身份证",
    ),
    (
        Role::IdQualifier,
        "citizen civil employer fiscaal fiscal fiscale government govt health \
         identification identifikation identity insurance kyc medical nat national personal \
         residence resident rodne rodné social sociale sociální sozial steuer sécurité tax \
         taxpayer unique versicherung voter",
    ),
    (Role::Id, "id identifier ids"),
    (
        Role::Number,
        "cislo hao nbr no nr num number numero nummer nummern numéro número číslem číslo \
         номер",
    ),
    (
        Role::Passport,
        "cnh dl driverlicence driverlicense driverslicense drivinglicence drivinglicense \
         fuehrerschein führerschein greencard pasaporte paspoort passaporte passaporto \
         passeport passnummer passport passportno passportnr passportnum passportnumber \
         paszport patente permis reisepass reisepassnummer traveldoc traveldocument visano \
         visanumber",
    ),
    (Role::License, "driver drivers driving"),
    (Role::LicenseNoun, "licence licencia license"),
    (
        Role::Given,
        "christian complete display family first fore full given last legal maiden middle \
         nick preferred real sur",
    ),
    (
        Role::FullName,
        "accountholder achternaam ad addressee adsoyad apellido apellidos attendee \
         auftraggeber beneficiary beneficiaryname bénéficiaire cardholder cardholdername \
         claimant clientname cognome contactname contactperson customername deceased \
         destinatario displayname efternamn efternavn empfaenger empfänger employeename \
         etternavn etunimi familienname familyname firstname forename fornamn fornavn \
         fullname förnamn gecos givenname guardian holder holdername imie imię inhaber \
         insured jmeno jméno karteninhaber keresztnév kinname kontoinhaber kunde kundenname \
         lastname legalname maidenname middlename mothersmaiden nachname nazwisko nev \
         nextofkin nom nombre nombres nome nomecompleto nominativo név ownername patient \
         patientname payee payer personname physician policyholder prenom prénom příjmení \
         realname signatory sn sobrenome soyad spouse sukunimi surname titular voornaam \
         vorname имя отчество фамилия фио 名前 姓名 氏名",
    ),
    (
        Role::PersonNoun,
        "applicant approver artist assignee attention attn author billto borrower buyer \
         candidate child client clinician cn commonname consignee contact customer dear \
         doctor donor emergency employee father fn from gp guest household husband kin lead \
         lessee lessor member mother nurse occupant owner parent passenger person pilot \
         primaryname recipient registrant relative reporter requester requestor rider \
         seller sender shipto shopper sibling signer soldto sponsor student surgeon teacher \
         tenant to traveler traveller victim visitor wife witness",
    ),
    (Role::Name, "name names nm"),
    (
        Role::User,
        "acctname anvandare användare användarnamn authuser benutzer benutzername dbuser \
         duser gebruiker identd kullanici login loginname logname logon luser nickname \
         ntlmuser principal remoteuser ruser samaccountname screenname ssouser sudouser \
         suser uname user userid userlogin username usr usuario utilisateur utilizador \
         użytkownik uživatel пользователь 用户名",
    ),
    (Role::Uid, "uid"),
    (
        Role::Birth,
        "bday birth birthdate birthday birthdt born datadinascita datanascimento \
         datanascita dataurodzenia datedenaissance datenaissance dateofbirth ddn dob \
         dogumtarihi doğum dtnasc fechadenacimiento fechanacimiento fodelsedatum \
         fodselsdato födelsedatum fødselsdato geb gebdat geboortedatum geboren geburt \
         geburtsdatum geburtstag nacimiento naissance narozeni nascimento nascita \
         syntymäaika szuletesi urodzenia рождения 出生日期 生年月日",
    ),
    (Role::Date, "date datum day dt fecha"),
    (
        Role::Address,
        "addr address addresses adres adresa adress adresse anschrift direccion dirección \
         domicilio endereco endereço indirizzo lakcím lieferadresse morada osoite \
         postaladdress postanschrift rechnungsadresse wohnort адрес 住所 地址",
    ),
    (
        Role::Postal,
        "addressline addrline apartment billingaddress calle deliver deliveryaddress gata \
         homeaddress housenumber katu line mailingaddress mailingadress rua rue \
         shippingaddress shippingto straat strasse straße street streetaddress streetname \
         ulica via wohnadresse",
    ),
    (
        Role::PostalQualifier,
        "bill billing business correspondence delivery dropoff home invoice mailing office \
         permanent pickup postal registered residential ship shipping work",
    ),
    (
        Role::City,
        "cidade citta città city ciudad kaupunki localidad locality miasto municipality ort \
         plaats poblacion stad stadt suburb town ville",
    ),
    (
        Role::Zip,
        "codepostal codigopostal kodpocztowy plz postalcode postcode postleitzahl postnr \
         postnummer zip zipcode",
    ),
    (Role::Latitude, "breitengrad endlat geolat gpslat lat latitud latitude latitudine startlat"),
    (
        Role::Longitude,
        "endlon geolng geolon gpslng gpslon lng lon longitud longitude longitudine \
         längengrad startlng startlon",
    ),
    (
        Role::Location,
        "coord coordinate coordinates coords fix geo geohash geolocation geopoint gps \
         lastfix latlng latlon latlong loc location lonlat point position standort \
         ubicacion waypoint",
    ),
    (Role::Device, "iccid imei imsi"),
    (Role::Ip, "clientip ip ipaddr ipaddress ipv remoteip sourceip"),
    (Role::Mac, "bssid ether ethernet hwaddr hwaddress lladdr mac macaddr macaddress"),
    (
        Role::Neutral,
        "a again alt alternate alternative ascii b base c clear cleartext confirm default \
         dev encoded env hdr header in input live m main my new ns old other out p param \
         parameter plain plaintext primary prod production raw re ref repeat retype s \
         sandbox secondary staging std str string sz test text the txt utf val value var \
         xml your",
    ),
    (
        Role::Benign,
        "age alg algo algorithm amount array at attempt attempts audience available balance \
         bits block blocks body brand bucket budget buf buffer button bytes cache changed \
         chars check checker chunk class cmd cnt color column columns command config \
         context cost count counter created ctx currency daemon deck desc description \
         dialog dir directory domain domains due duration enabled endpoint entries entry \
         enum error errors event events exists exp expiration expired expires expiry \
         factory fail failed fd fee field file filename flag flags form format frame func \
         function gid group groups handler hint host hostname icon idx image impl index \
         instance interval issuer iterations job kind label labels lang language len length \
         level lexer limit limits link list locale lock log logger logs manager map mask \
         max message messages method metric metrics min missing mode module ms msg mutex \
         needed network node nodes object offset ok on options opts order page paid parser \
         path pathname pattern permission permissions pid placeholder plan pointer policies \
         policy pool port pos ppid prefix present price process program prompt provider ptr \
         question queue quota rate reader record records reg regex region register req \
         request required reset resp response result retries role roles rotated rotation \
         rounds row rows rules scope scopes screen seconds secs section segment server \
         services set settings sheet shuffle since size slot slots socket source state \
         stats status store stream strength struct style subject success suffix sum sym \
         symbol table task template thread threshold tid tier timeout title total tree ttl \
         type update updated uri url usage usages used valid validation validator vector \
         ver verified version view wordcount words worker zone",
    ),
    (
        Role::Thing,
        "action alarm album arch arg argument attribute benchmark board book branch channel \
         chip cluster company computer const container country county curve database db \
         dbname department dept device disk distro element exception feature font game \
         gateway hotel interface kernel keyspace lib library long machine macro model mount \
         movie namespace org organisation organization os package partition phase pipeline \
         platform plugin pod pretty product project property province resource restaurant \
         route rule schema school script shard shop short signal site so soname song stage \
         step subnet suite tag team tenantname theme topic track variable vendor vm volume \
         website workspace",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_role_and_no_other() {
        let mut seen = std::collections::BTreeSet::new();
        for (known, words) in WORDS {
            for word in words.split(' ') {
                assert_eq!(role(word.as_bytes()), Some(*known), "{word}");
                assert!(seen.insert(word), "{word} is listed twice");
                assert_eq!(word, word.to_lowercase(), "{word}");
            }
        }
        assert!(seen.len() * 2 < COUNT);
        assert_eq!(role(b"zzz"), None);
        assert_eq!(role(b""), None);
    }
}
