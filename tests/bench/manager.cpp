// A dict in a server process, set and got by one client without pipelining: Manager against Redis and Python's Manager,
// all over a local socket, with client and server on one CPU.

#include "measure.hpp"

#include <rt/process/manager.hpp>

#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace {

constexpr int count = 5000; // of each

template <class Set, class Get> double requests_per_second(Set set, Get get) {
  for (int i = 0; i < count / 10; ++i) set(i), get(i);
  const double begin = bench::seconds();
  for (int i = 0; i < count; ++i) set(i), get(i);
  return 2 * count / (bench::seconds() - begin) / 1000;
}

double managed() {
  rt::Manager manager;
  manager.start().value();
  const auto dict = manager.dict().value();
  return requests_per_second([&](int i) { dict.set("key", i).value(); }, [&](int) { dict.get("key").value(); });
}

/// A Redis server of its own, and a client that speaks its protocol.
class Redis {
 public:
  Redis() {
    char folder[] = "/tmp/rt-redis-XXXXXX";
    if (!mkdtemp(folder)) std::exit(1);
    folder_ = folder;
    const std::string path = folder_ + "/socket";
    child_ = fork();
    if (child_ == 0) {
      execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path.c_str(), "--save", "", "--dir", folder,
             "--logfile", (folder_ + "/log").c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    for (int tries = 0; connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0; ++tries) {
      if (tries == 500) std::exit(1);
      usleep(10'000);
    }
  }
  ~Redis() {
    close(socket_);
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
    if (std::system(("rm -rf " + folder_).c_str()) != 0) std::exit(1);
  }

  void ask(const std::string& command) {
    char answer[100];
    if (send(socket_, command.data(), command.size(), 0) < 0 || recv(socket_, answer, sizeof answer, 0) <= 0)
      std::exit(1);
  }

 private:
  std::string folder_;
  pid_t child_ = -1;
  int socket_ = -1;
};

double redis() {
  Redis server;
  return requests_per_second(
      [&](int i) {
        const std::string text = std::to_string(i);
        server.ask("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$" + std::to_string(text.size()) + "\r\n" + text + "\r\n");
      },
      [&](int) { server.ask("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"); });
}

} // namespace

int main() {
  for (const bool one_cpu : {false, true}) {
    if (one_cpu) bench::pin_to_cpu(0);
    bench::compare(one_cpu ? "dict set and get, on one CPU (more is better)" : "dict set and get (more is better)",
                   "1000 requests a second",
                   {{"Redis, a local socket", redis},
                    {"rt::Manager", managed},
                    {"Python Manager", [] { return bench::measured_by("/usr/bin/python3 tests/bench/manager.py"); }}},
                   5);
  }
}
