// Asynchronous input and output: the program submits what is to be read, goes on with something else, and is told when
// the data are in its buffers, in the order in which that happens.
//
// Three files and a pipe are read at once, three times: whoever has submitted waits for each completion; callbacks are
// called; the kernel sends a signal. The pipe is the first to be submitted and the last to have data. Meanwhile the
// program counts primes.

#include "network.hpp"
#include "temporary_file.hpp"

#include <rt/io/aio.hpp>
#include <rt/kernel/signal_handler.hpp>
#include <rt/sync/event.hpp>
#include <rt/thread/thread.hpp>

#include <array>
#include <vector>

using namespace apps;
namespace aio = rt::aio;

namespace {

constexpr std::string_view name = "19_async_io";

/// What goes on while the kernel reads: counts primes, some numbers at a time.
class Work {
 public:
  void go_on() {
    for (const unsigned end = number_ + 200; number_ < end; ++number_) {
      bool prime = number_ > 1;
      for (unsigned divisor = 2; prime && divisor * divisor <= number_; ++divisor) prime = number_ % divisor != 0;
      found_ += prime;
    }
  }
  void report() const { rt::println("  meanwhile: {} primes below {}", found_, number_); }

 private:
  unsigned number_ = 0, found_ = 0;
};

/// One of the things that are read.
struct Source {
  std::string_view name;
  rt::Fd descriptor;
  std::size_t size; // bytes that it has
  std::uint64_t offset = 0;
};

class Example {
 public:
  static Result<Example> make(const TemporaryFiles& files) {
    Example example;
    const auto ends = rt::kernel::make_pipe(O_CLOEXEC);
    if (!ends) return ends.error();
    example.sources_.push_back({"pipe", rt::Fd(ends->read), pipe_text.size(), aio::at_position});
    example.pipe_ = rt::Fd(ends->write);
    for (const auto& [name, size] :
         {std::pair("small file", 1'000), {"medium file", 100'000}, {"large file", 2'000'000}}) {
      auto file = files.make();
      if (!file) return file.error();
      if (const auto filled = file->write_at(std::string(static_cast<std::size_t>(size), 'x'), 0); !filled)
        return filled.error();
      example.sources_.push_back({name, std::move(*file), static_cast<std::size_t>(size)});
    }
    return example;
  }

  /// Submits one read of each source; done(operation, index) is called where `callbacks` says so.
  Result<void> submit(aio::Context& io, void (*callback)(Example& example, aio::Operation& done) = nullptr) {
    operations_.clear();
    buffers_.clear();
    completed_ = 0;
    std::vector<aio::Operation*> all;
    for (const Source& source : sources_) {
      buffers_.emplace_back(source.size);
      operations_.push_back(std::make_unique<aio::Operation>(aio::Kind::read, source.descriptor.number(),
                                                             buffers_.back().data(), source.size, source.offset));
      all.push_back(operations_.back().get());
      if (callback) all.back()->then([this, callback](aio::Operation& done) { callback(*this, done); });
    }
    const auto submitted = io.submit(all);
    if (submitted) rt::println("  {} reads are submitted", all.size());
    return submitted;
  }

  /// Prints what has completed. When that is all but the pipe, somebody begins to write there.
  void completed(aio::Operation& done) {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (operations_[i].get() != &done) continue;
      const auto size = done.result();
      if (size)
        rt::println("  completed: {}, {} bytes", sources_[i].name, *size);
      else
        rt::println("  completed: {}, error: {}", sources_[i].name, size.error());
      wrong_ = wrong_ || !size || *size != sources_[i].size;
    }
    if (++completed_ == sources_.size() - 1) write_later();
  }

  bool all_completed() const { return completed_ == sources_.size(); }
  bool wrong() const { return wrong_; }

 private:
  static constexpr std::string_view pipe_text = "what somebody has written at last\n";

  void write_later() {
    writer_ = std::make_unique<rt::Thread>([this] {
      pause(300ms);
      (void)rt::kernel::write_file(pipe_.number(), pipe_text);
    });
    writer_->start().value();
  }

  std::vector<Source> sources_;
  rt::Fd pipe_;
  std::vector<std::vector<char>> buffers_;
  std::vector<std::unique_ptr<aio::Operation>> operations_;
  std::unique_ptr<rt::Thread> writer_;
  std::size_t completed_ = 0;
  bool wrong_ = false;
};

Result<void> by_waiting(Example& example, const aio::Options& options) {
  auto io = aio::Context::open(options);
  if (!io) return io.error();
  rt::println("by waiting for whichever completes first ({}):", io->engine());
  if (const auto submitted = example.submit(*io); !submitted) return submitted;
  Work work;
  work.go_on();
  work.report();
  for (;;) {
    const auto done = io->next();
    if (done.error() == rt::Errc::empty) return {};
    if (!done) return done.error();
    example.completed(**done);
  }
}

Result<void> by_callback(Example& example, const aio::Options& options) {
  auto io = aio::Context::open(options);
  if (!io) return io.error();
  rt::println("by callback ({}):", io->engine());
  const auto submitted = example.submit(*io, [](Example& each, aio::Operation& done) { each.completed(done); });
  if (!submitted) return submitted;
  Work work;
  do work.go_on();
  while (io->look() > 0);
  work.report();
  return {};
}

constinit std::atomic<unsigned> signals_seen = 0;

Result<void> wait_for_signals(Example& example, const aio::Options& options) {
  auto io = aio::Context::open(options);
  if (!io) return io.error();
  rt::println("by signal ({}):", io->engine());
  const auto submitted = example.submit(*io, [](Example& each, aio::Operation& done) { each.completed(done); });
  if (!submitted) return submitted;
  Work work;
  for (unsigned seen = 0; !example.all_completed();) {
    work.go_on();
    const unsigned now = signals_seen;
    if (now == seen) continue;
    rt::println("  SIGIO: {} so far", now);
    seen = now;
    io->look();
  }
  work.report();
  return {};
}

/// The kernel tells by SIGIO, as the program does something else, that data are ready. The handler may do next to
/// nothing; it counts, and the program looks when the count has changed.
Result<void> by_signal(Example& example, const aio::Options& options) {
  const auto before = rt::kernel::handle_signal(rt::Signal::sigio, [](rt::Signal) { ++signals_seen; });
  if (!before) return before.error();
  aio::Options with_signal = options;
  with_signal.signal = rt::Signal::sigio;
  const auto waited = wait_for_signals(example, with_signal);
  rt::kernel::set_signal_action(rt::Signal::sigio, *before); // the Context, from which signals come, has ended
  return waited;
}

Result<void> cancel(const aio::Options& options) {
  auto io = aio::Context::open(options);
  if (!io) return io.error();
  rt::println("canceled ({}):", io->engine());
  const auto ends = rt::kernel::make_pipe(O_CLOEXEC);
  if (!ends) return ends.error();
  const rt::Fd reads(ends->read), writes(ends->write);
  std::array<char, 16> buffer;
  auto read = aio::read(reads.number(), buffer);
  if (const auto submitted = io->submit(read); !submitted) return submitted;
  rt::println("  a pipe is read to which nobody writes");
  read.cancel();
  const auto result = read.wait();
  rt::println("  completed: error: {}", result.error());
  return result.error() == rt::Errc::canceled ? Result<void>{} : Result<void>(result.error());
}

std::optional<aio::Engine> engine_named(std::string_view text) {
  if (text == "io_uring") return aio::Engine::io_uring;
  if (text == "threads") return aio::Engine::threads;
  return {};
}

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv,
                  "Asynchronous I/O: reads submitted at once; completion by waiting, by callback, by signal.");
  const auto engine = options.text("--engine", "ENGINE", "io_uring or threads; else whichever the kernel allows");
  const auto directory = options.text("--directory", "DIR", "where the files are made");
  aio::Options chosen;
  if (engine) {
    if (const auto named = engine_named(*engine))
      chosen.engine = *named;
    else
      options.complain(*engine, "is neither io_uring nor threads");
  }
  if (const auto status = options.finish()) return *status;

  occupy_standard_files();
  const auto files = TemporaryFiles::find(directory);
  if (!files) return fail(name, "cannot make a temporary file", files.error());
  auto example = Example::make(*files);
  if (!example) return fail(name, "cannot make what is to be read", example.error());
  for (const auto show : {by_waiting, by_callback, by_signal})
    if (const auto shown = show(*example, chosen); !shown) return fail(name, "cannot read", shown.error());
  if (const auto shown = cancel(chosen); !shown) return fail(name, "cannot cancel", shown.error());
  rt::println("end");
  return example->wrong() ? 1 : 0;
}
