// Blocks that threads lose, and others that they hold on their stacks while they wait.
#include <pthread.h>
#include "end.h"
static pthread_barrier_t barrier;
__attribute__((noinline)) static void lose(void) { for (int i = 0; i < 50; i++) *(int *)malloc(333) = i; }
static void *work(void *argument) {
  lose();
  char *held[20];
  for (int i = 0; i < 20; i++) held[i] = calloc(1, 500);
  clear();
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return held[3] + (long)argument;
}
int main(void) {
  pthread_t threads[4];
  pthread_barrier_init(&barrier, 0, 5);
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, work, 0);
  pthread_barrier_wait(&barrier);
  clear();
  end();
}
