// Streams of every kind, each of which has something left to write, or nothing that may be shown.
// With a second argument everything is written: what the files would be.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <locale.h>

static char path[4096];

static FILE *file(const char *directory, const char *name, const char *mode) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, mode);
    if (!f) abort();
    return f;
}

static void lines(FILE *f, const char *what, int count) {
    for (int i = 0; i < count; i++) fprintf(f, "%s line %d of %d\n", what, i, count);
}

static FILE *of_thread[8];
static pthread_barrier_t done;

static void *thread(void *argument) {
    long nth = (long)argument;
    char what[32];
    snprintf(what, sizeof what, "thread %ld", nth);
    lines(of_thread[nth], what, 500 + (int)nth * 37);
    pthread_barrier_wait(&done);
    for (;;) pthread_barrier_wait(&done);
}

int main(int count, char **argument) {
    const char *directory = argument[1];
    setlocale(LC_ALL, "C.UTF-8");
    FILE *plain = file(directory, "plain", "w");
    lines(plain, "plain", 1000);
    FILE *flushed = file(directory, "flushed", "w");
    lines(flushed, "flushed", 1000);
    fflush(flushed);
    FILE *append = file(directory, "append", "w");
    lines(append, "before", 3);
    fclose(append);
    append = file(directory, "append", "a");
    lines(append, "append", 200);
    FILE *large = file(directory, "large", "w");
    setvbuf(large, NULL, _IOFBF, 1 << 20);
    lines(large, "large", 20000);
    FILE *by_line = file(directory, "by-line", "w");
    setvbuf(by_line, NULL, _IOLBF, 4096);
    lines(by_line, "by line", 10);
    fputs("a line that has not ended", by_line);
    FILE *unbuffered = file(directory, "unbuffered", "w");
    setvbuf(unbuffered, NULL, _IONBF, 0);
    lines(unbuffered, "unbuffered", 10);
    FILE *wide = file(directory, "wide", "w");
    for (int i = 0; i < 300; i++) fwprintf(wide, L"wide line %d gr\u00fc\u00dfe\n", i);
    FILE *reading = file(directory, "flushed", "r");
    char text[64];
    for (int i = 0; i < 5; i++) if (!fgets(text, sizeof text, reading)) abort();
    FILE *both = file(directory, "both", "w+");
    lines(both, "both", 5);
    rewind(both);
    if (!fgets(text, sizeof text, both)) abort();
    fseek(both, 0, SEEK_END);
    lines(both, "both again", 5);
    char *memory;
    size_t size;
    FILE *in_memory = open_memstream(&memory, &size);
    lines(in_memory, "in memory", 100);
    FILE *closed = file(directory, "closed", "w");
    lines(closed, "closed", 100);
    fclose(closed);
    FILE *freed = file(directory, "freed", "w");
    lines(freed, "freed", 5);
    fflush(freed);
    lines(stdout, "standard output", 30);
    pthread_barrier_init(&done, NULL, 9);
    for (long i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "thread-%ld", i);
        of_thread[i] = file(directory, name, "w");
        pthread_t id;
        pthread_create(&id, NULL, thread, (void *)i);
    }
    pthread_barrier_wait(&done);
    if (count > 2) {
        fflush(NULL);
        return 0;
    }
    *(volatile int *)0 = 1;
}
