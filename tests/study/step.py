"""Steps through a switch of flows under gdb, and prints for each instruction its source and what it has changed.

The output goes to descriptor 3: gdb itself says something at each step, which step.sh throws away.
"""

import os
import re

import gdb

WIDTH = 100
LEFT = 34  # of the instruction; the rest is the source line
WORD = 8

REGISTERS = {
    "x86-64": ["rsp", "rbp", "rdi", "rax", "rcx", "rdx", "rsi", "rbx"] + ["r%d" % i for i in range(8, 16)],
    "aarch64": ["sp", "x29", "x30"] + ["x%d" % i for i in range(29)],
    "riscv": ["sp", "fp", "ra"] + ["s%d" % i for i in range(1, 12)] + ["a%d" % i for i in range(8)]
             + ["t%d" % i for i in range(7)],
}

# What the disassembler calls what the assembler makes of an instruction, where that is something else.
PSEUDO = {"lla": ["auipc", "addi", "add", "mv"], "hint": ["bti"]}

out = os.fdopen(3, "w")


def say(text=""):
    out.write(text[:WIDTH].rstrip() + "\n")
    out.flush()


def number(expression):
    return int(gdb.parse_and_eval(expression)) & (1 << 64) - 1


def read_words(begin, end):
    data = bytes(gdb.selected_inferior().read_memory(begin, end - begin))
    return {begin + i: int.from_bytes(data[i:i + WORD], "little") for i in range(0, len(data), WORD)}


class Machine:
    """What can change: registers, both contexts, both stacks around where they are in use."""

    def __init__(self):
        name = gdb.selected_frame().architecture().name()
        self.registers = next(r for cpu, r in REGISTERS.items() if cpu in name)
        self.contexts = {}  # address -> name
        for context in ("main_flow", "other_flow"):
            begin = number("(long)&" + context)
            for i, field in enumerate(("stack_pointer", "frame_pointer", "resume_address")):
                self.contexts[begin + i * WORD] = context + "." + field
        self.other_end = number("(long)&other_stack") + number("sizeof(other_stack)")
        self.main_top = number("$" + self.registers[0]) + 64

    def stack_of(self, pointer):
        return "other" if self.other_end - 4096 <= pointer <= self.other_end else "main"

    def state(self):
        registers = {r: number("$" + r) for r in self.registers}
        words = read_words(min(self.contexts), max(self.contexts) + WORD)
        words.update(read_words(self.other_end - 512, self.other_end))
        words.update(read_words(self.main_top - 512, self.main_top))
        return registers, words

    def describe(self, value):
        """A value, with what it points to if that is known."""
        if value in self.contexts:
            return "%#x  (&%s)" % (value, self.contexts[value].split(".")[0])
        if self.other_end - 4096 <= value <= self.other_end:
            return "%#x  (other's stack, %d bytes below its top)" % (value, self.other_end - value)
        if self.main_top - 512 <= value <= self.main_top:
            return "%#x  (main's stack)" % value
        block = gdb.block_for_pc(value) if value < 1 << 47 else None
        while block and not (block.function and block.superblock.is_static):  # not one that is inlined
            block = block.superblock
        if block:
            return "%#x  <%s+%d>" % (value, block.function.print_name.split("(")[0], value - block.start)
        symbol = gdb.execute("info symbol %#x" % value, to_string=True)
        return "%#x" % value if symbol.startswith("No symbol") else "%#x  <%s>" % (value, symbol.split(" in section")[0])

    def changes(self, before, after):
        sp = after[0][self.registers[0]]
        for name in self.registers:
            if before[0][name] != after[0][name]:
                yield "%s = %s" % (name, self.describe(after[0][name]))
        for address, value in sorted(after[1].items()):
            if before[1].get(address, value) != value:
                place = self.contexts.get(address)
                if not place:
                    distance = address - sp
                    place = "%s's stack, [%s%+d]" % (self.stack_of(address), self.registers[0], distance)
                yield "%s = %s" % (place, self.describe(value))


class Sources:
    """The source line of each instruction. All those of an asm statement have the number of its first line; the line of
    each is the next one with its mnemonic."""

    def __init__(self):
        self.files = {}
        self.statement, self.next = None, 0

    def lines(self, symtab):
        path = symtab.fullname()
        if path not in self.files:
            with open(path) as file:
                self.files[path] = file.read().split("\n")
        return self.files[path]

    def of(self, pc, mnemonic):
        place = gdb.find_pc_line(pc)
        if not place.symtab:
            return ""
        lines, line = self.lines(place.symtab), place.line
        if "asm volatile(" in lines[line - 1]:
            line = self.in_statement(lines, line, mnemonic)
        text = lines[line - 1].strip().replace("asm volatile(", "").replace("%%", "%").replace("\\n\\t", "")
        return "%s:%d  %s" % (os.path.basename(place.symtab.filename), line, text.replace("\\n", "").strip('"'))

    def in_statement(self, lines, first, mnemonic):
        if self.statement != first:
            self.statement, self.next = first, first
        for line in (self.next, self.next - 1):
            written = re.search(r'"(?:1:)?(\w+)', lines[line - 1])
            if written and (written[1] == mnemonic and line == self.next or mnemonic in PSEUDO.get(written[1], [])):
                self.next = line + 1
                return line
        # An operand that the compiler brings to its register.
        return next(n for n in range(first, 0, -1) if "inline" in lines[n - 1])


def instruction_at(pc):
    text = gdb.selected_frame().architecture().disassemble(pc)[0]["asm"]
    return " ".join(re.sub(r"\s*(<|//|# 0x).*", "", text).split())


def step_until(machine, sources, arrived):
    """Returns the number of instructions."""
    for count in range(1, 200):
        pc = number("$pc")
        text = instruction_at(pc)
        source = sources.of(pc, text.split()[0])
        before = machine.state()
        gdb.execute("stepi", to_string=True)
        after = machine.state()
        say("  %-*s %s" % (LEFT - 2, text[:LEFT - 2], source))
        for change in machine.changes(before, after):
            say("      " + change)
        if arrived(number("$pc")):
            return count
    raise gdb.GdbError("the switch does not arrive")


def scene(title, machine, arrived):
    say("--- %s %s" % (title, "-" * WIDTH))
    say()
    say("  %s = %s" % (machine.registers[0], machine.describe(number("$" + machine.registers[0]))))
    say()
    count = step_until(machine, Sources(), arrived)
    say()
    say("  %d instructions; this is %s(), %s = %s" %
        (count, gdb.newest_frame().name(), machine.registers[0], machine.describe(number("$" + machine.registers[0]))))
    say()


def main():
    for setting in ("pagination off", "confirm off", "width 0", "print asm-demangle on"):
        gdb.execute("set " + setting)
    gdb.execute("break *hop", to_string=True)
    server = os.environ.get("RT_STUDY_SERVER")
    if server:
        gdb.execute("target remote " + server, to_string=True)
        gdb.execute("continue", to_string=True)
    else:
        gdb.execute("run", to_string=True)

    machine = Machine()

    def in_function(name):
        begin = number("(long)" + name)
        return lambda pc: pc == begin or gdb.newest_frame().name() == name

    scene("main lets the other flow begin", machine, in_function("other"))
    gdb.execute("continue", to_string=True)
    scene("the other flow lets main go on", machine, in_function("main"))
    gdb.execute("delete")
    gdb.execute("continue", to_string=True)


main()
