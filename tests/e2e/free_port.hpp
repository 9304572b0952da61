#pragma once
// Ports for servers of others, which cannot be told to take any port and say which.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace e2e {

/// A loopback port that nobody has, for UDP and TCP.
inline int free_port() {
  for (;;) {
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    const bool is_free = bind(tcp, any, size) == 0 && getsockname(tcp, any, &size) == 0 && bind(udp, any, size) == 0;
    close(tcp);
    close(udp);
    if (is_free) return ntohs(address.sin_port);
  }
}

} // namespace e2e
