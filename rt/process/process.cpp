#include <rt/process/process.hpp>

#include <rt/base/panic.hpp>
#include <rt/process/child.hpp>

#include <mutex>

namespace rt {

using processing::Child;
using processing::State;

Process::Process(const ProcessOptions& options) : Process({nullptr, nullptr, 0, 16}, options) {}

Process::Process(const processing::Callable& callable, const ProcessOptions& options)
    : child_(Child::make(callable, options)) {}

void* Process::callable_place() const { return child_ ? child_->object : nullptr; }

Process::Process(Process&& other) noexcept : child_(std::exchange(other.child_, nullptr)) {
  if (child_ && child_->subclass) panic("a Process of a subclass was moved: run() would not find its object");
}

Process::~Process() {
  if (!child_) return;
  if (child_->state == State::running && !child_->options.daemon) join();
  child_->drop();
}

void Process::run() { panic("a Process was started without a callable or a run() of its own"); }

Result<void> Process::start() {
  if (!child_) return Errc::not_enough_memory;
  return processing::start(*child_, *this);
}

Result<Process> Process::execute(const processing::Arguments& arguments, const ProcessOptions& options) {
  Process process(Child::make({}, options));
  if (!process.child_ || !arguments.path()) return Errc::not_enough_memory;
  process.child_->subclass = false;
  if (const auto started = processing::execute(*process.child_, arguments.path(), arguments.argv()); !started)
    return started.error();
  return process;
}

void Process::join() {
  if (join_until(Deadline::no_matter_what()).error() == Errc::no_child_process)
    panic("process '{}' is joined by another one than its parent", name());
}

Result<void> Process::join_until(Deadline deadline) { return child_ ? child_->wait(deadline) : Result<void>{}; }

bool Process::is_alive() const { return child_ && child_->current_state() == State::running; }

std::optional<int> Process::exit_code() const {
  return child_ && child_->current_state() == State::ended ? child_->exit_code : std::optional<int>{};
}

Result<void> Process::send(kernel::Signal signal) { return child_ ? child_->send(signal) : Errc::no_such_process; }

std::string_view Process::name() const { return child_ ? child_->name.data() : std::string_view(); }
kernel::ProcessId Process::pid() const { return child_ ? child_->process.id : 0; }
int Process::pidfd() const {
  if (!child_) return -1;
  const std::lock_guard guard(processing::family->lock);
  return child_->describe();
}
bool Process::daemon() const { return child_ && child_->options.daemon; }

Fd& Process::stream(int number) {
  if (!child_) panic("a stream of a Process that has been moved, or for which there was no memory");
  return child_->streams[number];
}

} // namespace rt
