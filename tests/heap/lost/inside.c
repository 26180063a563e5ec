// Pointers into the middle of blocks hold them.
#include "end.h"
static char *inside[64];
__attribute__((noinline)) static void make(void) {
  for (int i = 0; i < 64; i++) inside[i] = (char *)calloc(1, 200) + 3 * i;
  for (int i = 0; i < 64; i += 4) inside[i] = 0;
}
int main(void) { make(); clear(); end(); }
