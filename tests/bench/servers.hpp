#pragma once
// Servers for measurements: processes of their own, on the first CPU.

#include "measure.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace bench {

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Processes that end with this one.
class Servers {
 public:
  Servers() {
    if (!mkdtemp(folder_.data())) fail("mkdtemp");
  }
  Servers(const Servers&) = delete;
  ~Servers() {
    for (const pid_t process : processes_) kill(process, SIGTERM);
    for (const pid_t process : processes_) waitpid(process, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }

  template <class Run> void start(int port, Run run) {
    const pid_t process = fork();
    if (process == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      pin_to_cpu(0);
      run();
      fail("cannot start a server");
    }
    processes_.push_back(process);
    const sockaddr_in address = loopback(port);
    for (int attempt = 0; attempt < 500; ++attempt) {
      const int client = socket(AF_INET, SOCK_STREAM, 0);
      const bool up = connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      close(client);
      if (up) return;
      usleep(10'000);
    }
    fail("a server does not listen on port " + std::to_string(port));
  }

  /// nginx with one process; locations: of its configuration. In `folder()` are its files, and may be others.
  void start_nginx(int port, const std::string& locations) {
    const std::string configuration = folder_ + "/nginx.conf";
    std::ofstream(configuration) << "daemon off; master_process off; pid " << folder_ << "/pid; error_log " << folder_
                                 << "/errors; events { worker_connections 4096; } http { access_log off; "
                                    "default_type text/plain; keepalive_requests 1000000000; ";
    for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      std::ofstream(configuration, std::ios::app) << what << "_temp_path " << folder_ << "; ";
    std::ofstream(configuration, std::ios::app)
        << "server { listen 127.0.0.1:" << port << " backlog=1024; root " << folder_ << "; " << locations << " } }\n";
    start(port, [&] { execl("/usr/sbin/nginx", "nginx", "-c", configuration.c_str(), nullptr); });
  }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_ = "/tmp/rt-bench-XXXXXX";
  std::vector<pid_t> processes_;
};

} // namespace bench
