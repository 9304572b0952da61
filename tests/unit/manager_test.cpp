#include <rt/process/manager.hpp>

#include "sync_test.hpp"

#include <rt/hub/timeout.hpp>
#include <rt/io/tcp.hpp>
#include <rt/kernel/random.hpp>
#include <rt/process/cbor.hpp>

#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

using namespace sync_test;
using rt::Errc, rt::Manager, rt::Value;
using namespace std::literals;

namespace {

struct Started : Manager {
  Started() { start().value(); }
};

/// A process that runs the function and ends well.
template <class F> void in_process(F body) {
  rt::Process process(std::move(body));
  process.start().value();
  process.join();
  CHECK(process.exit_code() == 0);
}

/// One that runs until it is killed.
class Doomed : public rt::Process {
 public:
  template <class F>
  explicit Doomed(F body)
      : Process([body] {
          body();
          for (;;) rt::sleep_for(1s);
        }) {
    start().value();
  }
  ~Doomed() override {
    kill().value();
    join();
  }
};

/// Waits until the call's answer is the value.
template <class F> bool comes(F call, const Value& value) {
  return becomes([&] { return Value(call().value()) == value; });
}

} // namespace

TEST_CASE("a dict of a manager has the methods of Python's") {
  Started manager;
  const auto dict = manager.dict(Value::Map{{"a", 1}}).value();
  CHECK(dict.set("b", {2}).ok());
  CHECK(dict.get("b").value() == Value{2});
  CHECK(dict.get("c").error() == Errc::not_found);
  CHECK(dict.get("c", 7).value() == 7);
  CHECK(dict.contains("a").value());
  CHECK(!dict.contains("c").value());
  CHECK(dict.keys().value() == Value{"a", "b"});
  CHECK(dict.values().value() == Value{1, {2}});
  CHECK(dict.items().value() == Value{{"a", 1}, {"b", {2}}});
  CHECK(dict.set_default("a", 5).value() == 1);
  CHECK(dict.set_default("c", 5).value() == 5);
  CHECK(dict.update(Value::Map{{"a", 10}, {"d", 4}}).ok());
  CHECK(dict.size().value() == 4);
  CHECK(dict.pop("a").value() == 10);
  CHECK(dict.pop("a").error() == Errc::not_found);
  CHECK(dict.pop("a", nullptr).value().is_null());
  CHECK(dict.pop_item().value() == Value{"d", 4});
  CHECK(dict.erase("c").ok());
  CHECK(dict.erase("c").error() == Errc::not_found);
  CHECK(dict.copy().value() == Value::Map{{"b", {2}}});
  CHECK(dict.add("n", 2).value() == 2);
  CHECK(dict.add("n", 0.5).value() == 2.5);
  CHECK(dict.add("m", 1, 10).value() == 11);
  CHECK(dict.add("b", 1).error() == Errc::invalid_argument);
  CHECK(dict.compare_and_set("n", 3, 4).value() == false);
  CHECK(dict.compare_and_set("n", 2.5, 4).value() == true);
  CHECK(dict.compare_and_set("new", nullptr, 1).value() == true);
  CHECK(dict.compare_and_set("other", 1, 1).value() == false);
  CHECK(dict.clear().ok());
  CHECK(dict.size().value() == 0);
  CHECK(dict.pop_item().error() == Errc::not_found);
  CHECK(dict.set("big", 0x7fffffffffffffff).ok());
  CHECK(dict.add("big", 1).error() == Errc::value_too_large);
}

TEST_CASE("a list of a manager has the methods of Python's, an array those that keep its size") {
  Started manager;
  const auto list = manager.list({3, 1, 2}).value();
  CHECK(list.append(1).ok());
  CHECK(list.extend({9, 8}).ok());
  CHECK(list.copy().value() == Value{3, 1, 2, 1, 9, 8});
  CHECK(list.get(-1).value() == 8);
  CHECK(list.get(6).error() == Errc::not_found);
  CHECK(list.get(-7).error() == Errc::not_found);
  CHECK(list.insert(1, "x").ok());
  CHECK(list.insert(100, "y").ok());
  CHECK(list.copy().value() == Value{3, "x", 1, 2, 1, 9, 8, "y"});
  CHECK(list.pop().value() == "y");
  CHECK(list.pop(1).value() == "x");
  CHECK(list.remove(1).ok());
  CHECK(list.remove(77).error() == Errc::not_found);
  CHECK(list.index(9).value() == 3);
  CHECK(list.index(77).error() == Errc::not_found);
  CHECK(list.count_of(2).value() == 1);
  CHECK(list.contains(2).value());
  CHECK(list.sort().ok());
  CHECK(list.copy().value() == Value{1, 2, 3, 8, 9});
  CHECK(list.reverse().ok());
  CHECK(list.slice(1, -1).value() == Value{8, 3, 2});
  CHECK(list.slice(4, 2).value() == Value::List{});
  CHECK(list.set(0, 90).ok());
  CHECK(list.set(5, 0).error() == Errc::not_found);
  CHECK(list.add(0, 1).value() == 91);
  CHECK(list.compare_and_set(0, 90, 1).value() == false);
  CHECK(list.compare_and_set(0, 91, 1).value() == true);
  CHECK(list.erase(0).ok());
  CHECK(list.size().value() == 4);
  CHECK(list.clear().ok());
  CHECK(list.pop().error() == Errc::not_found);

  const auto array = manager.array(3).value();
  CHECK(array.copy().value() == Value{0, 0, 0});
  CHECK(array.set(1, 5).ok());
  CHECK(array.add(1, 2).value() == 7);
  CHECK(array.get(1).value() == 7);
  CHECK(array.size().value() == 3);
  CHECK(manager.array({1, "two"}).value().get(1).value() == "two");
}

TEST_CASE("a name space, a value, and what is refused") {
  Started manager;
  const auto names = manager.name_space().value();
  CHECK(names.set("x", 1).ok());
  CHECK(names.get("x").value() == 1);
  CHECK(names.get("y").error() == Errc::not_found);
  CHECK(names.names().value() == Value{"x"});
  CHECK(names.erase("x").ok());
  const auto value = manager.value("start").value();
  CHECK(value.get().value() == "start");
  CHECK(value.add(1).error() == Errc::invalid_argument);
  CHECK(value.set("\xff").error() == Errc::illegal_byte_sequence);
  CHECK(value.set(5).ok());
  CHECK(value.add(2).value() == 7);
  CHECK(value.compare_and_set(7, nullptr).value());
  CHECK(manager.barrier(0).error() == Errc::invalid_argument);
  CHECK(manager.array(1u << 30).error() == Errc::invalid_argument);
  Value deep = 1;
  for (unsigned i = 0; i < Value::most_depth - 2; ++i) deep = Value::List{std::move(deep)};
  CHECK(value.set(deep).ok()); // fits into a request, and into an answer
  CHECK(value.get().value() == deep);
  const auto list = manager.list().value();
  CHECK(list.append(deep).ok());
  CHECK(list.append(Value::List{deep}).error() == Errc::value_too_large);
  CHECK(list.copy().ok());
  const auto dict = manager.dict().value();
  CHECK(dict.set(1, deep).ok());
  CHECK(dict.items().error() == Errc::value_too_large); // two levels more
  CHECK(dict.size().value() == 1);
}

TEST_CASE("a proxy stored in an object leads to the same object, in other processes as well") {
  Started manager;
  const auto dict = manager.dict().value();
  const auto inner = manager.list({1}).value();
  CHECK(dict.set("inner", inner).ok());
  in_process([&] {
    const auto same = dict.proxy<rt::ListProxy>(dict.get("inner").value()).value();
    same.append(2).value();
  });
  CHECK(inner.copy().value() == Value{1, 2});
  CHECK(dict.proxy<rt::DictProxy>(dict.get("inner").value()).error() == Errc::invalid_argument);
  CHECK(dict.proxy<rt::ListProxy>(Value(1)).error() == Errc::invalid_argument);
}

TEST_CASE("locks of a manager belong to the task that has acquired them") {
  Started manager;
  const auto lock = manager.lock().value();
  const auto rlock = manager.rlock().value();
  CHECK(lock.acquire().ok());
  CHECK(lock.acquire().error() == Errc::deadlock);
  CHECK(rlock.acquire().ok());
  CHECK(rlock.acquire().ok());
  Running other([&] {
    CHECK(!lock.try_acquire().value());
    CHECK(!rlock.try_acquire().value());
    CHECK(lock.try_acquire_for(moment).error() == Errc::timed_out);
    CHECK(lock.release().error() == Errc::not_owner);
    CHECK(rlock.release().error() == Errc::not_owner);
  });
  other.join();
  CHECK(rlock.release().ok());
  CHECK(rlock.locked().value());
  CHECK(rlock.release().ok());
  CHECK(!rlock.locked().value());
  CHECK(lock.release().ok());
  CHECK(lock.release().error() == Errc::not_owner);
}

TEST_CASE("waits park the client that waits, and no other") {
  Started manager;
  const auto lock = manager.lock().value();
  const auto dict = manager.dict().value();
  lock.acquire().value();
  std::vector<std::unique_ptr<Running>> waiters;
  for (int i = 0; i < 5; ++i)
    waiters.push_back(std::make_unique<Running>([&] {
      CHECK(lock.acquire().ok());
      CHECK(dict.add("turns", 1).ok());
      CHECK(lock.release().ok());
    }));
  for (int i = 0; i < 100; ++i) CHECK(dict.set(i, i).ok());
  CHECK(!dict.contains("turns").value());
  lock.release().value();
  waiters.clear();
  CHECK(dict.get("turns").value() == 5);
}

TEST_CASE("semaphores, event, barrier and condition of a manager") {
  Started manager;
  const auto semaphore = manager.semaphore(2).value();
  CHECK(semaphore.acquire().ok());
  CHECK(semaphore.try_acquire().value());
  CHECK(!semaphore.try_acquire().value());
  CHECK(semaphore.try_acquire_for(moment).error() == Errc::timed_out);
  CHECK(semaphore.release(3).ok());
  CHECK(semaphore.value().value() == 3);
  const auto bounded = manager.bounded_semaphore(1).value();
  CHECK(bounded.release().error() == Errc::over_released);
  CHECK(bounded.acquire().ok());
  CHECK(bounded.release().ok());

  const auto event = manager.event().value();
  CHECK(event.wait_for(moment).error() == Errc::timed_out);
  CHECK(!event.is_set().value());
  Running waiter([&] { CHECK(event.wait().ok()); });
  CHECK(event.set().ok());
  waiter.join();
  CHECK(event.wait_for(0s).ok());
  CHECK(event.clear().ok());
  CHECK(event.wait_for(0s).error() == Errc::timed_out);

  const auto barrier = manager.barrier(2).value();
  Running party([&] { CHECK(barrier.wait().ok()); });
  CHECK(barrier.wait_for(limit).ok());
  party.join();
  CHECK(barrier.wait_for(moment).error() == Errc::timed_out);
  CHECK(barrier.broken().value());
  CHECK(barrier.wait().error() == Errc::broken_barrier);
  CHECK(barrier.reset().ok());
  Running broken([&] { CHECK(barrier.wait().error() == Errc::broken_barrier); });
  CHECK(comes([&] { return barrier.n_waiting(); }, 1));
  CHECK(barrier.abort().ok());
  broken.join();

  const auto condition = manager.condition().value();
  CHECK(condition.notify_one().error() == Errc::not_owner);
  CHECK(condition.acquire().ok());
  CHECK(condition.wait_for(moment).error() == Errc::timed_out);
  CHECK(condition.locked().value());
  Running notifier([&] {
    CHECK(condition.acquire().ok()); // when the other waits
    CHECK(condition.notify_all().ok());
    CHECK(condition.release().ok());
  });
  CHECK(condition.wait().ok());
  CHECK(condition.release().ok());
}

TEST_CASE("a queue of a manager") {
  Started manager;
  const auto queue = manager.queue(2).value();
  CHECK(queue.try_get().error() == Errc::empty);
  CHECK(queue.put(1).ok());
  CHECK(queue.put(2).ok());
  CHECK(queue.full().value());
  CHECK(queue.try_put(3).error() == Errc::full);
  CHECK(queue.put_for(3, moment).error() == Errc::timed_out);
  Running putter([&] { CHECK(queue.put(3).ok()); });
  CHECK(queue.get().value() == 1);
  putter.join();
  CHECK(queue.get().value() == 2);
  CHECK(queue.get_for(limit).value() == 3);
  CHECK(queue.get_for(moment).error() == Errc::timed_out);
  Running joiner([&] { CHECK(queue.join().ok()); });
  for (int i = 0; i < 3; ++i) CHECK(queue.task_done().ok());
  joiner.join();
  CHECK(queue.task_done().error() == Errc::over_released);
  CHECK(queue.put("last").ok());
  CHECK(queue.shutdown().ok());
  CHECK(queue.put(1).error() == Errc::closed);
  CHECK(queue.get().value() == "last");
  CHECK(queue.get().error() == Errc::closed);
}

TEST_CASE("a client that dies gives back what it held, and waits no more") {
  Started manager;
  const auto lock = manager.lock().value(), second = manager.lock().value();
  const auto semaphore = manager.bounded_semaphore(2).value();
  const auto barrier = manager.barrier(2).value();
  {
    Doomed holder([&] {
      lock.acquire().value();
      semaphore.acquire().value();
      semaphore.acquire().value();
      second.acquire().value();
    });
    CHECK(comes([&] { return second.locked(); }, true));
    Doomed waiter([&] { (void)lock.acquire(); });
    Doomed party([&] { (void)barrier.wait(); });
    CHECK(comes([&] { return barrier.n_waiting(); }, 1));
    CHECK(!lock.try_acquire().value());
  }
  CHECK(lock.try_acquire_for(limit).ok());
  CHECK(semaphore.try_acquire_for(limit).ok());
  CHECK(comes([&] { return semaphore.value(); }, 1));
  CHECK(comes([&] { return barrier.broken(); }, true));
  CHECK(semaphore.release().ok());
  CHECK(semaphore.release().error() == Errc::over_released);
}

TEST_CASE("a call that is given up is taken back") {
  Started manager;
  const auto lock = manager.lock().value();
  const auto queue = manager.queue().value();
  lock.acquire().value();
  auto fiber = rt::spawn([&] { return lock.acquire(); });
  rt::sleep_for(1ms);
  fiber.cancel();
  CHECK(fiber.join().error() == Errc::canceled);
  Running thread([&] {
    rt::Timeout timeout(moment);
    CHECK(queue.get().error() == Errc::timed_out);
  });
  thread.join();
  lock.release().value();
  CHECK(becomes([&] { return lock.try_acquire().value(); }));
  queue.put(1).value();
  CHECK(queue.get_for(limit).value() == 1);
}

TEST_CASE("objects live as long as a client knows them, or a name or another object leads to them") {
  Started manager;
  const auto dict = manager.dict().value();
  CHECK(manager.objects().value() == 1);
  in_process([&] {
    const auto remote = Manager::connect(manager.address(), manager.key()).value();
    const auto inner = remote.list().value(), innermost = remote.list().value();
    inner.append(innermost).value();
    dict.set("inner", inner).value();
    remote.publish("named", remote.lock().value()).value();
    for (int i = 0; i < 10; ++i) remote.dict().value();
  });
  CHECK(comes([&] { return manager.objects(); }, 4));
  CHECK(manager.find<rt::LockProxy>("named").value().acquire().ok());
  CHECK(manager.find<rt::DictProxy>("named").error() == Errc::invalid_argument);
  CHECK(manager.find<rt::DictProxy>("nothing").error() == Errc::not_found);
  CHECK(manager.remove(dict).ok());
  CHECK(dict.size().error() == Errc::not_found);
  CHECK(manager.remove(dict).error() == Errc::not_found);
  const auto barrier = manager.barrier(2).value();
  Running waiter([&] { CHECK(barrier.wait().ok()); });
  CHECK(comes([&] { return barrier.n_waiting(); }, 1));
  CHECK(manager.remove(barrier).error() == Errc::device_or_resource_busy);
  CHECK(barrier.wait().ok());
}

TEST_CASE("a server that is gone is a clear error, for calls that wait and for later ones") {
  Manager manager;
  manager.start().value();
  CHECK(manager.start().error() == Errc::already_started);
  const auto event = manager.event().value();
  Running waiter([&] { CHECK(event.wait().error() == Errc::server_lost); });
  CHECK(waiter.comes_to_rest());
  manager.shutdown();
  waiter.join();
  CHECK(event.set().error() == Errc::server_lost);
  CHECK(manager.dict().error() == Errc::server_lost);
  CHECK(Manager().dict().error() == Errc::not_connected);
}

TEST_CASE("a client does not wait for ever for a server that does not begin") {
  const auto silent = rt::TcpListener::listen(rt::Address::loopback(0)).value(); // the kernel takes connections for it
  CHECK(Manager::connect(silent.address(), "key").error() == Errc::connection_reset);
}

TEST_CASE("an address that is taken is told") {
  const auto listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
  CHECK(Manager({listener.address(), "key"}).start().error() == Errc::address_in_use);
  CHECK(Manager::connect(rt::Address::loopback(1), "key").error() == Errc::connection_refused);
}

TEST_CASE("who does not know the key gets nothing but a challenge") {
  Manager manager({rt::Address::loopback(0), "the key"});
  manager.start().value();
  CHECK(Manager::connect(manager.address(), "a key").error() == Errc::permission_denied);
  for (const Value& reply :
       std::initializer_list<Value>{1, Value::Map{}, Value{Value::bytes(std::string(16, 'x')), 1, 2},
                                    Value{Value::bytes(std::string(16, 'x')), Value::bytes(std::string(32, 'x')),
                                          Value::bytes(std::string(32, 'x'))}}) {
    auto stream = rt::TcpStream::connect(manager.address()).value();
    rt::Connection connection(rt::Fd(stream.release()));
    CHECK(connection.recv().value().list().size() == 3);
    CHECK(connection.send(reply).ok());
    CHECK(!connection.recv().value().list()[0].boolean());
    CHECK(connection.recv().error() == Errc::end_of_file);
  }
  {
    auto stream = rt::TcpStream::connect(manager.address()).value();
    rt::Connection connection(rt::Fd(stream.release()));
    CHECK(connection.recv().ok());
    CHECK(connection.send_bytes(std::string(2000, 'x')).ok());
    CHECK(connection.recv().error() == Errc::end_of_file);
  }
  CHECK(manager.dict().ok());
}

TEST_CASE("a client that sends anything at all gets errors, and the server goes on") {
  Started manager;
  // After the handshake of a client of ours, requests are made by hand.
  const auto list = manager.list({1, 2, 3}).value();
  const auto queue = manager.queue(1).value();
  const auto everything = {"get",    "set",     "delete", "contains", "size",     "pop",      "insert",      "slice",
                           "add",    "update",  "extend", "acquire",  "wait",     "put",      "release",     "notify",
                           "create", "publish", "find",   "remove",   "shutdown", "pop_item", "set_default", "sort"};
  const Value arguments[] = {Value::List{},
                             {nullptr},
                             {-1},
                             {std::numeric_limits<std::int64_t>::min()},
                             {"text", 0},
                             {0, 0, 0},
                             {Value::Map{{1, 2}}, {}},
                             {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()},
                             {{1, 2}, {3}},
                             {1.5, 1e300}};
  rt::managing::Client client(manager.address(), std::string(manager.key()));
  const char* kinds[] = {"dict",      "list",      "name_space",        "value",   "array", "lock", "rlock",
                         "condition", "semaphore", "bounded_semaphore", "barrier", "event", "queue"};
  for (const char* kind : kinds) {
    const auto made =
        client.call(0, "create", {kind, kind == "barrier"sv || kind == "array"sv ? Value{1} : Value::List{}});
    CAPTURE(kind);
    REQUIRE(made.ok());
    const auto number = rt::managing::read_reference(*made).object;
    for (const char* method : everything)
      for (const Value& each : arguments) {
        if ((kind == "queue"sv || kind == "event"sv) && (each.list().empty() || each.list()[0].is_null())) continue;
        rt::Timeout timeout(100ms);
        (void)client.call(number, method, Value::List(each.list()));
      }
  }
  for (const char* method : everything)
    for (const Value& each : arguments) (void)client.call(0, method, Value::List(each.list()));
  CHECK(list.size().value() == 3);
  CHECK(queue.put(1).ok());
}

TEST_CASE("a client in Python shares objects, and gives back its lock when it ends") {
  Manager manager({rt::Address::loopback(0), "key of both"});
  manager.start().value();
  const auto shared = manager.dict().value();
  const auto lock = manager.lock().value();
  shared.set("from rt", Value::Map{{"list", {1, 2.5, Value::bytes("bytes"sv), nullptr, true}}}).value();
  shared.set("counter", 1).value();
  manager.publish("shared", shared).value();
  manager.publish("lock", lock).value();

  int input[2], output[2];
  REQUIRE(pipe2(input, O_CLOEXEC) == 0);
  REQUIRE(pipe2(output, O_CLOEXEC) == 0);
  const std::string port = std::to_string(manager.address().port());
  const pid_t python = fork();
  if (python == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    execl("/usr/bin/python3", "python3", "tests/unit/manager_peer.py", "127.0.0.1", port.c_str(), "key of both",
          static_cast<char*>(nullptr));
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  std::string text;
  for (char byte; !text.ends_with('\n') && read(output[0], &byte, 1) == 1;) text += byte;
  CHECK(text == "done\n");
  CHECK(shared.get("from Python").value() == Value{"text", -7, 0.1});
  CHECK(shared.get("counter").value() == 3);
  const auto queue = manager.proxy<rt::QueueProxy>(shared.get("queue").value()).value();
  CHECK(queue.get_for(limit).value() == "from a queue of Python");
  CHECK(!lock.try_acquire().value());
  close(input[1]);
  int status = -1;
  waitpid(python, &status, 0);
  close(output[0]);
  CHECK(status == 0);
  CHECK(lock.try_acquire_for(limit).ok());
}
