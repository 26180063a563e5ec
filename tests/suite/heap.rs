//! What memory holds: the heap counted, one block, who points there, searches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::fixture::{Case, list, obit, stderr, stdout};

/// A list of which the second half was lost, freed blocks between, and objects of two classes.
const PROGRAM: &str = r#"
#include <cstdlib>
#include <map>
#include <string>
#include <vector>
struct Shape { virtual ~Shape() {} long area = 3; };
struct Circle : Shape { double r = 1; };
struct Node { Node *next; char text[88]; };
struct Row { long cells[20]; };
static Node *head;
static Shape *shape;
static std::map<int, std::string> names;
static std::vector<Row> rows;
__attribute__((noinline)) static void make() {
  for (int i = 0; i < 40; i++) {
    Node *n = new Node();
    n->next = head, head = n;
    free(malloc(1000));
  }
  Node *cut = head;
  for (int i = 1; i < 10; i++) cut = cut->next;
  cut->next = nullptr;
  shape = new Circle;
  for (int i = 0; i < 25; i++) names[i] = "a text that needs a block of its own " + std::to_string(i);
  rows.resize(7);
}
__attribute__((noinline)) static void clear() {
  volatile char stack[8192];
  for (unsigned i = 0; i < sizeof stack; i++) stack[i] = 0;
}
int main() { make(); clear(); abort(); }
"#;

/// Pointers where not everyone looks: in protected memory, below a stack in its mapping, in memory
/// of `sbrk`, in a hash table; and blocks that are mappings next to a stack without a guard.
const HIDDEN: &str = r#"
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unordered_map>
struct Session { char text[200]; };
static std::unordered_map<int, Session *> sessions;
static void **table, **pool, **own;
static void *large[3];
static pthread_barrier_t barrier;
static void *wait_on_stack(void *) { pthread_barrier_wait(&barrier); for (;;) pause(); }
static void start(pthread_attr_t *how) {
  pthread_t thread;
  pthread_create(&thread, how, wait_on_stack, nullptr);
  pthread_barrier_wait(&barrier);
}
__attribute__((noinline)) static void fill(void **words) {
  for (int i = 0; i < 10; i++) words[100 + i] = malloc(1500);
}
static void **map(size_t size) {
  return (void **)mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
__attribute__((noinline)) static void make(bool with_sbrk) {
  pthread_barrier_init(&barrier, nullptr, 2);
  table = map(8192);
  fill(table);
  mprotect(table, 8192, PROT_READ);
  pool = map(4 << 20);
  fill(pool);
  pthread_attr_t how;
  pthread_attr_init(&how);
  pthread_attr_setstack(&how, (char *)pool + (3 << 20), 1 << 20);
  start(&how);
  pthread_attr_init(&how);
  pthread_attr_setguardsize(&how, 0);
  pthread_attr_setstacksize(&how, 1 << 20);
  start(&how);
  for (auto &block : large) block = malloc(1 << 20), fill((void **)block);
  for (int i = 0; i < 30; i++) sessions[i] = new Session;
  if (with_sbrk) {
    own = (void **)sbrk(5000);
    static void *keep[100];
    for (auto &block : keep) block = malloc(5000);
    fill((void **)(((size_t)own + 15) & ~(size_t)15));
  }
}
__attribute__((noinline)) static void clear() {
  volatile char stack[8192];
  for (unsigned i = 0; i < sizeof stack; i++) stack[i] = 0;
}
int main(int count, char **) { make(count > 1); clear(); abort(); }
"#;

/// The core of a program, which is kept as long as the directory.
pub(crate) fn core_of(name: &str, program: &str, argument: &[&str]) -> PathBuf {
    let flags = ["-g", "-O0", "-w", "-pthread", "-Wl,--build-id", "-o", "p", "p.cc"];
    core_built_by("c++", &flags, "p.cc", name, program, argument)
}

fn core_built_by(
    compiler: &str,
    flags: &[&str],
    file: &str,
    name: &str,
    program: &str,
    argument: &[&str],
) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(file), program).unwrap();
    let built = Command::new(compiler).args(flags).current_dir(&place).status();
    assert!(built.unwrap().success());
    let mut run = obit();
    run.args(["run", "-q", "-o", "cores", "--", "./p"]).args(argument).current_dir(&place);
    run.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let files = fs::read_dir(place.join("cores")).unwrap();
    let mut files = files.map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|it| it == "core")).expect("a core")
}

fn crashed() -> &'static Path {
    static CORE: OnceLock<PathBuf> = OnceLock::new();
    CORE.get_or_init(|| core_of("heap", PROGRAM, &[]))
}

fn census_of(core: &Path) -> Value {
    let output = obit().arg("heap").arg(core).args(["-n", "100", "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)))
}

fn asked(words: &[&str]) -> Output {
    obit().args(&words[..1]).arg(crashed()).args(&words[1..]).output().unwrap()
}

fn json(words: &[&str]) -> Value {
    let output = asked(&[words, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)))
}

fn named<'v>(rows: &'v [Value], key: &str, name: &str) -> &'v Value {
    rows.iter().find(|row| row[key] == name).unwrap_or_else(|| panic!("no {name} in {rows:?}"))
}

#[test]
fn blocks_are_counted_by_state_type_and_owner() {
    let heap = json(&["heap", "-n", "100"]);
    assert_eq!((&heap["schema"], &heap["allocator"]), (&"obit.heap/1".into(), &"glibc".into()));
    assert_eq!(heap["confidence"], "proved", "{}", heap["notices"]);
    // 40 nodes, a circle, 25 nodes of the map and their texts, the rows; and what the C++
    // library keeps for exceptions.
    let live = heap["total"]["live_blocks"].as_u64().unwrap();
    assert!((92..=95).contains(&live), "{live}");
    let types = list(&heap, "types");
    assert_eq!(named(types, "type", "Circle")["by"], "vtable");
    assert_eq!(named(types, "type", "Node")["blocks"], 10, "those that are lost have none");
    assert_eq!(named(types, "type", "Row[]")["blocks"], 1);
    assert_eq!(named(types, "type", "char[]")["blocks"], 25);
    let nodes =
        types.iter().find(|ty| ty["type"].as_str().unwrap().starts_with("std::_Rb_tree_node<"));
    assert_eq!(nodes.expect("nodes of the map")["blocks"], 25);
    let holders = list(&heap, "holders");
    assert_eq!(named(holders, "holder", "names")["blocks"], 50);
    assert_eq!(named(holders, "holder", "head")["blocks"], 10);
}

#[test]
fn what_a_variable_holds_is_named_by_its_path_with_what_would_be_freed_with_it() {
    let heap = json(&["heap", "-n", "100"]);
    let paths = list(&heap, "collections");
    let names = named(paths, "path", "names[\u{2026}]");
    assert!(names["type"].as_str().unwrap().starts_with("std::map<int, std::"), "{names}");
    assert_eq!((&names["elements"], &names["blocks"]), (&25.into(), &25.into()));
    // The nodes and their texts.
    assert_eq!(names["retained_blocks"], 50);
    let texts = named(paths, "path", "names[\u{2026}].second");
    assert_eq!((&texts["blocks"], &texts["retained_blocks"]), (&25.into(), &25.into()));
    let rows = named(paths, "path", "rows[\u{2026}]");
    assert_eq!((&rows["elements"], &rows["blocks"]), (&7.into(), &1.into()));
    let nodes = named(paths, "path", "head->next\u{2026}");
    assert_eq!((&nodes["type"], &nodes["elements"]), (&"Node".into(), &9.into()));
    let first = named(paths, "path", "head");
    assert_eq!((&first["blocks"], &first["retained_blocks"]), (&1.into(), &10.into()));
    let holder = named(list(&heap, "holders"), "holder", "names");
    assert_eq!((&holder["blocks"], &holder["retained_blocks"]), (&50.into(), &50.into()));
}

#[test]
fn blocks_of_rust_have_the_types_of_what_leads_to_them() {
    let program = include_str!("../heap/types/rust.rs");
    let core =
        core_built_by("rustc", &["-g", "rust.rs", "-o", "p"], "rust.rs", "heap-rust", program, &[]);
    let heap = census_of(&core);
    let (typed, live) = (&heap["typed_bytes"], &heap["total"]["live_bytes"]);
    assert!(typed.as_u64().unwrap() * 10 >= live.as_u64().unwrap() * 9, "{typed} of {live}");
    let types = list(&heap, "types");
    for (name, blocks) in [
        ("(u64, rust::Session)[]", 1),
        ("rust::Circle", 49),
        ("rust::Square", 50),
        ("alloc::rc::RcInner<rust::Square>", 1),
        ("alloc::rc::RcInner<rust::Config>", 50),
        ("alloc::sync::ArcInner<rust::Config>", 1),
        ("rust::Job[]", 1),
        ("rust::Job", 100),
        ("rust::Node", 100),
    ] {
        assert_eq!(named(types, "type", name)["blocks"], blocks, "{name}");
    }
    let paths = list(&heap, "collections");
    let sessions = named(paths, "path", "world.sessions[\u{2026}]");
    assert_eq!(sessions["elements"], 300);
    // The table, and of each session the name and the rows; a few of them are on the stack, too.
    let with = sessions["retained_blocks"].as_u64().unwrap();
    assert!((590..=601).contains(&with), "{with}");
    assert_eq!(named(paths, "path", "world.sessions[\u{2026}].rows[\u{2026}]")["elements"], 900);
    assert_eq!(named(paths, "path", "world.list->next\u{2026}")["blocks"], 99);
    assert_eq!(named(paths, "path", "CACHE[\u{2026}]")["elements"], 100);
}

#[test]
fn the_census_is_a_page_and_a_text_for_a_ticket_too() {
    let page = stdout(&asked(&["heap", "--format", "html"])).to_owned();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<td>Circle (vtable)</td>"));
    assert!(!page.contains("http://") && !page.contains("https://"));
    let text = stdout(&asked(&["heap", "--format", "markdown"])).to_owned();
    assert!(text.starts_with("**heap of glibc "), "{text}");
    assert!(text.contains("| live |  | type |\n|--:|--:|---|\n"), "{text}");
    assert!(text.contains(" | Circle (vtable) |\n"), "{text}");
    let place = stdout(&asked(&["who-points-to", "head", "--format", "markdown"])).to_owned();
    assert!(place.contains("- from 0x") && place.contains(" global head"), "{place}");
}

#[test]
fn a_session_answers_what_the_heap_holds_and_who_points_to_a_block() {
    let state = tempfile::tempdir().unwrap();
    let mut shell = obit();
    shell.arg("shell").arg(crashed()).env("XDG_STATE_HOME", state.path()).stdin(Stdio::null());
    shell.args(["-batch", "-ex", "heap", "-ex", "heap shape"]);
    let said = stdout(&shell.output().unwrap()).to_owned();
    for line in ["heap of glibc ", "Circle (vtable)", "lost: ", " live of 24 bytes, Circle"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.lines().any(|line| line.contains("global shape")), "{said}");
}

#[test]
fn what_nothing_leads_to_is_lost_and_grouped() {
    let leaks = &json(&["heap"])["leaks"];
    assert_eq!((&leaks["blocks"], &leaks["confidence"]), (&30.into(), &"proved".into()));
    let groups = list(leaks, "groups");
    assert_eq!(groups.len(), 1, "the first of the list stands for it: {groups:?}");
    assert_eq!((&groups[0]["blocks"], &groups[0]["size"]), (&1.into(), &104.into()));
}

#[test]
fn who_points_to_an_object_is_said_with_the_way_to_it() {
    let found = json(&["who-points-to", "*head->next"]);
    assert_eq!(found["block"]["type"], "Node");
    assert_eq!((&found["reachable"], &found["offset"]), (&true.into(), &0.into()));
    let pointers = list(&found, "pointers");
    let from = pointers.iter().find(|one| one["region"] == "heap").expect("the node before");
    assert_eq!(from["owner"], "Node");
    assert!(from["path"][0].as_str().unwrap().starts_with("head (global 0x"), "{from}");
    let text = stdout(&asked(&["heap", "at", "head"]));
    assert!(text.contains("live of 104 bytes, Node") && text.contains("reached by head"), "{text}");
}

#[test]
fn a_search_says_whose_memory_a_place_is_in() {
    let found = json(&["find", "--type", "Circle"]);
    assert_eq!(
        (&found["hits"][0]["region"], &found["hits"][0]["owner"]),
        (&"heap".into(), &"Circle".into())
    );
    let pointers = json(&["find", "--pointer-to", "*head"]);
    let owners: Vec<_> = list(&pointers, "hits").iter().map(|hit| &hit["owner"]).collect();
    assert!(owners.contains(&&"head".into()), "{owners:?}");
    let text = "a text that needs a block of its own 7";
    let found = json(&["find", "--redact", "off", "--string", text]);
    let hits = list(&found, "hits");
    assert!(hits.iter().any(|hit| hit["owner"] == "char[]"), "{hits:?}");
    // A place in memory that is written would say what is hidden.
    let hidden = asked(&["find", "--string", text]);
    assert_eq!(hidden.status.code(), Some(1));
    assert!(stdout(&hidden).contains("--redact off"), "{}", stdout(&hidden));
}

#[test]
fn a_heap_compared_with_itself_has_not_grown() {
    let other = crashed().to_str().unwrap().to_owned();
    let growth = &json(&["heap", "--compare", &other])["growth"];
    assert_eq!((&growth["bytes"], list(growth, "types").len()), (&0.into(), 0));
}

#[test]
fn a_core_without_a_known_heap_says_so() {
    let core = Case::named("jump-null").core();
    let output = obit().arg("heap").arg(core).output().unwrap();
    let text = stdout(&output) + &stderr(&output);
    let is_known = text.starts_with("heap of glibc");
    assert!(is_known || text.contains("no heap of an allocator that is known was found"), "{text}");
}

#[test]
fn pointers_in_protected_memory_and_beside_stacks_hold_blocks() {
    let heap = census_of(&core_of("heap-hidden", HIDDEN, &[]));
    assert_eq!(heap["leaks"]["blocks"], 0, "{}", heap["leaks"]);
    assert_eq!(heap["confidence"], "proved", "{}", heap["notices"]);
    let mappings = named(list(&heap, "arenas"), "kind", "mappings");
    assert_eq!(mappings["live_blocks"], 3);
    let types = list(&heap, "types");
    assert_eq!(named(types, "type", "Session")["blocks"], 30);
    let is_base = |ty: &&Value| ty["type"].as_str().unwrap().ends_with("_Hash_node_base");
    assert!(!types.iter().any(|ty| is_base(&ty)), "{types:?}");
}

#[test]
fn memory_that_the_program_took_between_blocks_is_no_damage() {
    let heap = census_of(&core_of("heap-sbrk", HIDDEN, &["sbrk"]));
    assert_eq!(list(&heap, "damages").len(), 0, "{}", heap["damages"]);
    assert_eq!((&heap["leaks"]["blocks"], &heap["confidence"]), (&0.into(), &"likely".into()));
    let says = |notice: &Value| notice.as_str().unwrap().contains("memory that the program took");
    assert!(list(&heap, "notices").iter().any(says), "{}", heap["notices"]);
}

#[test]
fn a_number_that_leads_to_no_memory_is_searched_for_only_if_nothing_is_hidden() {
    // An area of the circle, and of its shape.
    let hidden = asked(&["who-points-to", "3"]);
    assert_eq!((hidden.status.code(), stdout(&hidden).as_str()), (Some(2), ""));
    assert!(stderr(&hidden).contains("nothing is mapped there"), "{}", stderr(&hidden));
    let open = stdout(&asked(&["who-points-to", "3", "--redact", "off"]));
    assert!(open.contains("from 0x"), "{open}");
}

#[test]
fn a_search_for_nothing_names_what_can_be_searched_for() {
    let output = asked(&["find"]);
    let said = stderr(&output);
    assert!(said.contains("--string <TEXT>|--bytes <HEX>|"), "{said}");
    assert!(said.contains("--type <NAME> is missing, as in `obit find --string <TEXT>`"), "{said}");
}
