// Many cores: several processes, each with many fibers, behind one port or behind one queue.
//
// A request is a number; the answer takes a wait (for a database, say), which fibers do side by side, and some
// computing, which only processes do. First one process answers all requests, then as many as there are CPUs.
//
//   one port     each process listens on the same port (SO_REUSEPORT), and the kernel shares out the connections; each
//                connection has a fiber
//   one queue    all fibers of all processes take requests from one queue in shared memory

#include "options.hpp"

#include <rt/hub/group.hpp>
#include <rt/io/tcp.hpp>
#include <rt/kernel/cpus.hpp>
#include <rt/process/process.hpp>
#include <rt/process/shared.hpp>
#include <rt/process/shared_queue.hpp>
#include <rt/sync/semaphore.hpp>

#include <algorithm>
#include <array>
#include <vector>

using namespace std::chrono_literals;
using rt::Errc, rt::Result;

namespace {

constexpr unsigned fibers = 32, requests = 800, most_processes = 8;

/// What all processes share.
struct Tally {
  rt::SharedSemaphore listening{0};
  std::array<std::atomic<unsigned>, most_processes> served = {};
  std::atomic<std::uint64_t> sum = 0; // of the answers
};

std::uint64_t compute(std::uint64_t number) {
  for (int i = 0; i < 60'000; ++i) number = (number ^ number >> 29) * 0xbf58476d1ce4e5b9u + 1; // as good as any work
  return number;
}

std::uint64_t answer_to(std::uint64_t request) {
  apps::pause(1ms);
  return compute(request);
}

template <class T> std::span<char> bytes_of(T& object) { return {reinterpret_cast<char*>(&object), sizeof object}; }

// --- One port ---

void answer_all(rt::TcpStream connection, std::atomic<unsigned>& served) {
  std::uint64_t number;
  while (connection.read_exactly(bytes_of(number))) {
    number = answer_to(number);
    ++served;
    if (!connection.write(bytes_of(number))) return;
  }
}

/// In a process of its own, until it is killed. The first one has inherited the listener.
int serve_port(unsigned process, rt::TcpListener& first, Tally& tally) {
  rt::TcpListener own;
  if (process > 0) {
    auto listener = rt::TcpListener::listen(first.address(), {.reuse_port = true});
    if (!listener) return 1;
    own = std::move(*listener);
    first.close(); // else a part of the connections would wait there
  }
  rt::TcpListener& listener = process == 0 ? first : own;
  tally.listening.release();
  rt::Group connections;
  for (auto connection = listener.accept(); connection; connection = listener.accept())
    (void)connections.spawn(
        [&tally, process](rt::TcpStream stream) { answer_all(std::move(stream), tally.served[process]); },
        std::move(*connection));
  return 0;
}

/// A client with one connection.
Result<void> request_all(const rt::Address& address, unsigned client, Tally& tally) {
  auto connection = rt::TcpStream::connect(address);
  if (!connection) return connection.error();
  for (std::uint64_t request = client; request < requests; request += fibers) {
    std::uint64_t number = request;
    if (const auto sent = connection->write(bytes_of(number)); !sent) return sent;
    if (const auto got = connection->read_exactly(bytes_of(number)); !got) return got;
    tally.sum += number;
  }
  return {};
}

Result<std::chrono::nanoseconds> by_port(unsigned count, Tally& tally) {
  auto listener = rt::TcpListener::listen(rt::Address::loopback(0), {.reuse_port = true});
  if (!listener) return listener.error();
  const rt::Address address = listener->address();
  std::vector<rt::Process> processes;
  processes.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    processes.emplace_back(rt::ProcessOptions{.daemon = true},
                           [i, &listener, &tally] { return serve_port(i, *listener, tally); });
    if (const auto started = processes.back().start(); !started) return started.error();
  }
  listener->close();
  Result<void> result;
  for (unsigned i = 0; i < count && result; ++i) result = tally.listening.try_acquire_for(10s);

  const auto begin = rt::Clock::now();
  std::vector<rt::Fiber<Result<void>>> clients;
  for (unsigned i = 0; i < fibers && result; ++i)
    clients.push_back(rt::spawn([&address, i, &tally] { return request_all(address, i, tally); }));
  for (auto& client : clients)
    if (const auto ended = client.join(); !ended) result = ended;
  const auto time = rt::Clock::now() - begin;
  for (rt::Process& process : processes) {
    (void)process.kill();
    process.join();
  }
  if (!result) return result.error();
  return time;
}

// --- One queue ---

using RequestQueue = rt::SharedQueue<std::uint64_t>;

/// In a process of its own, until the queue is shut down and empty.
void serve_queue(unsigned process, unsigned count, RequestQueue& queue, Tally& tally) {
  rt::Group group;
  for (unsigned i = process; i < fibers; i += count)
    (void)group.spawn([&queue, &tally, process] {
      for (auto request = queue.get(); request; request = queue.get()) {
        tally.sum += answer_to(*request);
        ++tally.served[process];
      }
    });
}

Result<std::chrono::nanoseconds> by_queue(unsigned count, Tally& tally) {
  RequestQueue queue(requests);
  for (std::uint64_t request = 0; request < requests; ++request) queue.put(request).value();
  queue.shutdown();
  const auto begin = rt::Clock::now();
  std::vector<rt::Process> processes;
  processes.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    processes.emplace_back([i, count, &queue, &tally] { serve_queue(i, count, queue, tally); });
    if (const auto started = processes.back().start(); !started) return started.error();
  }
  for (rt::Process& process : processes) process.join();
  return rt::Clock::now() - begin;
}

// --- Both ---

using Way = Result<std::chrono::nanoseconds>(unsigned processes, Tally& tally);

/// Answers each second; 0: it failed.
std::uint64_t measure(Way& way, unsigned processes, std::uint64_t expected) {
  const rt::Shared<Tally> tally;
  const auto time = way(processes, *tally);
  if (!time) {
    rt::eprintln("18_multicore: {}{}", time.error(),
                 time.error() == Errc::network_unreachable ? "; the loopback interface has to be up" : "");
    return 0;
  }
  if (tally->sum != expected) {
    rt::eprintln("18_multicore: the answers of {} processes are not those of one", processes);
    return 0;
  }
  const auto rate = static_cast<std::uint64_t>(requests * std::chrono::nanoseconds(1s).count() / time->count());
  rt::print("  {} process{} with {} fibers: {} requests in {}, {} each second; served by each:", processes,
            processes == 1 ? "" : "es", fibers, requests, std::chrono::duration_cast<std::chrono::milliseconds>(*time),
            rate);
  for (unsigned i = 0; i < processes; ++i) rt::print(" {}", tally->served[i].load());
  rt::println();
  return rate;
}

bool compare(std::string_view name, Way& way, unsigned processes, std::uint64_t expected) {
  rt::println("behind one {}:", name);
  const std::uint64_t one = measure(way, 1, expected), all = one ? measure(way, processes, expected) : 0;
  if (all == 0) return false;
  rt::println("  {} processes do {} % of what one does", processes, 100 * all / one);
  return true;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Many cores: processes with fibers behind one port, and behind one queue.");
  if (const auto status = options.finish()) return *status;

  const unsigned processes = std::clamp(rt::cpu_count(), 2u, most_processes);
  rt::println("CPUs: {}", rt::cpu_count());
  std::uint64_t expected = 0;
  for (std::uint64_t request = 0; request < requests; ++request) expected += compute(request);
  if (!compare("port", by_port, processes, expected) || !compare("queue", by_queue, processes, expected)) return 1;
  rt::println("end");
  return 0;
}
