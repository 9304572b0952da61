#pragma once
// Hooks: what a file of the runtime wants done when the program starts or ends.
//
// A hook is there only if the file that names it is linked, so a program pays for no feature that it does not use.
// Static constructors would do the same, but each needs a pointer in initialised data, which the dynamic relocations
// of a position-independent program would have to correct; a hook is the 32-bit distance from itself to its function,
// which is the same wherever the program lies.
//
//   RT_AT_START(20, rt_read_clock)      .rt_start.20:  .long rt_read_clock - .
//   RT_AT_EXIT(10, rt_join_threads)     .rt_exit.10:   .long rt_join_threads - .
//
// The linker script sorts both tables by their two-digit number. Functions are `extern "C" void name(const
// InitialStack&)` for the start, before the program's constructors, and `extern "C" void name()` for the end, after
// main's return. In the hosted profile the same names are ordinary constructors and destructors. Two more tables,
// RT_AT_THREAD_START and RT_AT_THREAD_EXIT, are run by each thread but the main one; hosted threads do without them.
//
//   RT_IN_FORKED(20, rt_fork_hubs)      rt_fork:  .short 20, 0    .long rt_fork_hubs - .
//   RT_AT_FORK(90, rt_fork_heap)        rt_fork:  .short 90, 1    .long rt_fork_heap - .
//
// is what a file wants done when a Process is started: in the child, `extern "C" void name()`, or in all phases (as
// pthread_atfork(3)), `extern "C" void name(ForkPhase)`. These are linked only into programs that start one, and
// whoever runs them sorts them. In the child no other thread runs and none will ever give back what it held: a lock has
// either been taken in `prepare`, or is to be reset there, with what it protects.
//
//   RT_FORK_DATA(50) constinit int variable;
//
// is for variables, zero at first, that each start of a process writes to. They lie together, sorted by number: every
// page that parent or child writes to costs each of them a page fault. What is only looked at lies next to them in most
// programs, as long as arrays, zero at first, lie behind all that is small:
//
//   RT_LARGE_DATA constinit char array[16 * 1024];

namespace rt {

/// What the kernel hands to a new program (System V ABI, "Process Initialization").
struct InitialStack {
  long argc;
  char* argv[];

  char** environment() const { return const_cast<char**>(argv) + argc + 1; }
  /// Pairs of (AT_… type, value), ended by AT_NULL.
  const unsigned long* auxiliary_vector() const {
    char** end = environment();
    while (*end) ++end;
    return reinterpret_cast<const unsigned long*>(end + 1);
  }
};

enum class ForkPhase : int {
  prepare, ///< in the process that is going to be copied, by the thread that does it
  parent,  ///< in the same when the child exists, or could not be made
  child,   ///< in the copy, whose only thread is the calling one
};

} // namespace rt

#define RT_FORK_DATA(number) [[gnu::section(".bss.fork." #number)]]
#define RT_LARGE_DATA [[gnu::section(".bss.large")]]

#if RT_HOSTED
// glibc hands (argc, argv, envp) to constructors; argv[-1] is argc, as on the initial stack.
#define RT_AT_START(number, function)                                                                                  \
  [[gnu::constructor(1##number)]] static void function##_at_start(int, char** argv, char**) {                          \
    function(*reinterpret_cast<const ::rt::InitialStack*>(argv - 1));                                                  \
  }
#define RT_AT_EXIT(number, function)                                                                                   \
  [[gnu::destructor(1##number)]] static void function##_at_exit() { function(); }
#define RT_AT_THREAD_START(number, function)
#define RT_AT_THREAD_EXIT(number, function)
#define RT_AT_FORK(number, function) RT_FORK_HOOK(number, function, function, nullptr)
#define RT_IN_FORKED(number, function) RT_FORK_HOOK(number, function, nullptr, function)
#define RT_FORK_HOOK(number, function, in_all_phases, in_child)                                                        \
  static constinit ::rt::ForkHook function##_hook{number, in_all_phases, in_child, nullptr};                           \
  [[gnu::constructor]] static void function##_registers() { function##_hook.enter(); }

namespace rt {

/// A hook of the hosted profile, in a list sorted by number.
struct ForkHook {
  int number;
  void (*in_all_phases)(ForkPhase); // one of these two
  void (*in_child)();
  ForkHook* next;

  static inline constinit ForkHook* first = nullptr;

  void enter() {
    ForkHook** link = &first;
    while (*link && (*link)->number < number) link = &(*link)->next;
    next = *link;
    *link = this;
  }
};

} // namespace rt
#else
#define RT_AT_START(number, function) RT_HOOK(start, number, function)
#define RT_AT_EXIT(number, function) RT_HOOK(exit, number, function)
#define RT_AT_THREAD_START(number, function) RT_HOOK(thread_start, number, function)
#define RT_AT_THREAD_EXIT(number, function) RT_HOOK(thread_exit, number, function)
#define RT_AT_FORK(number, function) RT_FORK_HOOK(number, 1, function)
#define RT_IN_FORKED(number, function) RT_FORK_HOOK(number, 0, function)
#define RT_FORK_HOOK(number, all, function)                                                                            \
  asm(".pushsection rt_fork, \"a\"\n\t.balign 4\n\t.short " #number ", " #all "\n\t.long " #function                   \
      " - .\n\t.popsection")
#define RT_HOOK(table, number, function)                                                                               \
  asm(".pushsection .rt_" #table "." #number ", \"a\"\n\t.balign 4\n\t.long " #function " - .\n\t.popsection")
#endif
