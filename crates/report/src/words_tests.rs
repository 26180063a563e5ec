use super::*;

fn text(text: &str) -> Shown {
    Shown::from_report(text.to_owned())
}

fn named(name: &str) -> Variable {
    Variable { name: text(name), ..Variable::default() }
}

fn number(name: &str, value: i64) -> Variable {
    Variable { value: Some(VariableValue::Integer(value)), ..named(name) }
}

fn pointer(name: &str, type_name: &str, value: &str) -> Variable {
    Variable {
        value: Some(VariableValue::Text(value.to_owned())),
        type_name: Some(text(type_name)),
        ..named(name)
    }
}

#[test]
fn a_pointer_to_a_structure_has_a_name_beside_it_and_no_string() {
    let mut jobs = pointer("jobs", "struct queue *", "0x4bb140");
    jobs.text = Some(text("jobs"));
    assert_eq!(all(&jobs), "0x4bb140 <jobs>");
    let mut name = pointer("name", "const char *", "0x4bb140");
    name.text = Some(text("jobs"));
    assert_eq!(all(&name), "0x4bb140 \"jobs\"");
}

fn array(values: &[i64], omitted: u64) -> Variable {
    let members = values.iter().enumerate().map(|(at, value)| number(&format!("[{at}]"), *value));
    Variable { members: members.collect(), omitted, ..named("a") }
}

fn all(variable: &Variable) -> String {
    variable.words(80, Pointees::Shown)
}

#[test]
fn scalars_are_numbers_characters_enumerators_and_addresses() {
    let with = |variable: Variable, word: &str| Variable { text: Some(text(word)), ..variable };
    assert_eq!(all(&number("n", -3)), "-3");
    assert_eq!(all(&with(number("c", 97), "a")), "97 'a'");
    let wide = Variable { text_prefix: "L".to_owned(), ..with(number("c", 97), "a") };
    assert_eq!(all(&wide), "97 L'a'");
    let mut wide = with(pointer("s", "const wchar_t *", "0x4bb140"), "ab");
    wide.text_prefix = "L".to_owned();
    assert_eq!(all(&wide), "0x4bb140 L\"ab\"");
    assert_eq!(all(&with(number("c", 10), "\n")), "10 '\\n'");
    assert_eq!(all(&with(number("c", 39), "'")), "39 '\\''");
    assert_eq!(all(&with(number("e", 2), "RED")), "RED");
    assert_eq!(all(&with(number("e", 3), "A")), "A");
    assert_eq!(all(&pointer("p", "node *", "0x0")), "0x0");
    let main = with(pointer("f", "int (*)(char)", "0x401136"), "main+4");
    assert_eq!(all(&main), "0x401136 <main+4>");
    let flag = Variable { value: Some(VariableValue::Bool(true)), ..named("b") };
    assert_eq!(all(&flag), "true");
    let half = Variable { value: Some(VariableValue::Float(0.5)), ..named("f") };
    assert_eq!(all(&half), "0.5");
}

#[test]
fn texts_are_quoted_escaped_and_cut_between_characters() {
    let string = Variable { text: Some(text("a\"b\n\u{1b}[2J")), ..named("s") };
    assert_eq!(all(&string), "\"a\\\"b\\n\\x1b[2J\"");
    let mut name = pointer("p", "const char *", "0x4006");
    name.text = Some(text("abc"));
    assert_eq!(all(&name), "0x4006 \"abc\"");
    let long = Variable { text: Some(text(&"\n".repeat(50))), ..named("s") };
    assert_eq!(long.words(10, Pointees::Shown), "\"\\n\\n\\n\"\u{2026}");
    let cut = Variable { text: Some(text("abc")), text_cut: true, ..named("s") };
    assert_eq!(all(&cut), "\"abc\"\u{2026}");
}

#[test]
fn what_has_no_value_says_why() {
    let gone = Variable { status: VariableStatus::OptimizedOut, ..named("x") };
    assert_eq!(all(&gone), "<optimized out>");
    let reason = Some(text("not dumped"));
    let absent = Variable { status: VariableStatus::Unavailable, reason, ..named("x") };
    assert_eq!(all(&absent), "<unavailable: not dumped>");
}

#[test]
fn structures_and_arrays_show_what_fits_and_count_the_rest() {
    let members = (0..14).map(|at| number(&format!("m{at}"), at)).collect();
    let wide = Variable { members, ..named("s") };
    assert_eq!(wide.words(40, Pointees::Shown), "{m0 = 0, m1 = 1, m2 = 2, \u{2026} 11 more}");
    assert_eq!(all(&array(&[1, 2, 3], 7)), "{1, 2, 3, \u{2026} 7 more}");
    assert_eq!(all(&array(&[0; 64], 0)), "{0 <repeats 64 times>}");
    assert_eq!(all(&named("empty")), "{}");
}

#[test]
fn what_is_readable_is_preferred_to_the_plain_structure() {
    let vector = Variable {
        summary: Some(text("std::vector of 3")),
        elements: array(&[1, 2, 3], 0).members,
        members: vec![number("_M_impl", 0)],
        ..named("v")
    };
    assert_eq!(all(&vector), "std::vector of 3 {1, 2, 3}");
    let some =
        Variable { summary: Some(text("Some")), elements: vec![number("__0", 5)], ..named("o") };
    assert_eq!(all(&some), "Some(5)");
    let none = Variable { summary: Some(text("None")), ..named("o") };
    assert_eq!(all(&none), "None");
    let value = |child| Variable {
        summary: Some(text("std::optional")),
        elements: vec![child],
        ..named("o")
    };
    assert_eq!(all(&value(number("value", 5))), "std::optional {5}");
    let map = Variable {
        summary: Some(text("std::map of 2")),
        elements: vec![number("[0]", 5), number("[1]", 6)],
        ..named("m")
    };
    assert_eq!(all(&map), "std::map of 2 {[0] = 5, [1] = 6}");
    let pair = Variable {
        elements: vec![number("first", 1), number("second", 2)],
        summary: Some(text("std::pair")),
        ..named("[0]")
    };
    let map = Variable { elements: vec![pair], ..map };
    assert_eq!(all(&map), "std::map of 2 {1: 2}");
    let owner = Variable {
        summary: Some(text("std::unique_ptr")),
        elements: vec![Variable {
            pointee: Some(Box::new(number("", 3))),
            ..pointer("get()", "int *", "0x10")
        }],
        ..named("u")
    };
    assert_eq!(all(&owner), "std::unique_ptr 0x10 -> 3");
    let tuple = Variable { members: vec![number("__0", 5), number("__1", 6)], ..named("t") };
    assert_eq!(all(&tuple), "(5, 6)");
}

#[test]
fn references_are_what_they_refer_to_and_pointers_show_it_after_the_address() {
    let node = || Some(Box::new(Variable { members: vec![number("v", 7)], ..named("*p") }));
    let reference = Variable { pointee: node(), ..pointer("r", "Node &", "0x10") };
    assert_eq!(all(&reference), "{v = 7}");
    let pointer = Variable { pointee: node(), ..pointer("p", "Node *", "0x10") };
    assert_eq!(all(&pointer), "0x10 -> {v = 7}");
    assert_eq!(pointer.words(80, Pointees::Hidden), "0x10");
}

#[test]
fn deep_structures_end() {
    let mut deep = number("leaf", 1);
    for _ in 0..100_000 {
        deep = Variable { members: vec![deep], ..named("m") };
    }
    assert!(all(&deep).len() < 100);
    // Dropped by hand: the nesting would overflow the stack.
    while let Some(next) = deep.members.pop() {
        deep = next;
    }
}
