#include <rt/io/aio.hpp>

#include <rt/io/aio_backend.hpp>
#include <rt/kernel/environment.hpp>
#include <rt/kernel/event_counter.hpp>
#include <rt/kernel/signal_driven.hpp>

#include <linux/fcntl.h>

namespace rt::aio {

// --- List ---

void List::add(Operation& operation) {
  operation.list_ = this;
  operation.next_ = nullptr;
  operation.previous_ = last_;
  (last_ ? last_->next_ : first_) = &operation;
  last_ = &operation;
  ++size_;
}

void List::remove(Operation& operation) {
  (operation.previous_ ? operation.previous_->next_ : first_) = operation.next_;
  (operation.next_ ? operation.next_->previous_ : last_) = operation.previous_;
  operation.list_ = nullptr;
  --size_;
}

// --- Shared ---

Result<void> Shared::open(const Options& options) {
  if (options.entries == 0 || options.threads == 0) return Errc::invalid_argument;
  const Result<int> counter = kernel::make_event_counter();
  if (!counter) return counter.error();
  event = Fd(*counter);
  if (options.signal) {
    const Result<kernel::PipeEnds> ends = kernel::make_pipe(O_CLOEXEC | O_NONBLOCK);
    if (!ends) return ends.error();
    signal_in = Fd(ends->write);
    signal_out = Fd(ends->read);
    if (const Result<void> asked = kernel::signal_when_ready(ends->read, *options.signal); !asked) return asked;
  }
  return open_backend(options);
}

Result<void> Shared::open_backend(const Options& options) {
  Engine engine = options.engine;
  if (engine == Engine::automatic) {
    const char* const asked_for = kernel::environment_variable("RT_AIO");
    const std::string_view name = asked_for ? asked_for : "";
    if (name == "io_uring")
      engine = Engine::io_uring;
    else if (name == "threads")
      engine = Engine::threads;
    else if (!name.empty())
      return Errc::invalid_argument;
  }
  if (engine != Engine::threads) {
    Result<std::unique_ptr<Backend>> made = make_uring_backend(*this, options.entries);
    if (made) {
      backend = std::move(*made);
      return {};
    }
    if (engine == Engine::io_uring) return made.error();
  }
  Result<std::unique_ptr<Backend>> made = make_thread_backend(*this, options.threads);
  if (!made) return made.error();
  backend = std::move(*made);
  return {};
}

Result<void> Shared::submit(std::span<Operation* const> operations) {
  const Guard guard(lock);
  for (const Operation* operation : operations) {
    const Shared* const other = operation->shared_.load(std::memory_order_acquire);
    if (operation->list_ == &running || (other && other != this)) return Errc::already_started;
  }
  for (Operation* operation : operations) {
    if (operation->list_ == &running) continue; // it is there twice
    if (operation->list_) operation->list_->remove(*operation);
    operation->shared_.store(this, std::memory_order_relaxed);
    operation->phase_ = Operation::Phase::queued;
    operation->cancel_wanted_ = false;
    operation->state_.store(Operation::State::submitted, std::memory_order_relaxed);
    running.add(*operation);
    backend->begin(*operation);
  }
  backend->flush();
  return {};
}

void Shared::complete(Operation& operation, long result) {
  running.remove(operation);
  operation.result_ = result;
  (operation.callback_ ? to_call : completed).add(operation);
  operation.state_.store(Operation::State::done, std::memory_order_release);
}

void Shared::take(Operation& operation) {
  operation.list_->remove(operation);
  operation.shared_.store(nullptr, std::memory_order_release);
}

void Shared::look() {
  const std::size_t before = running.size();
  backend->look();
  if (running.size() != before) tell_others();
}

void Shared::notify() const { kernel::add_to_event_counter(event.number()); }

void Shared::reset_event() const {
  kernel::clear_event_counter(event.number());
  char bytes[256];
  if (signal_out)
    while (kernel::read_file(signal_out.number(), bytes).value_or(0u) == sizeof bytes) {
    }
}

void Shared::tell_others() {
  looks.fetch_add(1, std::memory_order_release);
  PrivateScope::wake(looks, everybody);
}

// A task that has to know the end, whatever happens, waits in the kernel when nothing else is possible.
Result<void> Shared::wait_for_event(Deadline deadline) const {
  const Result<Ready> ready = wait_until_ready(event.number(), Ready::read, deadline);
  if (ready) return {};
  if (ready.error() == Errc::timed_out || ready.error() == Errc::canceled) return ready.error();
  kernel::Polled polled(event.number(), Ready::read);
  const Result<unsigned> found = kernel::poll({&polled, 1}, deadline);
  return found && *found == 0 ? Result<void>{Errc::timed_out} : Result<void>{};
}

void Shared::call_back(Guard& guard) {
  while (Operation* const operation = to_call.first()) {
    take(*operation);
    const auto callback = std::exchange(operation->callback_, nullptr);
    ++calling;
    guard.unlock();
    callback(*operation);
    guard.lock();
    if (--calling == 0) tell_others();
  }
}

template <class Done> Result<void> Shared::wait_until(Guard& guard, Done done, Deadline deadline) {
  for (;;) {
    look();
    call_back(guard);
    if (done()) return {};
    Result<void> waited;
    if (somebody_waits) {
      const std::uint32_t seen = looks.load(std::memory_order_relaxed);
      guard.unlock();
      const Waited how = PrivateScope::wait_on(looks, seen, deadline);
      if (gave_up(how)) waited = error_of(how);
      guard.lock();
    } else {
      somebody_waits = true;
      guard.unlock();
      waited = wait_for_event(deadline);
      if (waited) reset_event();
      guard.lock();
      somebody_waits = false;
      tell_others();
    }
    if (waited) continue;
    look();
    return done() ? Result<void>{} : waited;
  }
}

void Shared::cancel_and_wait(Guard& guard, Operation& operation) {
  backend->cancel(operation);
  (void)wait_until(
      guard, [&] { return operation.list_ != &running; }, Deadline::no_matter_what());
}

// --- Operation ---

Operation::~Operation() {
  Shared* const shared = shared_.load(std::memory_order_acquire);
  if (!shared) return;
  Shared::Guard guard(shared->lock);
  if (list_ == &shared->running) shared->cancel_and_wait(guard, *this);
  if (list_) shared->take(*this);
}

Result<std::size_t> Operation::wait_until(Deadline deadline) {
  Shared* const shared = shared_.load(std::memory_order_acquire);
  if (!shared) return done() ? result() : Errc::invalid_argument;
  Shared::Guard guard(shared->lock);
  const Result<void> waited = shared->wait_until(
      guard, [&] { return done(); }, deadline);
  if (!waited) return waited.error();
  if (list_ == &shared->completed) shared->take(*this);
  return result();
}

Result<std::size_t> Operation::result() const {
  if (!done()) return Errc::still_open;
  if (result_ < 0) return Error::from_kernel(result_);
  return static_cast<std::size_t>(result_);
}

void Operation::cancel() {
  Shared* const shared = shared_.load(std::memory_order_acquire);
  if (!shared) return;
  const Shared::Guard guard(shared->lock);
  if (list_ == &shared->running) shared->backend->cancel(*this);
}

// --- Context ---

Context::Context(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
Context::Context(Context&& other) noexcept = default;

Result<Context> Context::open(const Options& options) {
  auto shared = std::make_unique<Shared>();
  if (const Result<void> opened = shared->open(options); !opened) return opened.error();
  return Context(std::move(shared));
}

Context::~Context() {
  if (!shared_) return;
  Shared::Guard guard(shared_->lock);
  while (Operation* const operation = shared_->running.first()) shared_->cancel_and_wait(guard, *operation);
  for (List* const list : {&shared_->completed, &shared_->to_call})
    while (Operation* const operation = list->first()) shared_->take(*operation);
}

Result<void> Context::submit(std::span<Operation* const> operations) { return shared_->submit(operations); }

Result<Operation*> Context::next_until(Deadline deadline) {
  Shared::Guard guard(shared_->lock);
  const auto any_or_none = [this] {
    return !shared_->completed.empty() || (shared_->running.empty() && shared_->calling == 0);
  };
  const Result<void> waited = shared_->wait_until(guard, any_or_none, deadline);
  if (!waited) return waited.error();
  Operation* const first = shared_->completed.first();
  if (!first) return Errc::empty;
  shared_->take(*first);
  return first;
}

Result<void> Context::run() {
  Shared::Guard guard(shared_->lock);
  return shared_->wait_until(
      guard, [this] { return shared_->running.empty() && shared_->to_call.empty() && shared_->calling == 0; },
      Deadline{});
}

std::size_t Context::look() {
  Shared::Guard guard(shared_->lock);
  shared_->reset_event();
  shared_->look();
  shared_->call_back(guard);
  return shared_->running.size();
}

int Context::number() const { return shared_->event.number(); }

std::string_view Context::engine() const { return shared_->backend->name(); }

} // namespace rt::aio
