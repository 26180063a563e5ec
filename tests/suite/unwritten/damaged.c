// A list of streams that something wrote over: in a circle, into nowhere, with a place for the next
// byte that is far beyond the buffer, with a size that is none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **argument) {
    char path[4096];
    const char *way = count > 2 ? argument[2] : "";
    snprintf(path, sizeof path, "%s/first", argument[1]);
    FILE *first = fopen(path, "w");
    snprintf(path, sizeof path, "%s/second", argument[1]);
    FILE *second = fopen(path, "w");
    fprintf(first, "of the first\n");
    fprintf(second, "of the second\n");
    if (!strcmp(way, "circle")) first->_chain = second;
    if (!strcmp(way, "nowhere")) second->_chain = (FILE *)0x123456789000;
    if (!strcmp(way, "beyond")) second->_IO_write_ptr = second->_IO_write_base + (1L << 40);
    if (!strcmp(way, "before")) second->_IO_write_ptr = second->_IO_write_base - 8;
    *(volatile int *)0 = 1;
}
