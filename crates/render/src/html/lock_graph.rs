//! Who waits for which lock and who has it, drawn: threads on the left, locks on the right.

use std::collections::HashMap;

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::cause::evidence;
use super::escape::prose;
use crate::layout::cut_middle;
use crate::name;
use obit_report::{Finding, LockReport, Report};

/// Findings that are drawn.
const GRAPHS: usize = 8;
/// Locks of one drawing, …
const LOCKS: usize = 12;
/// … and threads that wait for one.
const WAITERS: usize = 8;
/// Bytes of all drawings.
const BUDGET: usize = 120_000;
/// Characters of a lock's name in its box.
const NAME: usize = 30;
/// Units from one row to the next, and of a box.
const ROW: usize = 56;
const BOX_HEIGHT: usize = 32;
const LEFT: usize = 130;
const RIGHT_AT: usize = 330;
const RIGHT: usize = 260;
const WIDTH: usize = 600;

/// A drawing for each finding about locks; `None` if there is none.
pub(super) fn graphs(report: &Report) -> Option<Markup> {
    let findings: Vec<_> =
        report.findings.iter().filter(|finding| !finding.locks.is_empty()).collect();
    if findings.is_empty() {
        return None;
    }
    let budget = Budget::new(BUDGET);
    let (printed, left_out) = budget.fill(findings.iter().enumerate(), GRAPHS, |(at, finding)| {
        html! {
            figure.graph {
                figcaption { (prose(&finding.title)) }
                (graph(finding, at))
                (evidence(report, &finding.evidence, &Budget::new(BUDGET / GRAPHS)))
            }
        }
    });
    Some(html! { (printed) (more(left_out, "finding")) })
}

/// Threads by the row they are drawn in, and the lines between them and the locks.
struct Drawing<'f> {
    threads: Vec<i64>,
    rows: HashMap<i64, usize>,
    locks: Vec<&'f LockReport>,
}

impl<'f> Drawing<'f> {
    fn of(finding: &'f Finding) -> Self {
        let locks: Vec<_> = finding.locks.iter().take(LOCKS).collect();
        let mut drawing = Self { threads: Vec::new(), rows: HashMap::new(), locks };
        for lock in drawing.locks.clone() {
            lock.waiters.iter().take(WAITERS).for_each(|tid| drawing.add(*tid));
            lock.holder.iter().for_each(|tid| drawing.add(*tid));
        }
        drawing
    }

    fn add(&mut self, tid: i64) {
        let next = self.threads.len();
        self.rows.entry(tid).or_insert_with(|| {
            self.threads.push(tid);
            next
        });
    }

    /// The middle of a row.
    fn middle(row: usize) -> usize {
        row * ROW + ROW / 2
    }

    /// The middle of a lock's row: between those of the first thread that waits and, in a
    /// ring, the next.
    fn lock_middle(&self, at: usize) -> usize {
        let spread = self.threads.len().max(self.locks.len()) * ROW;
        (2 * at + 1) * spread / (2 * self.locks.len().max(1))
    }
}

fn graph(finding: &Finding, number: usize) -> Markup {
    let drawing = Drawing::of(finding);
    let height = drawing.threads.len().max(drawing.locks.len()) * ROW;
    let marker = format!("arrow-{number}");
    let label = name::shown(&finding.title);
    html! {
        div.scroll role="region" aria-label="Lock graph" tabindex="0" {
            svg viewBox={ "0 0 " (WIDTH) " " (height) } width=(WIDTH) height=(height) role="group"
                aria-label=(cut_middle(&label, 200)) {
                defs {
                    marker id=(marker) viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8"
                        markerHeight="8" orient="auto-start-reverse" {
                        path.head d="M 0 0 L 10 5 L 0 10 z" {}
                    }
                }
                @for (at, lock) in drawing.locks.iter().enumerate() {
                    @let y = drawing.lock_middle(at);
                    @for tid in lock.waiters.iter().take(WAITERS) {
                        @if let Some(row) = drawing.rows.get(tid) {
                            line.waits x1=(LEFT) y1=(Drawing::middle(*row)) x2=(RIGHT_AT) y2=(y)
                                marker-end={ "url(#" (marker) ")" } {}
                        }
                    }
                    @if let Some(row) = lock.holder.and_then(|tid| drawing.rows.get(&tid)) {
                        line.holds x1=(RIGHT_AT) y1=(y) x2=(LEFT) y2=(Drawing::middle(*row))
                            marker-end={ "url(#" (marker) ")" } {}
                    }
                }
                @for (row, tid) in drawing.threads.iter().enumerate() {
                    @let y = Drawing::middle(row);
                    a href={ "#t" (tid) } {
                        rect.node.thread x="1" y=(y - BOX_HEIGHT / 2) width=(LEFT - 1) height=(BOX_HEIGHT) rx="6" {}
                        text x=(LEFT / 2) y=(y + 5) text-anchor="middle" { "thread " (tid) }
                    }
                }
                @for (at, lock) in drawing.locks.iter().enumerate() {
                    @let y = drawing.lock_middle(at);
                    @let called = name::shown(&lock.name).replace('`', "");
                    g {
                        title { (called) @if !lock.is_sure { " (likely held)" } }
                        rect.node.lock x=(RIGHT_AT) y=(y - BOX_HEIGHT / 2) width=(RIGHT) height=(BOX_HEIGHT) {}
                        text x=(RIGHT_AT + RIGHT / 2) y=(y + 5) text-anchor="middle" {
                            (cut_middle(&called, NAME))
                        }
                    }
                }
            }
        }
        p.aside {
            "A dashed line leads to what a thread waits for, a plain one from a lock to the thread that holds it."
            @let waiters = finding.locks.iter().map(|lock| lock.waiters.len().saturating_sub(WAITERS));
            @let left_out = finding.locks.len().saturating_sub(LOCKS) + waiters.sum::<usize>();
            " " (more(left_out, "line"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::text;

    fn lock(name: &str, holder: i64, waiters: Vec<i64>) -> LockReport {
        let name = text(name);
        LockReport { name, holder: Some(holder), waiters, is_sure: true, ..LockReport::default() }
    }

    fn printed(locks: Vec<LockReport>) -> String {
        let finding = Finding { title: text("<stuck>"), locks, ..Finding::default() };
        let report = Report { findings: vec![finding], ..Report::default() };
        graphs(&report).unwrap().into_string()
    }

    #[test]
    fn a_ring_has_a_line_for_each_wait_and_each_hold() {
        let page = printed(vec![lock("mutex `a`", 2, vec![1]), lock("mutex `b`", 1, vec![2])]);
        assert_eq!(page.matches("class=\"waits\"").count(), 2, "{page}");
        assert_eq!(page.matches("class=\"holds\"").count(), 2, "{page}");
        assert_eq!(page.matches("<a href=\"#t").count(), 2, "each thread is listed once: {page}");
        assert!(!page.contains("<stuck>"), "{page}");
    }

    #[test]
    fn a_crowd_is_cut_and_counted() {
        let page = printed(vec![lock("mutex", 1, (2..200).collect())]);
        assert_eq!(page.matches("class=\"waits\"").count(), WAITERS);
        assert!(page.contains("190 more lines"), "{page}");
    }
}
