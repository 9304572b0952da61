#include <rt/base/format.hpp>
#include <rt/base/print.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

template <class... A> static std::string formatted(rt::format_string<A...> format, const A&... arguments) {
  char buffer[1000];
  rt::Output out(buffer);
  rt::format_to<A...>(out, format, arguments...);
  CHECK(out.size() == out.text().size());
  return std::string(out.text());
}

namespace rt {
struct MadeOfAnything {
  MadeOfAnything(int) {}
  MadeOfAnything(std::string_view) {}
  MadeOfAnything(const char*) {}
};
static void format_value(Output& out, const MadeOfAnything&) { out.put("made of something"); }
} // namespace rt

namespace geometry {

struct Point {
  int x, y;
};
static void format_value(rt::Output& out, const Point& point) { rt::format_to(out, "({}, {})", point.x, point.y); }

enum class Side { left, right };
static void format_value(rt::Output& out, Side side) { out.put(side == Side::left ? "left" : "right"); }

} // namespace geometry

TEST_CASE("text without fields stays as it is, and doubled braces become single") {
  CHECK(formatted("") == "");
  CHECK(formatted("plain") == "plain");
  CHECK(formatted("{{}}") == "{}");
  CHECK(formatted("{{{}}}", 1) == "{1}");
  CHECK(formatted("a{{b}}c{}d", 'x') == "a{b}cxd");
}

TEST_CASE("integers of every type and size are written exactly") {
  CHECK(formatted("{}", 0) == "0");
  CHECK(formatted("{}", std::numeric_limits<long long>::min()) == "-9223372036854775808");
  CHECK(formatted("{}", std::numeric_limits<long long>::max()) == "9223372036854775807");
  CHECK(formatted("{}", std::numeric_limits<unsigned long>::max()) == "18446744073709551615");
  CHECK(formatted("{} {}", static_cast<signed char>(-128), static_cast<unsigned char>(255)) == "-128 255");
  CHECK(formatted("{} {}", static_cast<short>(-32768), static_cast<unsigned short>(65535)) == "-32768 65535");
  CHECK(formatted("{} {}", -2147483647 - 1, 4294967295u) == "-2147483648 4294967295");
}

TEST_CASE("integers are written in base 2, 8, 10 and 16, with a prefix when asked") {
  CHECK(formatted("{:d} {:x} {:X} {:o} {:b}", 250, 250, 250, 250, 250) == "250 fa FA 372 11111010");
  CHECK(formatted("{:#x} {:#X} {:#o} {:#b} {:#B}", 250, 250, 250, 5, 5) == "0xfa 0XFA 0372 0b101 0B101");
  CHECK(formatted("{:#x} {:#o}", 0, 0) == "0x0 0");
  CHECK(formatted("{:x}", -255) == "-ff");
  CHECK(formatted("{:b}", std::numeric_limits<std::int64_t>::min()) == "-1" + std::string(63, '0'));
  CHECK(formatted("{:c}{:c}", 111, 107) == "ok");
}

TEST_CASE("a number takes a sign, and zeros between sign and digits") {
  CHECK(formatted("{:+} {:+} {: } {:-}", 5, -5, 5, 5) == "+5 -5  5 5");
  CHECK(formatted("{:05} {:+05} {:05}", 42, 42, -42) == "00042 +0042 -0042");
  CHECK(formatted("{:#010x}", 0xbeef) == "0x0000beef");
  CHECK(formatted("{:02}", 12345) == "12345");
  CHECK(formatted("{:<05}|{:*>05}", 42, 42) == "42   |***42");
  CHECK(formatted("{:08.3f} {:+08.2f}", -3.14159, 2.5) == "-003.142 +0002.50");
}

TEST_CASE("numbers stand right in their width, all else left") {
  CHECK(formatted("[{:5}][{:5}][{:5}]", 42, "ab", true) == "[   42][ab   ][true ]");
  CHECK(formatted("[{:5}][{:5d}]", 'x', 'x') == "[x    ][  120]");
  CHECK(formatted("[{:<5}][{:^5}][{:>5}]", 1, 2, 3) == "[1    ][  2  ][    3]");
  CHECK(formatted("[{:^6}][{:^6}]", "abc", 'x') == "[ abc  ][  x   ]");
  CHECK(formatted("[{:2}]", "longer") == "[longer]");
}

TEST_CASE("the fill is any one character and the width counts characters") {
  CHECK(formatted("{:*<5}{:0>3}{:->4}", "ab", 7, 1) == "ab***007---1");
  CHECK(formatted("{:·^7}", "né") == "··né···");
  CHECK(formatted("{:😀>3}", 1) == "😀😀1");
  CHECK(formatted("{:5}|", "日本") == "日本   |");
}

TEST_CASE("a precision cuts a text between characters") {
  CHECK(formatted("{:.3}", "abcdef") == "abc");
  CHECK(formatted("{:.0}|{:.10}", "abc", "abc") == "|abc");
  CHECK(formatted("{:.3}|{:5.2}|", "äöü€", "日本語") == "äöü|日本   |");
}

TEST_CASE("width and precision can be arguments") {
  CHECK(formatted("{:{}}|{:<{}}|", 1, 4, 2, 3) == "   1|2  |");
  CHECK(formatted("{:.{}f}", 3.14159, 2) == "3.14");
  CHECK(formatted("{0:{1}.{2}}|", "abcdef", 5, 2) == "ab   |");
  CHECK(formatted("{:{}}", 5, -3) == "5");
}

TEST_CASE("arguments can be named by index") {
  CHECK(formatted("{1} {0} {1}", "a", "b") == "b a b");
  CHECK(formatted("{0:x} {0:d}", 255) == "ff 255");
}

TEST_CASE("all kinds of text are written") {
  char array[8] = "array";
  char* pointer = array;
  const char* null = nullptr;
  std::string string = "string";
  std::string_view part = std::string_view("a view of more").substr(0, 6);
  CHECK(formatted("{} {} {} {} {} {}", "literal", array, pointer, string, part, null) ==
        "literal array array string a view (null)");
  CHECK(formatted("{}", std::string("temporary, and too long for the small buffer")) ==
        "temporary, and too long for the small buffer");
  CHECK(formatted("{}", std::string_view("a\0b", 3)) == std::string("a\0b", 3));
  CHECK(formatted("{:s}|{}", "x", std::string_view()) == "x|");
}

TEST_CASE("bool and char are words and characters, or numbers") {
  CHECK(formatted("{} {} {:d} {:#x}", true, false, true, true) == "true false 1 0x1");
  CHECK(formatted("{} {:c} {:d} {:x}", 'a', 'b', 'a', '\xff') == "a b 97 ff");
}

TEST_CASE("pointers are hexadecimal with 0x") {
  int* pointer = reinterpret_cast<int*>(0x1234abcd);
  CHECK(formatted("{} {:p} {:12}|", pointer, static_cast<const void*>(pointer), pointer) ==
        "0x1234abcd 0x1234abcd   0x1234abcd|");
  CHECK(formatted("{}", nullptr) == "0x0");
  CHECK(formatted("{}", &formatted<int>).substr(0, 2) == "0x");
}

TEST_CASE("a double is the shortest text that reads back, laid out as by Python's repr") {
  CHECK(formatted("{} {} {} {}", 1.0, -0.0, 0.1, 100.0) == "1.0 -0.0 0.1 100.0");
  CHECK(formatted("{} {}", 0.1 + 0.2, 1.0 / 3) == "0.30000000000000004 0.3333333333333333");
  CHECK(formatted("{} {}", 1e15, 1e16) == "1000000000000000.0 1e+16");
  CHECK(formatted("{} {}", 0.0001, 0.00001) == "0.0001 1e-05");
  CHECK(formatted("{} {}", 1.7976931348623157e308, 5e-324) == "1.7976931348623157e+308 5e-324");
  CHECK(formatted("{:+} {:8}|{:<8}|{:08}", 1.5, 1.5, 1.5, -1.5) == "+1.5      1.5|1.5     |-00001.5");
}

TEST_CASE("a float is the shortest text that reads back as a float") {
  CHECK(formatted("{} {} {}", 0.1f, 16777216.0f, 3.4028235e38f) == "0.1 16777216.0 3.4028235e+38");
  CHECK(formatted("{} {}", 1e-45f, 1.17549435e-38f) == "1e-45 1.1754944e-38");
  CHECK(formatted("{:.3f}", 0.1f) == "0.100");
}

TEST_CASE("floating-point types are those of printf") {
  CHECK(formatted("{:e} {:.2e} {:E}", 12345.678, 12345.678, 0.5) == "1.234568e+04 1.23e+04 5.000000E-01");
  CHECK(formatted("{:f} {:.0f} {:#.0f}", 2.5, 2.5, 2.5) == "2.500000 2 2.");
  CHECK(formatted("{:g} {:g} {:.3} {:#g}", 1e6, 1e5, 1234.5, 1.0) == "1e+06 100000 1.23e+03 1.00000");
  CHECK(formatted("{:f}", std::numeric_limits<double>::max()).size() == 309 + 7);
  CHECK(formatted("{:.500f}", 1.0) == "1." + std::string(128, '0'));
}

TEST_CASE("infinity and not-a-number are words without zeros before them") {
  double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(formatted("{} {} {} {:F} {:.1e}", infinity, -infinity, nan, -infinity, nan) == "inf -inf nan -INF nan");
  CHECK(formatted("{}|{:06}|{:<5}|", -nan, infinity, nan) == "nan|   inf|nan  |");
}

TEST_CASE("durations take the largest unit that fits, exactly") {
  CHECK(formatted("{} {} {} {}", 1500ms, 250ms, 20us, 7ns) == "1.5s 250ms 20us 7ns");
  CHECK(formatted("{} {} {} {}", 0s, 90s, 2h, 1h + 1ns) == "0s 90s 7200s 3600.000000001s");
  CHECK(formatted("{} {} {}", 1234567ns, 999999999ns, 1000us) == "1.234567ms 999.999999ms 1ms");
  CHECK(formatted("{} {}", -1500ms, -1ns) == "-1.5s -1ns");
  CHECK(formatted("[{:8}][{:<8}][{:*^8}]", 1500ms, 20us, 1s) == "[    1.5s][20us    ][***1s***]");
  CHECK(formatted("{} {}", std::chrono::duration<double>(0.25), std::chrono::duration<int, std::pico>(2500)) ==
        "250ms 2ns");
}

TEST_CASE("durations beyond 292 years are written as 292 years") {
  CHECK(formatted("{}", std::chrono::hours::max()) == "9223372036.854775807s");
  CHECK(formatted("{}", std::chrono::hours::min()) == "-9223372036.854775807s");
  CHECK(formatted("{}", std::chrono::duration<double>(1e300)) == "9223372036.854775807s");
  CHECK(formatted("{}", std::chrono::nanoseconds::min()) == "-9223372036.854775808s");
}

TEST_CASE("a type with format_value in its namespace is formatted by it, and aligned") {
  geometry::Point point{1, -2};
  CHECK(formatted("{}", point) == "(1, -2)");
  CHECK(formatted("[{:10}][{:>10}][{:.^10}]", point, point, point) == "[(1, -2)   ][   (1, -2)][.(1, -2)..]");
  CHECK(formatted("{} {:>6}", geometry::Side::left, geometry::Side::right) == "left  right");
  CHECK(formatted("{:>12}|", rt::Error{rt::Errc::timed_out}) == "   timed out|");
}

TEST_CASE("numbers and strings are formatted as such where a type that is made of them is formatted otherwise") {
  CHECK(formatted("{} {} {}", 7, "seven", std::string_view("VII")) == "7 seven VII");
  CHECK(formatted("{}", rt::MadeOfAnything(7)) == "made of something");
}

TEST_CASE("format_to writes what fits, returns what is needed and adds no terminator") {
  char buffer[8];
  std::memset(buffer, '#', sizeof buffer);
  CHECK(rt::format_to(std::span(buffer, 4), "{}", 123456) == 6);
  CHECK(std::string_view(buffer, 8) == "1234####");
  CHECK(rt::format_to(buffer, "{}-{}", 1, 2) == 3);
  CHECK(std::string_view(buffer, 8) == "1-24####");
  CHECK(rt::format_to(std::span<char>(), "{:>100}", 1) == 100);
  CHECK(rt::format_to(buffer, "plain") == 5);
}

TEST_CASE("an output counts what it cannot keep") {
  char buffer[4];
  rt::Output out(buffer);
  out.put("añ");
  out.put("bcdef");
  CHECK(out.text() == "añb");
  CHECK(out.size() == 8);
  CHECK(out.columns() == 7);
  rt::Output counter;
  rt::format_to(counter, "{:5}", 1);
  CHECK(counter.size() == 5);
  CHECK(counter.text().empty());
}

TEST_CASE("an output calls back when it is full and goes on when it was emptied") {
  struct Collector : rt::Output {
    std::string all;
    explicit Collector(std::span<char> buffer)
        : Output(buffer, [](rt::Output& out) {
            static_cast<Collector&>(out).all += out.text();
            out.clear();
          }) {}
  };
  char buffer[3];
  Collector out(buffer);
  rt::format_to(out, "{}-{}", "abcdefg", 12345);
  CHECK(out.all + std::string(out.text()) == "abcdefg-12345");
}

/// Standard output and standard error, led into one socket for as long as this lives. Each write makes one message.
class Capture {
 public:
  Capture() {
    std::fflush(nullptr);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends_) == 0);
    int size = 1 << 20;
    setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    for (int fd : {1, 2}) {
      saved_[fd] = dup(fd);
      dup2(ends_[0], fd);
    }
  }
  ~Capture() { restore(); }

  std::vector<std::string> messages() {
    restore();
    std::vector<std::string> all;
    std::vector<char> buffer(1 << 20);
    while (ssize_t size = read(ends_[1], buffer.data(), buffer.size())) {
      if (size < 0) break;
      all.emplace_back(buffer.data(), static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  void restore() {
    if (restored_) return;
    restored_ = true;
    for (int fd : {1, 2}) {
      dup2(saved_[fd], fd);
      close(saved_[fd]);
    }
    close(ends_[0]);
  }
  int ends_[2];
  int saved_[3];
  bool restored_ = false;
};

TEST_CASE("each print is one write, plain or formatted, short or long") {
  std::string kilobyte(1024, 'k'), more(1025, 'm'), much(100'000, 'x');
  Capture capture;
  rt::println("plain");
  rt::print("no newline");
  rt::println("{} and {}", 1, "two");
  rt::println();
  rt::println("{{}}");
  rt::eprintln("error {}", 3);
  rt::eprint("{:5}", 'c');
  rt::eprintln();
  rt::println("{}", kilobyte);
  rt::println("{}", more);
  rt::print("<{}>", much);
  rt::write_text(much, 1, true);
  CHECK(capture.messages() == std::vector<std::string>{"plain\n", "no newline", "1 and two\n", "\n", "{}\n",
                                                       "error 3\n", "c    ", "\n", kilobyte + "\n", more + "\n",
                                                       "<" + much + ">", much + "\n"});
}

/// All that comes out of a pipe, while `write` writes into it.
template <class Write> static std::string through_pipe(int flags, Write write) {
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  CHECK(fcntl(ends[1], F_SETFL, flags) == 0);
  std::string all;
  std::thread reader([&] {
    char buffer[3001];
    for (;;) {
      std::this_thread::sleep_for(100us);
      ssize_t size = read(ends[0], buffer, sizeof buffer);
      if (size <= 0) break;
      all.append(buffer, static_cast<std::size_t>(size));
    }
  });
  write(ends[1]);
  close(ends[1]);
  reader.join();
  close(ends[0]);
  return all;
}

static std::string numbered(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  return text;
}

TEST_CASE("on a non-blocking descriptor the rest is written when there is room") {
  std::string text = numbered(300'000);
  CHECK(through_pipe(O_NONBLOCK, [&](int fd) {
          rt::write_text(text, fd, true);
          rt::write_text(text, fd, false);
        }) == text + '\n' + text);
}

TEST_CASE("signals do not cut a text short") {
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, &before);
  std::string text = numbered(200'000);
  pthread_t writer = pthread_self();
  std::atomic<bool> done = false;
  std::thread disturber([&] {
    while (!done) {
      pthread_kill(writer, SIGUSR1);
      std::this_thread::sleep_for(50us);
    }
  });
  std::string written = through_pipe(0, [&](int fd) { rt::write_text(text, fd, true); });
  done = true;
  disturber.join();
  sigaction(SIGUSR1, &before, nullptr);
  CHECK(written == text + '\n');
}

TEST_CASE("errors of the descriptor are not reported") {
  rt::write_text("nowhere", -1, true);
  int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  rt::write_text("no space", full, true);
  close(full);
}

TEST_CASE("without memory a long text is written in pieces, and none is lost") {
  std::string text = numbered(5000);
  Capture capture;
  pid_t child = fork();
  if (child == 0) {
    rlimit none = {0, 0};
    setrlimit(RLIMIT_AS, &none);
    rt::println("<{}>", text);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  std::vector<std::string> messages = capture.messages();
  CHECK(status == 0);
  CHECK(messages.size() > 1);
  std::string all;
  for (const std::string& message : messages) all += message;
  CHECK(all == "<" + text + ">\n");
}
