#include <rt/process/setup.hpp>

#include <rt/base/digits.hpp>
#include <rt/base/print.hpp>
#include <rt/kernel/descriptors.hpp>
#include <rt/kernel/machine.hpp>
#include <rt/kernel/poll.hpp>
#include <rt/process/child.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>

namespace rt::processing {
namespace {

using kernel::Signal;

constexpr int standard_streams = 3;

[[noreturn]] void end_as_killed() { kernel::exit_process(128 + static_cast<int>(Signal::sigkill)); }

// In a file of /proc that takes one write.
Result<void> write_once(const char* path, std::string_view text) {
  const auto file = kernel::open_file(path, O_WRONLY | O_CLOEXEC);
  if (!file) return file.error();
  const long written =
      arch::syscall(__NR_write, *file, reinterpret_cast<long>(text.data()), static_cast<long>(text.size()));
  (void)kernel::close_file(*file);
  return written < 0 ? Error::from_kernel(written) : Result<void>{};
}

// User or group 0 in the namespace is `outside`, and there is no other.
Result<void> map_one(const char* path, unsigned outside) {
  char text[32];
  Output out(text);
  out.put_literal("0 ");
  put_decimal(out, outside);
  out.put_literal(" 1\n");
  return write_once(path, out.text());
}

Result<void> change_directory(const char* path) {
  return Error::from_kernel(arch::syscall(__NR_chdir, reinterpret_cast<long>(path)));
}

struct Ends {
  Fd child, parent;
};
Result<Ends> open_ends(Stream stream, bool is_input) {
  Ends ends;
  if (stream.kind == Stream::Kind::null) {
    const auto file = kernel::open_file("/dev/null", O_RDWR | O_CLOEXEC);
    if (!file) return file.error();
    ends.child = Fd(*file);
  } else if (stream.kind == Stream::Kind::pipe) {
    const auto pipe = kernel::make_pipe(O_CLOEXEC);
    if (!pipe) return pipe.error();
    ends.child = Fd(is_input ? pipe->read : pipe->write);
    ends.parent = Fd(is_input ? pipe->write : pipe->read);
  }
  return ends;
}

} // namespace

Result<kernel::PipeEnds> make_pipe_above_streams() {
  const auto pipe = kernel::make_pipe(O_CLOEXEC);
  if (!pipe || (pipe->read >= standard_streams && pipe->write >= standard_streams)) return pipe;
  const Fd read(pipe->read), write(pipe->write);
  const auto moved_read = kernel::duplicate_above(pipe->read, standard_streams);
  if (!moved_read) return moved_read.error();
  const auto moved_write = kernel::duplicate_above(pipe->write, standard_streams);
  if (moved_write) return kernel::PipeEnds{*moved_read, *moved_write};
  (void)kernel::close_file(*moved_read);
  return moved_write.error();
}

Result<void> Setup::prepare(Child& child) {
  options_ = &child.options;
  const Stream streams[standard_streams] = {options_->input, options_->output, options_->error};
  for (int number = 0; number < standard_streams; ++number) {
    auto ends = open_ends(streams[number], number == 0);
    if (!ends) return ends.error();
    ends_[number] = std::move(ends->child);
    child.streams[number] = std::move(ends->parent);
  }
  if (options_->namespaces.users) {
    user_ = static_cast<unsigned>(arch::syscall(__NR_geteuid));
    group_ = static_cast<unsigned>(arch::syscall(__NR_getegid));
  }
  if (!options_->daemon) return {};
  parent_ = kernel::process_id();
  const bool own_ids = options_->namespaces.process_ids;
  signal_at_end_ = own_ids || arch::syscall(__NR_gettid) == parent_;
  if (signal_at_end_ && !own_ids) return {};
  const auto pipe = make_pipe_above_streams();
  if (!pipe) return pipe.error();
  life_ = Fd(pipe->read);
  child.life = Fd(pipe->write);
  return {};
}

unsigned long Setup::clone_flags() const {
  const Namespaces& chosen = options_->namespaces;
  return (chosen.process_ids ? CLONE_NEWPID : 0) | (chosen.network ? CLONE_NEWNET : 0) |
         (chosen.mounts ? CLONE_NEWNS : 0) | (chosen.users ? CLONE_NEWUSER : 0) | (chosen.host_name ? CLONE_NEWUTS : 0);
}

bool Setup::can_fail() const {
  const auto replaced = [](Stream stream) { return stream.kind != Stream::Kind::inherited; };
  return options_->namespaces.mounts || options_->namespaces.users || !options_->limits.empty() ||
         options_->nice != 0 || options_->directory || options_->group || options_->session ||
         replaced(options_->input) || replaced(options_->output) || replaced(options_->error) || life_;
}

Result<void> Setup::apply(bool will_execute, int spared) const {
  if (options_->namespaces.users)
    if (const auto done = map_user(); !done) return done;
  if (options_->daemon)
    if (const auto done = end_with_parent(will_execute); !done) return done;
  // What the child mounts is not to appear outside, where the file systems may be shared.
  if (options_->namespaces.mounts)
    if (const auto done = kernel::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr); !done) return done;
  if (options_->session)
    if (const auto done = kernel::start_session(); !done) return done;
  if (options_->group)
    if (const auto done = kernel::set_process_group(0, *options_->group); !done) return done;
  if (options_->directory)
    if (const auto done = change_directory(options_->directory); !done) return done;
  if (const auto done = replace_streams(); !done) return done;
  if (const auto done = keep_descriptors(will_execute, spared); !done) return done;
  return apply_limits();
}

// The kernel can send a signal at the end of a child's parent (prctl(2), PR_SET_PDEATHSIG), but by that it means the
// thread that has started the child. Where this is the main thread it is what is wanted; else the parent holds one end
// of a pipe, and the child is killed when the kernel closes that. (This signal would not reach a process with the id 1
// of a namespace, so that gets the other one.) A parent that has ended before the child has asked is no parent any
// more, and its end of the pipe is closed.
Result<void> Setup::end_with_parent(bool will_execute) const {
  if (signal_at_end_)
    if (const auto done = kernel::signal_at_parent_end(Signal::sigkill); !done) return done;
  if (!life_) {
    if (arch::syscall(__NR_getppid) != parent_) end_as_killed();
    return {};
  }
  if (!signal_at_end_)
    if (const auto done = kernel::signal_at_input(life_.number(), static_cast<int>(Signal::sigkill)); !done)
      return done;
  kernel::Polled polled(life_.number(), kernel::Ready::read);
  if (const auto found = kernel::poll({&polled, 1}, Deadline::after(std::chrono::seconds(0))); found && *found != 0)
    end_as_killed();
  return will_execute ? kernel::set_close_on_exec(life_.number(), false) : Result<void>{};
}

Result<void> Setup::map_user() const {
  // Without that a user who may not change groups outside could drop some inside, and kernels refuse the map.
  if (const auto done = write_once("/proc/self/setgroups", "deny"); !done) return done;
  if (const auto done = map_one("/proc/self/uid_map", user_); !done) return done;
  return map_one("/proc/self/gid_map", group_);
}

// First all are moved out of the way, so that none is overwritten before it has been used.
Result<void> Setup::replace_streams() const {
  const Stream streams[standard_streams] = {options_->input, options_->output, options_->error};
  int sources[standard_streams];
  for (int number = 0; number < standard_streams; ++number) {
    const bool given = streams[number].kind == Stream::Kind::descriptor;
    sources[number] = given ? streams[number].descriptor : ends_[number].number();
    if (given && sources[number] < 0) return Errc::bad_file_descriptor;
    if (sources[number] < 0) continue;
    const auto moved = kernel::duplicate_above(sources[number], standard_streams);
    if (!moved) return moved.error();
    sources[number] = *moved;
  }
  for (int number = 0; number < standard_streams; ++number) {
    const bool same = streams[number].kind == Stream::Kind::same_as_output;
    if (!same && sources[number] < 0) continue;
    if (const auto done = kernel::duplicate_as(same ? 1 : sources[number], number); !done) return done;
    if (!same) (void)kernel::close_file(sources[number]);
  }
  for (const Fd& end : ends_) {
    const int number = end.number();
    const bool replaced = number >= 0 && number < standard_streams && streams[number].kind != Stream::Kind::inherited;
    if (number >= 0 && !replaced) (void)kernel::close_file(number);
  }
  return {};
}

Result<void> Setup::keep_descriptors(bool will_execute, int spared) const {
  if (!options_->keep) return {};
  constexpr unsigned no_more = ~0u;
  const auto next_kept = [&](unsigned least) {
    unsigned next = no_more;
    const auto consider = [&](int number) {
      if (number >= 0 && static_cast<unsigned>(number) >= least) next = std::min(next, static_cast<unsigned>(number));
    };
    for (const int number : *options_->keep) consider(number);
    consider(spared);
    consider(life_.number());
    return next;
  };
  for (unsigned least = standard_streams;;) {
    const unsigned next = next_kept(least);
    kernel::close_descriptors(least, next == no_more ? no_more : next - 1);
    if (next == no_more) break;
    least = next + 1;
  }
  if (!will_execute) return {};
  for (const int number : *options_->keep)
    if (const auto done = kernel::set_close_on_exec(number, false); !done) return done;
  return {};
}

Result<void> Setup::apply_limits() const {
  if (options_->nice != 0)
    if (const auto done = kernel::add_to_nice(options_->nice); !done) return done;
  for (const auto& [resource, limits] : options_->limits)
    if (const auto done = kernel::set_limits(resource, limits); !done) return done;
  return {};
}

} // namespace rt::processing
