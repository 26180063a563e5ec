//! How expressions are parsed, each shown in Lisp notation.

use super::ast::TypeExpr;
use super::{
    BinaryOp, Expr, ExprKind, Literal, Path, Problem, SyntaxError, UnaryOp, column, parse,
    pointed_at,
};

/// `node` and whatever ends in `_t` are types.
fn is_type(path: &Path) -> bool {
    let name = path.segments.last().map_or("", String::as_str);
    name == "node" || name.ends_with("_t")
}

fn read(text: &str) -> String {
    match parse(text, &is_type) {
        Ok(expression) => lisp(&expression),
        Err(error) => panic!("{text}: {error}\n{}", pointed_at(&error.span, text)),
    }
}

fn refused(text: &str) -> SyntaxError {
    match parse(text, &is_type) {
        Ok(expression) => panic!("{text} is {}", lisp(&expression)),
        Err(error) => error,
    }
}

fn lisp(expression: &Expr) -> String {
    match &expression.kind {
        ExprKind::Literal(Literal::Integer { value, .. }) => value.to_string(),
        ExprKind::Literal(Literal::Float { value, .. }) => format!("{value:?}"),
        ExprKind::Literal(Literal::Character(code)) => format!("#{code}"),
        ExprKind::Literal(Literal::Text(bytes)) => format!("{:?}", String::from_utf8_lossy(bytes)),
        ExprKind::Boolean(truth) => truth.to_string(),
        ExprKind::Null => "null".to_owned(),
        ExprKind::Name(path) => path.to_string(),
        ExprKind::Register(name) => format!("${name}"),
        ExprKind::Member { of, name } => format!("(. {} {name})", lisp(of)),
        ExprKind::Index { of, index } => format!("([] {} {})", lisp(of), lisp(index)),
        ExprKind::Slice { of, start, end, is_inclusive } => {
            let bound = |bound: &Option<Box<Expr>>| bound.as_ref().map_or("_".into(), |b| lisp(b));
            let dots = if *is_inclusive { "..=" } else { ".." };
            format!("({dots} {} {} {})", lisp(of), bound(start), bound(end))
        }
        ExprKind::Repeat { first, count } => format!("(@ {} {})", lisp(first), lisp(count)),
        ExprKind::Unary(op, operand) => {
            let op = match op {
                UnaryOp::Dereference => "*",
                UnaryOp::AddressOf => "&",
                UnaryOp::Plus => "+",
                UnaryOp::Minus => "-",
                UnaryOp::Complement => "~",
                UnaryOp::Not => "!",
            };
            format!("({op} {})", lisp(operand))
        }
        ExprKind::Binary(op, left, right) => {
            format!("({} {} {})", sign(*op), lisp(left), lisp(right))
        }
        ExprKind::Conditional { condition, then, otherwise } => {
            format!("(? {} {} {})", lisp(condition), lisp(then), lisp(otherwise))
        }
        ExprKind::Cast(ty, operand) => format!("(cast {} {})", spell(ty), lisp(operand)),
        ExprKind::ObjectAt(ty, operand) => format!("(at {} {})", spell(ty), lisp(operand)),
        ExprKind::SizeOf(operand) => format!("(sizeof {})", lisp(operand)),
        ExprKind::SizeOfType(ty) => format!("(sizeof {})", spell(ty)),
    }
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
        BinaryOp::ShiftLeft => "<<",
        BinaryOp::ShiftRight => ">>",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
    }
}

fn spell(ty: &TypeExpr) -> String {
    match ty {
        TypeExpr::Base(base) => format!("{base:?}"),
        TypeExpr::Named { word: Some(word), path } => format!("{word:?}:{path}"),
        TypeExpr::Named { word: None, path } => path.to_string(),
        TypeExpr::Const(ty) => format!("const({})", spell(ty)),
        TypeExpr::Volatile(ty) => format!("volatile({})", spell(ty)),
        TypeExpr::Pointer(ty) => format!("{}*", spell(ty)),
        TypeExpr::Reference(ty) => format!("{}&", spell(ty)),
        TypeExpr::RvalueReference(ty) => format!("{}&&", spell(ty)),
        TypeExpr::Array(ty, count) => format!("{}[{count}]", spell(ty)),
        TypeExpr::Function { result, parameters } => {
            let parameters: Vec<_> = parameters.iter().map(spell).collect();
            format!("{}({})", spell(result), parameters.join(","))
        }
    }
}

#[test]
fn operators_bind_as_in_c() {
    for (text, meaning) in [
        ("a + b * c - d", "(- (+ a (* b c)) d)"),
        ("a << 1 + 2 == b & c", "(& (== (<< a (+ 1 2)) b) c)"),
        ("a || b && c | d ^ e", "(|| a (&& b (| c (^ d e))))"),
        ("a < b == c >= d", "(== (< a b) (>= c d))"),
        ("a ? b : c ? d : e", "(? a b (? c d e))"),
        ("a - b - c", "(- (- a b) c)"),
        ("(a - (b - c))", "(- a (- b c))"),
        ("a >> 2 > b", "(> (>> a 2) b)"),
        ("-a.b", "(- (. a b))"),
        ("!~+a", "(! (~ (+ a)))"),
        ("**p", "(* (* p))"),
        ("*p->q[3].r", "(* (. ([] (. p q) 3) r))"),
        ("&a[1]", "(& ([] a 1))"),
        ("a & &b", "(& a (& b))"),
        ("a % 7 / 2", "(/ (% a 7) 2)"),
    ] {
        assert_eq!(read(text), meaning, "{text}");
    }
}

#[test]
fn paths_are_read_in_the_spelling_of_each_language() {
    for (text, meaning) in [
        ("ns::Class<int, std::string>::member", "ns::Class<int,std::string>::member"),
        ("std::vector<std::vector<int>>::npos", "std::vector<std::vector<int>>::npos"),
        ("std::map<int, std::less<int> >::x", "std::map<int,std::less<int>>::x"),
        ("::global", "::global"),
        ("'file.c'::var", "'file.c'::var"),
        ("'f(int)'::counter", "'f(int)'::counter"),
        ("function::variable", "function::variable"),
        ("(anonymous namespace)::x", "(anonymous namespace)::x"),
        ("crate::module::STATIC", "crate::module::STATIC"),
        ("alloc::vec::Vec::<u8>::MAX", "alloc::vec::Vec<u8>::MAX"),
        ("krate::{impl#0}::f::{closure#1}", "krate::{impl#0}::f::{closure#1}"),
        ("'net/http.(*Server).Serve'", "net/http.(*Server).Serve"),
        ("runtime.g0", "(. runtime g0)"),
        ("'ns::f(a::b)'", "ns::f(a::b)"),
    ] {
        assert_eq!(read(text), meaning, "{text}");
    }
}

#[test]
fn an_angle_bracket_that_compares_is_not_a_template() {
    assert_eq!(read("a<b"), "(< a b)");
    assert_eq!(read("a<b && c>d"), "(&& (< a b) (> c d))");
    assert_eq!(read("a<b && c>(d)"), "(&& (< a b) (> c d))");
    assert_eq!(read("v[i]<n && w[i]>m"), "(&& (< ([] v i) n) (> ([] w i) m))");
    assert_eq!(read("a<b>>c"), "(< a (>> b c))");
}

#[test]
fn members_are_named_numbered_or_of_a_base() {
    assert_eq!(read("pair.0.1"), "(. (. pair 0) 1)");
    assert_eq!(read("opt.Some.__0"), "(. (. opt Some) __0)");
    assert_eq!(read("this->Base::x"), "(. this Base::x)");
}

#[test]
fn ranges_and_repetitions_select_several_elements() {
    assert_eq!(read("p[0..n]"), "(.. p 0 n)");
    assert_eq!(read("p[..]"), "(.. p _ _)");
    assert_eq!(read("p[2..]"), "(.. p 2 _)");
    assert_eq!(read("p[a+1..=b]"), "(..= p (+ a 1) b)");
    assert_eq!(read("p[0]@n"), "(@ ([] p 0) n)");
    assert_eq!(read("*argv@argc + 1 << 2"), "(<< (@ (* argv) (+ argc 1)) 2)");
}

#[test]
fn casts_are_read_in_every_spelling() {
    for (text, meaning) in [
        ("(struct foo *)x", "(cast Struct:foo* x)"),
        ("(unsigned char)c", "(cast UnsignedChar c)"),
        ("(char unsigned const *)c + 1", "(+ (cast const(UnsignedChar)* c) 1)"),
        ("(const char **)p", "(cast const(Char)** p)"),
        ("(char *const)p", "(cast const(Char*) p)"),
        ("(ns::T<int> &)x", "(cast ns::T<int>& x)"),
        ("(int (*)(int, char *))f", "(cast Int(Int,Char*)* f)"),
        ("(int (*)(void))f", "(cast Int()* f)"),
        ("(int (*)[3][4])p", "(cast Int[4][3]* p)"),
        ("(enum color)1", "(cast Enum:color 1)"),
        ("x as *const T", "(cast T* x)"),
        ("x as *mut [u8; 4]", "(cast u8[4]* x)"),
        ("x as u64 * 2", "(* (cast u64 x) 2)"),
        ("-x as i8 as u32", "(cast u32 (cast i8 (- x)))"),
        ("&x as &T", "(cast T& (& x))"),
        ("(*const u8)p", "(cast u8* p)"),
        ("int(x)", "(cast Int x)"),
        ("unsigned char(x) + 1", "(+ (cast UnsignedChar x) 1)"),
        ("static_cast<T *>(x)->y", "(. (cast T* x) y)"),
        ("reinterpret_cast<std::vector<int>>(x)", "(cast std::vector<int> x)"),
        ("{int} 0x10", "(at Int 16)"),
        ("{struct foo *} $sp", "(at Struct:foo* $sp)"),
        ("*(int *)p", "(* (cast Int* p))"),
        ("(long)a.b", "(cast Long (. a b))"),
    ] {
        assert_eq!(read(text), meaning, "{text}");
    }
}

#[test]
fn a_name_in_parentheses_casts_if_it_must_or_names_a_type() {
    assert_eq!(read("(unknown)x"), "(cast unknown x)");
    assert_eq!(read("(unknown)(x)"), "(cast unknown x)");
    assert_eq!(read("(unknown)'a'"), "(cast unknown #97)");
    assert_eq!(read("(size_t)-1"), "(cast size_t (- 1))");
    assert_eq!(read("(size_t)*p.q"), "(cast size_t (* (. p q)))");
    assert_eq!(read("(size_t)&x"), "(cast size_t (& x))");
    assert_eq!(read("(count)-1"), "(- count 1)");
    assert_eq!(read("(count)*p.q"), "(* count (. p q))");
    assert_eq!(read("(count) & mask"), "(& count mask)");
    assert_eq!(read("(p).x"), "(. p x)");
    assert_eq!(read("(p)[2]"), "([] p 2)");
    assert_eq!(read("(p)"), "p");
    assert_eq!(read("(a[3])"), "([] a 3)");
    assert_eq!(read("(x) as u8"), "(cast u8 x)");
}

#[test]
fn sizes_are_of_values_and_of_types() {
    assert_eq!(read("sizeof(struct foo)"), "(sizeof Struct:foo)");
    assert_eq!(read("sizeof(unsigned long[4])"), "(sizeof UnsignedLong[4])");
    assert_eq!(read("sizeof(size_t)"), "(sizeof size_t)");
    assert_eq!(read("sizeof(x) / sizeof(x[0])"), "(/ (sizeof x) (sizeof ([] x 0)))");
    assert_eq!(read("sizeof *p + 1"), "(+ (sizeof (* p)) 1)");
}

#[test]
fn literals_stand_for_themselves() {
    for (text, meaning) in [
        ("0x1f + 010 + 0b11 + 1_000u64", "(+ (+ (+ 31 8) 3) 1000)"),
        ("c == 'A'", "(== c #65)"),
        ("name == \"root\"", "(== name \"root\")"),
        ("p != NULL && q != nullptr", "(&& (!= p null) (!= q null))"),
        ("ok == true", "(== ok true)"),
        ("1.5e3", "1500.0"),
        ("$rsp + 8", "(+ $rsp 8)"),
    ] {
        assert_eq!(read(text), meaning, "{text}");
    }
}

#[test]
fn rusts_mut_is_read_and_a_variable_of_that_name_too() {
    assert_eq!(read("&mut x"), "(& x)");
    assert_eq!(read("&mut"), "(& mut)");
    assert_eq!(read("&mut.lock"), "(& (. mut lock))");
}

#[test]
fn nothing_is_called_and_nothing_written() {
    assert_eq!(refused("f(x)").problem, Problem::Call);
    assert_eq!(refused("v.size()").problem, Problem::Call);
    assert_eq!(refused("v.size()").span, 6..7);
    for text in ["x = 1", "x += 1", "x++", "--x", "x >>= 1", "x <<= 1", "a[i] = 2"] {
        assert!(matches!(refused(text).problem, Problem::Assignment(_)), "{text}");
    }
    assert_eq!(refused("x = 1").hint(), Some("compare with `==`"));
}

#[test]
fn a_syntax_error_names_its_column_and_what_was_found() {
    for (text, at, message) in [
        ("", 1, "the expression is empty"),
        ("  ", 3, "the expression is empty"),
        ("a +", 4, "expected a value, found the end of the expression"),
        ("a + * )", 7, "expected a value, found `)`"),
        ("a b", 3, "expected an operator before `b`"),
        ("a.", 3, "expected a name after `.`, found the end of the expression"),
        ("a->3", 4, "expected a name after `->`, found `3`"),
        ("ns::", 5, "expected a name after `::`, found the end of the expression"),
        ("a[1", 4, "expected `]` after `[`, found the end of the expression"),
        ("(a + b]", 7, "expected `)` after `(`, found `]`"),
        ("a ? b", 6, "expected `:` and a second value after `?`"),
        ("'abc", 1, "unterminated ' quote"),
        ("a # b", 3, "unexpected character `#`"),
        ("x as 3", 6, "expected a type, found `3`"),
        ("(struct)x", 8, "expected a name after `struct`, found `)`"),
        ("(unsigned float)x", 2, "`unsigned float` is not a type"),
        ("a, b", 2, "a list of values cannot be printed"),
        ("int", 1, "a type without a value cannot be printed"),
        ("f->*g", 2, "a pointer to member cannot be followed"),
    ] {
        let error = refused(text);
        assert_eq!(
            (column(&error.span, text), error.to_string().as_str()),
            (at, message),
            "{text}"
        );
    }
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    for open in ["(", "*", "-", "!", "a[", "{int}", "a?", "(int)", "sizeof ", "x<", "x(", "(a("] {
        let text = open.repeat(4000 / open.len());
        refused(&text);
    }
    for more in [".a", "[0]", "+1", " as u8", "@1"] {
        let text = format!("a{}", more.repeat(3000 / more.len()));
        let problem = refused(&text).problem;
        assert!(matches!(problem, Problem::TooDeep { .. }), "{more}: {problem:?}");
    }
    let types = ["(int (*)(", "(a(*)(", "(a *", "x as *const "];
    for open in types {
        refused(&open.repeat(4000 / open.len()));
    }
}

#[test]
fn any_sequence_of_tokens_is_read_or_refused_within_its_own_text() {
    const PARTS: [&str; 40] = [
        "a",
        "node",
        "int",
        "struct ",
        "const ",
        "unsigned ",
        "sizeof ",
        " as ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "::",
        ".",
        "->",
        "..",
        "..=",
        "*",
        "&",
        "&&",
        "-",
        "!",
        "~",
        "?",
        ":",
        "@",
        "=",
        ",",
        "0",
        "1.5",
        "'x'",
        "'f.c'",
        "\"s\"",
        "$rip",
        "é",
        " ",
    ];
    let mut random = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text += PARTS[usize::try_from(random >> 33).unwrap() % PARTS.len()];
        }
        match parse(&text, &is_type) {
            Ok(expression) => assert!(text.get(expression.span).is_some(), "{text}"),
            Err(error) => assert!(text.get(error.span.clone()).is_some(), "{text}: {error:?}"),
        }
    }
}
