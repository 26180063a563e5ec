"""Runs inside gdb (see make-fixtures): writes what gdb says of the crashed thread's
variables as JSON: for each frame the function, and for each name its status and the
scalars below it by their paths."""

import json
import os
import re

import gdb

FRAMES, DEPTH, ELEMENTS, SCALARS = 10, 3, 8, 40
INTEGERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_ENUM)
SHOWN = {
    gdb.SYMBOL_LOC_LOCAL, gdb.SYMBOL_LOC_REGISTER, gdb.SYMBOL_LOC_STATIC, gdb.SYMBOL_LOC_COMPUTED,
    gdb.SYMBOL_LOC_OPTIMIZED_OUT,
}


def scalar(value, kind):
    """The value as text, `None` if it is not held against anything."""
    kind_of = kind.code
    if kind_of in INTEGERS and 0 < kind.sizeof <= 8:
        return str(int(value))
    if kind_of == gdb.TYPE_CODE_PTR:
        return hex(int(value) & (1 << 8 * kind.sizeof) - 1)
    if kind_of == gdb.TYPE_CODE_REF:
        return hex(int(value.referenced_value().address))
    if kind_of == gdb.TYPE_CODE_FLT and kind.sizeof in (4, 8):
        # All digits of a double, and of a float those that distinguish it from its neighbours.
        number = float(value)
        return repr(number) if kind.sizeof == 8 else f"{number:.9g}"
    return None


def name_of(field):
    """The path of a member: none for what has no name, a base by its own name."""
    if field.is_base_class:
        plain = re.sub(r"<.*", "", field.name)
        return "." + plain.rsplit("::", 1)[-1]
    return "." + field.name if field.name else ""


def scalars(value, path, depth, out):
    kind = value.type.strip_typedefs()
    if len(out) >= SCALARS:
        return
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        if depth < DEPTH:
            for field in kind.fields():
                if hasattr(field, "bitpos") or field.is_base_class:
                    scalars(value[field], path + name_of(field), depth + 1, out)
    elif kind.code == gdb.TYPE_CODE_ARRAY:
        low, high = kind.range()
        if depth < DEPTH:
            for index in range(low, min(high, low + ELEMENTS - 1) + 1):
                scalars(value[index], f"{path}[{index}]", depth + 1, out)
    else:
        text = scalar(value, kind)
        if text is not None:
            out[path] = text


def variable(symbol, frame):
    try:
        value = symbol.value(frame)
        if value.is_optimized_out:
            return {"status": "optimized_out"}
        found = {}
        scalars(value, "", 0, found)
        return {"status": "ok", "scalars": found}
    except gdb.MemoryError:
        return {"status": "unavailable"}
    except gdb.error:
        return {"status": "other"}


def variables(frame):
    """By name; of names that hide each other, the innermost."""
    found = {}
    block = frame.block()
    while block is not None:
        for symbol in block:
            if symbol.is_argument or symbol.addr_class in SHOWN:
                if symbol.name not in found:
                    found[symbol.name] = variable(symbol, frame)
        if block.function is not None:
            break
        block = block.superblock
    return found


gdb.execute("set pagination off")
frames = []
frame = gdb.newest_frame()
while frame is not None and len(frames) < FRAMES:
    # Jumps that left no frame are reported beside the frames.
    if frame.type() != gdb.TAILCALL_FRAME:
        entry = {"function": frame.name()}
        if frame.type() != gdb.SIGTRAMP_FRAME and frame.function() is not None:
            frame.select()
            entry["variables"] = variables(frame)
        frames.append(entry)
    if frame.name() == "main":
        break
    frame = frame.older()
with open(os.environ["OBIT_VARIABLES"], "w", encoding="utf-8") as file:
    json.dump({"gdb": gdb.VERSION, "frames": frames}, file, indent=1, sort_keys=True)
    file.write("\n")
