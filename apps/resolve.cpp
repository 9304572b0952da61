// Prints the addresses of hosts, as getent does: resolve [--hosts FILE] [--config FILE] NAME...
//
// All names are looked up side by side, each in a fiber of its own; a line has an address and its name, in the order of
// the names. The status is 0 if all were found, 1 if not, and 2 if it was called wrongly.

#include <rt/base/print.hpp>
#include <rt/hub/fiber.hpp>
#include <rt/io/resolver.hpp>

#include <vector>

namespace {

using Found = rt::Result<std::vector<rt::Address>>;

constexpr std::string_view usage = R"(Prints the addresses of hosts.

Usage: resolve [OPTION]... NAME...

  --hosts FILE      read this file instead of /etc/hosts
  --config FILE     read this file instead of /etc/resolv.conf
  --help            show this text)";

int complain(std::string_view argument, std::string_view what) {
  rt::eprintln("resolve: '{}' {}; see --help", argument, what);
  return 2;
}

/// The address alone: without the port, which is 0 here, and without the brackets around an IPv6 one.
std::string_view without_port(std::string_view text) {
  text = text.substr(0, text.rfind(':'));
  return text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
}

bool print(std::string_view name, const Found& found) {
  if (!found) {
    rt::eprintln("resolve: {}: {}", name, found.error());
    return false;
  }
  for (const rt::Address& address : *found) {
    char buffer[80];
    const std::size_t size = rt::format_to(buffer, "{}", address);
    rt::println("{:<25} {}", without_port({buffer, size}), name);
  }
  return true;
}

int run(const rt::ResolverOptions& options, const std::vector<std::string_view>& names) {
  rt::Resolver resolver(options);
  std::vector<rt::Fiber<Found>> lookups;
  for (const std::string_view name : names)
    lookups.push_back(rt::spawn([&resolver, name] { return resolver.resolve(name, 0); }));
  bool all = true;
  for (std::size_t i = 0; i < names.size(); ++i) all &= print(names[i], lookups[i].join());
  return all ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  rt::ResolverOptions options;
  std::vector<std::string_view> names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help") {
      rt::println("{}", usage);
      return 0;
    }
    const bool hosts = argument == "--hosts", config = argument == "--config";
    if (hosts || config) {
      if (++i == argc) return complain(argument, "needs a file");
      (hosts ? options.hosts_file : options.configuration_file) = argv[i];
    } else if (argument.starts_with('-')) {
      return complain(argument, "is not an option");
    } else {
      names.push_back(argument);
    }
  }
  if (names.empty()) {
    rt::eprintln("resolve: no name is given; see --help");
    return 2;
  }
  return run(options, names);
}
