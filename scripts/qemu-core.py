"""Writes the core of a program of another machine, inside gdb-multiarch.

    qemu-aarch64 -B 0x100000000000 -g 1234 ./prog &
    OBIT_CORE=core OBIT_QEMU_PID=$! gdb-multiarch --nx --batch \\
        -ex "file prog" -ex "target remote :1234" -ex continue -x scripts/qemu-core.py

qemu's own cores lack NT_FILE, the first page of each image and, for riscv64, are not
written at all. The stub says which signal it is and not at which address: that is
computed from the instruction. The core is laid out as Linux (fs/binfmt_elf.c) lays out a core with the
default filter: memory from qemu's process, registers from its gdb stub. One thread,
NT_FPREGSET on some machines; pages of a file that may be written count as private, others as unwritten.
"""

import os
import re
import struct

import gdb

BASE = 0x1000_0000_0000  # qemu's -B: where the crashed program's address 0 lies
TOP = 0x100_0000_0000
PAGE = 4096
EXECUTE, WRITE, READ = 1, 2, 4
PT_LOAD, PT_NOTE = 1, 4
# Number and si_code of a signal. abort sends its own (SI_TKILL); brk is a trap.
SIGNALS = {"SIGSEGV": (11, 1), "SIGABRT": (6, -6), "SIGTRAP": (5, 1), "SIGILL": (4, 1), "SIGBUS": (7, 2)}
SEGV_ACCERR = 2
row = lambda prefix, count: [f"{prefix}{n}" for n in range(count)]
NONE = None  # A word that is zero here.
POWERPC = [*row("r", 32), "pc", "msr", NONE, "ctr", "lr", "xer", "cr", *[NONE] * 9]
MIPS = ["zero", "at", "v0", "v1", *row("a", 4), *row("t", 8), *row("s", 8), "t8", "t9", "k0", "k1", "gp", "sp", "s8", "ra"]
# e_machine, and elf_gregset_t in the names gdb has for registers.
MACHINES = {
    "aarch64": (183, [*row("x", 31), "sp", "pc", "cpsr"]),
    "riscv:rv64": (243, ["pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1",
                         *row("a", 8), *(f"s{n}" for n in range(2, 12)), "t3", "t4", "t5", "t6"]),
    "armv7": (40, [*row("r", 13), "sp", "lr", "pc", "cpsr", NONE]),
    "s390:64-bit": (22, ["pswm", "pswa", *row("r", 16), *[("acr", n) for n in range(0, 16, 2)], NONE]),
    "powerpc:common64": (21, POWERPC),
    "powerpc:common": (20, POWERPC),
    "mips:isa32r2": (8, [*[NONE] * 6, *MIPS, "lo", "hi", "pc", "bad", "sr", "cause", NONE]),
}
with open("prog", "rb") as file:
    HEADER = file.read(64)
IS_64, ORDER = HEADER[4] == 2, "<>"[HEADER[5] - 1]
WORD = 8 if IS_64 else 4


def pack(form, *values):
    return struct.pack(ORDER + form, *values)


def note(kind, data, owner=b"CORE\0"):
    padded = [part + bytes(-len(part) % 4) for part in (owner, data)]
    return pack("III", len(owner), len(data), kind) + b"".join(padded)


def words(*values):
    return pack(f"{len(values)}{'Q' if IS_64 else 'I'}", *(value & (1 << 8 * WORD) - 1 for value in values))


def register(name):
    """Its value; of a pair of access registers, both."""
    if name is NONE:
        return 0
    if isinstance(name, tuple):
        high, low = (register(f"{name[0]}{name[1] + n}") & 0xffffffff for n in (0, 1))
        return high << 32 | low
    value = gdb.parse_and_eval(f"${name}")
    if value.type.code == gdb.TYPE_CODE_VOID:
        raise gdb.GdbError(f"gdb has no register {name}")
    return int(value.cast(gdb.lookup_type("unsigned long long")))


def floats(machine):
    """NT_FPREGSET where obit's unwinding or its tests want it."""
    raw = lambda name: int(re.search(r"raw (0x[0-9a-f]+)", gdb.execute(f"info registers {name}", to_string=True)).group(1), 16)
    if machine == 22:
        return note(2, pack("II", register("fpc"), 0) + pack("16Q", *map(raw, row("f", 16))))
    if machine in (20, 21):
        return note(2, pack("33Q", *map(raw, row("f", 32)), register("fpscr")))
    return b""


def auxiliary_vector():
    """From `info auxv`: number, name, description, value, perhaps a string."""
    vector = []
    for line in gdb.execute("info auxv", to_string=True).splitlines():
        value = re.search(r'(0x[0-9a-f]+|\d+)(?:\s+".*")?$', line)
        vector += [int(line.split()[0]), int(value.group(1), 0)]
    return words(*vector)


def mappings(pid):
    """(start, end, rights, offset, path) in the crashed program's addresses; qemu maps its
    code without the right to execute, which the program headers put back."""
    loads = []
    with open("prog", "rb") as file:
        header = file.read(64)
        places = (("Q", 32), ("H", 54), ("H", 56)) if IS_64 else (("I", 28), ("H", 42), ("H", 44))
        offset, size, count = (struct.unpack_from(ORDER + form, header, at)[0] for form, at in places)
        for index in range(count):
            file.seek(offset + index * size)
            if IS_64:
                kind, flags, at = struct.unpack(ORDER + "IIQ", file.read(16))
            else:
                kind, at, _, _, _, _, flags = struct.unpack(ORDER + "7I", file.read(28))
            loads.append((kind, flags, at))
    for line in open(f"/proc/{pid}/maps"):
        place, rights, offset, _, _, *path = line.split()
        start, end = (int(part, 16) - BASE for part in place.split("-"))
        if start < 0 or end > (TOP if IS_64 else 1 << 32) or rights.startswith("---"):
            continue
        flags = READ * ("r" in rights) | WRITE * ("w" in rights)
        offset = int(offset, 16)
        flags |= any(kind == PT_LOAD and f & EXECUTE and at // PAGE * PAGE == offset
                     for kind, f, at in loads) and bool(path) and not flags & WRITE
        yield start, end, flags, offset, os.path.basename(path[0]) if path else ""


def fault_address(signal, found):
    """(address, whether something is mapped there) the processor would have reported."""
    pc = register("pc")
    address = pc
    if signal == "SIGSEGV" and any(start <= pc < end and flags & EXECUTE for start, end, flags, *_ in found):
        text = gdb.execute("x/i $pc", to_string=True)
        place = re.search(r"\[(\w+)(?:, (?:#(-?\w+)|([a-z]\w+)(?:, (lsl|lsr|[su]xtw) ?#?(\d+)?)?))?\](?!,)|\[(\w+)\],", text)
        if not place:  # lb, ld, sb and the like of the others.
            place = re.search(r"()(-?\d+)()()()\(%?(\w+)\)", text)
        if not place:
            raise gdb.GdbError(f"no address in {text}")
        base, offset, index, way, shift, after = place.groups()
        address = register(base or after) + int(offset or "0", 0)
        if index:
            by = int(shift or "0")
            address += register(index) >> by if way == "lsr" else register(index) << by
        address &= (1 << 8 * WORD) - 1
    return address, any(start <= address < end for start, end, *_ in found)


def main():
    stopped = re.search(r"signal (SIG\w+)", gdb.execute("info program", to_string=True)).group(1)
    signal, code = SIGNALS[stopped]
    pid = int(os.environ["OBIT_QEMU_PID"])
    machine, names = MACHINES[gdb.selected_inferior().architecture().name()]
    memory = open(f"/proc/{pid}/mem", "rb", 0)
    registers = [register(name) for name in names]
    tid = 4242  # The same each time.
    found = list(mappings(pid))
    address, there = fault_address(stopped, found)
    if stopped == "SIGSEGV" and there:
        code = SEGV_ACCERR
    status = pack("iiiH", signal, 0, 0, signal) + bytes(2) + words(0, 0)
    status += pack("4i", tid, 1, tid, tid) + words(*[0] * 8, *registers) + bytes(WORD)
    process = bytes(WORD) + words(0) + pack("2I4i", 0, 0, tid, 1, tid, tid)
    process += b"prog".ljust(16, b"\0") + b"./prog".ljust(80, b"\0")
    # An address, or who sent it. Mips has the code before the error.
    rest = pack("II", tid, 0) if code < 0 else words(address)
    head = (signal, code, 0) if machine == 8 else (signal, 0, code)
    signal = (pack("iii", *head) + bytes(4 * IS_64) + rest).ljust(128, b"\0")
    files = [mapping for mapping in found if mapping[4]]
    listed = words(len(files), PAGE, *(value for start, end, _, offset, _ in files for value in (start, end, offset // PAGE)))
    listed += b"".join(b"/srv/obit/" + path.encode() + b"\0" for *_, path in files)
    notes = note(1, status) + note(3, process) + note(0x53494749, signal)
    notes += note(6, auxiliary_vector()) + note(0x46494C45, listed) + floats(machine)

    header_size, entry_size = (64, 56) if IS_64 else (52, 32)
    headers_end = header_size + entry_size * (len(found) + 1)
    at = -(-(headers_end + len(notes)) // PAGE) * PAGE

    def entry(kind, flags, offset, start, dumped, size, align):
        if IS_64:
            return pack("IIQQQQQQ", kind, flags, offset, start, 0, dumped, size, align)
        return pack("8I", kind, offset, start, 0, dumped, size, flags, align)

    core = HEADER[:7] + bytes(9) + pack("HHI", 4, machine, 1) + words(0, header_size, 0)
    core += HEADER[48:52] if IS_64 else HEADER[36:40]
    core += pack("6H", header_size, entry_size, len(found) + 1, 0, 0, 0)
    core += entry(PT_NOTE, 0, headers_end, 0, len(notes), 0, 4)
    contents = b""
    for start, end, flags, offset, path in found:
        dumped = end - start
        if path and not flags & WRITE:
            dumped = PAGE if offset == 0 else 0
        memory.seek(start + BASE)
        core += entry(PT_LOAD, flags, at + len(contents), start, dumped, end - start, PAGE)
        contents += memory.read(dumped)
    with open(os.environ["OBIT_CORE"], "wb") as file:
        file.write((core + notes).ljust(at, b"\0") + contents)
    gdb.execute("kill")


main()
