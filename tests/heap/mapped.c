// Large blocks that are mappings, some of them aligned, beside small ones.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
static void *blocks[400];
int main(void) {
  for (int i = 0; i < 400; i++) {
    size_t size = i % 2 ? 100 + i : 200000 + i * 3001;
    if (i % 5 == 0) posix_memalign(&blocks[i], 32u << i % 11, size);
    else blocks[i] = malloc(size);
    memset(blocks[i], i, size);
  }
  for (int i = 0; i < 400; i += 3) free(blocks[i]), blocks[i] = 0;
  abort();
}
