#pragma once

namespace rt {

/// Ends the program as a return from main does: non-daemon threads are joined, the calling thread's thread-local
/// objects and then the static ones are destroyed in the reverse order of their construction, and the process ends
/// with `status` (its low 8 bits reach the parent).
[[noreturn]] void exit(int status);

/// Ends the process at once: no thread is joined, nothing is destroyed (POSIX _exit(2)).
[[noreturn]] void exit_now(int status);

namespace start {

/// What linked features of the runtime do when a thread starts.
void run_thread_start_hooks();

/// Destroys the calling thread's thread-local objects, and what else linked features do when a thread ends.
void run_thread_exit_hooks();

} // namespace start

} // namespace rt
