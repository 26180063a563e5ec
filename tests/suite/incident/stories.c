// Programs that fail because of each other, one for each PART.
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct order {
    int id;
    struct order *next;
};

// `tcp4:PORT`, `tcp6:PORT`, `unix:PATH`, `abstract:NAME`.
__attribute__((unused)) static socklen_t
address_of(const char *word, struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    const char *rest = strchr(word, ':') + 1;
    if (!strncmp(word, "tcp4", 4)) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(atoi(rest));
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof *in;
    }
    if (!strncmp(word, "tcp6", 4)) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(atoi(rest));
        in->sin6_addr = in6addr_loopback;
        return sizeof *in;
    }
    struct sockaddr_un *un = (struct sockaddr_un *)out;
    int is_abstract = *word == 'a';
    un->sun_family = AF_UNIX;
    strncpy(un->sun_path + is_abstract, rest, sizeof un->sun_path - 2);
    return offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(rest);
}

__attribute__((unused, noinline)) static int crash(struct order *order) {
    return order->next->id;
}

#ifdef SERVER
// Takes one connection and crashes over its request.
int main(int argc, char **argv) {
    struct sockaddr_storage own, peer;
    socklen_t length = address_of(argv[1], &own), peer_length = sizeof peer;
    int one = 1, listener = socket(own.ss_family, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&own, length) || listen(listener, 8)) {
        perror("bind");
        return 1;
    }
    int connection = accept(listener, (struct sockaddr *)&peer, &peer_length);
    char request[4];
    // The rest of the request stays unread, so the client's connection is reset.
    if (read(connection, request, sizeof request) < 0) return 1;
    usleep(100000);
    struct order order = {1, NULL};
    return crash(&order);
}
#endif

#ifdef CLIENT
// Ends itself when it has no answer. With a second argument, it crashes before it asks.
int main(int argc, char **argv) {
    struct sockaddr_storage server;
    socklen_t length = address_of(argv[1], &server);
    int connection = -1;
    for (int tries = 0; tries < 500; tries++) {
        connection = socket(server.ss_family, SOCK_STREAM, 0);
        if (!connect(connection, (struct sockaddr *)&server, length)) break;
        close(connection);
        connection = -1;
        usleep(10000);
    }
    if (argc > 2) {
        struct order order = {1, NULL};
        return crash(&order);
    }
    char answer[64];
    const char *request = "ORDER 4711 two pounds of sugar";
    if (write(connection, request, strlen(request)) < 0) abort();
    ssize_t got = read(connection, answer, sizeof answer);
    if (got <= 0) {
        int error = got < 0 ? errno : 0;
        fprintf(stderr, "client: no answer: %s\n", error ? strerror(error) : "end of file");
        errno = error;
        abort();
    }
    return 0;
}
#endif

#if defined(PRODUCER) || defined(CONSUMER)
struct queue {
    volatile int ready, taken;
    long offset;
    struct order order;
};
#endif

#ifdef PRODUCER
// Writes an order whose link leads nowhere, and insists that it is taken.
int main(int argc, char **argv) {
    int file = shm_open(argv[1], O_CREAT | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct queue))) return 1;
    struct queue *queue =
        mmap(NULL, sizeof *queue, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    queue->order.id = 4711;
    queue->order.next = NULL;
    queue->ready = 1;
    usleep(700000);
    assert(queue->taken && "the consumer took the order");
    return 0;
}
#endif

#ifdef CONSUMER
int main(int argc, char **argv) {
    int file = -1;
    while ((file = shm_open(argv[1], O_RDWR, 0600)) < 0) usleep(10000);
    usleep(50000);
    struct queue *queue =
        mmap(NULL, sizeof *queue, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    while (!queue->ready) usleep(10000);
    queue->taken = crash((struct order *)&queue->order);
    return 0;
}
#endif

#ifdef PARENT
// Starts a worker, which crashes, and does not go on without it. `argv[1]` is where the worker
// leaves its core.
int main(int argc, char **argv) {
    pid_t worker = fork();
    if (!worker) {
        if (argc > 1 && chdir(argv[1])) return 1;
        struct order order = {1, NULL};
        return crash(&order);
    }
    int status = 0;
    waitpid(worker, &status, 0);
    usleep(50000);
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "parent: worker %d was ended by signal %d\n", worker, WTERMSIG(status));
        abort();
    }
    return 0;
}
#endif

#ifdef LONELY
// Has the address of a database in its memory, as all its clients have, and crashes by itself.
int main(int argc, char **argv) {
    struct sockaddr_storage database;
    socklen_t length = address_of(argv[1], &database);
    int connection = socket(database.ss_family, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&database, length)) perror("connect");
    struct order order = {1, NULL};
    return crash(&order);
}
#endif

#ifdef MESSAGE
// Crashes over the message of a file.
int main(int argc, char **argv) {
    char *message = malloc(4096);
    FILE *file = fopen(argv[1], "r");
    if (!file || !fgets(message, 4096, file)) return 1;
    struct order order = {1, NULL};
    return crash(&order);
}
#endif

#ifdef CONSTANT
// Crashes with a message in its memory that every process of it has.
char message[] = "message_id: cst-20261130-0471a";

int main(void) {
    char *copy = strdup(message);
    struct order order = {copy[0], NULL};
    return crash(&order);
}
#endif
