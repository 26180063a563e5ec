// Eight threads, each with an arena of its own; a third of the blocks is freed, half of them by
// another thread.
#include <pthread.h>
#include <stdlib.h>
enum { THREADS = 8, BLOCKS = 20000 };
static void *blocks[THREADS][BLOCKS];
static pthread_barrier_t barrier;
static void *work(void *argument) {
  long self = (long)argument;
  unsigned seed = (unsigned)self + 1;
  for (int i = 0; i < BLOCKS; i++) blocks[self][i] = malloc(1 + rand_r(&seed) % 2000);
  pthread_barrier_wait(&barrier);
  long other = (self + 1) % THREADS;
  for (int i = 0; i < BLOCKS; i += 6) free(blocks[self][i]), blocks[self][i] = 0;
  for (int i = 3; i < BLOCKS; i += 6) free(blocks[other][i]), blocks[other][i] = 0;
  pthread_barrier_wait(&barrier);
  if (self == 0) abort();
  pthread_barrier_wait(&barrier);
  return 0;
}
int main(void) {
  pthread_t threads[THREADS];
  pthread_barrier_init(&barrier, 0, THREADS);
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, work, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
}
