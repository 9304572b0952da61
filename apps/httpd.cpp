// Serves the files of a directory: httpd [OPTION]... [DIRECTORY]
//
// What is asked for is opened below the directory and nowhere else, whatever the path or a symbolic link in it says
// (openat2(2)). A client may ask for a part (Range), or for nothing if it has the file already (ETag, Last-Modified). A
// directory is its index.html, else a list. SIGINT and SIGTERM let running requests end.

#include "httpd_files.hpp"

#include <rt/base/print.hpp>
#include <rt/io/http_server.hpp>
#include <rt/io/signal_events.hpp>
#include <rt/io/tcp.hpp>

#include <linux/fcntl.h>

namespace {

constexpr std::string_view usage = R"(Serves the files of a directory over HTTP.

Usage: httpd [OPTION]... [DIRECTORY]

  --port PORT         port to listen on; 0: any that is free (8080)
  --address ADDRESS   address to listen on: 0.0.0.0 and :: are all of this machine (127.0.0.1)
  --hidden            serve files whose names begin with a dot, too
  --quiet             do not print a line for each request
  --help              show this text)";

int complain(std::string_view argument, std::string_view what) {
  rt::eprintln("httpd: '{}' {}; see --help", argument, what);
  return 2;
}

/// -1: it is none.
int parse_port(std::string_view text) {
  int port = text.empty() ? -1 : 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || port > 65535) return -1;
    port = port * 10 + (c - '0');
  }
  return port <= 65535 ? port : -1;
}

struct Settings {
  std::string_view address = "127.0.0.1";
  int port = 8080;
  bool hidden = false, quiet = false;
  const char* directory = nullptr;
};

int serve(const Settings& settings) {
  const auto root = rt::kernel::open_file(settings.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!root) {
    rt::eprintln("httpd: {}: {}", settings.directory, root.error());
    return 1;
  }
  const auto address = rt::Address::parse(settings.address, static_cast<std::uint16_t>(settings.port));
  if (!address) return complain(settings.address, "is not an address");
  auto listener = rt::TcpListener::listen(*address);
  if (!listener) {
    rt::eprintln("httpd: cannot listen on {}: {}", *address, listener.error());
    return 1;
  }
  const httpd::Files files(*root, settings.hidden);
  rt::http::Server server([&](rt::http::Request& request, rt::http::Reply& reply) {
    files.answer(request, reply);
    if (settings.quiet) return;
    const auto peer = rt::kernel::peer_of_socket(request.descriptor());
    rt::println("{} {} {} {} {}", rt::Address(peer.value_or(rt::kernel::SocketAddress())), request.method(),
                request.target(), reply.status(), reply.sent());
  });
  rt::println("httpd: serves {} on http://{}/", settings.directory, listener->address());
  rt::Result<void> served;
  const auto ended = rt::run_until_signal([&] { served = server.serve(*listener); });
  const rt::Error error = !ended ? ended.error() : *ended ? rt::Error{} : served.error();
  if (error != rt::Errc::none) {
    rt::eprintln("httpd: cannot serve: {}", error);
    return 1;
  }
  rt::println("httpd: ended after {} requests", server.requests());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help") {
      rt::println("{}", usage);
      return 0;
    }
    if (argument == "--hidden") {
      settings.hidden = true;
    } else if (argument == "--quiet") {
      settings.quiet = true;
    } else if (argument == "--port" || argument == "--address") {
      if (++i == argc) return complain(argument, "needs a value");
      if (argument == "--address") {
        settings.address = argv[i];
      } else if ((settings.port = parse_port(argv[i])) < 0) {
        return complain(argv[i], "is not a port");
      }
    } else if (argument.starts_with('-')) {
      return complain(argument, "is not an option");
    } else if (settings.directory) {
      return complain(argument, "is one directory too many");
    } else {
      settings.directory = argv[i];
    }
  }
  if (!settings.directory) settings.directory = ".";
  return serve(settings);
}
