//! What is counted of dumps, in blocks: all that a list of groups reads of 1,024 dumps is
//! one row. A change of a dump drops its block, and grouping writes those that are missing;
//! until then their dumps are read one by one. So what a block says is what the rows say.

use std::collections::HashMap;
use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, params};

use super::words::confidence_named;
use obit_report::Confidence;

/// Numbers of dumps that are in one block; as the triggers of the table have it.
const BLOCK: i64 = 1_024;
/// The first byte of a block: how the others are to be read.
const VERSION: u8 = 1;
/// Words that a dump has: class, severity, module.
const WORDS: usize = 3;

/// What is counted of a dump that could be read. Others are referred to by their rows,
/// words by their places in the list beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) dump: i64,
    pub(super) trace: Option<i64>,
    pub(super) build: Option<i64>,
    pub(super) host: Option<i64>,
    /// Of the crash; where that is not known, when it was added.
    pub(super) time: i64,
    pub(super) added: i64,
    pub(super) is_dated: bool,
    /// Class, severity, module.
    pub(super) words: [Option<usize>; WORDS],
    pub(super) confidence: Option<Confidence>,
    pub(super) is_complete: bool,
}

/// Dumps of one block or of none yet, in order, and their words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) dumps: Vec<Counted>,
    pub(super) words: Vec<String>,
}

/// About as many dumps as there are in blocks, for the room that they take; a damaged file
/// may say anything.
pub(super) fn about(connection: &Connection) -> rusqlite::Result<usize> {
    const MOST: i64 = 1 << 20;
    let blocks: i64 =
        connection.query_row("SELECT count(*) FROM sightings", [], |row| row.get(0))?;
    Ok(usize::try_from(blocks.saturating_mul(BLOCK).min(MOST)).unwrap_or(0))
}

/// Hands all dumps that could be read to `take`, in the order of their rows.
pub(super) fn each_block(
    connection: &Connection,
    take: &mut dyn FnMut(&Block),
) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("SELECT block, packed FROM sightings ORDER BY block")?;
    let mut rows = statement.query([])?;
    let mut done = i64::MIN;
    while let Some(row) = rows.next()? {
        let range = range_of(row.get(0)?);
        let block = match row.get_ref(1)? {
            ValueRef::Blob(packed) => Block::unpacked(packed),
            _ => None,
        };
        // One that cannot be read is as one that is not there.
        let Some(block) = block else { continue };
        if done < range.start {
            take(&Block::of_rows(connection, &(done..range.start))?);
        }
        take(&block);
        done = range.end;
    }
    take(&Block::of_rows(connection, &(done..i64::MAX))?);
    Ok(())
}

/// Writes the blocks that are missing.
pub(super) fn complete_blocks(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut there: Vec<i64> = transaction
        .prepare_cached("SELECT block FROM sightings ORDER BY block")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    there.push(i64::MAX / BLOCK);
    let mut next =
        transaction.prepare_cached("SELECT min(n) FROM dump WHERE n >= ?1 AND n < ?2")?;
    let mut insert = transaction
        .prepare_cached("INSERT OR REPLACE INTO sightings (block, packed) VALUES (?1, ?2)")?;
    let mut done = 0;
    for block in there {
        let end = range_of(block).start;
        while done < end {
            let next: Option<i64> = next.query_row([done, end], |row| row.get(0))?;
            let Some(missing) = next.map(|n| n / BLOCK) else { break };
            let range = range_of(missing);
            insert.execute(params![missing, Block::of_rows(transaction, &range)?.packed()])?;
            done = range.end;
        }
        done = range_of(block).end;
    }
    Ok(())
}

/// How many blocks do not say what the rows say.
pub(super) fn wrong_blocks(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare("SELECT block, packed FROM sightings")?;
    let mut rows = statement.query([])?;
    let mut wrong = 0;
    while let Some(row) = rows.next()? {
        let block = match row.get_ref(1)? {
            ValueRef::Blob(packed) => Block::unpacked(packed),
            _ => None,
        };
        let actual = Block::of_rows(connection, &range_of(row.get(0)?))?;
        wrong += u64::from(block.is_none_or(|block| block != actual));
    }
    Ok(wrong)
}

/// The block of the dump in this row.
#[cfg(feature = "postgres")]
pub(super) fn block_of(n: i64) -> i64 {
    n / BLOCK
}

fn range_of(block: i64) -> Range<i64> {
    let start = block.saturating_mul(BLOCK);
    start..start.saturating_add(BLOCK)
}

impl Block {
    /// Dumps whose numbers are in `range`, as their rows are.
    fn of_rows(connection: &Connection, range: &Range<i64>) -> rusqlite::Result<Self> {
        let mut block = Self::default();
        if range.is_empty() {
            return Ok(block);
        }
        let mut statement = connection.prepare_cached(
            "SELECT n, trace, build, host, coalesce(time, added), added, time IS NOT NULL,
               confidence, complete, class, severity, module
             FROM dump WHERE status = 'ok' AND n >= ?1 AND n < ?2 ORDER BY n",
        )?;
        let mut rows = statement.query([range.start, range.end])?;
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        while let Some(row) = rows.next()? {
            let mut words = [None; WORDS];
            for (column, word) in (9..).zip(&mut words) {
                let ValueRef::Text(text) = row.get_ref(column)? else { continue };
                if let Some(place) = places.get(text) {
                    *word = Some(*place);
                    continue;
                }
                *word = Some(block.words.len());
                places.insert(text.to_owned(), block.words.len());
                block.words.push(String::from_utf8_lossy(text).into_owned());
            }
            block.dumps.push(Counted {
                dump: row.get(0)?,
                trace: row.get(1)?,
                build: row.get(2)?,
                host: row.get(3)?,
                time: row.get(4)?,
                added: row.get(5)?,
                is_dated: row.get(6)?,
                confidence: match row.get_ref(7)? {
                    ValueRef::Text(word) => confidence_named(word),
                    _ => None,
                },
                is_complete: row.get(8)?,
                words,
            });
        }
        Ok(block)
    }

    /// Its words, each with its length; then of each dump a byte of flags, and numbers of
    /// seven bits a byte. Numbers of dumps and times are differences.
    fn packed(&self) -> Vec<u8> {
        let mut packed = vec![VERSION];
        push_number(&mut packed, self.words.len() as u64);
        for word in &self.words {
            push_number(&mut packed, word.len() as u64);
            packed.extend_from_slice(word.as_bytes());
        }
        let (mut dump, mut time) = (0, 0);
        for counted in &self.dumps {
            let confidence = match counted.confidence {
                None => 0,
                Some(Confidence::Guess) => 1,
                Some(Confidence::Likely) => 2,
                Some(Confidence::Proved) => 3,
            };
            let is = |bit: u8, yes: bool| if yes { bit } else { 0 };
            let flags = is(DATED, counted.is_dated) | is(COMPLETE, counted.is_complete);
            packed.push(flags | confidence << CONFIDENCE);
            push_signed(&mut packed, counted.dump.wrapping_sub(dump));
            push_signed(&mut packed, counted.time.wrapping_sub(time));
            push_signed(&mut packed, counted.added.wrapping_sub(counted.time));
            (dump, time) = (counted.dump, counted.time);
            for row in [counted.trace, counted.build, counted.host] {
                push_place(&mut packed, row.map(i64::cast_unsigned));
            }
            for word in counted.words {
                push_place(&mut packed, word.map(|at| at as u64));
            }
        }
        packed
    }

    /// What [`Block::packed`] made; `None` if it is damaged, or of a newer obit.
    fn unpacked(bytes: &[u8]) -> Option<Self> {
        let mut rest = Bytes(bytes);
        if rest.byte()? != VERSION {
            return None;
        }
        let mut block = Self::default();
        for _ in 0..rest.number()? {
            let length = usize::try_from(rest.number()?).ok()?;
            block.words.push(String::from_utf8(rest.take(length)?.to_owned()).ok()?);
        }
        let (mut dump, mut time) = (0_i64, 0_i64);
        while !rest.0.is_empty() {
            let flags = rest.byte()?;
            dump = dump.wrapping_add(rest.signed()?);
            time = time.wrapping_add(rest.signed()?);
            let counted = Counted {
                dump,
                time,
                added: time.wrapping_add(rest.signed()?),
                trace: rest.reference()?,
                build: rest.reference()?,
                host: rest.reference()?,
                words: [rest.word(&block)?, rest.word(&block)?, rest.word(&block)?],
                is_dated: flags & DATED != 0,
                is_complete: flags & COMPLETE != 0,
                confidence: match flags >> CONFIDENCE {
                    0 => None,
                    1 => Some(Confidence::Guess),
                    2 => Some(Confidence::Likely),
                    3 => Some(Confidence::Proved),
                    _ => return None,
                },
            };
            block.dumps.push(counted);
        }
        Some(block)
    }
}

/// Bits of a dump's first byte; above them is the confidence.
const DATED: u8 = 1;
const COMPLETE: u8 = 2;
const CONFIDENCE: u32 = 2;

fn push_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn push_signed(to: &mut Vec<u8>, number: i64) {
    push_number(to, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// 0 is none.
fn push_place(to: &mut Vec<u8>, place: Option<u64>) {
    push_number(to, place.map_or(0, |place| place.wrapping_add(1)));
}

/// What is left to be read of a block.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// The row that is referred to, if one is.
    fn reference(&mut self) -> Option<Option<i64>> {
        Some(self.number()?.checked_sub(1).map(u64::cast_signed))
    }

    /// A word of the block, if there is one.
    fn word(&mut self, block: &Block) -> Option<Option<usize>> {
        let Some(at) = self.number()?.checked_sub(1) else { return Some(None) };
        usize::try_from(at).ok().filter(|at| *at < block.words.len()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::{PackedRecord, Store};
    use crate::testkit::crash;

    fn store(dumps: u64) -> Store {
        let rules = Rules::built_in();
        let mut store = Store::temporary().unwrap();
        add(&mut store, 0..dumps, &rules);
        store.regroup().unwrap();
        store
    }

    fn add(store: &mut Store, which: Range<u64>, rules: &Rules) {
        let crashes = which.map(|n| crash(5, n, rules));
        let packed: Vec<_> =
            crashes.map(|c| (c.stamp, PackedRecord::of(&c.record).unwrap())).collect();
        store.add(&packed, 1_000).unwrap();
    }

    fn blocks(store: &Store) -> i64 {
        let count = "SELECT count(*) FROM sightings";
        store.connection.query_row(count, [], |row| row.get(0)).unwrap()
    }

    fn read(store: &Store) -> Vec<Counted> {
        let mut all = Vec::new();
        each_block(&store.connection, &mut |block| all.extend(block.dumps.iter().copied()))
            .unwrap();
        all
    }

    fn in_rows(store: &Store) -> Block {
        Block::of_rows(&store.connection, &(i64::MIN..i64::MAX)).unwrap()
    }

    #[test]
    fn a_block_comes_back_as_it_was_and_a_damaged_one_not_at_all() {
        let dump = |at: i64| Counted {
            dump: at * 7,
            trace: (at % 3 > 0).then_some(at * 1_000),
            build: Some(1),
            host: Some(i64::MAX - 1),
            time: 1_772_323_200 - at * 86_400,
            added: if at == 2 { i64::MAX / 2 } else { -1 },
            is_dated: at % 2 == 0,
            words: [Some(1), (at > 1).then_some(0), None],
            confidence: [None, Some(Confidence::Proved), Some(Confidence::Guess)][at as usize % 3],
            is_complete: at != 1,
        };
        let words = ["high", "null-read"].map(str::to_owned).to_vec();
        let block = Block { dumps: (0..4).map(dump).collect(), words };
        let bytes = block.packed();
        assert_eq!(Block::unpacked(&bytes).as_ref(), Some(&block));
        assert_eq!(Block::unpacked(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Block::unpacked(&[VERSION + 1, 0]), None);
        assert_eq!(Block::unpacked(&[]), None);
    }

    #[test]
    fn blocks_say_what_the_rows_say_whatever_comes_goes_or_changes() {
        let mut store = store(2_500);
        assert_eq!(blocks(&store), 3);
        assert_eq!(wrong_blocks(&store.connection).unwrap(), 0);
        let change = |store: &Store, sql: &str, left: i64| {
            store.connection.execute(sql, []).unwrap();
            assert_eq!(blocks(store), left, "{sql}");
            let all: Vec<i64> = read(store).iter().map(|one| one.dump).collect();
            let rows: Vec<i64> = in_rows(store).dumps.iter().map(|one| one.dump).collect();
            assert_eq!(all, rows, "{sql}");
        };
        change(&store, "UPDATE dump SET kept = 0 WHERE n = 5", 3);
        change(&store, "UPDATE dump SET time = 7 WHERE n = 5", 2);
        assert_eq!(read(&store).iter().find(|one| one.dump == 5).unwrap().time, 7);
        change(&store, "DELETE FROM dump WHERE n BETWEEN 1100 AND 1120", 1);
        add(&mut store, 2_500..2_501, &Rules::built_in());
        assert_eq!(blocks(&store), 0);
        assert_eq!(read(&store).len(), 2_480);
        store.regroup().unwrap();
        assert_eq!(blocks(&store), 3);
        store.check().unwrap();
    }

    #[test]
    fn a_store_of_an_older_version_has_no_blocks_until_it_is_grouped() {
        let mut store = store(1_500);
        let before = read(&store);
        // As the step to this version leaves it.
        store.connection.execute("DELETE FROM sightings", []).unwrap();
        assert_eq!(read(&store).len(), before.len());
        store.check().unwrap();
        store.regroup().unwrap();
        assert_eq!(blocks(&store), 2);
        assert_eq!(read(&store), before);
    }

    #[test]
    fn a_block_that_cannot_be_read_is_not_there_and_a_wrong_one_is_found() {
        let store = store(1_500);
        let before = read(&store);
        store
            .connection
            .execute("UPDATE sightings SET packed = x'02' WHERE block = 0", [])
            .unwrap();
        assert_eq!(read(&store).len(), before.len());
        assert_eq!(wrong_blocks(&store.connection).unwrap(), 1);
        assert!(store.check().unwrap_err().to_string().contains("one block"));
    }
}
