// Echo of 64 bytes over TCP on the loopback: the server on one CPU, this program, which sends the next request of a
// connection when the answer to the last has come, on another. Requests per second, and what CPU time the server takes
// for one.
//
//   echo [--connections N] [SERVER]...      as `make bench` runs it: 1, 50 and 1000 connections, all servers

#include "measure.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace {

constexpr std::size_t message_size = 64;
constexpr double warm_up = 0.1, time = 0.3;
constexpr int rounds = 11;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "echo: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

/// A server in a process of its own, on CPU 0.
class Server {
 public:
  explicit Server(const std::vector<std::string>& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) fail("pipe");
    pid_ = fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
      bench::pin_to_cpu(0);
      dup2(ends[1], 1);
      std::vector<char*> arguments;
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      if (const auto equals = command[0].find('='); equals != std::string::npos) {
        setenv(command[0].substr(0, equals).c_str(), command[0].c_str() + equals + 1, 1);
        arguments.erase(arguments.begin());
      }
      execv(arguments[0], arguments.data());
      std::fprintf(stderr, "echo: %s: %s\n", arguments[0], std::strerror(errno));
      _exit(127);
    }
    close(ends[1]);
    std::FILE* const output = fdopen(ends[0], "r");
    if (std::fscanf(output, "%d", &port_) != 1) fail("no port came from " + command.back());
    std::fclose(output);
  }
  Server(const Server&) = delete;
  ~Server() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  int port() const { return port_; }
  double cpu_seconds() const {
    clockid_t clock;
    timespec used{};
    if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) fail("the server's CPU time");
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
  }

 private:
  pid_t pid_;
  int port_ = 0;
};

struct Measured {
  double requests_per_second;
  double microseconds_per_request; // of the server's CPU
};

class Generator {
 public:
  Generator(int port, int connections) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < connections; ++i) {
      const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
      if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) fail("connect");
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<std::uint32_t>(connections_.size());
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection, &event) < 0) fail("epoll_ctl");
      connections_.push_back({connection, 0});
    }
  }
  Generator(const Generator&) = delete;
  ~Generator() {
    for (const auto& connection : connections_) close(connection.socket);
    close(epoll_);
  }

  Measured measure(const Server& server) {
    for (const auto& connection : connections_) send_request(connection);
    run_until(bench::seconds() + warm_up);
    const double begin = bench::seconds(), used_before = server.cpu_seconds();
    const auto requests = static_cast<double>(run_until(begin + time));
    const double end = bench::seconds();
    return {requests / (end - begin), (server.cpu_seconds() - used_before) / requests * 1e6};
  }

 private:
  struct Connection {
    int socket;
    std::size_t received; // of the answer
  };

  static void send_request(const Connection& connection) {
    static const char request[message_size] = "echo";
    if (write(connection.socket, request, sizeof request) != sizeof request) fail("a request could not be sent");
  }

  /// Returns how many answers have come.
  long run_until(double end) {
    long answers = 0;
    for (epoll_event events[512]; bench::seconds() < end;) {
      const int count = epoll_wait(epoll_, events, 512, 5000);
      if (count == 0) fail("the server does not answer");
      for (int i = 0; i < count; ++i) {
        Connection& connection = connections_[events[i].data.u32];
        char answer[4096];
        const ssize_t got = read(connection.socket, answer, sizeof answer);
        if (got <= 0) fail("the server has closed a connection");
        connection.received += static_cast<std::size_t>(got);
        if (connection.received < message_size) continue;
        connection.received = 0;
        ++answers;
        send_request(connection);
      }
    }
    return answers;
  }

  int epoll_;
  std::vector<Connection> connections_;
};

} // namespace

int main(int argc, char** argv) {
  const std::string own = argv[0], suffix = "/hosted/tests/bench/echo";
  const auto place = own.rfind(suffix);
  const std::string build = own.substr(0, place == std::string::npos ? 0 : place);
  const std::string peers = build + "/hosted/tests/bench/peers/echo", rt = build + "/bare/tests/bench/bare/echo";
  const std::vector<std::pair<std::string, std::vector<std::string>>> servers = {
      {"rt-epoll", {"RT_ENGINE=epoll", rt}},
      {"rt-io_uring", {"RT_ENGINE=io_uring", rt}},
      {"epoll", {peers, "epoll"}},
      {"libev", {peers, "libev"}},
      {"libuv", {peers, "libuv"}},
      {"liburing", {peers, "liburing"}},
      {"go", {build + "/hosted/tests/bench/echo_server"}},
      {"gevent", {"/usr/bin/python3", "tests/bench/echo_server.py"}}};

  std::vector<int> all_connections = {1, 50, 1000};
  std::vector<std::string> chosen;
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]) == "--connections" && i + 1 < argc)
      all_connections = {std::atoi(argv[++i])};
    else
      chosen.push_back(argv[i]);

  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  bench::pin_to_cpu(1);
  for (const int connections : all_connections) {
    std::map<std::string, std::vector<double>> rates, costs;
    for (int round = 0; round < rounds; ++round)
      for (const auto& [name, command] : servers) {
        if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), name) == chosen.end()) continue;
        const Server server(command);
        const Measured measured = Generator(server.port(), connections).measure(server);
        rates[name].push_back(measured.requests_per_second);
        costs[name].push_back(measured.microseconds_per_request);
      }
    std::printf("echo of %zu bytes, %d connections (median of %d rounds in turns)\n", message_size, connections,
                rounds);
    for (const auto& [name, command] : servers)
      if (rates.count(name))
        std::printf("  %-12s %8.0f requests/s (%.0f at best)   %6.2f us of the server's CPU each (%.2f)\n",
                    name.c_str(), bench::median(rates[name]), *std::max_element(rates[name].begin(), rates[name].end()),
                    bench::median(costs[name]), *std::min_element(costs[name].begin(), costs[name].end()));
    std::fflush(stdout);
  }
}
