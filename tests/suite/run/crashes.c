/* One program for the tests of `obit run`: the first argument says what it does. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int *nowhere;
static sigjmp_buf back;
static char *program;

__attribute__((noinline)) static void fault(void) { *nowhere = 7; }

__attribute__((noinline)) static void *in_thread(void *argument)
{
    fault();
    return argument;
}

static void faulting_handler(int signal)
{
    (void)signal;
    fault();
}

static void writing_handler(int signal)
{
    (void)signal;
    write(1, "got\n", 4);
}

static void returning_handler(int signal) { (void)signal; }

static void jumping_handler(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static void exiting_handler(int signal)
{
    (void)signal;
    _exit(7);
}

__attribute__((noinline)) static int deep(int level)
{
    volatile char page[4096];
    page[0] = (char)level;
    return deep(level + 1) + page[0];
}

static void *ending_thread(void *argument)
{
    syscall(SYS_exit, 3);
    return argument;
}

static void *executing_thread(void *argument)
{
    execl("/proc/self/exe", program, "thread", NULL);
    return argument;
}

static void *exiting_first_thread(void *argument)
{
    pthread_join(*(pthread_t *)argument, NULL);
    fault();
    return NULL;
}

/* From now on this system call does what `action` says. */
static void forbid(unsigned call, unsigned action)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof rules / sizeof *rules, rules};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int run(const char *what, const char *number)
{
    pthread_t thread, self = pthread_self();
    int status = 0;
    pid_t child;

    if (!strcmp(what, "main")) {
        fault();
    } else if (!strcmp(what, "thread")) {
        pthread_create(&thread, NULL, in_thread, NULL);
        pthread_join(thread, NULL);
    } else if (!strcmp(what, "threads")) {
        for (int left = atoi(number); left > 0; left--)
            pthread_create(&thread, NULL, (void *(*)(void *))pause, NULL);
        fault();
    } else if (!strcmp(what, "without-main")) {
        pthread_create(&thread, NULL, exiting_first_thread, &self);
        pthread_exit(NULL);
    } else if (!strcmp(what, "exec-by-thread")) {
        pthread_create(&thread, NULL, executing_thread, NULL);
        pthread_join(thread, NULL);
    } else if (!strcmp(what, "grandchild")) {
        if (!fork()) {
            if (!fork()) {
                execl("/proc/self/exe", program, "main", NULL);
                _exit(1);
            }
            wait(&status);
            _exit(0);
        }
        wait(&status);
    } else if (!strcmp(what, "vfork")) {
        child = vfork();
        if (!child)
            fault();
        waitpid(child, &status, 0);
        return WIFSIGNALED(status) ? 0 : 1;
    } else if (!strcmp(what, "in-handler")) {
        signal(SIGUSR1, faulting_handler);
        raise(SIGUSR1);
    } else if (!strcmp(what, "in-its-handler")) {
        signal(SIGSEGV, faulting_handler);
        fault();
    } else if (!strcmp(what, "handled")) {
        signal(SIGSEGV, jumping_handler);
        if (!sigsetjmp(back, 1))
            fault();
        puts("survived");
    } else if (!strcmp(what, "abort")) {
        abort();
    } else if (!strcmp(what, "overflow")) {
        return deep(0);
    } else if (!strcmp(what, "overflow-with-handler")) {
        signal(SIGSEGV, returning_handler);
        return deep(0);
    } else if (!strcmp(what, "not-dumpable")) {
        prctl(PR_SET_DUMPABLE, 0);
        fault();
    } else if (!strcmp(what, "forbidden-call")) {
        forbid(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
        syscall(SYS_getppid);
    } else if (!strcmp(what, "many")) {
        for (int left = atoi(number); left > 0; left--)
            if (!fork())
                fault();
        while (wait(&status) > 0)
            ;
    } else if (!strcmp(what, "exit")) {
        return atoi(number);
    } else if (!strcmp(what, "hang")) {
        pause();
    } else if (!strcmp(what, "hang-on")) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    } else if (!strcmp(what, "count")) {
        signal(SIGUSR1, writing_handler);
        write(1, "ready\n", 6);
        for (int left = 10; left > 0; left--)
            usleep(50000);
    } else if (!strcmp(what, "flee")) {
        /* A process that is always another one, for some seconds, and one that waits. */
        time_t end = time(NULL) + 5;
        signal(SIGTERM, SIG_IGN);
        if (!fork()) {
            while (time(NULL) < end)
                if (fork())
                    break;
            _exit(0);
        }
        for (;;)
            pause();
    } else if (!strcmp(what, "thread-exit")) {
        /* A thread ends with a status, then the process crashes. */
        pthread_create(&thread, NULL, ending_thread, NULL);
        usleep(100000);
        fault();
    } else if (!strcmp(what, "end-on-term")) {
        signal(SIGTERM, exiting_handler);
        puts("ready");
        fflush(stdout);
        for (;;)
            pause();
    }
    return 0;
}

int main(int count, char **words)
{
    program = words[0];
    if (count > 2 && !strcmp(words[1], "without-ptrace")) {
        forbid(SYS_ptrace, SECCOMP_RET_ERRNO | EPERM);
        execv(words[2], words + 2);
    }
    return run(count > 1 ? words[1] : "", count > 2 ? words[2] : "0");
}
