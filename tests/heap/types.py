"""Compares the types of blocks (the census on stdin) with what the program says of its objects.

A line of the program is `ADDRESS TYPE`. Fails if less than 80 % of the live bytes have a type, or
0.5 % or more of the objects that are typed have a wrong one.
"""
import bisect
import sys


def plain(name):
    name = name.replace(", alloc::alloc::Global", "").replace(" ", "")
    return name.replace("struct", "").replace("&str", "str")


blocks = []
for line in sys.stdin:
    if line.startswith("#"):
        continue
    start, room, state, _, *name = line.rstrip("\n").split(" ")
    if state in ("Live", "Mapping"):
        blocks.append((int(start, 16), int(room), plain(" ".join(name))))
blocks.sort()
starts = [start for start, _, _ in blocks]
objects = set()
for line in open(sys.argv[1]):
    at, name = line.rstrip("\n").split(" ", 1)
    objects.add((int(at, 16), plain(name)))
known = wrong = 0
for at, name in sorted(objects):
    nth = bisect.bisect_right(starts, at) - 1
    if nth < 0 or at >= blocks[nth][0] + blocks[nth][1]:
        continue
    start, room, said = blocks[nth]
    if not said:
        if "-v" in sys.argv:
            print(f"unknown: {start:x} {room} {name}")
        continue
    known += 1
    # An object may lie behind counts of references, or be the first of many.
    inner = said.removesuffix("[]")
    if name not in (inner, inner.split("Inner<", 1)[-1].removesuffix(">")):
        wrong += 1
        if "-v" in sys.argv:
            print(f"wrong: {start:x} {room} {name}, not {said}")
total = sum(room for _, room, _ in blocks)
typed = sum(room for _, room, name in blocks if name)
print(
    f"{len(objects)} objects, {known} typed, {wrong} wrong;"
    f" {100 * typed / total:.1f} % of {total} live bytes typed"
)
sys.exit(typed < 0.8 * total or wrong >= 0.005 * max(known, 1) or known == 0)
