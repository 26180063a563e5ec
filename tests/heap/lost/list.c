// A list whose head was overwritten: one block is lost, the others by it.
#include "end.h"
struct node { struct node *next; char text[40]; };
static struct node *kept;
__attribute__((noinline)) static void make(void) {
  struct node *lost = 0;
  for (int i = 0; i < 100; i++) {
    struct node *n = calloc(1, sizeof *n);
    n->next = lost, lost = n;
    struct node *k = calloc(1, sizeof *k);
    k->next = kept, kept = k;
  }
}
int main(void) { make(); clear(); end(); }
