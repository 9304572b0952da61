// Start-up: what is in place when main begins, and what happens after it.

#include "check.hpp"

#include <rt/base/panic.hpp>
#include <rt/start/exit.hpp>

#include <arch/tls.hpp>
#include <cstdint>

namespace {

int constructed = 0;
struct Ordered {
  int position;
  Ordered() : position(++constructed) {}
};
[[gnu::init_priority(200)]] Ordered early;
Ordered first, second;

struct Base {
  virtual int value() const { return 1; }
  virtual ~Base() = default;
};
struct Derived : Base {
  int value() const override { return 2; }
};
Derived derived;
Base* volatile object = &derived;
const char* const names[] = {"zero", "one"};

thread_local int initialised = 42;
thread_local int zero;
alignas(64) thread_local char aligned = 'a';
alignas(256) thread_local char aligned_zeros[3];

struct Says {
  std::string_view text;
  ~Says() { rt::eprint("{}", text); }
};

} // namespace

RT_CASE("static objects are constructed in order, by priority first") {
  CHECK(early.position == 1);
  CHECK(first.position == 2 && second.position == 3);
}

RT_CASE("pointers in initialised data are relocated, and vtables work") {
  CHECK(object->value() == 2);
  CHECK(std::string_view(names[1]) == "one");
}

RT_CASE("relocated constants are read-only after start") {
  const auto address = reinterpret_cast<std::uintptr_t>(names) & -std::uintptr_t{4096};
  // read(2) into the page fails where a write would crash.
  int pipe[2];
  rt::arch::syscall(__NR_pipe2, reinterpret_cast<long>(pipe), 0);
  char byte = 'x';
  rt::arch::syscall(__NR_write, pipe[1], reinterpret_cast<long>(&byte), 1);
  CHECK(rt::arch::syscall(__NR_read, pipe[0], static_cast<long>(address), 1) == -14); // EFAULT
}

RT_CASE("thread-local variables have their values and alignment") {
  CHECK(initialised == 42);
  CHECK(zero == 0);
  CHECK(aligned == 'a');
  CHECK(reinterpret_cast<std::uintptr_t>(&aligned) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(&aligned_zeros) % 256 == 0);
  CHECK((aligned_zeros[0] == 0 && aligned_zeros[2] == 0));
}

RT_CASE("the stack canary is random and begins with a zero byte") {
  CHECK(rt::arch::canary() != 0);
  CHECK((rt::arch::canary() & 0xff) == 0);
}

RT_CASE("long double divides numbers, zeros, infinities and what is not a number") {
  const auto quotient = [](long double a, long double b) {
    volatile long double dividend = a, divisor = b; // or the compiler divides
    return dividend / divisor;
  };
  constexpr long double infinity = __builtin_infl(), nan = __builtin_nanl(""), smallest = __LDBL_DENORM_MIN__;
  CHECK(quotient(1, -4) == -0.25L);
  CHECK(quotient(smallest, smallest) == 1);
  CHECK((quotient(0, 4) == 0 && quotient(4, infinity) == 0));
  CHECK((quotient(4, 0) == infinity && quotient(-infinity, 4) == -infinity && quotient(infinity, 0) == infinity));
  for (const long double result :
       {quotient(0, 0), quotient(infinity, infinity), quotient(nan, 1), quotient(1, nan), quotient(nan, nan)})
    CHECK(result != result);
}

RT_CASE_ENDS("a smashed stack is a panic", bare::by_signal(6), "stack smashed") {
  volatile char buffer[16];
  volatile char* beyond = buffer;
  for (int i = 0; i < 64; ++i) beyond[i] = 'x';
}

RT_CASE_ENDS("main's exit code reaches the parent", bare::by_exit(7)) { rt::exit(7); }

RT_CASE_ENDS("destructors run at exit in reverse order", bare::by_exit(0), "third second first ") {
  static Says a{"first "};
  static Says b{"second "};
  static Says c{"third "};
  rt::exit(0);
}

RT_CASE_ENDS("thread-local objects are destroyed before static ones", bare::by_exit(0), "local static ") {
  static Says outer{"static "};
  static thread_local Says inner{"local "};
  rt::eprint("{}", inner.text.substr(0, 0));
  rt::exit(0);
}

RT_CASE_ENDS("exit_now destroys nothing", bare::by_exit(3)) {
  static Says never{"never"};
  rt::exit_now(3);
}

RT_CASE_ENDS("a panic says its message, the task and where it was called", bare::by_signal(6),
             "panic: number 42\n  in thread 'main' (id ") {
  rt::panic("number {}", 42);
}
