#include <rt/kernel/signal.hpp>

#include <rt/base/digits.hpp>

namespace rt::kernel {
namespace {

// In the order of their numbers, from 1 on. (One text, because a table of texts would need relocations.)
constexpr std::string_view names = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT "
                                   "CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS ";

// Calls found(number, name) for each until it returns true.
template <class Found> void search(Found found) {
  std::string_view rest = names;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t length = rest.find(' ');
    if (found(number, rest.substr(0, length))) return;
    rest.remove_prefix(length + 1);
  }
}

int parse_number(std::string_view text) {
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || number > last_signal) return 0;
    number = number * 10 + (c - '0');
  }
  return number;
}

} // namespace

void format_value(Output& out, Signal signal) {
  bool found = false;
  search([&](int number, std::string_view name) {
    found = number == static_cast<int>(signal);
    if (found) {
      out.put_literal("SIG");
      out.put(name);
    }
    return found;
  });
  if (found) return;
  out.put_literal("signal ");
  put_decimal(out, static_cast<unsigned>(signal));
}

Result<Signal> parse_signal(std::string_view text) {
  int result = parse_number(text);
  if (text.starts_with("SIG")) text.remove_prefix(3);
  search([&](int number, std::string_view name) {
    if (name == text) result = number;
    return name == text;
  });
  if (result < 1 || result > last_signal) return Errc::invalid_argument;
  return static_cast<Signal>(result);
}

} // namespace rt::kernel
