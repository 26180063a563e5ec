use super::*;

/// A crash: `called > function` or `function`, its callers behind `<`, innermost first.
fn key(text: &str) -> CrashKey {
    let (called, stack) = text.split_once(" > ").unwrap_or(("", text));
    let frames: Vec<String> = stack.split(" < ").map(str::to_owned).collect();
    let called = match called {
        "" => Called::Nothing,
        "(recursion)" => Called::Recursion,
        name if name.ends_with(".so") => Called::Unnamed(name.to_owned()),
        name => Called::Function(name.to_owned()),
    };
    let functions = match called {
        Called::Recursion => frames.clone(),
        _ => frames[..1].to_vec(),
    };
    CrashKey {
        signature: format!("{called:?} {functions:?}"),
        image: "app".to_owned(),
        build: "1".to_owned(),
        class: "unmapped-read".to_owned(),
        called,
        functions,
        frames,
        ..CrashKey::default()
    }
}

fn blamed(text: &str, function: &str) -> CrashKey {
    CrashKey { blamed: function.to_owned(), ..key(text) }
}

fn of_build(build: &str, text: &str) -> CrashKey {
    CrashKey { build: build.to_owned(), ..key(text) }
}

fn groups_of(keys: &[CrashKey]) -> Vec<Vec<usize>> {
    let mut groups = group(keys, &vec![1; keys.len()], &Constraints::default()).groups;
    groups.sort();
    groups
}

fn are_one(keys: &[CrashKey]) -> bool {
    groups_of(keys).len() == 1
}

fn are_suspected(keys: &[CrashKey]) -> bool {
    let found = group(keys, &vec![1; keys.len()], &Constraints::default());
    found.groups.len() == 2 && found.suspected.len() == 1
}

/// The program's other crashes, so that functions are rare or common.
fn with_others(mut keys: Vec<CrashKey>) -> Vec<CrashKey> {
    for n in 0..20 {
        keys.push(key(&format!("other{n} < task{n} < work{} < loop < main", n % 3)));
    }
    keys
}

fn are_one_among_others(keys: Vec<CrashKey>) -> bool {
    let count = keys.len();
    let groups = groups_of(&with_others(keys));
    groups.iter().any(|group| *group == (0..count).collect::<Vec<_>>())
}

#[test]
fn a_signature_is_a_group_for_any_caller() {
    let keys = ["walk < a < main", "walk < b < main", "strlen > walk < a < main"].map(key);
    assert_eq!(groups_of(&keys), [vec![0, 1], vec![2]]);
}

#[test]
fn a_helper_that_hands_on_what_it_got_is_skipped_for_its_callers() {
    let two = |blame: [&str; 2]| {
        let of = |caller: &str, blame: &str| {
            blamed(&format!("memmove > copy_of < {caller} < loop < main"), blame)
        };
        [of("parse", blame[0]), of("parse", blame[0]), of("store", blame[1])]
    };
    assert_eq!(groups_of(&two(["parse", "store"])), [vec![0, 1], vec![2]]);
    // A function that fails by itself is only busy.
    assert!(are_one(&two(["copy_of", "copy_of"])));
    assert!(are_one(&two(["", ""])), "where nothing is blamed, nothing is split");
    assert!(are_one(&two(["parse", "copy_of"])), "not clear enough");
    let named = ["parse", "store"].map(|by| key(&format!("memmove > mem_dup < {by} < main")));
    assert!(!are_one(&named), "but a name may say it");
}

#[test]
fn callers_of_a_helper_on_one_way_are_one() {
    let keys = [
        blamed("free_block < clear < drop < main", "clear"),
        blamed("free_block < buckets < clear < drop < main", "buckets"),
    ];
    assert!(are_one(&keys));
    // The fault came from the same place through two functions.
    let keys = [
        blamed("at < type_of < option < first < main", "first"),
        blamed("at < to_number < first < other", "first"),
    ];
    assert!(are_one(&keys));
}

#[test]
fn who_asks_for_the_end_is_not_who_ends() {
    let of =
        |function: &str, caller: &str| key(&format!("abort > {function} < {caller} < loop < main"));
    let groups = |function| groups_of(&[of(function, "parse"), of(function, "store")]).len();
    assert_eq!(groups("report_fatal"), 2);
    assert_eq!(groups("app::Log::failCheck"), 2);
    assert_eq!(groups("diet"), 1);
    // A stack that ends with the helper goes with the most.
    let short = key("abort > report_fatal");
    let keys = [of("report_fatal", "parse"), of("report_fatal", "parse"), short];
    assert!(are_one(&keys));
}

#[test]
fn an_argument_that_went_wrong_further_out_is_one_bug_wherever_it_is_used() {
    let called = |text: &str, expression: &str| CrashKey {
        expression: expression.to_owned(),
        ..blamed(text, "make_object")
    };
    let used = ["fields < make_object < desugar < main", "make_object < desugar < main"];
    let keys = vec![called(used[0], "node"), called(used[1], "node")];
    assert!(are_one_among_others(keys.clone()));
    let other = vec![keys[0].clone(), called(used[1], "scope")];
    assert!(!are_one_among_others(other), "another value of the function");
    let unknown = vec![keys[0].clone(), called(used[1], "")];
    assert!(!are_one_among_others(unknown), "which value it was is not known");
    let mut called = keys;
    called[0].called = Called::Function("strlen".to_owned());
    called[0].signature = "other".to_owned();
    assert!(!are_one_among_others(called), "another library function is another bug");
}

/// `process` hands what `maker` returned at `line` to the function `to`.
fn handed_on(to: &str, maker: &str, line: u32, build: &str) -> CrashKey {
    CrashKey {
        returned_by: maker.to_owned(),
        made_at: line.to_string(),
        build: build.to_owned(),
        ..blamed(&format!("{to} < process < main"), "process")
    }
}

#[test]
fn a_dispatcher_that_hands_on_several_bad_values_has_several_bugs() {
    let bugs = vec![
        handed_on("greet", "find_user", 31, "O0"),
        handed_on("bill", "find_order", 32, "O0"),
        handed_on("reserve", "find_item", 33, "O2"),
    ];
    assert_eq!(groups_of(&bugs).len(), 3);
    // One function returned both, for two calls.
    let calls =
        vec![handed_on("render", "lookup", 31, "O0"), handed_on("touch", "lookup", 34, "O0")];
    assert_eq!(groups_of(&calls).len(), 2);
    // One call, whose value was used twice.
    let uses = vec![
        handed_on("draw_title", "load_theme", 31, "O0"),
        handed_on("draw_body", "load_theme", 31, "O0"),
    ];
    assert!(are_one_among_others(uses));
}

#[test]
fn what_two_functions_returned_is_two_bugs_where_one_build_shows_both() {
    let keys = |builds: [&str; 2]| {
        let user = handed_on("greet", "find_user", 31, builds[0]);
        [user, handed_on("greet", "find_guest", 36, builds[1])]
    };
    let [one, two] = keys(["O0", "O0"]);
    assert_eq!(groups_of(&[one.clone(), two.clone()]).len(), 2);
    let names = group(&[one, two], &[1, 1], &Constraints::default()).subgroups;
    assert!(names[0].ends_with("@process=find_user"), "{names:?}");
    // `find_guest` may be what is left of `find_user` at another level.
    assert!(are_one(&keys(["O0", "O2"])));
}

#[test]
fn a_trap_and_a_fault_are_two_bugs_where_one_build_shows_both() {
    let of = |class: &str, build: &str| CrashKey {
        class: class.to_owned(),
        ..of_build(build, "total < add < main")
    };
    assert_eq!(groups_of(&[of("trap", "O2"), of("null-read", "O2")]).len(), 2);
    // A compiler puts a trap where an access cannot succeed.
    assert!(are_one(&[of("trap", "O2"), of("null-read", "O0")]));
}

#[test]
fn an_exception_without_a_handler_is_one_bug_by_whatever_function_it_ends() {
    let of = |called: &str, build: &str| CrashKey {
        class: "noexcept-violation".to_owned(),
        ..of_build(build, &format!("{called} > at < serve < main"))
    };
    let (thrown, stopped) = (of("cxa_throw", "gcc"), of("clang_call_terminate", "clang"));
    assert!(are_one(&[thrown.clone(), stopped.clone()]));
    let rethrown = of("cxa_rethrow", "gcc");
    assert!(are_suspected(&[thrown.clone(), rethrown]), "two places of one build");
    let terminated = CrashKey { class: "abort".to_owned(), ..of("std::terminate", "clang") };
    assert!(!are_one(&[thrown, terminated]));
    // The frame that threw is gone where the unwinder had begun.
    let thrown = CrashKey {
        class: stopped.class.clone(),
        ..of_build("gcc", "cxa_throw > flush < at < serve < main")
    };
    assert!(are_one_among_others(vec![thrown, stopped]));
}

#[test]
fn two_conditions_of_one_function_are_two_bugs() {
    let of = |condition: &str, build: &str| CrashKey {
        class: "assertion".to_owned(),
        asserted: condition.to_owned(),
        ..of_build(build, "assert_fail > check < main")
    };
    assert!(are_one(&[of("n < 4", "O0"), of("n < 4", "O2"), of("", "O2")]));
    assert_eq!(groups_of(&[of("n < 4", "O0"), of("n > 0", "O2")]).len(), 2);
}

#[test]
fn a_function_that_only_panics_for_others_is_skipped() {
    let of = |called: &str, function: &str, caller: &str| {
        key(&format!("{called} > {function} < {caller} < main.process < main.main"))
    };
    let groups = |called, function| {
        groups_of(&[of(called, function, "main.weight"), of(called, function, "main.plan")]).len()
    };
    assert_eq!(groups("runtime.gopanic", "main.check"), 2);
    assert_eq!(groups("core::panicking::panic_fmt", "app::ensure"), 2);
    assert_eq!(groups("runtime.gopanic", "main.checkHeader"), 1, "it judges by itself");
}

#[test]
fn what_one_build_shows_as_two_is_not_suspected() {
    let of = |called: &str, class: &str, build: &str| CrashKey {
        class: class.to_owned(),
        ..of_build(build, &format!("{called} > load < serve < main"))
    };
    let assertion = of("assert_fail", "assertion", "O0");
    assert!(are_suspected(&[assertion.clone(), of("free", "double-free", "O2")]));
    let keys = [assertion, of("free", "double-free", "O0")];
    assert!(!are_suspected(&keys) && !are_one(&keys));
}

#[test]
fn a_bad_value_that_may_be_of_several_groups_is_no_suspicion() {
    let of = |to: &str, build: &str| CrashKey {
        returned_by: String::new(),
        made_at: String::new(),
        ..handed_on(to, "", 0, build)
    };
    let suspected = |keys: Vec<CrashKey>| {
        let keys = with_others(keys);
        group(&keys, &vec![1; keys.len()], &Constraints::default()).suspected.len()
    };
    assert_eq!(suspected(vec![of("greet", "O0"), of("bill", "O2")]), 1);
    assert_eq!(suspected(vec![of("greet", "O0"), of("bill", "O2"), of("reserve", "O3")]), 0);
}

#[test]
fn each_signature_of_a_group_says_why_it_is_in_it() {
    let keys = with_others(vec![
        of_build("O0", "letter < word < line < main"),
        of_build("O2", "word < line < main"),
    ]);
    let counts: Vec<u64> = (0..keys.len() as u64).map(|at| at + 1).collect();
    let found = group(&keys, &counts, &Constraints::default());
    let merge = found.merges[0].clone().expect("the smaller one has a reason");
    assert_eq!((merge.rule, &merge.with), (MergeRule::LostFunction, &found.subgroups[1]));
    assert!(merge.likeness >= SAME);
    assert!(found.merges[1..].iter().all(Option::is_none));
    let together = vec![(keys[0].signature.clone(), keys[5].signature.clone())];
    let by_hand = Constraints { together, ..Constraints::default() };
    let found = group(&keys, &counts, &by_hand);
    assert!(found.merges.iter().flatten().any(|merge| merge.rule == MergeRule::ByHand));
}

#[test]
fn a_function_that_one_build_lost_is_no_other_bug() {
    let more = of_build("O0", "letter < word < line < main");
    let less = |build| of_build(build, "word < line < main");
    assert!(are_one_among_others(vec![more.clone(), less("O2")]));
    assert!(!are_one_among_others(vec![more.clone(), less("O0")]), "one build has both");
    let other_class = CrashKey { class: "division".to_owned(), ..less("O2") };
    assert!(!are_one_among_others(vec![more.clone(), other_class]));
    // Which of two?
    let second = of_build("O0", "digit < word < line < main");
    assert!(!are_one_among_others(vec![more, second, less("O2")]));
}

#[test]
fn a_library_function_that_compilers_replace_is_one() {
    let of =
        |called: &str, build: &str| of_build(build, &format!("{called}announce < serve < main"));
    assert!(are_one(&[of("printf > ", "O0"), of("puts > ", "O2")]));
    assert!(are_one(&[of("memmove > ", "O0"), of("", "O2")]), "put in line");
    assert!(are_suspected(&[of("memmove > ", "O0"), of("", "O0")]), "one build has both");
    assert!(are_suspected(&[of("assert_fail > ", "O0"), of("", "O2")]));
    assert!(are_suspected(&[of("strlen > ", "O0"), of("free > ", "O2")]));
}

#[test]
fn a_library_without_symbols_is_the_function_that_all_else_names() {
    let named = key("strlen > label < parse < main");
    let unnamed = key("libc.so > label < parse < main");
    assert!(are_one(&[unnamed.clone(), named.clone()]));
    let second = key("free > label < parse < main");
    let keys = [unnamed.clone(), named, second];
    assert_eq!(groups_of(&keys).len(), 3, "which of two is open");
    assert!(are_suspected(&[unnamed.clone(), key("label < parse < main")]));
    let jump = key("(no code) > label < parse < main");
    assert!(!are_one(&[unnamed.clone(), jump]), "there was code");
    assert!(!are_one(&[unnamed, key("strlen > other < parse < main")]));
}

#[test]
fn two_jumps_to_nowhere_are_two_pointers() {
    let keys = vec![
        blamed("(no code) > call < load < main", "load"),
        blamed("(no code) > load < main", "load"),
    ];
    assert!(!are_one_among_others(keys));
}

#[test]
fn a_circle_is_the_same_if_some_of_it_was_inlined() {
    let circle = |functions: &str| key(&format!("(recursion) > {functions}"));
    assert!(are_one(&[circle("sum < term < factor"), circle("factor < sum")]));
    assert!(!are_one(&[circle("sum < term"), circle("left < right")]));
    assert!(!are_one(&[circle("sum < term"), key("sum < term")]));
}

#[test]
fn nothing_is_merged_without_a_function_or_across_images() {
    let nothing = |signature: &str| CrashKey {
        signature: signature.to_owned(),
        called: Called::Function("poll".to_owned()),
        image: "libc.so".to_owned(),
        ..CrashKey::default()
    };
    assert!(!are_one(&[nothing("a"), nothing("b")]));
    let mut other = of_build("O2", "word < line < main");
    let more = of_build("O0", "letter < word < line < main");
    other.image = "libword.so".to_owned();
    assert!(!are_one_among_others(vec![more, other]));
}

#[test]
fn what_the_user_says_is_stronger_than_any_measure() {
    let keys = with_others(vec![
        of_build("O0", "letter < word < line < main"),
        of_build("O2", "word < line < main"),
        key("free > clear < main"),
    ]);
    let names: Vec<&String> = keys.iter().map(|key| &key.signature).collect();
    let counts = vec![1; keys.len()];
    let apart = vec![(names[0].clone(), names[1].clone())];
    let together = vec![(names[2].clone(), names[1].clone())];
    let members = |constraints: &Constraints| {
        let found = group(&keys, &counts, constraints);
        let of = |at: usize| found.groups.iter().position(|group| group.contains(&at)).unwrap();
        (
            of(0) == of(1),
            of(1) == of(2),
            found
                .suspected
                .iter()
                .any(|(a, b, _)| (*a, *b) == (of(0).min(of(1)), of(0).max(of(1)))),
        )
    };
    assert_eq!(members(&Constraints::default()), (true, false, false));
    assert_eq!(
        members(&Constraints { apart: apart.clone(), ..Constraints::default() }),
        (false, false, false)
    );
    let merged = Constraints { together: together.clone(), ..Constraints::default() };
    assert_eq!(members(&merged), (true, true, false));
    assert_eq!(members(&Constraints { together, apart }), (false, true, false));
}

#[test]
fn the_order_of_the_traces_does_not_count() {
    let rules = crate::Rules::built_in();
    let crashes = (0..3000).map(|n| crate::testkit::crash(1, n, &rules));
    let mut counts: BTreeMap<CrashKey, u64> = BTreeMap::new();
    for key in crashes.filter_map(|crash| CrashKey::of(&crash.record)) {
        *counts.entry(key).or_default() += 1;
    }
    let (keys, counts): (Vec<CrashKey>, Vec<u64>) = counts.into_iter().unzip();
    let wanted = partition(&keys, &counts);
    assert!(wanted.len() > 200 && wanted.len() < 400, "{} groups", wanted.len());
    for step in [7, 1009] {
        let order = (0..keys.len()).map(|at| at * step % keys.len());
        let order: BTreeSet<usize> = order.collect();
        assert_eq!(order.len(), keys.len(), "{step} is no permutation");
        let order = (0..keys.len()).map(|at| at * step % keys.len());
        let (keys, counts): (Vec<CrashKey>, Vec<u64>) =
            order.map(|at| (keys[at].clone(), counts[at])).unzip();
        assert_eq!(partition(&keys, &counts), wanted);
    }
}

fn partition(keys: &[CrashKey], counts: &[u64]) -> BTreeSet<BTreeSet<CrashKey>> {
    let found = group(keys, counts, &Constraints::default());
    let groups = found.groups.iter();
    groups.map(|group| group.iter().map(|at| keys[*at].clone()).collect()).collect()
}

#[path = "damage_tests.rs"]
mod damage;
#[path = "null_tests.rs"]
mod null;
#[path = "panic_tests.rs"]
mod panic;
