// Records each call of the allocator in a file that survives any crash: what is alive at the end
// is known from it. HEAP_RECORD=FILE LD_PRELOAD=record.so PROGRAM
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

// A free has room 0; of a block that lives room is what the program may use.
struct record {
  uint64_t address, room;
};
enum { MOST = 1 << 23 };
static struct record *records;
static _Atomic unsigned long count;

__attribute__((constructor)) static void start(void) {
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
static void *born(void *p) {
  if (p) add(p, malloc_usable_size(p));
  return p;
}

void *malloc(size_t size) { return born(__libc_malloc(size)); }
void *calloc(size_t n, size_t size) { return born(__libc_calloc(n, size)); }
void free(void *p) {
  add(p, 0);
  __libc_free(p);
}
void *realloc(void *p, size_t size) {
  add(p, 0);
  return born(__libc_realloc(p, size));
}
void *memalign(size_t to, size_t size) { return born(__libc_memalign(to, size)); }
void *aligned_alloc(size_t to, size_t size) { return born(__libc_memalign(to, size)); }
int posix_memalign(void **out, size_t to, size_t size) {
  void *p = born(__libc_memalign(to, size));
  if (p) *out = p;
  return p ? 0 : ENOMEM;
}
