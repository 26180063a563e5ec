// A server with connections: the program holds the template of a request, and another connection
// the last one. With a second argument, the request of the crashed thread is there, too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    int descriptor;
    char *buffer;
    struct connection *next;
};

static void __attribute__((noinline)) handle(struct connection *c) {
    __asm__ volatile("" : : "r"(c) : "memory");
    *(volatile int *)0 = c->descriptor;
}

int main(int count, char **argument) {
    struct connection *all = NULL;
    for (int i = 0; i < 3; i++) {
        struct connection *c = malloc(sizeof *c);
        c->descriptor = i;
        c->buffer = malloc(1024);
        sprintf(c->buffer, "GET /connection%d HTTP/1.1\r\nHost: shop.example\r\nX-Request-Id: r-%d\r\n\r\n", i, i);
        c->next = all;
        all = c;
    }
    if (count < 3) strcpy(all->buffer, "BIN\x01\x02");
    handle(all);
}
