// Large blocks that are mappings of their own, of which some are lost.
#include "end.h"
static char *kept[20];
__attribute__((noinline)) static void make(void) {
  for (int i = 0; i < 20; i++) {
    kept[i] = calloc(1, 300000 + i);
    *(char **)kept[i] = calloc(1, 77);
  }
  for (int i = 0; i < 20; i += 2) kept[i] = 0;
}
int main(void) { make(); clear(); end(); }
