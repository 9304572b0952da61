// Pipe: two connections to each other, one for each process, through which both send and receive.
//
// The child sends a list that holds a number, a map and a text; the parent answers with a text; the child closes its
// end and goes, and the parent reads the end. The child's end is the same object in both processes, or rather each has
// a copy of it at the same address. A pipe in one direction only comes after that.

#include "options.hpp"

#include <rt/process/connection.hpp>
#include <rt/process/process.hpp>

using namespace std::chrono_literals;
using rt::Connection, rt::Errc, rt::Value;

namespace {

void talk(Connection& connection) {
  const Value message = {12, Value::Map{{"name", "alice"}}, "hello"};
  rt::println("Child: sends {}", message);
  connection.send(message).value();
  rt::println("Child: received {}", connection.recv().value());
  apps::pause(500ms);
  connection.close();
  rt::println("Child: has closed its end, object {}", &connection);
}

bool two_ways() {
  auto [parent_end, child_end] = rt::make_pipe();
  rt::println("Parent: the child's end is object {}", &child_end);
  rt::Process child([&parent_end = parent_end, &child_end = child_end] {
    parent_end.close(); // the child's copy
    talk(child_end);
  });
  child.start().value();
  child_end.close(); // the parent's copy: the end comes when nobody has that end open

  rt::println("Parent: received {}", parent_end.recv().value());
  parent_end.send("good morning!").value();
  const auto after = parent_end.recv();
  rt::println("Parent: then {}", after.error());
  child.join();
  return after.error() == Errc::end_of_file && child.exit_code() == 0;
}

bool one_way() {
  auto [receiver, sender] = rt::make_pipe(false);
  rt::Process child([&receiver = receiver, &sender = sender] {
    receiver.close();
    for (int i = 1; i <= 3; ++i) {
      apps::pause(300ms);
      sender.send({"measurement", i, i * 0.5}).value();
    }
  });
  child.start().value();
  sender.close();
  int received = 0, waits = 0;
  for (;; ++received) {
    while (!receiver.poll(apps::scaled(100ms)).value()) ++waits;
    const auto value = receiver.recv();
    if (!value) break;
    rt::println("Parent: received {}", *value);
  }
  rt::println("Parent: {} values; it looked in vain {}", received, waits > 0 ? "now and then" : "never");
  child.join();
  return received == 3;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Pipe: parent and child send each other values.");
  if (const auto status = options.finish()) return *status;

  const bool complete = two_ways() && one_way();
  rt::println("end");
  return complete ? 0 : 1;
}
