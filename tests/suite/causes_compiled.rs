//! Why programs crashed that are compiled here: each is one kind of mistake in a few lines.

use serde_json::Value;

use crate::fixture::{captured, report};

/// A program that crashes.
struct Program {
    /// The compiler.
    with: &'static str,
    /// Optimisation levels at which what is expected holds.
    levels: &'static [&'static str],
    source: &'static str,
    class: &'static str,
    /// The function to blame.
    function: &'static str,
    expression: Option<&'static str>,
    /// Words of the explanation.
    says: &'static str,
}

const C: &str = "cc";
const CPP: &str = "c++";
const ALL: &[&str] = &["-O0", "-O2"];

const PROGRAMS: [Program; 11] = [
    Program {
        with: C,
        // `name_len` jumps to strlen and leaves no frame; what it was passed besides is NULL too.
        levels: &["-O2", "-Os"],
        source: "#include <string.h>
            struct node { struct node *l; char *s; int v; };
            __attribute__((noipa)) static size_t name_len(struct node *n, struct node *l) {
                if (l) n->v++;
                return strlen(n->s); }
            __attribute__((noipa)) static size_t work(struct node *n, struct node *other) {
                size_t k = name_len(n, other->l);
                return k + n->v; }
            int main(int c, char **v) {
                struct node a = { 0, 0, c }, b = { 0, \"x\", 2 };
                return work(&a, &b); }",
        class: "null-read",
        function: "name_len",
        expression: Some("n->s"),
        says: "`n->s` is NULL; reading",
    },
    Program {
        with: C,
        // The register of `n` is kept on one way and lost in `say` on the other, which leaves
        // an address below the stack pointer in it.
        levels: &["-O2"],
        source: "struct node { struct node *l; int v, w; };
            volatile int calls;
            __attribute__((noipa)) void say(struct node *n) {
                if (n) calls += 1;
                __asm__ volatile(\"lea -0x200(%%rsp), %%rdi\" ::: \"rdi\", \"rsi\", \"rax\"); }
            __attribute__((noipa)) static int load(struct node *n, int k) {
                if (k > 1) { say(n); return n->w; }
                int *q = &n->v;
                struct node *p = n->l;
                if (k) say(n);
                return p->v + *q; }
            int main(int c, char **v) { struct node b = { 0, c, 1 }; return load(&b, c); }",
        class: "null-read",
        function: "load",
        expression: Some("n->l"),
        says: "`n->l` is NULL; reading",
    },
    Program {
        with: C,
        levels: ALL,
        source: "static int grid[64][64];
            __attribute__((noinline)) void set(int x, int y, int v) { grid[y][x] = v; }
            int main(int argc, char **argv) { set(3, -200000 * argc, 9); return grid[1][1]; }",
        class: "unmapped-write",
        function: "set",
        expression: Some("y"),
        says: "`y` is -200000; writing 4 bytes",
    },
    Program {
        with: C,
        levels: ALL,
        source: "static const char *names[4] = { \"a\", \"b\", \"c\", \"d\" };
            __attribute__((noinline)) int first(unsigned k) { return names[k][0]; }
            int main(int argc, char **argv) { return first(argc * 90000000u); }",
        class: "unmapped-read",
        function: "first",
        expression: Some("k"),
        says: "`k` is 90000000; reading 8 bytes",
    },
    Program {
        with: C,
        // At -O2 the arguments become constants of a clone.
        levels: &["-O0"],
        source: "#include <stdlib.h>
            __attribute__((noinline)) int at(int *m, int w, int x, int y) { return m[y*w+x]; }
            int main(void) { return at(calloc(64 * 64, 4), 64, 3, 9000000); }",
        class: "unmapped-read",
        function: "at",
        expression: Some("y*w+x"),
        says: "`y*w+x` is 576000003",
    },
    Program {
        with: C,
        levels: ALL,
        source: "#include <string.h>
            struct val { int tag; union { long i; char *s; } u; };
            __attribute__((noinline)) unsigned long length(const struct val *v) {
                return v->tag ? strlen(v->u.s) : 0; }
            int main(void) { struct val v = { 1, { .i = 42 } }; return length(&v); }",
        class: "null-read",
        function: "length",
        expression: Some("v->u.s"),
        says: "`v->u.s` is 0x2a",
    },
    Program {
        with: C,
        levels: ALL,
        source: "#include <stdio.h>
            __attribute__((noinline)) int first(const char *path) {
                char line[80]; FILE *f = fopen(path, \"r\");
                fgets(line, 80, f); fclose(f); return line[0]; }
            int main(void) { return first(\"/nonexistent/config\"); }",
        class: "null-read",
        function: "first",
        expression: Some("f"),
        says: "`f` is NULL, returned by `fopen`",
    },
    Program {
        with: C,
        levels: &["-O0"],
        source: "#include <stdlib.h>
            #include <string.h>
            int main(void) { char l[] = \"one\"; strtok(l, \",\");
                char *f = strtok(NULL, \",\"); return atoi(f); }",
        class: "null-read",
        function: "main",
        expression: Some("f"),
        says: "`f` is NULL, returned by `strtok`",
    },
    Program {
        with: C,
        levels: ALL,
        source: "#include <stdlib.h>
            #include <sys/mman.h>
            #include <unistd.h>
            struct rec { long id; double v[511]; };
            __attribute__((noinline)) double sum(struct rec *r, int n) {
                double s = 0; for (int i = 0; i < n; i++) s += r[i].v[0]; return s; }
            int main(void) { char t[] = \"/tmp/obit-XXXXXX\"; int fd = mkstemp(t); unlink(t);
                ftruncate(fd, 16 * 4096);
                struct rec *r = mmap(0, 16 * 4096, 3, MAP_SHARED, fd, 0);
                ftruncate(fd, 5 * 4096);
                return sum(r, 16); }",
        class: "mapped-file-truncated",
        function: "sum",
        expression: None,
        says: "reading 8 bytes",
    },
    Program {
        with: CPP,
        levels: &["-O0"],
        source: "#include <memory>
            #include <string>
            struct Db { int pool; std::string host; };
            struct Config { std::shared_ptr<Db> db; };
            struct App { std::unique_ptr<Config> config;
                unsigned long n() const { return config->db->host.size(); } };
            int main() { App a; a.config = std::make_unique<Config>(); return a.n(); }",
        class: "null-read",
        function: "App::n",
        expression: Some("this->config->db"),
        says: "`this->config->db` is NULL",
    },
    Program {
        with: CPP,
        levels: &["-O0"],
        source: "#include <memory>
            struct Leaf { int pad; int *value; };
            struct Tree { int pad; std::unique_ptr<Leaf> leaf; };
            int get(const std::unique_ptr<Tree> &tree) { return *tree->leaf->value; }
            int main() { auto tree = std::make_unique<Tree>();
                tree->leaf = std::make_unique<Leaf>(); return get(tree); }",
        class: "null-read",
        function: "get",
        expression: Some("tree->leaf->value"),
        says: "`tree->leaf->value` is NULL",
    },
];

/// The report of a run of `program`, compiled at `level`.
fn crash(program: &Program, level: &str) -> Value {
    let options = ["-g", "-w", "-fno-stack-protector", "-Wl,--build-id", level];
    let name = if program.with == C { "a.c" } else { "a.cc" };
    let place = tempfile::tempdir().unwrap();
    report(&captured(place.path(), program.with, &options, name, program.source), &[])
}

#[test]
fn the_expression_that_was_bad_is_named_in_terms_of_the_source() {
    for program in &PROGRAMS {
        for level in program.levels {
            let report = crash(program, level);
            let (cause, source) = (&report["cause"], program.source);
            assert_eq!(cause["class"], program.class, "{level} {source}: {cause}");
            let blame = &cause["blame"];
            assert_eq!(blame["function"], program.function, "{level} {source}: {cause}");
            let expression = blame["expression"].as_str();
            if program.expression.is_some() {
                assert_eq!(expression, program.expression, "{level} {source}: {cause}");
            }
            let explanation = cause["explanation"].as_str().unwrap();
            assert!(explanation.contains(program.says), "{level} {source}: {explanation}");
        }
    }
}
