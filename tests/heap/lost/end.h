// Ends as each judge needs it.
#include <stdlib.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
static void end(void) { __lsan_do_leak_check(); _Exit(0); }
#else
static void end(void) { abort(); }
#endif
// What calls left in registers and on the stack would hold blocks.
__attribute__((noinline)) static void clear(void) {
  volatile char stack[16384];
  for (unsigned i = 0; i < sizeof stack; i++) stack[i] = 0;
  __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15");
}
