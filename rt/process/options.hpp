#pragma once
// ProcessOptions: what a new process is to have that differs from its parent.

#include <rt/kernel/process.hpp>
#include <rt/kernel/resource.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace rt {

/// New namespaces of the kernel, for those that are true (namespaces(7)). Without CAP_SYS_ADMIN only together with
/// `users`; where the kernel or a container forbids it, start() says operation_not_permitted, and invalid_argument
/// where the kernel has no such namespaces.
struct Namespaces {
  /// The process has the id 1 there, and when it ends the kernel kills all others. SIGTERM ends it as it ends others,
  /// though a PID 1 that does not handle a signal gets none: its exit code is then 128 + 15.
  bool process_ids = false;
  bool network = false;   ///< with one interface, "lo", which is down
  bool mounts = false;    ///< a copy; mounting in it is not seen outside
  bool users = false;     ///< its user and group are 0 there, with all capabilities
  bool host_name = false; ///< UTS
};

struct ResourceLimit {
  kernel::Resource resource;
  kernel::Limits limits;
};

/// What standard input, output or error of a process is.
struct Stream {
  enum class Kind : unsigned char { inherited, null, pipe, descriptor, same_as_output };
  Kind kind = Kind::inherited;
  int descriptor = -1;

  /// /dev/null.
  static constexpr Stream null() { return {Kind::null}; }
  /// A pipe, whose other end the Process has.
  static constexpr Stream pipe() { return {Kind::pipe}; }
  /// What a descriptor of the parent is.
  static constexpr Stream of(int number) { return {Kind::descriptor, number}; }
  /// For standard error: what standard output is.
  static constexpr Stream same_as_output() { return {Kind::same_as_output}; }
};

/// All texts and arrays that are named here, but the name, have to stay as they are until start() has returned.
struct ProcessOptions {
  /// "Process-1", "Process-2", ... if empty, and "Process-1:1" for the first child of Process-1. Cut to 31 bytes.
  std::string_view name = {};
  /// Ends with its parent: with SIGTERM (a second later SIGKILL) when that exits, with SIGKILL when it is killed. The
  /// others are joined when the parent exits, and outlive a parent that is killed. (With a namespace of process ids it
  /// ends with the thread that starts it, unless that is the main thread.)
  bool daemon = false;

  Namespaces namespaces = {};
  std::span<const ResourceLimit> limits = {};
  int nice = 0; ///< is added to the parent's
  /// Working directory.
  const char* directory = nullptr;
  /// Texts "NAME=value" and nullptr at the end, for programs that it executes; nullptr: the parent's.
  const char* const* environment = nullptr;
  /// The descriptors that stay open beside 0, 1 and 2; all others are closed. In a program that is executed these are
  /// open whether or not they are close-on-exec. Without a value all stay, but those that are close-on-exec end there.
  std::optional<std::span<const int>> keep = {};
  /// Of the session, the process group to join; 0: a new one, with its own id.
  std::optional<kernel::ProcessId> group = {};
  bool session = false; ///< leads a new session, and a process group in it
  Stream input = {}, output = {}, error = {};
};

} // namespace rt
