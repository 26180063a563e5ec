# Writers of CPython, as in streams.c.
import ctypes, io, os, sys

directory = sys.argv[1]

def file(name, mode="w", **options):
    return open(f"{directory}/{name}", mode, **options)

def lines(out, what, count):
    for i in range(count):
        out.write(f"{what} line {i} of {count}\n")

plain = file("plain")
lines(plain, "plain", 1000)
flushed = file("flushed")
lines(flushed, "flushed", 100)
flushed.flush()
binary = file("binary", "wb")
for i in range(700):
    binary.write(b"binary line %d\n" % i)
large = file("large", buffering=1 << 18)
lines(large, "large", 5000)
unicode_text = file("unicode", encoding="utf-8")
lines(unicode_text, "gr\u00fc\u00dfe", 300)
closed = file("closed")
lines(closed, "closed", 10)
closed.close()
by_line = file("by-line", buffering=1)
lines(by_line, "by line", 10)
by_line.write("a line that has not ended")
both = file("both", "w+b")
both.write(b"both\n" * 20)
in_memory = io.BytesIO()
in_memory.write(b"in memory\n" * 100)
to_memory = io.BufferedWriter(io.BytesIO())
to_memory.write(b"to no file\n")
lines(sys.stdout, "standard output", 200)
if len(sys.argv) > 2:
    sys.exit()
ctypes.string_at(0)
