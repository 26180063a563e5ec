// Arrays that grow step by step, and many small blocks in fastbins.
#include <malloc.h>
#include <stdlib.h>
enum { ARRAYS = 300, SMALL = 50000 };
static char *arrays[ARRAYS];
static void *small[SMALL];
int main(void) {
  unsigned seed = 3;
  for (int step = 1; step < 60; step++)
    for (int i = 0; i < ARRAYS; i++) arrays[i] = realloc(arrays[i], step * (8 + rand_r(&seed) % 300));
  for (int i = 0; i < SMALL; i++) small[i] = malloc(24 + 16 * (i % 6));
  for (int i = 0; i < SMALL; i++)
    if (rand_r(&seed) % 3 == 0) free(small[i]), small[i] = 0;
  abort();
}
