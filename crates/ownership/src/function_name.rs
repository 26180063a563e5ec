//! Names of functions without what a compiler, a build or a processor added to them.

use std::borrow::Cow;

/// Bytes of a name that are looked at.
const LONGEST: usize = 4096;
/// Brackets within brackets that are looked into.
const DEEPEST: usize = 12;

/// Digits of a hash of Rust's.
const HASH_DIGITS: usize = 16;

/// Suffixes of functions that a compiler split or copied, before a number.
const NUMBERED: &[&str] =
    &[".cold", ".isra", ".part", ".constprop", ".lto_priv", ".llvm", ".localalias", ".__uniq"];

/// Such suffixes that end a name.
const ENDS: &[&str] = &[".cold", ".localalias", ".warm", ".abi0", ".abiinternal"];

/// The name of a function in the form that builds, optimisation levels, compilers and
/// demanglers agree on: without return type, arguments, template arguments, clone
/// suffixes, hashes, numbers of lambdas and closures, ABI tags and inline and anonymous
/// namespaces. Control characters become spaces.
pub fn normalized(name: &str) -> String {
    // Clang puts the words of `__builtin_verbose_trap` into the name.
    const TRAP: &str = "__clang_trap_msg";
    if name.strip_prefix(TRAP).is_some_and(|rest| rest.starts_with('$')) {
        return TRAP.to_owned();
    }
    let name = cut(name, LONGEST);
    if let Some(script) = of_script(name) {
        return script.replace(char::is_control, " ");
    }
    let name = name
        .split_once('@')
        .map_or(name, |(before, _)| if before.is_empty() { name } else { before });
    let mut reader = Reader { rest: without_clones(name), out: String::new() };
    reader.read(0);
    let plain = components(without_return_type(without_qualifiers(&reader.out)));
    if plain.is_empty() { name.replace(char::is_control, " ") } else { plain }
}

/// The function in a name that V8 gives compiled JavaScript for `perf`: kind, tier, function and
/// place, as in `JS:*weigh /srv/app.js:1:15`.
fn of_script(name: &str) -> Option<&str> {
    const KINDS: [&str; 5] = ["JS:", "LazyCompile:", "Function:", "Script:", "Eval:"];
    let rest = KINDS.iter().find_map(|kind| name.strip_prefix(kind))?;
    let (function, place) = rest.trim_start_matches(['*', '~', '^', '+']).split_once(' ')?;
    let (_, line) = place.rsplit_once(':')?;
    let is_place = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then_some(if function.is_empty() { "anonymous" } else { function })
}

/// At most `most` bytes of a name, whole characters.
pub fn cut(name: &str, most: usize) -> &str {
    let ends = (0..=most.min(name.len())).rev();
    ends.into_iter().find_map(|end| name.get(..end)).unwrap_or_default()
}

/// The function around a lambda of gcc's, whose debug information calls it `operator()`,
/// from its mangled name (Itanium C++ ABI, 5.1.7): `_ZZNK4shop5totalEvENKUlvE_clEv` is
/// within `shop::total`.
pub fn around_lambda(mangled: &str) -> Option<String> {
    let mut rest = mangled.strip_prefix("_ZZ")?;
    rest = rest.strip_prefix('L').unwrap_or(rest);
    rest = rest.strip_prefix('N').unwrap_or(rest).trim_start_matches(['K', 'V', 'R', 'O']);
    let mut names: Vec<&str> = Vec::new();
    loop {
        rest = rest.strip_prefix('L').unwrap_or(rest);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (length, after) = rest.split_at(digits);
        let name = length.parse().ok().and_then(|length: usize| after.get(..length));
        let Some(name) = name.filter(|name| !name.is_empty()) else { break };
        names.push(name);
        rest = &after[name.len()..];
    }
    (!names.is_empty()).then(|| components(&names.join("::")))
}

fn without_clones(name: &str) -> &str {
    let is_clone = |suffix: &str| {
        let number =
            NUMBERED.iter().find_map(|clone| suffix.strip_prefix(clone)?.strip_prefix('.'));
        number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut dots = name.match_indices('.').map(|(at, _)| at);
    let clone = dots.find(|at| *at > 0 && is_clone(&name[*at..]));
    let mut name = clone.map_or(name, |at| &name[..at]);
    let end = ENDS.iter().find_map(|end| name.strip_suffix(end));
    name = end.filter(|before| !before.is_empty()).unwrap_or(name);
    // Functions within functions, and OpenMP's bodies: `inner.0`.
    while let Some((before, number)) = name.rsplit_once('.')
        && !before.is_empty()
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        name = before;
    }
    name
}

/// Leaves out bracketed parts, or says shortly what they are.
struct Reader<'n> {
    rest: &'n str,
    out: String,
}

impl<'n> Reader<'n> {
    fn read(&mut self, depth: usize) {
        while let Some(c) = self.rest.chars().next() {
            if self.rest.starts_with("operator") && self.is_at_word() && self.operator() {
                continue;
            }
            match c {
                '<' => self.angle(depth),
                '(' => self.round(depth),
                '{' => self.curly(),
                '[' => {
                    let owned = ["operator new", "operator delete"];
                    let is_owned = owned.iter().any(|operator| self.out.ends_with(operator));
                    if self.group().is_empty() && is_owned {
                        self.out.push_str("[]");
                    }
                }
                '\'' => self.quoted(),
                '$' if self.rest.starts_with("$_") => {
                    self.rest = self.rest[2..].trim_start_matches(|c: char| c.is_ascii_digit());
                    self.out.push_str("{lambda}");
                }
                c => {
                    self.rest = &self.rest[c.len_utf8()..];
                    self.out.push(if c.is_control() { ' ' } else { c });
                }
            }
        }
    }

    /// Whether no part of a word was read just now.
    fn is_at_word(&self) -> bool {
        !self.out.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    }

    /// Whether a component of the name starts here.
    fn is_at_component(&self) -> bool {
        self.out.is_empty() || self.out.ends_with("::") || self.out.ends_with(' ')
    }

    /// An operator's own brackets stay.
    fn operator(&mut self) -> bool {
        const SIGNS: &[&str] =
            &["()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "<", ">"];
        let after = &self.rest["operator".len()..];
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return false;
        }
        let sign = SIGNS.iter().find(|sign| after.starts_with(**sign)).map_or(0, |sign| sign.len());
        let (taken, rest) = self.rest.split_at("operator".len() + sign);
        self.out.push_str(taken);
        // `operator<< <char>`
        self.rest = rest.strip_prefix(' ').filter(|rest| rest.starts_with('<')).unwrap_or(rest);
        true
    }

    /// What is between this bracket and the one that closes it; all, if none does.
    fn group(&mut self) -> &'n str {
        let mut depth = 0_usize;
        let mut last = ' ';
        for (at, c) in self.rest.char_indices() {
            match c {
                '<' | '(' | '[' | '{' => depth += 1,
                '>' if last == '-' => {}
                '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            last = c;
            if depth == 0 {
                let inner = self.rest.get(1..at).unwrap_or_default();
                self.rest = &self.rest[at + c.len_utf8()..];
                return inner;
            }
        }
        let inner = self.rest.get(1..).unwrap_or_default();
        self.rest = "";
        inner
    }

    /// Template arguments, a lambda of gcc's, or a type of Rust's.
    fn angle(&mut self, depth: usize) {
        let starts = self.is_at_component();
        let inner = self.group();
        let of = |text: &str| if depth < DEEPEST { read(text, depth + 1) } else { String::new() };
        if !starts {
        } else if inner.starts_with("lambda") {
            self.out.push_str("{lambda}");
        } else if inner.starts_with("impl ") {
            self.out.push_str("{impl}");
        } else if let Some((of_type, of_trait)) = inner.rsplit_once(" as ") {
            self.out.push_str(&format!("<{} as {}>", of(of_type), of(of_trait)));
        } else if self.out.ends_with("::") {
            // `f::<T>`
            self.out.truncate(self.out.len() - 2);
        } else {
            // `<T>::f`
            self.out.push_str(&of(inner));
        }
    }

    /// Arguments, an unnamed namespace, or a receiver of Go's.
    fn round(&mut self, depth: usize) {
        let of_go = self.out.ends_with('.');
        let starts = self.is_at_component();
        let inner = self.group();
        // What qualifies a method is before its own lambdas, too.
        while let Some(rest) = [" const", " volatile", " noexcept", " &&", " &"]
            .iter()
            .find_map(|word| self.rest.strip_prefix(word))
        {
            self.rest = rest;
        }
        if of_go && depth < DEEPEST {
            self.out.push_str(&format!("({})", read(inner, depth + 1)));
        } else if starts && inner.starts_with("anonymous class") {
            self.out.push_str("{lambda}");
        }
    }

    fn curly(&mut self) {
        let inner = self.group().trim_matches(['{', '}']);
        let kind = inner.split(['#', '(', ':', ' ']).next().unwrap_or_default();
        let kind = match kind {
            "anonymous" | "unnamed" => return,
            "closure_env" => "closure",
            kind => kind,
        };
        let kind: String = kind.chars().filter(|c| !c.is_control()).collect();
        self.out.push_str(&format!("{{{kind}}}"));
    }

    /// clang's `'lambda0'(int)`.
    fn quoted(&mut self) {
        let rest = &self.rest[1..];
        match rest.find('\'') {
            Some(end) => {
                self.out.push_str(if rest.starts_with("lambda") { "{lambda}" } else { "{type}" });
                self.rest = &rest[end + 1..];
            }
            None => self.rest = rest,
        }
    }
}

fn read(text: &str, depth: usize) -> String {
    let mut reader = Reader { rest: text, out: String::new() };
    reader.read(depth);
    components(reader.out.trim())
}

fn without_qualifiers(name: &str) -> &str {
    let mut name = name.trim();
    while let Some(before) = [" const", " volatile", " noexcept", "&"]
        .iter()
        .find_map(|word| name.strip_suffix(word))
        .filter(|before| !before.ends_with("operator") && !before.ends_with("operator&"))
    {
        name = before.trim_end();
    }
    name
}

/// What is behind the last space that no bracket and no operator owns.
fn without_return_type(name: &str) -> &str {
    let operator = name.find("operator ").unwrap_or(name.len());
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in name[..operator].char_indices() {
        match c {
            '<' if !name[..at].ends_with("operator") && !name[..at].ends_with("operator<") => {
                depth += 1;
            }
            '>' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    if name[start..].is_empty() { name } else { &name[start..] }
}

/// Without namespaces that only distinguish versions, hashes of crates, and what a lambda
/// is called through.
fn components(name: &str) -> String {
    let all: Vec<&str> = name.split("::").collect();
    let last = all.len() - 1;
    let mut kept: Vec<&str> = Vec::with_capacity(all.len());
    for (at, part) in all.iter().enumerate() {
        let through_lambda = matches!(*part, "operator()" | "_FUN" | "__invoke")
            && kept.last().is_some_and(|before| *before == "{lambda}");
        let is_hash = at == last && at > 0 && is_rust_hash(part);
        let is_inner = at < last && is_version_namespace(part, at);
        if !(part.is_empty() || through_lambda || is_hash || is_inner) {
            kept.push(part);
        }
    }
    let name = kept.join("::");
    if name.contains('.') { of_go(&name) } else { name }
}

fn is_rust_hash(part: &str) -> bool {
    let hash = part.strip_prefix('h').unwrap_or_default();
    hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the last component of a mangled name is a hash of Rust's: `…17h<16 digits>`.
pub(crate) fn has_rust_hash(mangled: &str) -> bool {
    let at = mangled.len().checked_sub(HASH_DIGITS + 1);
    at.and_then(|at| mangled.get(at..)).is_some_and(is_rust_hash)
}

/// `core::panicking::panic` for `core[1b2c3d4e5f607182]::panicking::panic`: where a symbol
/// alone names a function, Rust's crates have their hashes.
fn without_crate_hash(name: &str) -> Cow<'_, str> {
    let Some((crate_name, rest)) = name.split_once('[') else { return Cow::Borrowed(name) };
    match rest.split_once("]::") {
        Some((hash, path))
            if hash.len() <= HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            Cow::Owned(format!("{crate_name}::{path}"))
        }
        _ => Cow::Borrowed(name),
    }
}

/// The name as its author and the linker know it, without what a compiler put behind it:
/// `__assert_fail_base` for `__assert_fail_base.cold`, `core::panicking::panic` for
/// `core[1b2c3d4e5f607182]::panicking::panic`. Arguments stay.
pub fn undecorated(name: &str) -> Cow<'_, str> {
    without_crate_hash(without_clones(name))
}

fn is_version_namespace(part: &str, at: usize) -> bool {
    const ABI: &[&str] =
        &["__cxx11", "__cxx1998", "__1", "__2", "__8", "__ndk1", "__debug", "_V2", "_GLOBAL__N_1"];
    let digits = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let versioned = ["v", "lts_", "json_abi_v", "__v", "inline_v"]
        .iter()
        .any(|prefix| part.strip_prefix(prefix).is_some_and(digits));
    ABI.contains(&part) || (at > 0 && versioned)
}

/// Function literals of Go are numbered: `main.serve.func1.2`.
fn of_go(name: &str) -> String {
    let parts = name.split('.').enumerate().map(|(at, part)| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        if at > 0 && matches!(word, "func" | "gowrap" | "deferwrap") { word } else { part }
    });
    parts.collect::<Vec<_>>().join(".").trim_end_matches("-fm").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_javascript_has_the_name_of_its_function() {
        assert_eq!(normalized("JS:*weigh /srv/app.js:1:15"), "weigh");
        assert_eq!(normalized("LazyCompile:~weigh /srv/app.js:3"), "weigh");
        assert_eq!(normalized("JS:^ /srv/app.js:1:15"), "anonymous");
        assert_eq!(normalized("JS::value"), "JS::value");
    }

    #[test]
    fn a_function_has_one_name_whatever_made_it() {
        for (raw, plain) in [
            ("walk", "walk"),
            ("walk.cold", "walk"),
            ("walk.isra.0", "walk"),
            ("walk.part.1.constprop.0.cold", "walk"),
            ("walk.llvm.8217346", "walk"),
            ("walk.cold.3", "walk"),
            ("main.part", "main.part"),
            ("runtime.clone.abi0", "runtime.clone"),
            (
                "shop::total(std::function<int (int)> const&) const::$_0::operator() const",
                "shop::total::{lambda}",
            ),
            ("walk@@VERS_1.2", "walk"),
            ("walk@plt", "walk"),
            ("parse(char const*, int)", "parse"),
            ("parse(char const*) [clone .isra.0]", "parse"),
            ("ns::Node::walk(int) const", "ns::Node::walk"),
            ("ns::(anonymous namespace)::walk", "ns::walk"),
            ("ns::{anonymous}::walk(int)", "ns::walk"),
            ("ns::_GLOBAL__N_1::walk", "ns::walk"),
            ("std::__cxx11::basic_string<char>::append", "std::basic_string::append"),
            ("std::__1::vector<int>::at", "std::vector::at"),
            ("fmt::v9::detail::write", "fmt::detail::write"),
            ("v9::write", "v9::write"),
            ("name[abi:cxx11]", "name"),
            ("int twice<std::pair<int, char> >(int)", "twice"),
            ("std::vector<int, std::allocator<int> > make<int>()", "make"),
            ("T<(a->b)>::f", "T::f"),
            ("T<int>::operator<", "T::operator<"),
            ("operator<< <char>(std::ostream&, T const&)", "operator<<"),
            ("T::operator()(int) const", "T::operator()"),
            ("T::operator->() const", "T::operator->"),
            ("T::operator bool() const", "T::operator bool"),
            ("operator new(unsigned long)", "operator new"),
            ("operator new[](unsigned long)", "operator new[]"),
            ("operator delete[](void*)", "operator delete[]"),
            ("operators::f", "operators::f"),
            ("main::{lambda(int)#1}::operator()", "main::{lambda}"),
            ("main(int, char**)::<lambda(int)>::operator()(int) const", "main::{lambda}"),
            ("main::$_0::operator()(int) const", "main::{lambda}"),
            ("main::'lambda'(int)::operator()(int) const", "main::{lambda}"),
            ("non-virtual thunk to A::f()", "A::f"),
            ("app::walk::h17e1a8e5371ffa9b", "app::walk"),
            ("app[3f1a]::walk::<u8>", "app::walk"),
            ("app::main::{closure#0}", "app::main::{closure}"),
            ("app::main::{{closure}}::h3a1f8e5371ffa9b2", "app::main::{closure}"),
            ("app::{impl#3}::visit", "app::{impl}::visit"),
            ("<app::Sum<T> as app::Visitor>::visit", "<app::Sum as app::Visitor>::visit"),
            ("core::slice::<impl [T]>::iter", "core::slice::{impl}::iter"),
            ("main.(*Shop).Open", "main.(*Shop).Open"),
            ("main.serve.func1.2", "main.serve.func"),
            ("main.Map[...].Get", "main.Map.Get"),
            ("func1", "func1"),
            ("inner.0", "inner"),
            ("a\nb", "a b"),
            ("", ""),
            ("<", "<"),
        ] {
            let first = normalized(raw);
            let wanted = if plain == "a b" { "b" } else { plain };
            assert_eq!(first, wanted, "{raw}");
            assert_eq!(normalized(&first), first, "{raw}: not stable");
        }
    }

    #[test]
    fn brackets_without_end_and_depth_are_survived() {
        for part in ["<", "(", "{", "[", "'", "a<", "<a as ", "a::(", "operator", "\u{fc}<"] {
            normalized(&part.repeat(3000));
        }
    }

    #[test]
    fn a_lambda_is_called_after_the_function_around_it() {
        for (mangled, around) in [
            ("_ZZNK4shop4Cart5totalEvENKUlvE_clEv", Some("shop::Cart::total")),
            ("_ZZL5driveP5RightENUlT_E_clIiEEDaS6_", Some("drive")),
            ("_ZZN12_GLOBAL__N_14walkEvENKUlvE_clEv", Some("walk")),
            ("_ZN4shop4walkEv", None),
            ("_ZZN99a", None),
            ("_ZZ99999999999999999999a", None),
        ] {
            assert_eq!(around_lambda(mangled).as_deref(), around, "{mangled}");
        }
    }

    #[test]
    fn a_clone_and_the_hash_of_a_crate_are_no_part_of_a_name() {
        for (raw, bare) in [
            ("__assert_fail_base.cold", "__assert_fail_base"),
            ("walk.part.0.constprop.1", "walk"),
            ("core[1b2c3d4e5f607182]::panicking::panic_fmt", "core::panicking::panic_fmt"),
            ("operator new[](unsigned long)", "operator new[](unsigned long)"),
            ("int at<int [2]>::of", "int at<int [2]>::of"),
        ] {
            assert_eq!(undecorated(raw), bare, "{raw}");
        }
    }
}
