"""Fibers in gdb: what each waits for, and where it stands.

    (gdb) source fibers-gdb.py
    (gdb) info rt-fibers
      Id        Thread  Name      State
    * 4711      4711    main      runs
      4194304   4711    reader    waits on the word 0x7ffc1200
    (gdb) rt-bt 4194304
    #0  ... as bt shows it, for a thread

Works with gdb 12 or later on running programs and core files, bare or hosted, that have their symbols (not NAME.stripped).
Nothing of the program is changed: the backtrace of a fiber that does not run is made by an unwinder, which puts the
fiber's frames in the place of the selected thread's callers.
"""

import re

import gdb
import gdb.unwinder

# What the rest of a stack can be found by: its pointer, its frame's, and the next instruction.
REGISTERS = {
    "x86-64": ("rsp", "rbp", "rip"),
    "aarch64": ("sp", "x29", "pc"),
    "riscv": ("sp", "fp", "pc"),
}


def registers_of(architecture):
    for name, registers in REGISTERS.items():
        if name in architecture:
            return registers
    raise gdb.GdbError("rt runs on no CPU that is called " + architecture)


def atomic(value):
    """What a std::atomic holds."""
    return value["_M_b"]["_M_p"] if gdb.types.has_field(value.type.strip_typedefs(), "_M_b") else value["_M_i"]


def stack_pointers():
    """Thread id -> where its stack is at the moment, and the thread."""
    selected = gdb.selected_thread()
    found = {}
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            frame = gdb.newest_frame()
            found[thread.ptid[1] or thread.ptid[0]] = (int(frame.read_register("sp")), thread)
    finally:
        if selected:
            selected.switch()
    return found


class Flow:
    """A fiber, or the flow that a thread with fibers began with."""

    def __init__(self, flow, hub, thread, on_cpu):
        self.id = int(flow["id"])
        self.name = flow["task"]["name"]["_M_elems"].string(errors="replace")
        self.hub_thread = thread
        self.on_cpu = on_cpu  # the gdb thread that runs it, if one does
        self.context = flow["context"]["registers_"]
        self.is_fresh = "rt_context_entry" in str(self.context["resume_address"])
        self.state = self._state(flow, hub)

    def _state(self, flow, hub):
        waiter = flow["waiter"]
        suspended = 2  # Waiter::suspended
        if not waiter or int(atomic(waiter["state_"])) != suspended:
            return "runs" if self.on_cpu else "has not begun" if self.is_fresh else "is ready to run"
        lock, key = atomic(flow["task"]["lock"]), waiter["key"]
        text = "waits"
        if lock:
            owner = int(atomic(lock.dereference())) & 0x3FFFFFFF  # Lock::owner_mask
            text += " for lock {:#x}, which task {} holds".format(int(lock), owner)
        elif key:
            text += " on the word {:#x}".format(int(key))
        parked = int(waiter["since"])
        if parked:
            text += ", for {:.3f}s at least".format((int(hub["time_"]) - parked) / 1e9)
        return text


def flows():
    """Those of all hubs."""
    try:
        hub = atomic(gdb.parse_and_eval("rt::hub::Hub::all"))
    except gdb.error:
        raise gdb.GdbError("the program has no fibers, or no symbols")
    threads = stack_pointers()
    while hub:
        thread = int(atomic(hub["thread_"]))
        if thread:
            yield from flows_of(hub.dereference(), thread, threads.get(thread))
        hub = hub["next_"]


def flows_of(hub, thread, place):
    fibers = []
    block = atomic(hub["flows"]["blocks_"])
    while block:
        fibers += [f for f in (block["flows"][i] for i in range(int(block["used"]))) if f["live"]]
        block = block["next"]
    pointer, gdb_thread = place or (0, None)

    def runs(fiber):
        stack = fiber["stack"]
        return gdb_thread if int(stack["begin"]) <= pointer < int(stack["top"]) else None

    on_cpu = [runs(fiber) for fiber in fibers]
    yield Flow(hub["main_"], hub, thread, None if any(on_cpu) else gdb_thread)
    for fiber, cpu in sorted(zip(fibers, on_cpu), key=lambda pair: int(pair[0]["id"])):
        yield Flow(fiber, hub, thread, cpu)


class InfoFibers(gdb.Command):
    """List the fibers of all threads, and what each of them waits for.
An asterisk marks those that run, or that look for work on behalf of their thread."""

    def __init__(self):
        super().__init__("info rt-fibers", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        print("  {:<9} {:<9} {:<31} {}".format("Id", "Thread", "Name", "State"))
        for flow in flows():
            mark = "*" if flow.on_cpu else " "
            print("{} {:<9} {:<9} {:<31} {}".format(mark, flow.id, flow.hub_thread, flow.name, flow.state))


class FlowUnwinder(gdb.unwinder.Unwinder):
    """Lets a flow's innermost frame be the caller of the selected thread's."""

    def __init__(self, context):
        super().__init__("rt fiber")
        self.context = context

    def __call__(self, pending):
        if pending.level() != 0:
            return None
        registers = registers_of(pending.architecture().name())
        values = [self.context[field] for field in ("stack_pointer", "frame_pointer", "resume_address")]
        # Below the flow's frame, or it would look corrupt.
        inner = gdb.Value(int(values[0]) - 64).cast(values[0].type)
        unwound = pending.create_unwind_info(FrameId(inner, values[2]))
        for register, value in zip(registers, values):
            unwound.add_saved_register(register, value)
        return unwound


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Backtrace(gdb.Command):
    """rt-bt ID [OPTIONS OF bt]: the backtrace of a fiber, or of a thread with fibers, that `info rt-fibers` lists."""

    def __init__(self):
        super().__init__("rt-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words or not words[0].isdigit():
            raise gdb.GdbError("which one? rt-bt ID; `info rt-fibers` lists them")
        found = [flow for flow in flows() if flow.id == int(words[0])]
        if not found:
            raise gdb.GdbError("there is no fiber {}; `info rt-fibers` lists them".format(words[0]))
        options = " ".join(words[1:])
        print("{} '{}' {}".format(found[0].id, found[0].name, found[0].state))
        if found[0].on_cpu:
            self.show_running(found[0].on_cpu, options)
        elif not found[0].is_fresh:
            self.show_suspended(found[0].context, options)

    @staticmethod
    def show_running(thread, options):
        selected = gdb.selected_thread()
        thread.switch()
        try:
            gdb.execute("bt " + options)
        finally:
            selected.switch()

    @staticmethod
    def show_suspended(context, options):
        unwinder = FlowUnwinder(context)
        gdb.unwinder.register_unwinder(None, unwinder, replace=True)
        gdb.invalidate_cached_frames()
        try:
            text = gdb.execute("bt " + options, to_string=True)
        finally:
            gdb.frame_unwinders.remove(unwinder)
            gdb.invalidate_cached_frames()
        # Frame 0 is the selected thread's.
        first = re.search(r"^#1 ", text, re.MULTILINE)
        frames = text[first.start():] if first else text
        print(re.sub(r"^#(\d+) *", lambda m: "#{:<3}".format(int(m[1]) - 1), frames, flags=re.MULTILINE), end="")


InfoFibers()
Backtrace()
