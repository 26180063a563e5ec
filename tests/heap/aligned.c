// Aligned blocks in the heap itself: what lies before and behind them is freed.
#include <stdlib.h>
enum { BLOCKS = 30000 };
static void *blocks[BLOCKS];
int main(void) {
  unsigned seed = 7;
  for (int i = 0; i < BLOCKS; i++) blocks[i] = aligned_alloc(16u << i % 9, 16 + rand_r(&seed) % 900);
  for (int i = 0; i < BLOCKS; i += 3) free(blocks[i]), blocks[i] = 0;
  abort();
}
