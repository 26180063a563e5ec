"""The machine whose core pattern is borrowed, spools, and programs that crash: for check-capture."""
import contextlib
import fcntl
import glob
import json
import os
import resource
import shutil
import signal
import subprocess
import threading
import time

PATTERN = "/proc/sys/kernel/core_pattern"
LIMIT = "/proc/sys/kernel/core_pipe_limit"
LOCK = "/run/lock/obit-core-pattern"
USER = 4242
SPECIFIERS = "%P %s %t %I %F %d %c %h"

# Frames deep, on a thread, with a heap of so many random megabytes and a hole of so many.
PROGRAM = r"""
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
struct job { long id; struct job *next; };
static char *hole;
__attribute__((noinline)) long finish(struct job *job) { return job->next->id; }
__attribute__((noinline)) long run(struct job *job, int depth) {
    return depth ? run(job, depth - 1) + 1 : finish(job) + 1;
}
int main(int argc, char **argv) {
    size_t filled = (argc > 1 ? strtoul(argv[1], 0, 10) : 0) << 20;
    size_t sparse = (argc > 2 ? strtoul(argv[2], 0, 10) : 0) << 20;
    uint64_t seed = 88172645463325252u;
    if (filled) {
        uint64_t *heap = malloc(filled);
        for (size_t at = 0; at < filled / 8; at++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            /* Half of it compresses, as in programs. */
            heap[at] = at & 1 ? seed : at;
        }
    }
    if (sparse) {
        hole = mmap(0, sparse, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        for (size_t at = 0; at < sparse; at += 64 << 20) hole[at] = 1;
    }
    struct job job = {7, 0};
    if (argc > 3) { puts("ready"); fflush(stdout); pause(); }
    return (int)run(&job, 3);
}
"""


class Failed(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Failed(what)


def read(path):
    with open(path) as file:
        return file.read().strip()


class Machine:
    """The kernel's settings, borrowed."""

    def __init__(self, obit, scratch):
        self.obit, self.scratch = obit, scratch
        self.before = (read(PATTERN), read(LIMIT))
        self.lock = open(LOCK, "w")
        self.watchdog = subprocess.Popen(
            ["sh", "-c", f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 0.2; done; "
             f"[ -e '{scratch}/set' ] || exit 0; "
             f"echo '{self.before[1]}' >{LIMIT}; echo '{self.before[0]}' >{PATTERN}; rm -f '{scratch}/set'"],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.longest = 0.0

    def set(self, pattern, limit):
        for path, value in ((LIMIT, limit), (PATTERN, pattern)):
            with open(path, "w") as file:
                file.write(f"{value}\n")

    @contextlib.contextmanager
    def pattern(self, pattern, limit="64"):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        open(f"{self.scratch}/set", "w").close()
        begun = time.monotonic()
        try:
            self.set(pattern, limit)
            yield
        finally:
            self.set(*self.before)
            self.longest = max(self.longest, time.monotonic() - begun)
            os.unlink(f"{self.scratch}/set")
            fcntl.flock(self.lock, fcntl.LOCK_UN)

    def piped(self, spool, limit="64", before=""):
        def pattern_of(program):
            return f"|{before}{program} capture --config {spool.config} handle {SPECIFIERS}"

        pattern = pattern_of(self.obit)
        if len(pattern) >= 128:
            short = f"{self.scratch}/obit"
            if not os.path.exists(short):
                shutil.copy(self.obit, short)
            pattern = pattern_of(short)
        need(len(pattern) < 128, f"the pattern is too long: {pattern}")
        return self.pattern(pattern, limit)


class Spool:
    """A spool, with settings of its own."""

    def __init__(self, scratch, name, **settings):
        self.path = f"{scratch}/{name}"
        self.config = f"{scratch}/{name}.toml"
        defaults = {"spool": self.path, "keep-free-percent": 0, "per-program": 100}
        with open(self.config, "w") as file:
            for key, value in (defaults | settings).items():
                file.write(f"{key} = {json.dumps(value)}\n")

    def path_of(self, pid, ending):
        """The file of the crash of a process. Others may have crashed meanwhile."""
        found = sorted(path for path in glob.glob(f"{self.path}/*-{pid}{ending}"))
        return found[0] if found else None

    def wait(self, pids, ending, seconds=20):
        until = time.monotonic() + seconds
        while missing := [pid for pid in pids if not self.path_of(pid, ending)]:
            need(time.monotonic() < until, f"no *{ending} of {missing} after {seconds} s")
            time.sleep(0.002)

    def core(self, pid):
        return self.path_of(pid, ".core.zst")

    def record(self, pid):
        with open(self.path_of(pid, ".json")) as file:
            return json.load(file)

    def report(self, pid):
        with open(self.path_of(pid, ".report.json")) as file:
            return json.load(file)


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def as_user():
    limits()
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)


def crash(program, *args, cwd="/", prepare=limits, wrapper=()):
    """Runs the program until the kernel lets go of it: its process id, how long that took."""
    begun = time.monotonic()
    process = subprocess.Popen([*wrapper, program, *map(str, args)], cwd=cwd, preexec_fn=prepare,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.wait()
    need(process.returncode == -signal.SIGSEGV, f"{program} ended with {process.returncode}")
    return process.pid, time.monotonic() - begun


def used(path):
    """KiB on disk."""
    return int(subprocess.run(["du", "-sk", path], capture_output=True, text=True).stdout.split()[0])


def unpack(packed, to):
    subprocess.run(["zstd", "-dqf", packed, "-o", to], check=True)
    return to


def handlers(spool):
    """Processes that capture into this spool now: those of others are not ours to count."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = open(path, "rb").read().split(b"\0")
            if spool.config.encode() in words and b"handle" in words:
                found.append(int(path.split("/")[2]))
    return found


class Peak:
    """The most memory that handlers had, looked at again and again."""

    def __init__(self, spool):
        self.spool, self.kib, self.stop = spool, 0, False

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.stop:
            for process in handlers(self.spool):
                with contextlib.suppress(OSError, IndexError, ValueError):
                    status = read(f"/proc/{process}/status")
                    self.kib = max(self.kib, int(status.split("VmHWM:")[1].split()[0]))
            time.sleep(0.01)

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
