#include <rt/kernel/process.hpp>

namespace rt::kernel {
namespace {

// What execvp(3) searches when PATH is not set.
constexpr std::string_view default_path = "/bin:/usr/bin";
constexpr std::size_t longest_path = 4096; // PATH_MAX, with the NUL

std::string_view path_of(const char* const* environment) {
  for (; *environment; ++environment)
    if (const std::string_view variable = *environment; variable.starts_with("PATH=")) return variable.substr(5);
  return default_path;
}

bool is_missing(Error error) { return error == Errc::no_such_file_or_directory || error == Errc::not_a_directory; }

} // namespace

Error execute_in_path(const char* file, const char* const* argv, const char* const* environment) {
  const std::string_view name = file;
  if (name.find('/') != name.npos) return execute(file, argv, environment);
  if (name.empty()) return {Errc::no_such_file_or_directory};

  Error best{Errc::no_such_file_or_directory};
  std::string_view rest = path_of(environment);
  for (;;) {
    const std::size_t end = rest.find(':');
    const std::string_view directory = rest.substr(0, end);
    char path[longest_path];
    Output out(path);
    out.put(directory.empty() ? std::string_view(".") : directory); // POSIX: an empty prefix is the current directory
    out.put('/');
    out.put(name);
    out.put('\0');
    const Error error = out.size() > sizeof path ? Error{Errc::filename_too_long} : execute(path, argv, environment);
    if (!is_missing(error)) best = error;
    // A file that may not be executed does not hide one in a later directory; any other failure is final.
    if (!is_missing(error) && error != Errc::permission_denied) return error;
    if (end == rest.npos) return best;
    rest.remove_prefix(end + 1);
  }
}

} // namespace rt::kernel
