//! What the pages of the server hold, whatever the store has in it.

use super::*;
use obit_triage::history::Status;
use obit_triage::views::{
    Counted, DumpLine, GroupDetail, GroupPage, GroupSummary, Moment, Overview,
};

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{1b}[31m\u{202e}x\u{0}";

fn group_of(text: &str) -> GroupSummary {
    GroupSummary {
        id: text.to_owned(),
        name: Some(text.to_owned()),
        signature: text.to_owned(),
        class: Some(text.to_owned()),
        title: Some(text.to_owned()),
        headline: Some(text.to_owned()),
        assignee: Some(text.to_owned()),
        link: Some(text.to_owned()),
        reason: text.to_owned(),
        state: text.to_owned(),
        programs: vec![text.to_owned()],
        modules: vec![text.to_owned()],
        example: Some(text.to_owned()),
        status: Status::New,
        ..GroupSummary::default()
    }
}

fn page_of(text: &str) -> GroupPage {
    let counted = || vec![Counted { name: text.to_owned(), dumps: 3 }];
    let overview =
        Overview { groups: vec![group_of(text)], groups_total: 1, ..Overview::default() };
    GroupPage { overview, classes: counted(), builds: counted() }
}

fn detail_of(text: &str) -> GroupDetail {
    let dump = DumpLine {
        dump: text.to_owned(),
        crash: text.to_owned(),
        host: Some(text.to_owned()),
        path: Some(text.to_owned()),
        ..DumpLine::default()
    };
    GroupDetail {
        group: group_of(text),
        state_build: Some(text.to_owned()),
        explanation: Some(text.to_owned()),
        message: Some(text.to_owned()),
        dumps: vec![dump],
        ..GroupDetail::default()
    }
}

fn asked(text: &str) -> Asked {
    Asked {
        find: text.to_owned(),
        conditions: text.to_owned(),
        status: text.to_owned(),
        since: text.to_owned(),
        sort: text.to_owned(),
        page: 2,
        size: 1,
        ..Asked::default()
    }
}

#[test]
fn nothing_of_a_store_or_a_request_becomes_markup_or_a_control_character() {
    let detail = detail_of(HOSTILE);
    let view = GroupView {
        detail: &detail,
        revision: "r",
        csrf: Some("c"),
        can_reveal: true,
        problem: Some(HOSTILE),
    };
    let row =
        AuditRow { user: HOSTILE.to_owned(), detail: HOSTILE.to_owned(), ..AuditRow::default() };
    let frame = Frame { user: Some((HOSTILE.to_owned(), "owner".to_owned())), ..Frame::default() };
    for (name, page) in [
        ("dashboard", dashboard(&page_of(HOSTILE), &asked(HOSTILE))),
        ("group", group(&view)),
        ("compare", compare(HOSTILE, HOSTILE, Some((&detail, &detail)), Some(HOSTILE))),
        ("audit", audit(&[row], Some(HOSTILE), None)),
        ("problem", problem(HOSTILE, HOSTILE)),
        ("reveal", reveal(HOSTILE, "c", Some(HOSTILE))),
        ("feed", feed(page_of(HOSTILE).overview.groups, 1, 0, "http://localhost")),
        ("frame", frame.page(HOSTILE, Place::Groups, "")),
    ] {
        assert!(!page.contains("<script>alert"), "{name}: {page}");
        assert!(!page.contains("\"'&"), "{name}: {page}");
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!page.contains(is_bad), "{name}: {page}");
    }
}

#[test]
fn a_link_that_leads_elsewhere_than_the_web_is_text() {
    let detail = detail_of("javascript:alert(1)");
    let view =
        GroupView { detail: &detail, revision: "", csrf: None, can_reveal: false, problem: None };
    assert!(!group(&view).contains("href=\"javascript"));
}

#[test]
fn ids_are_one_part_of_an_address() {
    assert_eq!(group_path("0a1b"), "/groups/0a1b");
    assert_eq!(group_path("../x?y#z"), "/groups/%2E%2E%2Fx%3Fy%23z");
    assert_eq!(crash_path("obit-1.2"), "/crashes/obit-1%2E2");
}

#[test]
fn who_may_change_nothing_gets_no_form() {
    let detail = detail_of("a");
    let mut view =
        GroupView { detail: &detail, revision: "r", csrf: None, can_reveal: false, problem: None };
    assert!(!group(&view).contains("<form"));
    assert!(!group(&view).contains("/reveal"));
    view.csrf = Some("token");
    let page = group(&view);
    assert_eq!(page.matches("<form method=\"post\"").count(), 5);
    assert_eq!(page.matches("name=\"csrf\" value=\"token\"").count(), 5);
    assert_eq!(page.matches("name=\"revision\" value=\"r\"").count(), 4);
}

#[test]
fn pages_of_groups_lead_to_each_other_and_keep_what_was_asked_for() {
    let mut page = page_of("a");
    page.overview.groups_total = 3;
    let html =
        dashboard(&page, &Asked { find: "x y".to_owned(), page: 2, size: 1, ..Asked::default() });
    assert!(html.contains("Page 2 of 3"), "{html}");
    assert!(html.contains("href=\"/?find=x%20y\" rel=\"prev\""), "{html}");
    assert!(html.contains("href=\"/?find=x%20y&amp;page=3\" rel=\"next\""), "{html}");
}

#[test]
fn style_and_script_ask_the_network_for_nothing() {
    for text in [style(), script()] {
        for bad in ["http:", "https:", "@import", "url("] {
            assert!(!text.contains(bad), "{bad}");
        }
    }
}

#[test]
fn the_feed_has_the_newest_groups_and_says_how_many_there_are() {
    let one = page_of("x").overview.groups.into_iter().next().unwrap();
    let at = |n: i64, status: Status| {
        let mut group = one.clone();
        group.id = format!("g{n}");
        group.status = status;
        let moment = |time| Moment { time, release: None, build: None };
        (group.first, group.last) = (Some(moment(n)), Some(moment(n + 100_000)));
        group
    };
    let groups: Vec<_> = (0..60).map(|n| at(n, Status::New)).collect();
    let entries = |text: &str| -> Vec<String> {
        let links = text.split("<link href=\"http://h/groups/").skip(1);
        links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let text = feed(groups.clone(), 70, 0, "http://h");
    let wanted: Vec<String> = (10..60).rev().map(|n| format!("g{n}")).collect();
    assert_eq!(entries(&text), wanted);
    assert!(text.contains("<subtitle>the newest 50 of 70</subtitle>"), "{text}");
    // A new group is as old as its first dump, a regressed one as its last.
    let few = vec![groups[9].clone(), at(3, Status::Regressed)];
    let text = feed(few, 2, 0, "http://h");
    assert_eq!(entries(&text), ["g3", "g9"]);
    assert!(text.contains("<updated>1970-01-01T00:00:09Z</updated>"), "{text}");
    assert!(!text.contains("subtitle"), "{text}");
}
