// A child of a process with threads goes on with the heap of its parent.
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *blocks[5000];
static void *work(void *argument) {
  for (int i = 0; i < 5000; i++) blocks[i] = malloc(32 + i % 700);
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, work, 0);
  pthread_join(thread, 0);
  if (fork() == 0) {
    for (int i = 0; i < 5000; i += 3) free(blocks[i]), blocks[i] = 0;
    for (int i = 0; i < 5000; i += 3) blocks[i] = malloc(64 + i % 90);
    abort();
  }
  wait(0);
}
