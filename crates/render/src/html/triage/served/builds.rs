//! The builds of each program.

use maud::{Markup, html};

use super::value;
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, stored, visible_text};
use crate::html::page::scrolling;
use crate::html::triage::drawing::{bar, day_at};
use crate::layout::{counted, grouped};
use crate::terminal::rates;
use obit_triage::views::{BuildReport, Builds, ProgramBuilds};

/// Programs, builds of each, and bytes of all of them.
const PROGRAMS: usize = 200;
const BUILDS: usize = 100;
const BUDGET: usize = 800_000;

/// The content of the page.
pub fn builds(builds: &Builds) -> String {
    let (programs, left_out) = Budget::new(BUDGET).fill(builds.programs.iter(), PROGRAMS, program);
    let content = html! {
        section.cause aria-labelledby="builds-title" {
            h1 id="builds-title" { "Builds" }
            p.who { (counted(builds.programs.len(), "program")) }
        }
        (programs)
        (more_by(left_out, "program", "obit builds"))
    };
    content.into_string()
}

fn program(program: &ProgramBuilds) -> Markup {
    let most = program.releases.iter().map(|release| release.dumps).max().unwrap_or(1);
    let table = html! {
        table.wide {
            thead { tr {
                th scope="col" { "Release" } th scope="col" { "Build ID" } th scope="col" { "Dumps" }
                th scope="col" { "Hosts" } th scope="col" { "First" } th scope="col" { "Last" }
            } }
            tbody {
                @for release in program.releases.iter().rev().take(BUILDS) {
                    @for build in release.builds.iter().take(BUILDS) {
                        (row(&html! {
                            (stored(&release.name, NAME / 4))
                            @if release.is_newest { " " span.badge { "newest" } }
                        }, build, most))
                    }
                }
                @for build in program.others.iter().take(BUILDS) {
                    (row(&html! {
                        span.aside { (stored(build.reason.as_deref().unwrap_or_default(), NAME / 2)) }
                    }, build, most))
                }
            }
        }
    };
    html! {
        section.part aria-label=(crate::html::escape::bounded(&program.program)) {
            h2 { (stored(&program.program, NAME)) " "
                span.aside { (grouped(program.dumps)) " dumps; ordered by " (stored(&program.ordered_by, NAME / 4)) }
            }
            (scrolling("Builds", &table))
            @if program.releases.iter().any(|release| !rates::of_builds(release).is_empty()) {
                h3 { "Crashes per exposure " span.aside { "95 % intervals" } }
                ul.traits {
                    @for release in program.releases.iter().rev().take(BUILDS) {
                        li {
                            (stored(&release.name, NAME / 4)) ": "
                            (visible_text(&rates::of_builds(release).join("; "), NAME * 4))
                        }
                    }
                }
            }
        }
    }
}

fn row(name: &Markup, build: &BuildReport, most: u64) -> Markup {
    let day = |time: Option<i64>| html! { @if let Some(time) = time { (day_at(time)) } };
    html! {
        tr {
            th scope="row" { (name) }
            td {
                @if build.id.is_empty() { span.aside { "none" } }
                @else {
                    a href={ "/?where=" (value(&format!("build={}", build.id))) } {
                        code { (stored(&build.id, 16)) }
                    }
                }
            }
            td.count { span.number { (grouped(build.dumps)) } (bar(build.dumps, most)) }
            td.number { (grouped(build.hosts)) }
            td { (day(build.first)) }
            td { (day(build.last)) }
        }
    }
}
