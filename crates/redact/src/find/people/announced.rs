//! Names that a phrase announces: `my name is Ann Lee`, `signed by Ann Lee`, `Hi Ann,`, and
//! the line behind `Kind regards,`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::first_names;
use crate::field_name::Sureness;
use crate::find::field::value::{Separator, Value};
use crate::find::plausible::person_name::{is_name, is_no_name};
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_letter};
use crate::kind::Kind;
use crate::word_set::{self, WordSet};

/// What follows a phrase.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announces {
    /// A name of any number of words.
    Name,
    /// A name, if it has two words at least: programs, teams and things are announced so, too.
    FullName,
    /// A name whose first word is a known first name.
    Known,
    /// A name, a comma or an exclamation mark.
    Greeted,
    /// A name alone on the next line.
    Signature,
}

/// Phrases in lower case, separated by `|`.
const PHRASES: &[(Announces, &str)] = &[
    (
        Announces::Name,
        "my name is|mein name ist|ich heiße|ich heisse|je m'appelle|je m’appelle|mon nom est|me llamo|\
         mi nombre es|mi chiamo|il mio nome è|meu nome é|me chamo|chamo-me|mijn naam is|ik heet|\
         nazywam się|mam na imię|jmenuji se|jmenuju se|volám sa|jag heter|mitt namn är|jeg hedder|\
         jeg heter|mit navn er|nimeni on|numele meu este|mă numesc|zovem se|ime mi je|benim adım|\
         меня зовут|моё имя|мое имя|мене звати|казвам се|με λένε|ονομάζομαι|اسمي|שמי|קוראים לי|मेरा नाम|\
         tên tôi là|tôi tên là|nama saya|my full name is|a nevem|nevem|az én nevem|το όνομά μου είναι|ονομάζομαι|mé jméno je|moje jméno je|moje imię to|mam na imię|nazwisko moje|numele meu|benim ismim|ismim|ім'я моє|моя фамилия|aku|saya bernama",
    ),
    (
        Announces::FullName,
        "this is|soy|sou|je suis|ich bin|jag är|jeg er|ik ben|jestem|i am|i'm|on behalf of|in the name of|spoke with|spoke to|spoken to|talked to|talked with|met with|\
         meeting with|call with|assigned to|reassigned to|escalated to|addressed to|sold to|\
         delivered to|shipped to|refunded to|transferred to|registered to|belongs to|belonging to|\
         issued to|payable to|handed to|released to|signed by|approved by|reviewed by|requested by|\
         reported by|submitted by|created by|written by|authored by|prepared by|ordered by|booked by|\
         paid by|uploaded by|owned by|edited by|modified by|updated by|opened by|closed by|called by|\
         sent by|received by|verified by|witnessed by|rejected by|cancelled by|canceled by|assisted by|\
         handled by|collected by|referred by|diagnosed by|treated by|examined by|identified as|\
         logged in as|signed in as|impersonating|impersonated by|welcome back|happy birthday|\
         congratulations|care of|guardian of|daughter of|son of|wife of|husband of|mother of|father of|\
         in care of|contacted|emailed|phoned|interviewed|reminded|notified customer|customer called|\
         im auftrag von|im namen von|unterschrieben von|genehmigt von|erstellt von|bearbeitet von|\
         gesprochen mit|de la part de|au nom de|signé par|approuvé par|créé par|demandé par|a nombre de|\
         en nombre de|firmado por|aprobado por|creado por|em nome de|assinado por|aprovado por|\
         criado por|per conto di|a nome di|firmato da|approvato da|creato da|appointment with|appointment for|interview with|visit of|visit by|call from|message from|email from|\
         letter from|parcel for|package for|delivery for|booking for|reservation for|ticket for|prescription for|\
         invoice for|refund for|payment from|payment to|transfer from|transfer to|courier for|termin mit|\
         termin für|anruf von|nachricht von|brief von|paket für|rechnung für|rechnung an|rendez-vous avec|\
         appel de|message de|colis pour|facture pour|cita con|llamada de|mensaje de|paquete para|\
         appuntamento con|chiamata da|messaggio da|pacco per|reunião com|ligação de|mensagem de|\
         afspraak met|namens|ondertekend door|\
         goedgekeurd door|w imieniu|podpisane przez|utworzone przez|zatwierdzone przez|jménem|\
         на имя|от имени|від імені|на ім'я|user|benutzer|benutzerin|utilisateur|usuario|usuária|usuário|\
         utente|gebruiker|użytkownik|uživatel|användaren|användare|bruger|bruker|käyttäjä|felhasználó|\
         utilizatorul|kullanıcı|пользователь|пользователя|пользователю|користувач|користувача|χρήστης|\
         المستخدم|המשתמש|उपयोगकर्ता|người dùng|pengguna",
    ),
    (
        Announces::Known,
        "wife|husband|son|daughter|mother|father|brother|sister|spouse|partner|fiancé|fiancée|boss|\
         assistant|colleague|neighbour|neighbor|caretaker|guardian|aunt|uncle|nephew|niece|grandson|\
         ehefrau|ehemann|sohn|tochter|mutter|vater|bruder|schwester|kollege|kollegin|chef|chefin|\
         femme|épouse|époux|mari|fils|fille|mère|père|frère|sœur|collègue|esposa|esposo|marido|mujer|\
         hijo|hija|madre|padre|hermano|hermana|jefe|jefa|filho|filha|mãe|pai|irmão|irmã|moglie|marito|\
         figlio|figlia|fratello|sorella|collega|vrouw|man|zoon|dochter|moeder|vader|broer|zus|żona|mąż|\
         syn|córka|matka|ojciec|brat|siostra|manželka|manžel|dcera|otec|bratr|sestra|fru|make|maka|\
         dotter|mor|far|bror|syster|søster|datter|vaimo|aviomies|poika|tytär|äiti|isä|veli|sisko|\
         feleségem|férjem|fiam|lányom|soția|soțul|fiul|fiica|eşi|eşim|oğlum|kızım|annem|babam|жена|муж|\
         сын|дочь|мать|отец|брат|сестра|дружина|чоловік|син|донька|συζύγος|γιος|κόρη|sou|son|sono|soy|\
         jestem|jsem|én vagyok|это|говорит|here is|signed|from|by|with|regarding",
    ),
    (
        Announces::Greeted,
        "hi|hello|hey|good morning|good afternoon|good evening|hallo|guten tag|guten morgen|moin|servus|\
         liebe|lieber|bonjour|bonsoir|salut|cher|chère|hola|querido|querida|estimado|estimada|\
         buenos días|ciao|buongiorno|gentile|caro|cara|olá|bom dia|prezado|prezada|dag|beste|geachte|\
         cześć|witaj|drogi|droga|szanowny|szanowna|ahoj|dobrý den|milý|milá|vážený|vážená|hej|hejsan|\
         kära|käre|kære|kjære|hei|hyvä|szia|kedves|bună|dragă|bok|zdravo|živjo|merhaba|sayın|sevgili|\
         привет|здравствуйте|уважаемый|уважаемая|дорогой|дорогая|привіт|шановний|шановна|γεια σου|\
         αγαπητέ|αγαπητή|xin chào|halo|selamat pagi|yth|thanks|thank you",
    ),
    (
        Announces::Signature,
        "regards|best|sincerely|truly|faithfully|cheers|wishes|thanks|grüße|grüßen|gruß|gruss|\
         cordialement|sentiments distingués|salutations|amicalement|saludos|cordialmente|atentamente|\
         saluti|distinti saluti|cumprimentos|atenciosamente|abraço|abraços|groet|groeten|groetjes|\
         pozdrawiam|poważaniem|pozdravem|pozdravom|hälsningar|hälsning|hilsen|terveisin|üdvözlettel|\
         cu stimă|poštovanjem|pozdrav|saygılarımla|saygılar|уважением|пожеланиями|повагою|\
         εκτίμηση|χαιρετισμούς|salam|hormat saya|trân trọng",
    ),
];

/// Bytes of a phrase.
const LONGEST: usize = 40;

impl Scan<'_> {
    /// The name that the phrase announces whose last word is at `start..end`.
    #[inline]
    pub(in crate::find) fn announced_name(&mut self, start: usize, end: usize) -> Option<usize> {
        if !LAST_WORDS.may_have(self.text.slice(start..end)) {
            return None;
        }
        self.announced_by_phrase(start, end)
    }

    fn announced_by_phrase(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_gap = matches!(text.at(end), b' ' | b',' | b'\n' | b'\r' | b':' | b'!');
        if !is_gap {
            return None;
        }
        let word = lowered(text.slice(start..end));
        let phrases = BY_LAST_WORD.get(word.as_str())?;
        let from = text.run_back(start, LONGEST, |byte| byte != b'\n' && byte != 0);
        let before = lowered(text.slice(from..end));
        phrases.iter().find_map(|(announces, phrase)| {
            let rest = before.strip_suffix(phrase)?;
            let is_whole = rest.chars().next_back().is_none_or(|prior| !prior.is_alphanumeric());
            if is_whole { self.name_behind(*announces, start, end) } else { None }
        })
    }

    /// The name behind the phrase whose last word is at `start..end`.
    fn name_behind(&mut self, announces: Announces, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if announces == Announces::Signature {
            return self.signature(end);
        }
        let mut from = text.run(end, 2, |byte| byte == b' ' || byte == b':');
        let is_quoted = matches!(text.at(from), b'"' | b'\'');
        from += usize::from(is_quoted);
        // `Thanks, Ann` at the end of a letter.
        let is_closing = announces == Announces::Greeted && text.at(from) == b',';
        from += if is_closing && text.at(from + 1) == b' ' { 2 } else { 0 };
        if from == end {
            return None;
        }
        if let Some(next) = self.titled_at(from) {
            return Some(next);
        }
        let until = self.capitalized_end(from)?;
        let name = text.slice(from..until);
        let next = text.at(until);
        let words = name.split(|byte| *byte == b' ').count();
        // `Node Pool 3`, `Foo::bar`, `John Smith's`
        let goes_on = next == b' ' && text.at(until + 1).is_ascii_digit()
            || next == b':' && text.at(until + 1) == b':'
            || matches!(next, b'/' | b'(' | b'_' | b'=');
        let is_whole = match announces {
            Announces::Name => !goes_on,
            Announces::FullName => words >= 2 && !goes_on,
            Announces::Known => {
                let first = name.split(|byte| *byte == b' ').next().unwrap_or_default();
                first_names::is_known(first) && !goes_on
            }
            // A greeting begins a sentence, and is its whole.
            Announces::Greeted | Announces::Signature => {
                let begins = text.at(start).is_ascii_uppercase() || text.at(start) >= 0x80;
                let ends = matches!(next, b',' | b'!' | b'\n' | b'\r') || next == 0;
                let is_sentence = next != b'!' || matches!(text.at(until + 1), b' ' | b'\n' | 0);
                let is_line =
                    matches!(text.before(start), 0 | b'\n') && next != b',' && next != b'!';
                let is_whole = !is_closing || is_line;
                begins && ends && is_whole && is_sentence && words <= 3 && name.len() >= 3
            }
        };
        let separator = if words >= 2 { Separator::Blank } else { Separator::Cell };
        let value = Value { range: from..until, is_delimited: true, separator };
        let sureness = if words >= 2 { Sureness::Maybe } else { Sureness::Likely };
        let fits = is_whole && is_name(&value, name, sureness) && !is_shouted(name);
        fits.then(|| self.hide(from..until, Kind::Name))
    }

    /// The name behind a title that is at `from`.
    fn titled_at(&mut self, from: usize) -> Option<usize> {
        let end = self.text.run(from, 24, is_letter);
        let is_title = end > from && matches!(self.text.at(end), b' ' | b'.');
        if is_title { self.titled(from, end) } else { None }
    }

    /// `Kind regards,` ends at `end`: the name that is the whole of the next line.
    fn signature(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let comma = text.run(end, 2, |byte| matches!(byte, b',' | b'!' | b' '));
        let from = text.run(comma, 6, |byte| matches!(byte, b'\n' | b'\r' | b' ' | b'\t'));
        if !text.slice(comma..from).contains(&b'\n') {
            return None;
        }
        let until = self.capitalized_end(from)?;
        let line_end = text.run(until, 2, is_blank);
        let ends = matches!(text.at(line_end), b'\n' | b'\r' | 0);
        let name = text.slice(from..until);
        let words = name.split(|byte| *byte == b' ').count();
        let is_person = name.split(|byte| *byte == b' ').all(|word| !is_no_name(word));
        let fits = ends && (1..=4).contains(&words) && name.len() >= 3 && is_person;
        (fits && !is_shouted(name)).then(|| self.hide(from..until, Kind::Name))
    }
}

/// What people call after themselves.
static DEVICES: WordSet<64> = WordSet::new(&[
    b"iphone",
    b"ipad",
    b"ipod",
    b"airpods",
    b"macbook",
    b"imac",
    b"homepod",
    b"galaxy",
    b"pixel",
    b"phone",
    b"laptop",
    b"tablet",
    b"watch",
    b"kindle",
    b"echo",
    b"pc",
    b"desktop",
    b"headphones",
    b"earbuds",
    b"buds",
    b"tv",
]);

impl Scan<'_> {
    /// `Ann's iPhone`, whose name is the word at `start..end`.
    pub(in crate::find) fn owner_of_device(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if !text.has(end, b"'s ") {
            return None;
        }
        let from = end + 3;
        let device = text.slice(from..text.run(from, 16, |byte| byte.is_ascii_alphabetic()));
        let name = text.slice(start..end);
        let is_name =
            name.len() >= 2 && name.iter().skip(1).any(u8::is_ascii_lowercase) && !is_no_name(name);
        (is_name && DEVICES.has(device)).then(|| self.hide(start..end, Kind::Name))
    }
}

/// Whether `word` is a greeting, or ends a letter.
pub(super) fn is_greeting(word: &[u8]) -> bool {
    let word = lowered(word);
    PHRASES.iter().any(|(announces, phrases)| {
        matches!(announces, Announces::Greeted | Announces::Signature)
            && phrases.split('|').any(|phrase| phrase == word)
    })
}

/// What follows, or is before, a name in scripts without blanks.
const BEFORE_NAMES: &[&str] = &["我叫", "我是", "本人", "名叫"];
const BEHIND_NAMES: &[&str] = &[
    "と申します",
    "といいます",
    "と言います",
    "입니다",
    "님",
    "씨",
    "さん",
    "様",
    "先生",
    "女士",
    "小姐",
];

impl Scan<'_> {
    /// `我叫王丽华`, `「鈴木直樹」と申します`, `山田太郎様`: a name that is a part of the word at
    /// `start..end`, or before it.
    pub(in crate::find) fn joined_name(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let word = text.slice(start..end);
        if let Some(before) = BEFORE_NAMES.iter().find(|before| word.starts_with(before.as_bytes()))
        {
            let from = start + before.len();
            return is_unspaced_name(text.slice(from..end))
                .then(|| self.hide(from..end, Kind::Name));
        }
        let behind = BEHIND_NAMES.iter().find(|behind| word.ends_with(behind.as_bytes()))?;
        let until = end - behind.len();
        if until > start {
            let fits = behind.len() > 3 || until - start >= 9;
            let is_name = fits && is_unspaced_name(text.slice(start..until));
            return is_name.then(|| self.hide(start..until, Kind::Name));
        }
        // Behind a closing quote.
        let quote = text.before(start);
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let from = text.run_back(start - 1, 30, |byte| byte >= 0x80 || byte == b' ');
        let is_quoted = text.before(from) == quote && from + 6 < start;
        is_quoted.then(|| self.hide(from..start - 1, Kind::Name))
    }
}

/// Two to four characters of three bytes.
fn is_unspaced_name(bytes: &[u8]) -> bool {
    (6..=12).contains(&bytes.len()) && bytes.first().is_some_and(|first| *first >= 0xe3)
}

/// Capitals alone: an abbreviation or a heading.
fn is_shouted(name: &[u8]) -> bool {
    name.iter().filter(|byte| is_letter(**byte)).all(u8::is_ascii_uppercase)
}

/// Text in lower case; what is no UTF-8 is no phrase.
fn lowered(bytes: &[u8]) -> String {
    let start =
        (0..4).find(|at| bytes.get(*at..).is_some_and(|rest| std::str::from_utf8(rest).is_ok()));
    let text = start.and_then(|at| std::str::from_utf8(bytes.get(at..)?).ok());
    text.unwrap_or_default().to_lowercase()
}

/// The phrases by their last words; made when one may be there for the first time.
static BY_LAST_WORD: LazyLock<HashMap<&str, Vec<(Announces, &str)>>> = LazyLock::new(|| {
    let mut phrases: HashMap<_, Vec<_>> = HashMap::new();
    for (announces, listed) in PHRASES {
        for phrase in listed.split('|') {
            let last = phrase.rsplit([' ', '\'', '-', '’']).next().unwrap_or(phrase);
            phrases.entry(last).or_default().push((*announces, phrase));
        }
    }
    phrases
});

/// Bits for the hashes of the last words of all phrases: hardly any other word has one.
static LAST_WORDS: LastWords = LastWords::new();

const LAST_BITS: usize = 1 << 14;

struct LastWords([u64; LAST_BITS / 64]);

#[allow(clippy::indexing_slicing)]
impl LastWords {
    const fn new() -> Self {
        let mut bits = [0_u64; LAST_BITS / 64];
        let mut row = 0;
        while row < PHRASES.len() {
            let text = PHRASES[row].1.as_bytes();
            let mut start = 0;
            let mut at = 0;
            while at <= text.len() {
                if at == text.len() || text[at] == b'|' {
                    let bit = word_set::hash(text.split_at(at).0.split_at(start).1) % LAST_BITS;
                    bits[bit / 64] |= 1 << (bit % 64);
                    start = at + 1;
                } else if text[at] == b' ' || text[at] == b'\'' || text[at] == b'-' {
                    start = at + 1;
                }
                at += 1;
            }
            row += 1;
        }
        Self(bits)
    }

    #[inline]
    fn may_have(&self, word: &[u8]) -> bool {
        let first = word.first().copied().unwrap_or(0);
        let bit = word_set::hash(word) % LAST_BITS;
        // A capital beyond ASCII has other bytes than its small letter.
        first >= 0x80 || self.0.get(bit / 64).is_some_and(|bits| bits >> (bit % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn names_behind_phrases_are_hidden() {
        for (text, wanted) in [
            ("My name is Ewa Nowicka and I cannot log in", &["Ewa Nowicka"][..]),
            ("my name is Tobias.", &["Tobias"]),
            ("mein Name ist Jürgen Falk, ich", &["Jürgen Falk"]),
            ("Je m'appelle Chloé Moreau", &["Chloé Moreau"]),
            ("Меня зовут Анна Петрова.", &["Анна Петрова"]),
            ("paid on behalf of Nora Lindqvist", &["Nora Lindqvist"]),
            ("ticket assigned to Samuel Okafor (tier 2)", &["Samuel Okafor"]),
            ("signé par Chloé Moreau", &["Chloé Moreau"]),
            ("Hi Marta,\nthanks for your mail", &["Marta"]),
            ("Hola Lucía, gracias", &["Lucía"]),
            ("Kind regards,\n\nOliver Grant\n", &["Oliver Grant"]),
            ("您好，我叫陈雪梅，手机", &["陈雪梅"]),
            ("「鈴木 直樹」と申します", &["鈴木 直樹"]),
            ("제 이름은 박서연입니다", &["박서연"]),
            ("Mit freundlichen Grüßen\r\nKarin Stolz\r\n", &["Karin Stolz"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn programs_teams_and_things_behind_phrases_stay() {
        for text in [
            "my name is not resolved",
            "assigned to Node Pool 3",
            "assigned to CPU 4",
            "created by Visual Studio",
            "signed by Let's Encrypt Authority X3",
            "Hello World, this is a test",
            "Hello Docker, hi all",
            "hi there, thanks",
            "Regards,\nThe Support Team",
            "Best regards",
            "best\nRESULT: 5",
            "his son called by Order Service",
            "signed by Build Bot",
            "thanks to Google Cloud",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
