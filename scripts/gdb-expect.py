"""Runs inside gdb (see make-fixtures): writes what gdb says of the loaded core as TOML."""

import os
import signal

import gdb

# Of deeper stacks only the ends are kept.
HEAD, TAIL = 24, 8

KINDS = {
    gdb.NORMAL_FRAME: "normal",
    gdb.INLINE_FRAME: "inline",
    gdb.SIGTRAMP_FRAME: "signal",
    gdb.TAILCALL_FRAME: "tailcall",
}


def text(value):
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def owner_of(pc):
    """The base name of the file that holds `pc`."""
    library = gdb.solib_name(pc)
    if library:
        return os.path.basename(library)
    # Of what is not a library, gdb distinguishes the vDSO and the program by the mapping.
    block = gdb.execute(f"info symbol {pc:#x}", to_string=True)
    if " of system-supplied DSO" in block:
        return "[vdso]"
    return "prog" if any(start <= pc < end for start, end in program_ranges) else ""


def find_program_ranges():
    ranges = []
    for line in gdb.execute("maintenance info sections", to_string=True).splitlines():
        # [0]      0x00400270->0x00400290 at 0x00000270: .note.gnu.property ALLOC LOAD …
        parts = line.replace("->", " ").split()
        if line.startswith("Core file"):
            break
        if len(parts) > 6 and "ALLOC" in parts and parts[1].startswith("0x"):
            ranges.append((int(parts[1], 16), int(parts[2], 16)))
    return ranges


def describe(frame):
    pc = frame.pc()
    place = frame.find_sal()
    fields = [f"pc = \"{pc:#x}\"", f"kind = \"{KINDS.get(frame.type(), 'other')}\""]
    if frame.type() != gdb.SIGTRAMP_FRAME and frame.name():
        fields.append(f"function = {text(frame.name())}")
    if place.symtab and place.line:
        fields.append(f"file = {text(os.path.basename(place.symtab.filename))}")
        fields.append(f"line = {place.line}")
    owner = owner_of(pc)
    if owner:
        fields.append(f"module = {text(owner)}")
    return "  { " + ", ".join(fields) + " },"


def frames_of(thread):
    thread.switch()
    frame = gdb.newest_frame()
    frames = []
    while frame is not None and frame.is_valid():
        frames.append(frame)
        frame = frame.older()
    return frames


def stack(out, thread, crashed):
    frames = frames_of(thread)
    out.append("")
    out.append("[[thread]]")
    out.append(f"tid = {thread.ptid[1]}")
    if crashed:
        out.append("crashed = true")
    out.append(f"frames_total = {len(frames)}")
    whole = len(frames) <= HEAD + TAIL
    out.append("frames = [")
    out.extend(describe(frame) for frame in (frames if whole else frames[:HEAD]))
    out.append("]")
    if not whole:
        out.append("outermost = [")
        out.extend(describe(frame) for frame in frames[-TAIL:])
        out.append("]")


def value(expression):
    return int(gdb.parse_and_eval(expression))


gdb.execute("set pagination off")
gdb.execute("set height 0")
program_ranges = find_program_ranges()
crashed = gdb.selected_thread()
number = value("$_siginfo.si_signo")
architecture = gdb.selected_frame().architecture().name()
# gdb does not know that mips has the code before the error.
code = "$_siginfo.si_errno" if architecture.startswith("mips") else "$_siginfo.si_code"
out = [
    f"# Recorded by scripts/make-fixtures from gdb {gdb.VERSION}; not written by hand.",
    f"gdb = {text(gdb.VERSION)}",
    f"machine = {text(architecture)}",
    f"signal = {text(signal.Signals(number).name)}",
    f"code = {value(code)}",
]
if number in (signal.SIGSEGV, signal.SIGBUS):
    out.append(f"fault_address = \"{value('$_siginfo._sifields._sigfault.si_addr'):#x}\"")
out.append(f"crashed = {crashed.ptid[1]}")
out.append("# The files kept beside the core; of other modules, this machine's are not yours.")
out.append("own = [" + ", ".join(text(name) for name in os.environ["OBIT_OWN"].split()) + "]")
out.append("[build_id]")
for objfile in gdb.objfiles():
    name = os.path.basename(objfile.filename)
    # A separate debug file is an objfile, too, owned by the one it describes.
    if objfile.owner is None and name in os.environ["OBIT_OWN"].split():
        out.append(f"{text(name)} = {text(objfile.build_id)}")
for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.ptid[1]):
    stack(out, thread, thread.ptid == crashed.ptid)
with open(os.environ["OBIT_EXPECT"], "w", encoding="utf-8") as file:
    file.write("\n".join(out) + "\n")
