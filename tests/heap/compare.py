#!/usr/bin/env python3
"""compare.py RECORDS < CENSUS: blocks that are alive by the record against those of a census."""
import struct
import sys

live, freed, seen = {}, set(), 0
with open(sys.argv[1], "rb") as records:
    while (record := records.read(16)) and len(record) == 16:
        address, room = struct.unpack("<QQ", record)
        if not address:
            break
        seen += 1
        if room:
            live[address] = room
            freed.discard(address)
        else:
            live.pop(address, None)
            freed.add(address)
found, unknown = {}, 0
for line in sys.stdin:
    if line.startswith("#") or line.startswith("no heap"):
        continue
    address, room, state = line.split()[:3]
    if state in ("Live", "Mapping"):
        found[int(address, 16)] = int(room)
    unknown += state == "Unknown"
# Of blocks that were there before the first record, or that the C library makes for itself, the
# record says nothing.
judged = {a: r for a, r in found.items() if a in live or a in freed}
right = [a for a in judged if a in live]
sizes = sum(found[a] == live[a] for a in right)
recall = len(right) / max(1, len(live))
precision = len(right) / max(1, len(judged))
print(f"{seen:8} calls, {len(live):7} alive: recall {recall:.4%}, precision {precision:.4%}, "
      f"sizes {sizes / max(1, len(right)):.4%}; {len(found) - len(judged)} without a record, {unknown} unknown")
sys.exit(recall < 0.999 or precision < 0.999 or sizes != len(right))
