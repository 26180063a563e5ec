// Rings that nothing leads to.
#include "end.h"
struct node { struct node *next, *previous; long data[6]; };
__attribute__((noinline)) static void ring(int size) {
  struct node *first = calloc(1, sizeof *first), *last = first;
  for (int i = 1; i < size; i++) {
    struct node *n = calloc(1, sizeof *n);
    last->next = n, n->previous = last, last = n;
  }
  last->next = first, first->previous = last;
}
int main(void) { for (int i = 1; i < 12; i++) ring(i); clear(); end(); }
