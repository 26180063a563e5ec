//! The page as a whole: what it may not hold, what it may weigh, and that its links lead
//! somewhere.

use std::collections::HashSet;

use super::drawing::{ticket, title};
use super::*;
use obit_triage::history::{Status, Surge};
use obit_triage::store::Store;
use obit_triage::testkit::crash;
use obit_triage::views::GroupTrait;
use obit_triage::views::Unreadable;
use obit_triage::views::{DumpLine, GroupDetail, NoteReport, StackLine, Suspect};
use obit_triage::views::{
    GroupSummary, Moment, Overview, ReleaseCount, Series, Trend, ViewOptions,
};
use obit_triage::{PackedRecord, Rules};

const EVIL: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'\u{202e}\u{1b}[31m\0";

fn written(survey: &Survey, beside: &Beside) -> String {
    let mut out = Vec::new();
    write_triage_html(&mut out, survey, beside).unwrap();
    String::from_utf8(out).unwrap()
}

/// A survey whose every text is `evil`, `count` of everything.
fn hostile(evil: &str, count: usize) -> Survey {
    let text = || evil.to_owned();
    let moment =
        |time| Some(Moment { time, release: Some(evil.to_owned()), build: Some(evil.to_owned()) });
    let release =
        ReleaseCount { name: text(), builds: vec![text(); 3], count: 2, ..Default::default() };
    let details = (0..count).map(|at| GroupDetail {
        group: GroupSummary {
            id: if at % 2 == 0 { format!("{evil}{at}") } else { format!("{at:08x}") },
            name: Some(text()),
            signature: text(),
            status: Status::ALL[at % Status::ALL.len()],
            reason: text(),
            state: text(),
            class: Some(text()),
            severity: Some(text()),
            title: Some(text()),
            headline: Some(text()),
            assignee: Some(text()),
            link: Some(text()),
            series: Series { counts: vec![u64::MAX; 200], ..Series::default() },
            surge: Some(Surge::default()),
            modules: vec![text(); 3],
            programs: vec![format!("{evil}{}", at % 3); 2],
            count: u64::MAX,
            total: u64::MAX,
            first: moment(i64::MIN),
            last: moment(i64::MAX),
            releases: vec![release.clone(); 30],
            trend: Trend { from: i64::MIN, step: i64::MAX, counts: vec![0, u64::MAX] },
            example: Some(text()),
            ..GroupSummary::default()
        },
        state_since: Some(0),
        state_build: Some(text()),
        notes: vec![NoteReport { time: 0, text: text() }; 3],
        explanation: Some(text()),
        message: Some(text()),
        stack: vec![
            StackLine {
                function: Some(text()),
                module: Some(text()),
                source: Some(text()),
                ..Default::default()
            };
            6
        ],
        traits: vec![
            GroupTrait {
                of: text(),
                what: text(),
                values: vec![text(); 3],
                ..Default::default()
            };
            6
        ],
        builds: vec![release.clone(); 6],
        hosts: vec![release.clone(); 6],
        suspected_same: vec![Suspect { group: text(), likeness: 0.5, signature: text() }; 3],
        dumps: vec![
            DumpLine {
                dump: text(),
                crash: text(),
                release: Some(text()),
                host: Some(text()),
                path: Some(text()),
                ..Default::default()
            };
            6
        ],
        ..GroupDetail::default()
    });
    let details: Vec<GroupDetail> = details.collect();
    let groups: Vec<GroupSummary> = details.iter().map(|detail| detail.group.clone()).collect();
    let unreadable = Unreadable {
        path: Some(text()),
        time: Some(i64::MAX),
        code: text(),
        text: text(),
        dump: text(),
    };
    Survey {
        overview: Overview {
            dumps: count as u64,
            groups_total: count as u64,
            by_status: Status::ALL.into_iter().map(|status| (status, 1)).collect(),
            groups,
            ..Overview::default()
        },
        details,
        unreadable: vec![unreadable; count],
        reasons: [(text(), count as u64)].into(),
    }
}

/// What the testkit's crashes make, `dumps` of them.
fn real(dumps: u64) -> (Survey, Beside) {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::create(&directory.path().join("t.db")).unwrap();
    let rules = Rules::built_in();
    let records: Vec<_> = (0..dumps)
        .map(|nth| crash(7, nth, &rules))
        .map(|crash| (crash.stamp, PackedRecord::of(&crash.record).unwrap()))
        .collect();
    store.add(&records, 0).unwrap();
    store.regroup().unwrap();
    let survey = store.survey(&ViewOptions::default(), 1_000, 1_000, 20, 200).unwrap();
    let mut beside = Beside::default();
    for dump in survey.details.iter().filter_map(|detail| detail.group.example.clone()) {
        let name = crash_file(&dump).unwrap();
        beside.crashes.insert(dump, name);
    }
    (survey, beside)
}

#[test]
fn no_name_becomes_markup_and_nothing_is_hidden() {
    let long = format!("{EVIL}{}", "Long<Name>".repeat(1000));
    for evil in [EVIL, &long] {
        let page = written(&hostile(evil, 9), &Beside::default());
        // The page's own style and script are no record's.
        let body = page.split_once("</script></head>").unwrap().1;
        for bad in ["<script", "<img", "onerror=alert(2)>", " style=", " onclick="] {
            let found = body.find(bad).map(|at| &body[at.saturating_sub(80)..at + 20]);
            assert_eq!(found, None, "{bad}");
        }
        let hidden = |c: &char| crate::visible(&c.to_string()) != c.to_string();
        let found = body.char_indices().find(|(_, c)| hidden(c));
        let context: Option<String> =
            found.map(|(at, _)| body[..at].chars().rev().take(120).collect());
        assert_eq!(context.map(|text| text.chars().rev().collect::<String>()), None);
        assert!(body.contains("&lt;script&gt;alert(1)"));
    }
    let page = written(&hostile(EVIL, 9), &Beside::default());
    assert!(page.contains("\\u{202e}\\x1b[31m\\x00"));
}

#[test]
fn a_page_stays_small_whatever_the_store_holds() {
    let long = "\"\u{202e}<".repeat(1500);
    for (name, survey) in [("many", hostile(EVIL, 900)), ("long", hostile(&long, 60))] {
        let size = written(&survey, &Beside::default()).len() as f64 / 1e6;
        assert!(size < 2.2, "{name}: {size} MB");
    }
}

#[test]
fn hundreds_of_groups_are_less_than_two_megabytes_and_none_is_left_out_in_silence() {
    let (survey, beside) = real(4_000);
    let groups = survey.details.len();
    assert!(groups >= 200, "{groups} groups");
    let page = written(&survey, &beside);
    assert!(page.len() < 2_000_000, "{} bytes for {groups} groups", page.len());
    assert_eq!(page.matches("<td class=\"rank\"").count(), groups);
    let in_full = page.matches("<details class=\"group\"").count();
    assert!(in_full >= 150, "{in_full} of {groups} in full, {} bytes", page.len());
    let rest = format!("{} more group", groups - in_full);
    assert!(in_full == groups || page.contains(&rest), "{rest} is not shown");
}

#[test]
fn dumps_that_the_page_has_no_room_for_are_on_a_page_beside_it() {
    let (survey, mut beside) = real(4_000);
    let dumps = dumps_page(&survey, &beside).unwrap();
    assert!(dumps.html.len() < 1_500_000, "{} bytes", dumps.html.len());
    let many = survey.details.iter().find(|detail| detail.dumps.len() > 1).unwrap();
    assert!(dumps.groups.contains(&many.group.id));
    let path = many.dumps[1].path.clone().unwrap();
    assert!(dumps.html.contains(&path), "{path}");
    let anchor = anchor(&many.group.id);
    assert!(dumps.html.contains(&format!("id=\"{anchor}\"")));
    beside.dumps = dumps.groups;
    let link = format!("href=\"{DUMPS_FILE}#{anchor}\"");
    assert!(written(&survey, &beside).contains(&link), "{link}");
    assert_eq!(dumps_page(&real(3).0, &Beside::default()), None);
    let evil = dumps_page(&hostile(EVIL, 200), &Beside::default());
    assert!(evil.is_none_or(|page| !page.html.contains("<img")));
}

#[test]
fn a_group_without_a_title_is_called_by_what_is_known() {
    let mut group = GroupSummary { title: Some(String::new()), ..GroupSummary::default() };
    assert_eq!(title(&group).into_string(), "the cause is not known");
    group.class = Some("unmapped-read".to_owned());
    assert_eq!(title(&group).into_string(), "unmapped-read");
    group.headline = Some("a->b is 0x41 in f".to_owned());
    assert_eq!(
        title(&group).into_string(),
        "a-&gt;b is 0x41 in f <code class=\"class\">unmapped-read</code>"
    );
}

#[test]
fn only_a_link_of_the_web_is_followed() {
    let of = |link: &str| {
        let link = Some(link.to_owned());
        let group = GroupSummary { assignee: Some("ada".into()), link, ..Default::default() };
        ticket(&group).unwrap().into_string()
    };
    let link = "<a href=\"https://bugs.example/1?a=b&amp;c\" rel=\"noreferrer noopener\">";
    assert!(of("https://bugs.example/1?a=b&c").starts_with(&format!("assigned to ada, {link}")));
    for bad in ["javascript:alert(1)", "https://a/\"><script>"] {
        assert!(!of(bad).contains("<a "), "{}", of(bad));
    }
}

#[test]
fn every_link_leads_somewhere_and_no_anchor_is_there_twice() {
    for (survey, beside) in [(hostile(EVIL, 9), Beside::default()), real(300)] {
        let page = written(&survey, &beside);
        let all = |mark: &str| -> Vec<String> {
            let found = page.split(mark).skip(1);
            found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let ids = all(" id=\"");
        let unique: HashSet<&String> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len());
        for link in all("href=\"#") {
            assert!(unique.contains(&link), "#{link}");
        }
        let files: HashSet<String> = beside.crashes.values().cloned().collect();
        let others = all("href=\"").into_iter().filter(|link| !link.starts_with('#'));
        for link in others.filter(|link| link != "data:,") {
            assert!(files.contains(&link), "{link}");
        }
    }
}

#[test]
fn a_page_says_what_browsers_may_do_and_needs_nothing_else() {
    let (survey, beside) = real(50);
    let page = written(&survey, &beside);
    let policy = page.split("content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(policy.matches("'sha256-").count(), 4, "two styles, two scripts");
    for bad in ["src=\"", "http:", "https:", "'unsafe-inline'", " style=\""] {
        assert!(!page.contains(bad), "{bad}");
    }
}

#[test]
fn an_empty_store_makes_a_page() {
    let page = written(&Survey::default(), &Beside::default());
    assert!(page.contains("No crash is known"), "{page}");
}

#[test]
fn commands_name_the_store_and_are_not_there_without_one() {
    let (survey, mut beside) = real(50);
    let id = survey.details[0].group.id.clone();
    beside.store = Remembered::In("/t.db".to_owned());
    let page = written(&survey, &beside);
    assert!(page.contains(&format!("obit state {id} resolved --in BUILD --db /t.db<")));
    beside.store = Remembered::In("/my store/it's.db".to_owned());
    let page = written(&survey, &beside);
    assert!(page.contains(&format!("obit state {id} resolved --in BUILD --db '/my store/it'")));
    beside.store = Remembered::Nowhere;
    let page = written(&survey, &beside);
    assert!(!page.contains("obit state ") && page.contains("is not in a store"));
}

#[test]
fn files_and_anchors_are_named_by_ids_of_ours_alone() {
    assert_eq!(crash_file("obit-0123abcd-99").as_deref(), Some("crash-0123abcd-99.html"));
    for id in ["", "obit-", "../../etc/passwd", "a/b", "a b", &"a".repeat(65)] {
        assert_eq!(crash_file(id), None, "{id}");
    }
    assert_eq!(anchor("0123abcd"), "group-0123abcd");
    let odd = anchor("a\"b");
    assert!(odd.starts_with("group-x") && odd[7..].bytes().all(|b| b.is_ascii_hexdigit()), "{odd}");
}

#[test]
#[ignore = "writes files for scripts/test-browser"]
fn triage_pages_for_the_browser() {
    let directory = std::path::PathBuf::from(std::env::var_os("OBIT_WRITE_PAGES").unwrap());
    let long = format!("{EVIL}{}", "Long<Name>".repeat(1000));
    let mut survey = hostile(EVIL, 9);
    survey.overview.groups[3].signature.clone_from(&long);
    survey.details[3] = hostile(&long, 4).details.swap_remove(3);
    let write = |name: &str, survey: &Survey, beside: &Beside| {
        std::fs::write(directory.join(name), written(survey, beside)).unwrap();
    };
    write("triage-hostile.html", &survey, &Beside::default());
    let (survey, beside) = real(4_000);
    write("triage-many.html", &survey, &beside);
}
