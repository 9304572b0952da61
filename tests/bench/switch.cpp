// From one flow of control to another: the switch itself, among few flows and among many, generators, and how long a
// flow takes to come and go. On one CPU.

#include "measure.hpp"

#include <rt/context/generator.hpp>
#include <rt/context/greenlet.hpp>

#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <ucontext.h>
#include <utility>

namespace {

template <class F> double nanoseconds_each(long count, F f) {
  const double begin = bench::seconds();
  f(count);
  return (bench::seconds() - begin) / static_cast<double>(count) * 1e9;
}

// --- Ways to switch --------------------------------------------------------------------------------------------------
// Each has numbered flows, of which 0 is the thread's own; hop(from, to) stops the one and lets the other go on. A flow
// calls body(number) when it is first reached, which never returns.

constexpr std::size_t stack_size = 48 * 1024;
constexpr std::size_t most_flows = 10'001;

struct Rt {
  static inline std::unique_ptr<rt::Context[]> contexts{new rt::Context[most_flows]};
  static inline std::unique_ptr<rt::memory::Stack* []> stacks { new rt::memory::Stack*[most_flows]() };
  static inline void (*body)(std::size_t number);

  static void begin(std::size_t number) {
    rt::memory::Stack*& stack = stacks[number];
    if (!stack) stack = rt::memory::take_stack(stack_size).value();
    contexts[number].begin(*stack, stack->top, [](void*, rt::arch::Context& context) {
      rt::Context* const self = rt::Context::of(&context);
      self->arrive();
      body(static_cast<std::size_t>(self - contexts.get()));
      __builtin_unreachable();
    });
  }
  [[gnu::always_inline]] static void hop(std::size_t from, std::size_t to) {
    contexts[from].switch_to(contexts[to], nullptr);
  }
};

struct Stacks {
  char* operator[](std::size_t number) {
    if (!stacks[number]) stacks[number].reset(new char[stack_size]);
    return stacks[number].get();
  }
  std::unique_ptr<std::unique_ptr<char[]>[]> stacks { new std::unique_ptr<char[]>[ most_flows ] };
};

struct Boost {
  static inline std::unique_ptr<boost::context::detail::fcontext_t[]> contexts{
      new boost::context::detail::fcontext_t[most_flows]};
  static inline Stacks stacks;
  static inline void (*body)(std::size_t number);

  struct Message {
    std::size_t from, to;
  };

  static void begin(std::size_t number) {
    contexts[number] = boost::context::detail::make_fcontext(
        stacks[number] + stack_size, stack_size, [](boost::context::detail::transfer_t transfer) {
          const Message message = *static_cast<Message*>(transfer.data);
          contexts[message.from] = transfer.fctx;
          body(message.to);
        });
  }
  [[gnu::always_inline]] static void hop(std::size_t from, std::size_t to) {
    Message message{from, to};
    const auto transfer = boost::context::detail::jump_fcontext(contexts[to], &message);
    contexts[static_cast<Message*>(transfer.data)->from] = transfer.fctx;
  }
};

struct Swapcontext {
  static inline std::unique_ptr<ucontext_t[]> contexts{new ucontext_t[most_flows]};
  static inline Stacks stacks;
  static inline void (*body)(std::size_t number);

  static void begin(std::size_t number) {
    ucontext_t& context = contexts[number];
    getcontext(&context);
    context.uc_stack.ss_sp = stacks[number];
    context.uc_stack.ss_size = stack_size;
    makecontext(&context, reinterpret_cast<void (*)()>(+[](int n) { body(static_cast<std::size_t>(n)); }), 1,
                static_cast<int>(number));
  }
  static void hop(std::size_t from, std::size_t to) { swapcontext(&contexts[from], &contexts[to]); }
};

#if defined(__x86_64__)
// Ours but for its last instruction: a return that no call belongs to.
struct EndsInReturn : Rt {
  [[gnu::always_inline]] static void hop(std::size_t from, std::size_t to) {
    auto* leaving = const_cast<rt::arch::Context*>(&contexts[from].registers());
    const auto* target = &contexts[to].registers();
    asm volatile("lea  1f(%%rip), %%rdx\n\t"
                 "mov  %%rsp, 0(%%rax)\n\t"
                 "mov  %%rbp, 8(%%rax)\n\t"
                 "mov  %%rdx, 16(%%rax)\n\t"
                 "mov  0(%%rcx), %%rsp\n\t"
                 "mov  8(%%rcx), %%rbp\n\t"
                 "lea  -128(%%rsp), %%rsp\n\t"
                 "push 16(%%rcx)\n\t"
                 "ret  $128\n"
                 "1:"
                 : "+a"(leaving), "+c"(target)
                 :
                 : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rbx", "xmm0", "xmm1",
                   "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                   "xmm14", "xmm15", "memory", "cc");
  }
};
#endif

// --- Two flows -------------------------------------------------------------------------------------------------------

[[gnu::noipa]] void callee() {}

double call_and_return() {
  return nanoseconds_each(20'000'000, [](long count) {
    for (long i = 0; i < count; ++i) callee();
  });
}

template <class Way> double ping_pong() {
  Way::body = [](std::size_t number) {
    for (;;) Way::hop(number, 0);
  };
  Way::begin(1);
  return nanoseconds_each(5'000'000, [](long count) {
    for (long i = 0; i < count; i += 2) Way::hop(0, 1);
  });
}

// --- Many flows ------------------------------------------------------------------------------------------------------
// 16 functions, each in calls of its own depth, and flows that go on in a random order which repeats itself only after
// all of them. `returns`: between two switches a flow returns from its calls and makes them again.

std::vector<std::size_t> successor;
long hops_left = 0;
bool returns = false;

template <class Way, int Kind> struct Walker {
  [[gnu::noinline]] static std::size_t descend(std::size_t self, int depth) {
    if (depth > 0) return descend(self, depth - 1) + static_cast<std::size_t>(depth);
    std::size_t hops = 0;
    do {
      ++hops;
      Way::hop(self, --hops_left > 0 ? successor[self] : 0);
    } while (!returns);
    return hops;
  }
  [[noreturn]] static void run(std::size_t self) {
    volatile std::size_t sum = 0;
    for (;;) sum = sum + descend(self, Kind % 8);
  }
};

template <class Way, int... Kinds> void run_kind(std::size_t self, std::integer_sequence<int, Kinds...>) {
  static constexpr void (*kinds[])(std::size_t) = {Walker<Way, Kinds>::run...};
  kinds[self % sizeof...(Kinds)](self);
}

template <class Way> double shuffled(std::size_t flows, bool with_returns) {
  std::vector<std::size_t> order(flows);
  std::iota(order.begin(), order.end(), 1);
  std::shuffle(order.begin(), order.end(), std::mt19937(12345));
  successor.assign(flows + 1, 0);
  for (std::size_t i = 0; i < flows; ++i) successor[order[i]] = order[(i + 1) % flows];
  Way::body = [](std::size_t self) { run_kind<Way>(self, std::make_integer_sequence<int, 16>()); };
  for (std::size_t number = 1; number <= flows; ++number) Way::begin(number);
  returns = with_returns;
  const auto go = [&](long count) {
    hops_left = count;
    Way::hop(0, order[0]);
  };
  go(static_cast<long>(flows) + 1); // each of them has begun
  return nanoseconds_each(1'000'000, go);
}

// --- Generators ------------------------------------------------------------------------------------------------------

constexpr long steps = 10'000'000;
volatile long total = 0;

struct CompilersGenerator {
  struct promise_type {
    long value;
    CompilersGenerator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(long x) noexcept {
      value = x;
      return {};
    }
    void return_void() {}
    void unhandled_exception() {}
  };
  std::coroutine_handle<promise_type> handle;
};
[[gnu::noinline]] CompilersGenerator compilers_numbers() {
  for (long i = 0;; ++i) co_yield i;
}

double compilers_step() {
  const CompilersGenerator numbers = compilers_numbers();
  const double each = nanoseconds_each(steps, [&](long count) {
    long sum = 0;
    for (long i = 0; i < count; ++i) {
      numbers.handle.resume();
      sum += numbers.handle.promise().value;
    }
    total = sum;
  });
  numbers.handle.destroy();
  return each;
}

/// What a program makes of it: a generator whose next() tells the end.
struct CompilersIterator {
  CompilersGenerator generator;

  explicit CompilersIterator(CompilersGenerator made) : generator(made) {}
  CompilersIterator(const CompilersIterator&) = delete;
  ~CompilersIterator() { generator.handle.destroy(); }

  std::optional<long> next() {
    generator.handle.resume();
    if (generator.handle.done()) return {};
    return generator.handle.promise().value;
  }
};

double compilers_next() {
  CompilersIterator numbers(compilers_numbers());
  const double begin = bench::seconds();
  long sum = 0;
  for (long i = 0; i < steps; ++i) sum += *numbers.next();
  total = sum;
  return (bench::seconds() - begin) / steps * 1e9;
}

double step() {
  rt::Generator<long> numbers([](auto& yield) {
    for (long i = 0; yield(i); ++i) {
    }
  });
  const double begin = bench::seconds();
  long sum = 0;
  for (long i = 0; i < steps; ++i) sum += *numbers.next();
  total = sum;
  return (bench::seconds() - begin) / steps * 1e9;
}

// --- Coming and going ------------------------------------------------------------------------------------------------

volatile long finished = 0;

double greenlets() {
  return nanoseconds_each(1'000'000, [](long count) {
    for (long i = 0; i < count; ++i) rt::Greenlet([] { finished = finished + 1; }).switch_to();
  });
}

double generators() {
  return nanoseconds_each(1'000'000, [](long count) {
    for (long i = 0; i < count; ++i) rt::Generator<long>([](auto&) { finished = finished + 1; }).next();
  });
}

double boost_fibers() {
  namespace context = boost::context;
  static context::pooled_fixedsize_stack pool(stack_size);
  return nanoseconds_each(1'000'000, [](long count) {
    for (long i = 0; i < count; ++i) {
      context::fiber fiber(std::allocator_arg, pool, [](context::fiber&& back) {
        finished = finished + 1;
        return std::move(back);
      });
      fiber = std::move(fiber).resume();
    }
  });
}

} // namespace

int main() {
  bench::pin_to_cpu(0);
  using bench::at_most, bench::at_most_of_the_first;

  std::vector<bench::Candidate> ways = {{"a call and its return", call_and_return},
                                        {"rt::Context", ping_pong<Rt>, at_most_of_the_first(1.15)},
                                        {"Boost.Context", ping_pong<Boost>},
                                        {"swapcontext", ping_pong<Swapcontext>}};
#if defined(__x86_64__)
  ways.push_back({"ours, if it ended in a return", ping_pong<EndsInReturn>});
#endif
  bench::compare("switch between two flows, one way", "ns", ways);

  for (const bool with_returns : {false, true})
    for (const std::size_t flows : {10, 100, 1'000, 10'000}) {
      const std::string title = "switch among " + std::to_string(flows) + " shuffled flows of 16 kinds" +
                                (with_returns ? ", with returns and calls in between" : "");
      const auto with = [=](double (*measure)(std::size_t, bool)) {
        return [=] { return measure(flows, with_returns); };
      };
      std::vector<bench::Candidate> candidates = {{"rt::Context", with(shuffled<Rt>)},
                                                  {"Boost.Context", with(shuffled<Boost>)},
                                                  {"swapcontext", with(shuffled<Swapcontext>)}};
#if defined(__x86_64__)
      candidates.push_back({"ours, if it ended in a return", with(shuffled<EndsInReturn>)});
#endif
      bench::compare(title.c_str(), "ns", candidates, 5);
    }

  bench::compare("generator, one value", "ns",
                 {{"the compiler's coroutine", compilers_next},
                  {"the same, its handle resumed without a look at the end", compilers_step},
                  {"rt::Generator", step, at_most_of_the_first(1.5)}});

  bench::compare("create, run to the end, destroy", "ns",
                 {{"Boost.Context, pooled", boost_fibers},
                  {"rt::Greenlet", greenlets, at_most(40)},
                  {"rt::Generator", generators, at_most(40)}});
}
