// As many blocks as asked for, in lists that lead to one another: for the cost of a census.
#include <stdlib.h>
struct node {
  struct node *next;
  long n[2];
  struct node *other;
};
static struct node *lists[1024];
int main(int count, char **words) {
  long most = count > 1 ? atol(words[1]) : 1000;
  struct node *last = 0;
  for (long i = 0; i < most; i++) {
    struct node *node = malloc(sizeof *node);
    int list = (i * 2654435761u >> 10) & 1023;
    node->next = lists[list];
    node->other = last;
    node->n[0] = i;
    lists[list] = node;
    if (i % 7 == 0) last = node;
  }
  abort();
}
