//! Two censuses of one program: what has grown.

use std::collections::BTreeMap;

use obit_redact::Shown;
use obit_report::heap::{GrownReport, GrowthReport, HeapReport};

/// What `after` has more than `before`, at most `most` rows of each list.
pub fn growth(before: &HeapReport, after: &HeapReport, most: usize) -> GrowthReport {
    let difference = |new: u64, old: u64| {
        let (new, old) = (i128::from(new), i128::from(old));
        i64::try_from(new - old).unwrap_or(i64::MAX)
    };
    let types = |of: &HeapReport| -> Vec<(Shown, u64, u64)> {
        of.types.iter().map(|ty| (ty.type_name.clone(), ty.blocks, ty.bytes)).collect()
    };
    // The id of a thread is another one in each process.
    let holders = |of: &HeapReport| -> Vec<(Shown, u64, u64)> {
        let named = of.holders.iter().filter(|holder| holder.kind == "global");
        named.map(|holder| (holder.holder.clone(), holder.blocks, holder.bytes)).collect()
    };
    let sizes = |of: &HeapReport| -> Vec<(Shown, u64, u64)> {
        let text = |from: u64, to: u64| Shown::from_report(format!("{from} to {to} bytes"));
        let rows = of.sizes.iter();
        rows.map(|size| (text(size.from, size.to), size.live_blocks, size.live_bytes)).collect()
    };
    GrowthReport {
        blocks: difference(after.total.live_blocks, before.total.live_blocks),
        bytes: difference(after.total.live_bytes, before.total.live_bytes),
        types: grown(types(before), types(after), most),
        holders: grown(holders(before), holders(after), most),
        sizes: grown(sizes(before), sizes(after), most),
    }
}

type Row = (Shown, u64, u64);

fn grown(before: Vec<Row>, after: Vec<Row>, most: usize) -> Vec<GrownReport> {
    let mut all: BTreeMap<Shown, (i64, i64)> = BTreeMap::new();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for (of, blocks, bytes) in after {
        let sum = all.entry(of).or_default();
        *sum = (sum.0.saturating_add(number(blocks)), sum.1.saturating_add(number(bytes)));
    }
    for (of, blocks, bytes) in before {
        let sum = all.entry(of).or_default();
        *sum = (sum.0.saturating_sub(number(blocks)), sum.1.saturating_sub(number(bytes)));
    }
    let rows = all.into_iter().filter(|(_, sum)| *sum != (0, 0));
    let mut rows: Vec<GrownReport> =
        rows.map(|(of, (blocks, bytes))| GrownReport { of, blocks, bytes }).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes.unsigned_abs()));
    rows.truncate(most);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::heap::TypeReport;

    #[test]
    fn what_grew_most_comes_first_and_what_is_the_same_is_left_out() {
        let of = |rows: &[(&'static str, u64)]| HeapReport {
            types: rows
                .iter()
                .map(|(name, bytes)| TypeReport {
                    type_name: Shown::own(name),
                    blocks: 1,
                    bytes: *bytes,
                    ..TypeReport::default()
                })
                .collect(),
            ..HeapReport::default()
        };
        let before = of(&[("Same", 5), ("Gone", 70), ("Grown", 10)]);
        let after = of(&[("Same", 5), ("Grown", 100), ("New", 1)]);
        let rows = growth(&before, &after, 10).types;
        let bytes: Vec<_> = rows.iter().map(|row| (row.of.as_str(), row.bytes)).collect();
        assert_eq!(bytes, [("Grown", 90), ("Gone", -70), ("New", 1)]);
    }
}
