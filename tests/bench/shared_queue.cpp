// Messages from process to process: a SharedQueue beside what C++ and Python have.

#include "measure.hpp"

#include <rt/process/shared_queue.hpp>

#include <boost/interprocess/ipc/message_queue.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <sys/socket.h>
#include <sys/wait.h>

namespace {

constexpr std::size_t capacity = 1024;

template <std::size_t size> struct Rt {
  using Message = std::array<char, size>;
  rt::SharedQueue<Message> queue{capacity};
  void put(const Message& message) { (void)queue.put(message); }
  auto get() { return queue.get(); }
};

template <std::size_t size> struct Boost {
  using Message = std::array<char, size>;
  using Queue = boost::interprocess::message_queue;
  static std::string fresh_name() {
    static int number = 0;
    return "rt-bench-" + std::to_string(getpid()) + "-" + std::to_string(number++);
  }
  std::string name = fresh_name();
  Queue queue{boost::interprocess::create_only, name.c_str(), capacity, size};
  Boost() { Queue::remove(name.c_str()); } // it stays as long as it is mapped
  void put(const Message& message) { queue.send(message.data(), size, 0); }
  Message get() {
    Message message;
    Queue::size_type received;
    unsigned priority;
    queue.receive(message.data(), size, received, priority);
    return message;
  }
};

template <std::size_t size> struct Socket {
  using Message = std::array<char, size>;
  int ends[2];
  Socket() {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) std::abort();
  }
  ~Socket() {
    close(ends[0]);
    close(ends[1]);
  }
  void put(const Message& message) {
    if (send(ends[0], message.data(), size, 0) != static_cast<ssize_t>(size)) std::abort();
  }
  Message get() {
    Message message;
    if (recv(ends[1], message.data(), size, 0) != static_cast<ssize_t>(size)) std::abort();
    return message;
  }
};

/// What was got is looked at where it is.
template <class T> void use(const T& message) { asm volatile("" : : "r"(&message) : "memory"); }

template <class F> pid_t in_child(F function) {
  const pid_t id = fork();
  if (id != 0) return id;
  function();
  _exit(0);
}

template <template <std::size_t> class Queue, std::size_t size> double transfer(int pairs) {
  constexpr long count = 300'000;
  const auto queue = std::make_unique<Queue<size>>();
  const auto put = [&] {
    typename Queue<size>::Message message = {};
    for (long i = 0; i < count; ++i) queue->put(message);
  };
  const auto get = [&] {
    for (long i = 0; i < count; ++i) use(queue->get());
  };
  std::vector<pid_t> children;
  const double begin = bench::seconds();
  for (int i = 0; i < pairs; ++i) {
    children.push_back(in_child(put));
    if (i > 0) children.push_back(in_child(get));
  }
  get();
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  return static_cast<double>(pairs * count) / (bench::seconds() - begin) / 1e6;
}

template <template <std::size_t> class Queue> double round_trip() {
  constexpr long count = 20'000;
  const auto there = std::make_unique<Queue<8>>(), back = std::make_unique<Queue<8>>();
  const typename Queue<8>::Message message = {};
  const pid_t child = in_child([&] {
    for (long i = 0; i < count; ++i) {
      use(there->get());
      back->put(message);
    }
  });
  const double begin = bench::seconds();
  for (long i = 0; i < count; ++i) {
    there->put(message);
    use(back->get());
  }
  const double time = bench::seconds() - begin;
  waitpid(child, nullptr, 0);
  return time / count * 1e6;
}

double python(const char* kind, int size, long count) {
  return bench::measured_by("python3 tests/bench/shared_queue.py " + std::string(kind) + " " + std::to_string(size) +
                            " " + std::to_string(count));
}

} // namespace

int main() {
  bench::compare("64 bytes, 1 producer, 1 consumer", "million messages a second",
                 {{"rt::SharedQueue", [] { return transfer<Rt, 64>(1); }},
                  {"boost::interprocess::message_queue", [] { return transfer<Boost, 64>(1); }},
                  {"socketpair", [] { return transfer<Socket, 64>(1); }},
                  {"Python SimpleQueue", [] { return python("simple", 64, 60'000); }},
                  {"Python Queue", [] { return python("queue", 64, 60'000); }}},
                 5);
  bench::compare("64 bytes, 2 producers, 2 consumers", "million messages a second",
                 {{"rt::SharedQueue", [] { return transfer<Rt, 64>(2); }},
                  {"boost::interprocess::message_queue", [] { return transfer<Boost, 64>(2); }}},
                 5);
  bench::compare("1024 bytes, 1 producer, 1 consumer", "million messages a second",
                 {{"rt::SharedQueue", [] { return transfer<Rt, 1024>(1); }},
                  {"boost::interprocess::message_queue", [] { return transfer<Boost, 1024>(1); }}},
                 5);
  bench::compare("1024 bytes, 2 producers, 2 consumers", "million messages a second",
                 {{"rt::SharedQueue", [] { return transfer<Rt, 1024>(2); }},
                  {"boost::interprocess::message_queue", [] { return transfer<Boost, 1024>(2); }}},
                 5);
  bench::compare("8 bytes there and back", "microseconds",
                 {{"rt::SharedQueue", [] { return round_trip<Rt>(); }},
                  {"boost::interprocess::message_queue", [] { return round_trip<Boost>(); }},
                  {"socketpair", [] { return round_trip<Socket>(); }}},
                 5);
}
