#pragma once
// print, println, eprint, eprintln: formatted text (see format.hpp) to standard output and standard error.
//
// Each call is exactly one write, whatever the length, so that lines of different threads and processes do not mix
// where the kernel writes as a whole: files opened for appending, terminals, and pipes up to PIPE_BUF (4096) bytes.
// (Only a formatted text of more than 1 KiB for which there is no memory goes out in pieces.)
//
// Nothing is buffered between calls. An interrupted or short write is continued. When the descriptor is non-blocking
// and full, the thread waits until it can be written. Other errors (a closed descriptor, a full disk) lose the rest of
// the text without a word: what is printed this way is for people, and a program could do nothing about it; where the
// loss matters, write to the descriptor and look at the result.
//
// All of it may be called in signal handlers.

#include <rt/base/format.hpp>

namespace rt {

/// Writes the text to the descriptor as it is, with a newline after it if asked for, in one system call. Needs no
/// thread pointer, so it works from the program's first instruction on.
void write_text(std::string_view text, int descriptor, bool newline);

namespace formatting {

void print_arguments(const char* format, const Argument* arguments, int descriptor, bool newline);

// The same with constants instead of the last two arguments, which makes each call in a program shorter.
template <int descriptor, bool newline> [[gnu::noinline]] void write_text_to(std::string_view text) {
  write_text(text, descriptor, newline);
}
template <int descriptor, bool newline>
[[gnu::noinline]] void print_arguments_to(const char* format, const Argument* arguments) {
  print_arguments(format, arguments, descriptor, newline);
}

template <int descriptor, bool newline, class... A>
[[gnu::always_inline]] inline void print_to(FormatString<A...> format, const A&... arguments) {
  if (format.plain())
    write_text_to<descriptor, newline>(format.text());
  else if constexpr (sizeof...(A) == 0)
    print_arguments_to<descriptor, newline>(format.c_str(), nullptr);
  else
    print_arguments_to<descriptor, newline>(format.c_str(), ArgumentList<A...>(arguments...).list);
}

} // namespace formatting

/// Prints to standard output.
template <class... A> [[gnu::always_inline]] inline void print(format_string<A...> format, const A&... arguments) {
  formatting::print_to<1, false, A...>(format, arguments...);
}

/// Prints to standard output, with a newline at the end.
template <class... A> [[gnu::always_inline]] inline void println(format_string<A...> format, const A&... arguments) {
  formatting::print_to<1, true, A...>(format, arguments...);
}
inline void println() { write_text({}, 1, true); }

/// Prints to standard error.
template <class... A> [[gnu::always_inline]] inline void eprint(format_string<A...> format, const A&... arguments) {
  formatting::print_to<2, false, A...>(format, arguments...);
}

/// Prints to standard error, with a newline at the end.
template <class... A> [[gnu::always_inline]] inline void eprintln(format_string<A...> format, const A&... arguments) {
  formatting::print_to<2, true, A...>(format, arguments...);
}
inline void eprintln() { write_text({}, 2, true); }

} // namespace rt
