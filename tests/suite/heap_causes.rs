//! What a count of the heap adds to a cause: whose block was run over, what was in a freed one and
//! who still points there, who holds the memory.

use serde_json::Value;

use crate::fixture::{list, report};
use crate::heap::core_of;

const OVERRUN: &str = r#"
#include <cstdlib>
#include <cstring>
#include <vector>
struct Shape { virtual ~Shape() {} long area = 3; };
struct Circle : Shape { char name[16]; };
struct Session { long id; char name[16]; Session *next; };
struct Server { Session *first; Shape *shape; };
static Server server;
static void *guards[8];
__attribute__((noinline)) static void label(char *to, const char *text) { strcpy(to, text); }
__attribute__((noinline)) static void make(bool of_class) {
  server.first = new Session();
  for (int i = 0; i < 4; i++) guards[i] = malloc(40);
  server.shape = new Circle;
  for (int i = 4; i < 8; i++) guards[i] = malloc(40);
  char *name = of_class ? ((Circle *)server.shape)->name : server.first->name;
  label(name, "a name that is far too long for what there is");
}
__attribute__((noinline)) static void clear() {
  volatile char stack[8192];
  for (unsigned i = 0; i < sizeof stack; i++) stack[i] = 0;
}
int main(int count, char **) {
  make(count > 1);
  clear();
  for (auto guard : guards) free(guard);
  abort();
}
"#;

const FREED: &str = r#"
#include <cstdlib>
#include <map>
struct Peer { long x[3]; };
struct Connection { Peer *peer; long id; char text[48]; };
struct Request { Connection *connection; long n; };
static std::map<int, Request *> requests;
static Connection *current;
__attribute__((noinline)) static long use(Connection *c) { return c->peer->x[1]; }
int main() {
  for (int i = 0; i < 5; i++) {
    requests[i] = new Request();
    requests[i]->connection = new Connection();
    requests[i]->connection->peer = new Peer();
  }
  current = requests[3]->connection;
  delete requests[2]->connection;
  delete current;
  return use(current);
}
"#;

const REFUSED: &str = r#"
#include <cstdlib>
#include <vector>
struct Row { long cells[20]; };
struct Shape { virtual ~Shape() {} long area[400]; };
static std::vector<Row> rows;
static std::vector<Shape *> shapes;
static char *volatile out;
int main(int count, char **) {
  rows.resize(1000);
  for (int i = 0; i < 300; i++) shapes.push_back(new Shape);
  size_t size = ((size_t)1 << 62) - 100;
  if (count > 1) ((char *)malloc(size))[3] = 1;
  out = new char[size];
}
"#;

fn findings<'r>(report: &'r Value, kind: &str) -> Vec<&'r Value> {
    list(report, "findings").iter().filter(|finding| finding["kind"] == kind).collect()
}

fn evidence(finding: &Value) -> Vec<&str> {
    list(finding, "evidence").iter().map(|one| one["text"].as_str().unwrap()).collect()
}

#[test]
fn the_block_that_was_run_over_is_named_by_type_and_by_who_points_to_it() {
    let report = report(&core_of("heap-overrun-typed", OVERRUN, &[]), &[]);
    assert_eq!(report["cause"]["class"], "heap-corruption");
    let [damage] = findings(&report, "heap-damage")[..] else { panic!("{}", report["findings"]) };
    assert_eq!(
        (&damage["object_type"], &damage["confidence"]),
        (&"Session".into(), &"likely".into())
    );
    let way = damage["path"][0].as_str().unwrap();
    assert!(way.starts_with("server (global 0x"), "{damage}");
    assert!(evidence(damage).contains(&"the source calls it `server.first`"), "{damage}");
}

#[test]
fn a_class_with_a_vtable_is_proved() {
    let report = report(&core_of("heap-overrun-class", OVERRUN, &["class"]), &[]);
    let [damage] = findings(&report, "heap-damage")[..] else { panic!("{}", report["findings"]) };
    assert_eq!(
        (&damage["object_type"], &damage["confidence"]),
        (&"Circle".into(), &"proved".into())
    );
}

#[test]
fn what_was_in_a_freed_block_and_who_still_points_there_is_named() {
    let report = report(&core_of("heap-freed", FREED, &[]), &[]);
    assert_eq!(report["cause"]["class"], "use-after-free");
    let [freed] = findings(&report, "freed-object")[..] else { panic!("{}", report["findings"]) };
    assert_eq!(
        (&freed["object_type"], &freed["confidence"]),
        (&"Connection".into(), &"likely".into())
    );
    let evidence = evidence(freed);
    assert!(evidence.contains(&"global `current` points to it"), "{evidence:?}");
    let request = "heap `Request` (`requests[\u{2026}].second`) points to it, reached by requests";
    assert!(evidence.iter().any(|text| text.starts_with(request)), "{evidence:?}");
}

#[test]
fn a_process_that_was_refused_memory_says_who_holds_it() {
    for argument in [&[][..], &["null"]] {
        let name = format!("heap-refused{}", argument.len());
        let report = report(&core_of(&name, REFUSED, argument), &[]);
        let class = &report["cause"]["class"];
        assert_eq!(*class, if argument.is_empty() { "out-of-memory" } else { "null-write" });
        let [held] = findings(&report, "memory-use")[..] else { panic!("{}", report["findings"]) };
        assert!(
            held["title"].as_str().unwrap().starts_with("the heap holds 1.1 MiB in "),
            "{held}"
        );
        let evidence = evidence(held);
        let says = |start: &str, end: &str| {
            evidence.iter().any(|text| text.starts_with(start) && text.contains(end))
        };
        assert!(says("939.8 KiB (", "in 300 blocks of type `Shape` (vtable)"), "{evidence:?}");
        assert!(says("940.7 KiB (", "held by `shapes` (global)"), "{evidence:?}");
        assert!(
            says("940.7 KiB (", "under `shapes[\u{2026}]` (std::vector<Shape*"),
            "{evidence:?}"
        );
    }
}

#[test]
fn a_cause_that_does_not_ask_for_the_heap_has_no_count_of_it() {
    let program =
        "#include <cstdlib>\nint main() { malloc(10); volatile int *at = 0; return *at; }";
    let report = report(&core_of("heap-not-asked", program, &[]), &[]);
    assert_eq!(list(&report, "findings").len(), 0, "{}", report["findings"]);
}
