// The same as record.c for any allocator that comes behind it: HEAP_RECORD=FILE
// LD_PRELOAD="record_any.so libjemalloc.so.2" PROGRAM. What the dynamic linker asks for before the
// allocator is found comes from a buffer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A free has room 0; of a block that lives room is what the program may use.
struct record {
  uint64_t address, room;
};
enum { MOST = 1 << 23 };
static struct record *records;
static _Atomic unsigned long count;
static char buffer[1 << 16];
static size_t used;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void *(*next_memalign)(size_t, size_t);
static void (*next_free)(void *);
static size_t (*next_usable)(void *);
static int is_finding;

static void find(void) {
  if (next_usable || is_finding) return;
  is_finding = 1;
  next_malloc = dlsym(RTLD_NEXT, "malloc");
  next_calloc = dlsym(RTLD_NEXT, "calloc");
  next_realloc = dlsym(RTLD_NEXT, "realloc");
  next_memalign = dlsym(RTLD_NEXT, "memalign");
  next_free = dlsym(RTLD_NEXT, "free");
  next_usable = dlsym(RTLD_NEXT, "malloc_usable_size");
  is_finding = 0;
}

__attribute__((constructor)) static void start(void) {
  find();
  const char *path = getenv("HEAP_RECORD");
  if (!path) return;
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  unsetenv("HEAP_RECORD");
  if (file < 0 || ftruncate(file, MOST * sizeof *records)) return;
  void *mapped = mmap(0, MOST * sizeof *records, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) records = mapped;
}

static void add(void *address, uint64_t room) {
  if (!records || !address) return;
  unsigned long number = atomic_fetch_add(&count, 1);
  if (number < MOST) records[number] = (struct record){(uint64_t)address, room};
}
static int is_buffer(void *p) { return (char *)p >= buffer && (char *)p < buffer + sizeof buffer; }
static void *early(size_t size) {
  void *p = buffer + used;
  used += (size + 15) & ~(size_t)15;
  return used <= sizeof buffer ? p : 0;
}
// The first question for a size may allocate.
static __thread int is_asking __attribute__((tls_model("initial-exec")));
static void *born(void *p) {
  if (!p || is_asking) return p;
  is_asking = 1;
  add(p, next_usable(p));
  is_asking = 0;
  return p;
}

void *malloc(size_t size) {
  find();
  return next_usable ? born(next_malloc(size)) : early(size);
}
void *calloc(size_t n, size_t size) {
  find();
  return next_usable ? born(next_calloc(n, size)) : early(n * size);
}
void free(void *p) {
  if (!p || is_buffer(p)) return;
  add(p, 0);
  next_free(p);
}
void *realloc(void *p, size_t size) {
  if (p && is_buffer(p)) return memcpy(malloc(size), p, size);
  find();
  add(p, 0);
  return born(next_realloc(p, size));
}
void *memalign(size_t to, size_t size) {
  find();
  return born(next_memalign(to, size));
}
void *aligned_alloc(size_t to, size_t size) { return memalign(to, size); }
int posix_memalign(void **out, size_t to, size_t size) {
  void *p = memalign(to, size);
  if (p) *out = p;
  return p ? 0 : ENOMEM;
}
// C++: some allocators have operators of their own that do not come by malloc.
void *_Znwm(size_t size) { return malloc(size); }
void *_Znam(size_t size) { return malloc(size); }
void _ZdlPv(void *p) { free(p); }
void _ZdaPv(void *p) { free(p); }
void _ZdlPvm(void *p, size_t size) { free(p); }
void _ZdaPvm(void *p, size_t size) { free(p); }
