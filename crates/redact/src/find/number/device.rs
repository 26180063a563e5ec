//! Numbers of vehicles, telephones and SIM cards, by their check digits.

use crate::find::number::check_digits::luhn;
use crate::find::scan::Scan;
use crate::find::text::{Text, digits, is_word};
use crate::kind::Kind;

impl Scan<'_> {
    /// A vehicle's number that is the word at `start..end`.
    pub(in crate::find) fn vehicle(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_alone = !is_word(text.before(start)) && is_vehicle(text.slice(start..end));
        is_alone.then(|| self.hide(start..end, Kind::Vehicle))
    }

    /// A telephone's or a SIM card's number that is the digits at `start..end`.
    pub(in crate::find) fn device(&mut self, start: usize, end: usize) -> Option<usize> {
        let is_found = match end - start {
            15 => is_imei(self.text, start) && self.line_speaks_of(start, DEVICE_WORDS),
            16 => is_imeisv(self.text, start) && self.line_speaks_of(start, DEVICE_WORDS),
            19 | 20 => {
                is_iccid(self.text.slice(start..end)) && self.line_speaks_of(start, DEVICE_WORDS)
            }
            _ => false,
        };
        is_found.then(|| self.hide(start..end, Kind::Device))
    }

    /// Whether one of `words` is on the line of `place`.
    fn line_speaks_of(&self, place: usize, words: &[&[u8]]) -> bool {
        let line = self.text.slice(self.text.line(place, 200));
        line.split(|byte| !byte.is_ascii_alphabetic())
            .any(|word| words.iter().any(|known| word.eq_ignore_ascii_case(known)))
    }
}

/// Words of a line about telephones and modems.
const DEVICE_WORDS: &[&[u8]] = &[
    b"device",
    b"devices",
    b"phone",
    b"handset",
    b"smartphone",
    b"mobile",
    b"modem",
    b"imei",
    b"imeis",
    b"imeisv",
    b"tac",
    b"sim",
    b"ue",
    b"terminal",
    b"equipment",
    b"telephony",
    b"rild",
    b"baseband",
    b"lte",
    b"gsm",
    b"iphone",
    b"android",
    b"tablet",
    b"cellular",
    b"iccid",
    b"iccids",
    b"esim",
    b"euicc",
    b"uicc",
    b"profile",
    b"carrier",
    b"subscriber",
    b"operator",
];

/// ISO 3779 with the check digit of North America: 17 characters, each of which has a value
/// and a weight; the sum modulo 11 is the ninth.
fn is_vehicle(word: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    if word.len() != WEIGHTS.len() {
        return false;
    }
    let mut sum = 0;
    for (byte, weight) in word.iter().zip(WEIGHTS) {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'H' => byte - b'A' + 1,
            b'J'..=b'N' => byte - b'J' + 1,
            b'P' => 7,
            b'R' => 9,
            b'S'..=b'Z' => byte - b'S' + 2,
            _ => return false,
        };
        sum += u32::from(value) * weight;
    }
    let wanted = b"0123456789X".get(sum as usize % 11);
    let letters = word.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    // The number of the series has at least its last four digits; a maker has letters.
    let has_series = word.iter().skip(13).all(u8::is_ascii_digit);
    let has_maker = word.iter().take(3).any(u8::is_ascii_alphabetic);
    let is_hexadecimal = word.iter().all(u8::is_ascii_hexdigit);
    word.get(8) == wanted && letters >= 3 && has_series && has_maker && !is_hexadecimal
}

/// 3GPP TS 23.003: the reporting body, the model, a series, and a check digit.
fn is_imei(text: Text<'_>, start: usize) -> bool {
    has_reporting_body(text, start)
        && digits::<15>(text.slice(start..start + 15)).is_some_and(|(digits, _)| luhn(&digits))
}

/// The same with the version of the software in place of the check digit.
fn is_imeisv(text: Text<'_>, start: usize) -> bool {
    has_reporting_body(text, start)
}

/// The GSMA's codes of those that number models.
fn has_reporting_body(text: Text<'_>, start: usize) -> bool {
    let is_varied =
        text.slice(start..start + 14).windows(2).any(|pair| pair.first() != pair.last());
    let body = text.slice(start..start + 2);
    matches!(
        body,
        b"01"
            | b"35"
            | b"86"
            | b"91"
            | b"98"
            | b"99"
            | b"44"
            | b"45"
            | b"49"
            | b"50"
            | b"51"
            | b"52"
            | b"53"
            | b"54"
            | b"33"
    ) && is_varied
}

/// ITU-T E.118: 89, a country, an issuer, a number, and a check digit.
fn is_iccid(number: &[u8]) -> bool {
    let Some((digits, count)) = digits::<20>(number) else { return false };
    let has_check = digits.get(..count).is_some_and(luhn);
    let is_padded = count == 20 && digits.get(..19).is_some_and(luhn);
    number.starts_with(b"89") && number.get(2) != Some(&b'0') && (has_check || is_padded)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn numbers_are_found_by_their_check_digits() {
        for (text, wanted) in [
            ("car 1M8GDM9AXKP042788 sold", "1M8GDM9AXKP042788"),
            ("5GZCZ43D13S812715", "5GZCZ43D13S812715"),
            ("modem 490154203237518 attached", "490154203237518"),
            ("new device: 4901542032375102", "4901542032375102"),
            ("profile 8991101200003204514 active", "8991101200003204514"),
        ] {
            assert_eq!(hidden(text), [wanted], "{text}");
        }
    }

    #[test]
    fn other_words_and_numbers_stay() {
        for text in [
            "1M8GDM9A1KP042788",
            "part ABCDEFGH123456789",
            "modem 490154203237519",
            "counter 490154203237518",
            "id 8991101200003204511",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
