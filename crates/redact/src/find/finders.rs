//! Who is asked about what, in which order. A row comes before those that would read the
//! same bytes as something less certain; each says why it is where it is.

use super::field::command;
use super::notation::marks;
use super::number::is_part_of_longer;
use super::order::{ByteSet, Finder, Order, Words};
use super::text::{is_joined, is_word};
use super::{number::card, number::national_id, number::network, secret};
use crate::kind::Kind;

/// Signs behind which a word goes on as a token.
const WITHIN_TOKENS: ByteSet = ByteSet::of(b"-.+/=%$~:");
/// Signs between bytes of a list: `68 75`, `0x68, 0x75`.
const BETWEEN_BYTES: ByteSet = ByteSet::of(b" :,-");
/// Signs between groups of hexadecimal digits.
const IN_ADDRESSES: ByteSet = ByteSet::of(b":-.");
/// What a name begins with: a capital, or the first byte of one beyond ASCII.
const NAME_STARTS: ByteSet = ByteSet::CAPITALS.with(0xc3).with(0xc4).with(0xc5).with(0xe1);
/// First bytes of characters of scripts without blanks between words.
const UNSPACED: ByteSet =
    ByteSet::of(&[0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed]);
const LONG: usize = usize::MAX;

/// Of words that begin with a letter.
pub(in crate::find) static OF_WORDS: Order = Order::new(&[
    // `fe80::1`, `aa:bb:…`: before tokens and fields, to which the colon is a separator.
    Finder {
        of: Words::ANY.len(1, 4).first(ByteSet::of(b"abcdefABCDEF")).next(IN_ADDRESSES.with(0)),
        find: |scan, start, _| scan.hexadecimal(start),
    },
    // `B4111…^LEE/ANN^…`, what a card's stripe says: before tokens, which it may look like.
    Finder {
        of: Words::ANY
            .first(ByteSet::of(b"Bb"))
            .third(ByteSet::DIGITS)
            .len(13, 20)
            .next(ByteSet::of(b"^")),
        find: |scan, start, _| scan.first_track(start),
    },
    // A notation of one program or format: before tokens, which would take several fields of
    // a segment as one, and before fields, which would read `AUTH PLAIN: x` as one.
    Finder { of: Words::ANY, find: |scan, start, end| scan.notation(start, end) },
    // `6e 75 …`: before names of fields, to which the colon is a separator.
    Finder {
        of: Words::ANY.len(2, 2).first(ByteSet::of(b"abcdefABCDEF")).next(BETWEEN_BYTES),
        find: |scan, start, _| scan.bytes_listed(start),
    },
    // Check digits prove them: before tokens, which only look random.
    Finder { of: Words::ANY.len(25, LONG), find: |scan, start, end| scan.wallet(start, end) },
    Finder {
        of: Words::ANY.len(17, 17).first(ByteSet::CAPITALS),
        find: |scan, start, end| scan.vehicle(start, end),
    },
    // A token is certain by its prefix or its randomness: before account numbers and
    // fields, which would take a part of it. Short words only if a sign goes on.
    Finder { of: Words::ANY.len(12, LONG), find: |scan, start, end| scan.token(start, end) },
    Finder {
        of: Words::ANY.len(1, 11).next(WITHIN_TOKENS),
        find: |scan, start, end| scan.token(start, end),
    },
    // Check digits prove an IBAN: before national ids, whose shapes are shorter.
    Finder {
        of: Words::ANY.len(4, LONG).third(ByteSet::DIGITS),
        find: |scan, start, _| {
            let range = card::iban(scan.text, start)?;
            Some(scan.hide(range, Kind::Account))
        },
    },
    // Shape and check digits prove a national id: before names of fields, which have
    // letters and digits, too. In all of them a digit follows the letters soon.
    Finder {
        of: Words::ANY.len(2, LONG).first(ByteSet::CAPITALS),
        find: |scan, start, end| {
            let text = scan.text;
            let has_digit = end - start == 2
                || text.at(end) == b'-'
                || (1..=6).any(|at| text.at(start + at).is_ascii_digit());
            if !has_digit || is_joined(text, start) {
                return None;
            }
            let range = national_id::identifier(text, start)?;
            Some(scan.hide(range, Kind::NationalId))
        },
    },
    // A program reads ahead in its command line and never ends the search: before fields,
    // so that its options are found in their order.
    Finder {
        of: Words::ANY.first(command::FIRST_LETTERS),
        find: |scan, start, end| scan.command(start, end),
    },
    // A name within a word: before fields, which would take the word as a whole.
    Finder {
        of: Words::ANY.len(9, LONG).first(UNSPACED),
        find: |scan, start, end| scan.joined_name(start, end),
    },
    // `Ann's iPhone`
    Finder {
        of: Words::ANY.len(2, 24).first(NAME_STARTS).next(ByteSet::of(b"'")),
        find: |scan, start, end| scan.owner_of_device(start, end),
    },
    // A phrase announces a name: before fields, which would take `is` of `my name is` for a
    // part of it.
    Finder { of: Words::ANY, find: |scan, start, end| scan.announced_name(start, end) },
    // The name of a field, or a word that announces a value: before names that only look
    // like one.
    Finder { of: Words::ANY, find: |scan, start, end| scan.field(start, end) },
    // A known first name and a surname: whatever is left.
    Finder {
        of: Words::ANY.len(3, 24).first(NAME_STARTS).next(ByteSet::of(b" ,")),
        find: |scan, start, end| scan.full_name(start, end),
    },
]);

/// Of words that begin with a digit and have letters.
pub(in crate::find) static OF_MIXED_WORDS: Order = Order::new(&[
    // `2001:db8::1`, `0a:1b:…`: before fields, to which the colon is a separator.
    Finder { of: Words::ANY.len(1, 4), find: |scan, start, _| scan.hexadecimal(start) },
    // `6e 75 …`, `0x6e, 0x75, …`: before what takes `0x6e` for a number.
    Finder {
        of: Words::ANY.len(2, 4).next(BETWEEN_BYTES),
        find: |scan, start, end| {
            let is_byte = end - start == 2 || scan.text.has(start, b"0x");
            if is_byte { scan.bytes_listed(start) } else { None }
        },
    },
    // `London NW1 6XE`.
    Finder {
        of: Words::ANY.len(3, 3).first(ByteSet::DIGITS),
        find: |scan, start, end| scan.british_address(start, end),
    },
    // Check digits prove them: before numbers of the machine and tokens.
    Finder { of: Words::ANY.len(25, LONG), find: |scan, start, end| scan.wallet(start, end) },
    Finder { of: Words::ANY.len(17, 17), find: |scan, start, end| scan.vehicle(start, end) },
    // `0x68756e74…` is text that was written as a number.
    Finder {
        of: Words::ANY.len(18, LONG).first(ByteSet::of(b"0")),
        find: |scan, start, _| scan.inside_hexadecimal(start),
    },
    // `0x7ffd…` is a number of the machine, not of a person.
    Finder {
        of: Words::ANY.first(ByteSet::of(b"0")),
        find: |scan, start, end| {
            let is_hexadecimal = scan.text.has(start, b"0x") || scan.text.has(start, b"0X");
            is_hexadecimal.then_some(end)
        },
    },
    // `7z`: never ends the search.
    Finder {
        of: Words::ANY.first(ByteSet::of(b"7")),
        find: |scan, start, end| scan.command(start, end),
    },
    // `5A: …`: before fields, which would read the tag as a name.
    Finder {
        of: Words::ANY.len(2, 4).first(ByteSet::of(b"59")),
        find: |scan, start, end| scan.notation(start, end),
    },
    // `0100…16411111…`: before tokens, which it may look like.
    Finder {
        of: Words::ANY.len(20, LONG).first(ByteSet::of(b"012")),
        find: |scan, start, end| scan.message_of_switch(start, end),
    },
    // `636014…DLDAQ…`, the header of a driving licence.
    Finder {
        of: Words::ANY.len(26, LONG).first(ByteSet::of(b"6")),
        find: |scan, start, _| scan.licence_header(start),
    },
    // `4111…D2712…`: before tokens, which it may look like.
    Finder { of: Words::ANY.len(21, LONG), find: |scan, start, end| scan.joined_track(start, end) },
    // Check digits prove it: before tokens, which only look random.
    Finder {
        of: Words::ANY,
        find: |scan, start, _| {
            if is_joined(scan.text, start) {
                return None;
            }
            let range = national_id::identifier(scan.text, start)?;
            Some(scan.hide(range, Kind::NationalId))
        },
    },
    // Before fields: `4f…=` is the end of base64 more often than a name.
    Finder { of: Words::ANY.len(12, LONG), find: |scan, start, end| scan.token(start, end) },
    // `2fa_code=…`: the name of a field.
    Finder { of: Words::ANY, find: |scan, start, end| scan.field(start, end) },
]);

/// Of words that are digits alone.
pub(in crate::find) static OF_NUMBERS: Order = Order::new(&[
    // The port of a line of PostgreSQL's password file: before all that takes it for a part
    // of a longer word.
    Finder {
        of: Words::ANY.len(4, 5).next(ByteSet::of(b":")),
        find: |scan, start, end| {
            if scan.text.before(start) != b':' {
                return None;
            }
            scan.password_file(start, end)
        },
    },
    // A payment in a file of a clearing house begins its line: before all numbers in it.
    Finder {
        of: Words::ANY.len(16, LONG).first(ByteSet::of(b"6")),
        find: |scan, start, _| scan.entry_of_payment(start),
    },
    // The same of BACS, with sort codes and accounts in one number.
    Finder {
        of: Words::ANY.len(31, 31).next(ByteSet::of(b" ")),
        find: |scan, start, end| scan.record_of_bacs(start, end),
    },
    // `57: …`: the tag of a chip.
    Finder {
        of: Words::ANY.len(2, 2).first(ByteSet::of(b"5")).next(ByteSet::of(b":= ")),
        find: |scan, start, end| scan.notation(start, end),
    },
    // `v1.2`, `x-17`: a part of a longer word is no number of its own.
    Finder {
        of: Words::ANY,
        find: |scan, start, end| is_part_of_longer(scan.text, start).then_some(end),
    },
    // `1//0…`, a token of Google's.
    Finder {
        of: Words::ANY.len(1, 1).first(ByteSet::of(b"1")).next(ByteSet::of(b"/")),
        find: |scan, start, end| {
            let (range, kind) = secret::shaped(scan.text, start, end)?;
            Some(scan.hide(range, kind))
        },
    },
    // `203.0.113.9`: before telephones, which are written with points, too.
    Finder {
        of: Words::ANY.len(1, 3).next(ByteSet::of(b".")),
        find: |scan, start, end| scan.dotted(start, end),
    },
    // `14:36:25` is no hardware address.
    Finder {
        of: Words::ANY.len(2, 2).next(ByteSet::of(b":")),
        find: |scan, start, _| scan.time_end(start),
    },
    // `68 75 6e …`: before telephones and ids, whose groups it has.
    Finder {
        of: Words::ANY.len(2, 2).next(BETWEEN_BYTES),
        find: |scan, start, _| scan.bytes_listed(start),
    },
    // `00:1b:…`: before cards and telephones, whose groups it has.
    Finder {
        of: Words::ANY.len(1, 4).next(IN_ADDRESSES),
        find: |scan, start, _| scan.hexadecimal(start),
    },
    // `2026-01-02` has the groups of an id; what follows it is a time.
    Finder {
        of: Words::ANY.len(4, 4).next(ByteSet::of(b"-")),
        find: |scan, start, _| scan.date_end(start),
    },
    // `Lindenweg 4a, 80331 München`: before what takes few digits for a size.
    Finder { of: Words::ANY.len(2, 5), find: |scan, start, end| scan.postal_address(start, end) },
    // Few digits and no separator of groups behind them: sizes, counts, ports.
    Finder {
        of: Words::ANY.len(1, 6),
        find: |scan, _, end| {
            let goes_on = matches!(scan.text.at(end), b' ' | b'-' | b'.' | b'/' | b')' | 0xc2);
            (!goes_on).then_some(end)
        },
    },
    // `123456789:AA…`, a bot's token: before cards, which may be its first part.
    Finder {
        of: Words::ANY.len(8, 10).next(ByteSet::of(b":")),
        find: |scan, start, end| {
            let (range, kind) = secret::shaped(scan.text, start, end)?;
            Some(scan.hide(range, kind))
        },
    },
    // A word on the line and a check digit: before cards, which need no word.
    Finder { of: Words::ANY.len(15, 20), find: |scan, start, end| scan.device(start, end) },
    // `;4111…=2712…?`, the second track of a card's stripe: before the card alone.
    Finder {
        of: Words::ANY.len(12, 19).next(ByteSet::of(b"=")),
        find: |scan, start, end| match scan.text.before(start) {
            b';' => scan.second_track(start, end),
            _ => None,
        },
    },
    // Issuer, length and check digit: the most certain of all long numbers.
    Finder { of: Words::ANY, find: |scan, start, _| scan.card(start) },
    // Shape and check digits: before telephones, which have neither.
    Finder { of: Words::ANY, find: |scan, start, end| scan.personal_number(start, end) },
    // A pair of fractions: before telephones, which may have its digits.
    Finder { of: Words::ANY, find: |scan, start, _| scan.coordinates(start) },
    // Whatever is left and written like one.
    Finder { of: Words::ANY, find: |scan, start, _| scan.phone(start) },
]);

/// Of signs that begin something, or are in its middle: words of one byte. Those of one sign
/// differ in the byte behind it, so their order matters only within a sign.
pub(in crate::find) static OF_SIGNS: Order = Order::new(&[
    // A notation that begins with a sign has more of it than any single finder asks for.
    Finder { of: marks(0), find: |scan, place, _| scan.mark(place) },
    Finder { of: marks(1), find: |scan, place, _| scan.mark(place) },
    Finder { of: marks(2), find: |scan, place, _| scan.mark(place) },
    Finder { of: marks(3), find: |scan, place, _| scan.mark(place) },
    Finder {
        of: Words::ANY.first(ByteSet::of(b"@")),
        find: |scan, place, _| Some(scan.at_sign(place)),
    },
    Finder {
        of: Words::ANY.first(ByteSet::of(b"+(")).next(ByteSet::DIGITS.with(b'(')),
        find: |scan, place, _| scan.phone(place),
    },
    Finder {
        of: Words::ANY.first(ByteSet::of(b":")).next(ByteSet::of(b"/")),
        find: |scan, place, _| {
            let is_scheme = scan.text.has(place, b"://");
            is_scheme.then(|| scan.behind_scheme(place))
        },
    },
    Finder {
        of: Words::ANY.first(ByteSet::of(b":")).next(ByteSet::of(b"x")),
        find: |scan, place, _| {
            let is_shadowed = scan.text.has(place, b":x:");
            is_shadowed.then(|| scan.password_line(place))
        },
    },
    Finder {
        of: Words::ANY.first(ByteSet::of(b":")).next(ByteSet::of(b":")),
        find: |scan, place, _| {
            let prior = scan.text.before(place);
            if is_word(prior) || prior == b':' || scan.text.at(place + 2) == b':' {
                return None;
            }
            let range = network::ipv6(scan.text, place)?;
            Some(scan.hide(range, Kind::Ip))
        },
    },
    Finder {
        of: Words::ANY.first(ByteSet::of(b"$")),
        find: |scan, place, _| {
            let range = secret::password_hash(scan.text, place)?;
            scan.owner(range.start);
            Some(scan.hide(range, Kind::PasswordHash))
        },
    },
    // A key's first line would pass for an option without a name.
    Finder {
        of: Words::ANY.first(ByteSet::of(b"-")).next(ByteSet::of(b"-")),
        find: |scan, place, _| scan.private_key(place),
    },
    Finder { of: Words::ANY.first(ByteSet::of(b"-")), find: |scan, place, _| scan.option(place) },
    Finder {
        of: Words::ANY.first(ByteSet::of(b"<")),
        find: |scan, place, _| Some(scan.tag(place)),
    },
    Finder { of: Words::ANY.first(ByteSet::of(b"/\\")), find: |scan, place, _| scan.home(place) },
]);
