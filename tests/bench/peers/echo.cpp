// Servers that send back what they are sent, for tests/bench/echo.cpp: `echo epoll|libev|libuv|liburing`. Each does
// what its library's manual shows, in one thread, and prints its port.

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ev.h>
#include <liburing.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include <vector>

namespace {

constexpr int backlog = 4096;
constexpr std::size_t buffer_size = 4096;

[[noreturn]] void fail(const char* what, int code = errno) {
  std::fprintf(stderr, "echo: %s: %s\n", what, std::strerror(code));
  std::exit(1);
}

sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void print_port(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
}

int listen_on_loopback(int flags) {
  const int listener = socket(AF_INET, SOCK_STREAM | flags, 0);
  const sockaddr_in address = loopback();
  const int one = 1; // connections have it from their listener
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 || listen(listener, backlog) < 0)
    fail("listen");
  print_port(listener);
  return listener;
}

// What both loops of readiness do with a connection. False: it has ended.
bool send_back(int connection) {
  static char buffer[buffer_size];
  const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
  if (got < 0) return errno == EAGAIN;
  return got > 0 && send(connection, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
}

void serve_with_epoll() {
  const int listener = listen_on_loopback(SOCK_NONBLOCK), epoll = epoll_create1(0);
  const auto watch = [&](int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
  };
  watch(listener);
  for (epoll_event events[512];;) {
    const int count = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[i].data.fd;
      if (descriptor != listener) {
        if (!send_back(descriptor)) close(descriptor);
        continue;
      }
      for (int connection; (connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) watch(connection);
    }
  }
}

void serve_with_libev() {
  struct ev_loop* const loop = ev_default_loop(EVBACKEND_EPOLL);
  ev_io accepting;
  const auto accept_all = [](struct ev_loop* its_loop, ev_io* watcher, int) {
    for (int connection; (connection = accept4(watcher->fd, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      auto* const reading = new ev_io;
      const auto read = [](struct ev_loop* same_loop, ev_io* self, int) {
        if (send_back(self->fd)) return;
        ev_io_stop(same_loop, self);
        close(self->fd);
        delete self;
      };
      ev_io_init(reading, read, connection, EV_READ);
      ev_io_start(its_loop, reading);
    }
  };
  ev_io_init(&accepting, accept_all, listen_on_loopback(SOCK_NONBLOCK), EV_READ);
  ev_io_start(loop, &accepting);
  ev_run(loop, 0);
}

struct UvConnection {
  uv_tcp_t stream;
  char buffer[buffer_size];
};

void read_uv(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
  uv_buf_t bytes = uv_buf_init(buffer->base, static_cast<unsigned>(got > 0 ? got : 0));
  if (got >= 0 && (got == 0 || uv_try_write(stream, &bytes, 1) == got)) return;
  uv_close(reinterpret_cast<uv_handle_t*>(stream),
           [](uv_handle_t* handle) { delete reinterpret_cast<UvConnection*>(handle); });
}

void serve_with_libuv() {
  uv_loop_t* const loop = uv_default_loop();
  uv_tcp_t listener;
  uv_tcp_init(loop, &listener);
  const sockaddr_in address = loopback();
  uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0);
  const auto accept_one = [](uv_stream_t* from, int) {
    auto* const connection = new UvConnection;
    uv_tcp_init(from->loop, &connection->stream);
    auto* const stream = reinterpret_cast<uv_stream_t*>(&connection->stream);
    uv_accept(from, stream);
    uv_tcp_nodelay(&connection->stream, 1);
    const auto give_buffer = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
      *buffer = uv_buf_init(reinterpret_cast<UvConnection*>(handle)->buffer, buffer_size);
    };
    uv_read_start(stream, give_buffer, read_uv);
  };
  if (const int code = uv_listen(reinterpret_cast<uv_stream_t*>(&listener), backlog, accept_one))
    fail("uv_listen", -code);
  uv_os_fd_t descriptor;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&listener), &descriptor);
  print_port(descriptor);
  uv_run(loop, UV_RUN_DEFAULT);
}

// Multishot accept and receive, with a ring of buffers.
class UringServer {
 public:
  void run() {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    parameters.cq_entries = 16384;
    if (const int code = io_uring_queue_init_params(2048, &ring_, &parameters)) fail("io_uring", -code);
    io_uring_register_ring_fd(&ring_);
    buffers_ = static_cast<io_uring_buf_ring*>(std::aligned_alloc(4096, buffer_count * sizeof(io_uring_buf)));
    io_uring_buf_ring_init(buffers_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_);
    registration.ring_entries = buffer_count;
    if (const int code = io_uring_register_buf_ring(&ring_, &registration, 0)) fail("io_uring buffers", -code);
    for (unsigned i = 0; i < buffer_count; ++i) give_back(i);
    listener_ = listen_on_loopback(0);
    accept();
    for (;;) {
      if (const int result = io_uring_submit_and_wait(&ring_, 1); result < 0 && result != -EINTR)
        fail("io_uring_enter", -result);
      io_uring_cqe* completion;
      unsigned head, count = 0;
      io_uring_for_each_cqe(&ring_, head, completion) {
        ++count;
        take(*completion);
      }
      io_uring_cq_advance(&ring_, count);
    }
  }

 private:
  enum Operation : std::uint64_t { accepting, receiving, sending };
  static constexpr unsigned buffer_count = 4096;

  io_uring_sqe* next(Operation operation, int descriptor, unsigned buffer) {
    io_uring_sqe* entry;
    while (!(entry = io_uring_get_sqe(&ring_))) io_uring_submit(&ring_);
    entry->user_data = operation << 56 | std::uint64_t{buffer} << 32 | static_cast<unsigned>(descriptor);
    return entry;
  }
  // The functions that prepare an entry clear its user_data in some versions, in others they do not.
  template <class Prepare> void submit(Operation operation, int descriptor, unsigned buffer, Prepare prepare) {
    io_uring_sqe* const entry = next(operation, descriptor, buffer);
    const std::uint64_t data = entry->user_data;
    prepare(entry);
    entry->user_data = data;
  }
  void give_back(unsigned buffer) {
    io_uring_buf_ring_add(buffers_, memory_.get() + buffer * buffer_size, buffer_size,
                          static_cast<unsigned short>(buffer), io_uring_buf_ring_mask(buffer_count), 0);
    io_uring_buf_ring_advance(buffers_, 1);
  }
  void accept() {
    submit(accepting, listener_, 0,
           [&](io_uring_sqe* entry) { io_uring_prep_multishot_accept(entry, listener_, nullptr, nullptr, 0); });
  }
  void receive(int connection) {
    submit(receiving, connection, 0, [&](io_uring_sqe* entry) {
      io_uring_prep_recv_multishot(entry, connection, nullptr, 0, 0);
      entry->flags |= IOSQE_BUFFER_SELECT;
      entry->buf_group = 0;
    });
  }
  void take(const io_uring_cqe& completion) {
    const auto operation = static_cast<Operation>(completion.user_data >> 56);
    const int descriptor = static_cast<int>(completion.user_data & 0xffffffff), result = completion.res;
    const bool more = completion.flags & IORING_CQE_F_MORE;
    if (operation == accepting) {
      if (result >= 0) receive(result);
      if (!more) accept();
    } else if (operation == sending) {
      give_back(static_cast<unsigned>(completion.user_data >> 32) & 0xffff);
    } else if (result > 0) {
      const unsigned buffer = completion.flags >> IORING_CQE_BUFFER_SHIFT;
      submit(sending, descriptor, buffer, [&](io_uring_sqe* entry) {
        io_uring_prep_send(entry, descriptor, memory_.get() + buffer * buffer_size, static_cast<std::size_t>(result),
                           MSG_NOSIGNAL);
      });
      if (!more) receive(descriptor);
    } else if (result == -ENOBUFS) {
      receive(descriptor);
    } else {
      close(descriptor);
    }
  }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::unique_ptr<char[]> memory_{new char[buffer_count * buffer_size]};
  int listener_ = -1;
};

} // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "epoll") serve_with_epoll();
  if (kind == "libev") serve_with_libev();
  if (kind == "libuv") serve_with_libuv();
  if (kind == "liburing") UringServer().run();
  std::fprintf(stderr, "usage: echo epoll|libev|libuv|liburing\n");
  return 2;
}
