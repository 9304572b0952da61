#pragma once
// Setup: what a child does to itself, by its options, before it runs.
//
// The parent prepares what has to be there before the child: pipes, and what only the parent knows. The child applies
// it. Nothing but system calls and the stack is used then, since the child may share all memory with its parent (see
// exec.cpp).

#include <rt/io/fd.hpp>
#include <rt/kernel/pidfd.hpp>
#include <rt/process/options.hpp>

namespace rt::processing {

struct Child;

/// A pipe whose ends are not in the way when standard streams are replaced; close-on-exec.
Result<kernel::PipeEnds> make_pipe_above_streams();

class Setup {
 public:
  /// In the parent, with the family's lock held. The parent's ends of pipes go to the child's record.
  Result<void> prepare(Child& child);

  /// CLONE_NEW... of the options.
  unsigned long clone_flags() const;

  /// Whether apply() can fail, so that the parent has to wait for it.
  bool can_fail() const;

  /// In the child. spared: one more descriptor to keep open; -1: none.
  Result<void> apply(bool will_execute, int spared) const;

 private:
  Result<void> end_with_parent(bool will_execute) const;
  Result<void> map_user() const;
  Result<void> replace_streams() const;
  Result<void> apply_limits() const;
  Result<void> keep_descriptors(bool will_execute, int spared) const;

  const ProcessOptions* options_ = nullptr;
  Fd ends_[3]; // the child's, of pipes and /dev/null
  Fd life_;    // ends when the parent does; see end_with_parent
  kernel::ProcessId parent_ = 0;
  bool signal_at_end_ = false;
  unsigned user_ = 0, group_ = 0;
};

} // namespace rt::processing
