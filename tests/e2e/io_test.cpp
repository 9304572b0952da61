// 19_*: what the apps of input and output show by themselves, and as servers and clients of others: nc, Python.

#include "run.hpp"

#include <csignal>

namespace {

using Lines = std::vector<std::string>;

/// A server app on a free port.
class Server {
 public:
  explicit Server(const std::string& name, int input = -1)
      : program_(e2e::app(name), {"--port", "0", "--time-scale", "0.05"}, setting(input)) {
    REQUIRE(program_.read_until("\n"));
    // The port is the rest of the line.
    const auto first = program_.output().substr(0, program_.output().find('\n'));
    REQUIRE(first.starts_with("server: listens on 127.0.0.1:"));
    port_ = first.substr(first.rfind(':') + 1);
    CHECK(port_ != "0");
  }

  const std::string& port() const { return port_; }
  e2e::Program& program() { return program_; }

  e2e::Ending end_by(int signal) {
    program_.kill(signal);
    return program_.finish();
  }

 private:
  static e2e::Setting setting(int input) {
    e2e::Setting setting;
    if (input >= 0) setting.before_execution = [input] { return dup2(input, 0) == 0; };
    return setting;
  }

  e2e::Program program_;
  std::string port_;
};

e2e::Ending shell(const std::string& command) { return e2e::run("/bin/sh", {"-c", command}); }

/// Runs a script of Python, which is found in PATH.
e2e::Ending python(const std::string& script, const std::string& argument = "") {
  return e2e::run("/bin/sh", {"-c", "exec python3 -c \"$0\" \"$1\"", script, argument});
}

const std::vector<std::string> servers = {"19_blocking_server", "19_nonblocking_server", "19_select_server",
                                          "19_selectors_server"};
const std::vector<std::string> clients = {"19_blocking_client", "19_nonblocking_client", "19_select_client",
                                          "19_selectors_client"};

} // namespace

// --- What each app shows by itself ---

TEST_CASE("19_blocking: whoever blocks serves one client after the other, and both phases are timed") {
  const auto lines = e2e::transcript("19_blocking_server");
  SHOW_TRANSCRIPT(lines);
  REQUIRE(e2e::places(lines, "has connected").size() == 2);
  // What the server copies comes in as many pieces as the kernel likes; the slow client's come first.
  const auto phases = e2e::places(lines, "server: waited ");
  const auto second_client = e2e::places(lines, "has connected").back();
  long of_first = 0, of_second = 0;
  for (const std::size_t each : phases)
    (each < second_client ? of_first : of_second) += e2e::number_after(lines[each], ", copied ");
  CHECK(of_first == 50'000);
  CHECK(of_second == 5'000);
  CHECK(e2e::places(lines, "slow client: the server says \"50000 bytes received\"").size() == 1);
  CHECK(e2e::places(lines, "quick client: the server says \"5000 bytes received\"").size() == 1);
  // The quick client has sent everything long before it is answered.
  CHECK(e2e::place(lines, "quick client: sends 5000 bytes") < e2e::place(lines, "slow client: sends 50000 bytes"));
  for (const std::size_t each : phases) CHECK(e2e::contains(lines[each], " bytes in "));
  CHECK(lines.back() == "end");

  const auto client = e2e::transcript("19_blocking_client");
  CHECK(e2e::places(client, "client: waited ").size() == 1);
  CHECK(e2e::places(client, "client: the server says \"20000 bytes received\"").size() == 1);
}

TEST_CASE("19_nonblocking: the server is told that nothing is ready until something is") {
  for (const std::string name : {"19_nonblocking_server", "19_nonblocking_client"}) {
    const auto lines = e2e::transcript(name);
    SHOW_TRANSCRIPT(lines);
    const auto none = e2e::places(lines, "server: no connection, error: would block"),
               nothing = e2e::places(lines, "server: no data, error: would block");
    REQUIRE_FALSE(none.empty());
    REQUIRE_FALSE(nothing.empty());
    CHECK(none.front() < e2e::place(lines, "has connected"));
    CHECK(nothing.front() < e2e::place(lines, "server: received \"hello\""));
    CHECK(e2e::place(lines, "server: received") < e2e::place(lines, "server: the client has gone"));
    CHECK(lines.back() == "end");
  }
}

TEST_CASE("19_select: each client is answered with a line of the operator's") {
  const auto lines = e2e::transcript("19_select_server");
  SHOW_TRANSCRIPT(lines);
  for (const char client : {'A', 'B', 'C'}) {
    const std::string name = std::string("client ") + client;
    CHECK(e2e::places(lines, name + ": sends ").size() == 2);
    CHECK(e2e::places(lines, name + ": got \"answer ").size() == 2);
  }
  for (int answer = 1; answer <= 6; ++answer)
    CHECK(e2e::places(lines, "got \"answer " + std::to_string(answer) + "\"").size() == 1);
  CHECK(e2e::places(lines, " has gone").size() == 3);
  CHECK(lines.back() == "end");
  CHECK(e2e::transcript("19_select_client").back() == "end");
}

TEST_CASE("19_selectors: many clients get their lines in upper case, and those who leave are closed") {
  const auto lines = e2e::transcript("19_selectors_server");
  SHOW_TRANSCRIPT(lines);
  for (const char client : {'A', 'B', 'C', 'D', 'E'}) {
    const std::string name = std::string("client ") + client;
    CHECK(e2e::place(lines, name + ": sends \"hello\"") < e2e::place(lines, name + ": got \"HELLO\""));
    CHECK(e2e::place(lines, name + ": got \"HELLO\"") < e2e::place(lines, name + ": got \"THIS IS " + client + "\""));
  }
  CHECK(e2e::places(lines, "server: accepted 127.0.0.1:").size() == 5);
  CHECK(e2e::places(lines, "server: closes 127.0.0.1:").size() == 5);
  CHECK(e2e::places(lines, "0 clients are left").size() >= 1);
  CHECK(lines.back() == "end");
  CHECK(e2e::transcript("19_selectors_client").back() == "end");
}

TEST_CASE("19_async_io: whatever was submitted first, what has no data completes last; told in three ways") {
  for (const std::string engine : {"", "threads", "io_uring"}) {
    CAPTURE(engine);
    std::vector<std::string> arguments = {"--time-scale", "0.05"};
    if (!engine.empty()) arguments.insert(arguments.end(), {"--engine", engine});
    const auto ending = e2e::run(e2e::app("19_async_io"), arguments);
    if (engine == "io_uring" && ending.by_exit(1)) { // it is forbidden in many containers
      CHECK(e2e::contains(ending.err, "19_async_io: cannot read: "));
      continue;
    }
    INFO(ending.err);
    REQUIRE(ending.by_exit(0));
    const auto lines = ending.lines();
    SHOW_TRANSCRIPT(lines);
    const auto sections = e2e::places(lines, "):");
    REQUIRE(sections.size() == 4);
    for (std::size_t i = 0; i < 3; ++i) {
      const Lines section(lines.begin() + static_cast<long>(sections[i]),
                          lines.begin() + static_cast<long>(sections[i + 1]));
      if (!engine.empty()) CHECK(e2e::contains(section[0], "(" + engine + ")"));
      CHECK(e2e::places(section, "4 reads are submitted").size() == 1);
      CHECK(e2e::places(section, "meanwhile: ").size() == 1);
      const auto completed = e2e::places(section, "completed: ");
      REQUIRE(completed.size() == 4);
      CHECK(e2e::contains(section[completed.back()], "completed: pipe, 34 bytes"));
      CHECK(e2e::places(section, "completed: large file, 2000000 bytes").size() == 1);
    }
    CHECK(e2e::contains(lines[sections[2]], "by signal"));
    CHECK_FALSE(e2e::places(lines, "  SIGIO: ").empty());
    CHECK(e2e::places(lines, "completed: error: canceled").size() == 1);
    CHECK(lines.back() == "end");
  }
  const auto chosen =
      e2e::run("/bin/sh", {"-c", "exec env RT_AIO=threads \"$0\" --time-scale 0.05", e2e::app("19_async_io")});
  CHECK(e2e::places(chosen.lines(), "(threads):").size() == 4);
  const auto wrong =
      e2e::run("/bin/sh", {"-c", "exec env RT_AIO=magic \"$0\" --time-scale 0.05", e2e::app("19_async_io")});
  CHECK(wrong.by_exit(1));
  CHECK(e2e::split_lines(wrong.err).size() == 1);
  CHECK(e2e::run(e2e::app("19_async_io"), {"--engine", "magic"}).by_exit(2));
}

TEST_CASE("19_buffered_io: what is copied through the program is counted for each way, and nothing is left behind") {
  const e2e::TemporaryDirectory directory;
  const auto ending =
      e2e::run(e2e::app("19_buffered_io"), {"--time-scale", "0.05", "--size", "2", "--directory", directory.path()});
  REQUIRE(ending.by_exit(0));
  CHECK(ending.err == "");
  const auto lines = ending.lines();
  SHOW_TRANSCRIPT(lines);
  CHECK(lines[0] == "a file of 2097152 bytes, in " + directory.path() + ", is copied");
  const auto copied = [&](const std::string& way) {
    const auto& line = lines[e2e::place(lines, way)];
    CHECK_FALSE(e2e::contains(line, "not possible"));
    return e2e::number_after(line, way);
  };
  CHECK(copied("read and write  ") == 2 * 2097152);
  CHECK(copied("write from a mapping") == 2097152);
  CHECK(copied("memcpy between mappings") == 2097152);
  CHECK(copied("sendfile") == 0);
  CHECK(copied("splice through a pipe") == 0);
  for (const std::string way : {"copy_file_range", "read and write, direct"}) { // not every file system can
    const auto& line = lines[e2e::place(lines, way)];
    CHECK((e2e::contains(line, "not possible here: ") || e2e::number_after(line, way) == 0));
  }
  CHECK(lines.back() == "end");
  CHECK(directory.empty());

  const auto nowhere = e2e::run(e2e::app("19_buffered_io"), {"--directory", "/no/such/directory"});
  CHECK(nowhere.by_exit(1));
  CHECK(nowhere.out == "");
  CHECK(nowhere.err == "19_buffered_io: cannot make a temporary file: no such file or directory\n");
}

// --- Servers and others' clients ---

TEST_CASE("SIGINT and SIGTERM end each server") {
  for (const auto& name : servers)
    for (const int signal : {SIGINT, SIGTERM}) {
      CAPTURE(name);
      CAPTURE(signal);
      int input[2]; // whose other end stays open
      REQUIRE(pipe2(input, O_CLOEXEC) == 0);
      {
        Server server(name, input[0]);
        const auto ending = server.end_by(signal);
        CHECK(ending.by_exit(0));
        CHECK(ending.err == "");
        CHECK(ending.lines().back() == "server: ends");
      }
      close(input[0]);
      close(input[1]);
    }
}

TEST_CASE("a port that is taken is one line on standard error") {
  Server first("19_selectors_server");
  for (const auto& name : servers) {
    const auto ending = e2e::run(e2e::app(name), {"--port", first.port()});
    CHECK(ending.by_exit(1));
    CHECK(ending.err == name + ": cannot listen: address in use\n");
    CHECK(ending.out == "");
  }
  CHECK(first.end_by(SIGTERM).by_exit(0));
}

TEST_CASE("ports are numbers") {
  for (const auto& name : servers)
    for (const std::string wrong : {"", "x", "-1", "65536", "80 ", "99999999999999999999"}) {
      const auto ending = e2e::run(e2e::app(name), {"--port", wrong});
      CHECK(ending.by_exit(2));
      CHECK(ending.err == name + ": '--port' needs a number from 0 to 65535; see --help\n");
    }
  for (const auto& name : clients) CHECK(e2e::run(e2e::app(name), {"--port", "0"}).by_exit(2));
  CHECK(e2e::run(e2e::app("19_select_server"), {"--port"}).err ==
        "19_select_server: '--port' needs a value; see --help\n");
}

TEST_CASE("a client without a server says so") {
  Server server("19_selectors_server");
  const std::string port = server.port();
  CHECK(server.end_by(SIGTERM).by_exit(0)); // nobody has the port now
  for (const auto& name : clients) {
    const auto ending = shell("echo hi | exec " + e2e::app(name) + " --time-scale 0.05 --port " + port);
    CHECK(ending.by_exit(1));
    CHECK(e2e::split_lines(ending.err).size() == 1);
    CHECK(e2e::contains(ending.err, "connection refused"));
  }
}

TEST_CASE("nc talks with the selectors server") {
  Server server("19_selectors_server");
  const auto ending = shell("printf 'Hello, world\\n' | nc -q 1 -w 20 127.0.0.1 " + server.port());
  INFO(ending.err);
  CHECK(ending.out == "HELLO, WORLD\n");
  const auto served = server.end_by(SIGTERM);
  CHECK(e2e::contains(served.out, "server: received \"Hello, world\""));
  CHECK(e2e::contains(served.out, "server: closes 127.0.0.1:"));
}

TEST_CASE("nc talks with the blocking server") {
  Server server("19_blocking_server");
  const auto ending = shell("printf 'Hello' | nc -N -w 20 127.0.0.1 " + server.port());
  CHECK(ending.out == "5 bytes received\n");
  CHECK(server.end_by(SIGINT).by_exit(0));
}

TEST_CASE("a hundred of Python's sockets are served by one thread, while one does not read its answers") {
  Server server("19_selectors_server");
  // What the server prints has to be read meanwhile.
  e2e::Program client("/bin/sh", {"-c", "exec python3 -c \"$0\" \"$1\"", R"(
import socket, sys
port = int(sys.argv[1])
deaf = socket.create_connection(('127.0.0.1', port))
deaf.setblocking(False)
sent = 0
try:
    while sent < 100_000_000:
        sent += deaf.send(b'x' * 65536)
except BlockingIOError:
    pass
others = [socket.create_connection(('127.0.0.1', port), timeout=20) for _ in range(100)]
for i, each in enumerate(others):
    each.sendall(b'number %d' % i)
print(all(each.recv(1000) == b'NUMBER %d' % i for i, each in enumerate(others)))
others[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
others[0].close() # by a reset
others[1].shutdown(socket.SHUT_WR)
print(others[1].recv(10) == b'')
others[2].sendall(b'still there')
print(others[2].recv(1000))
)",
                                  server.port()});
  CHECK(server.program().read_until("server: received \"still there\""));
  const auto ending = client.finish();
  INFO(ending.err);
  CHECK(ending.out == "True\nTrue\nb'STILL THERE'\n");
  const auto served = server.end_by(SIGTERM);
  CHECK(served.by_exit(0));
  CHECK(e2e::contains(served.out, "0 clients are left"));
}

TEST_CASE("the select server's standard input answers whoever has waited longest") {
  // nc would say that it sends no more.
  const std::string client = R"(
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=60)
s.sendall(sys.argv[2].encode())
print(s.recv(100).decode(), end='', flush=True)
s.recv(1)
)";
  int input[2];
  REQUIRE(pipe2(input, O_CLOEXEC) == 0);
  Server server("19_select_server", input[0]);
  close(input[0]);
  e2e::Program first("/bin/sh", {"-c", "exec python3 -c \"$@\"", "sh", client, server.port(), "one"});
  REQUIRE(server.program().read_until("client 1 says \"one\""));
  REQUIRE(server.program().read_until("answer client 1:"));
  e2e::Program second("/bin/sh", {"-c", "exec python3 -c \"$@\"", "sh", client, server.port(), "two"});
  REQUIRE(server.program().read_until("client 2 says \"two\""));
  REQUIRE(write(input[1], "to the first\nto the se", 22) == 22);
  CHECK(first.read_until("to the first\n"));
  REQUIRE(write(input[1], "cond\n", 5) == 5);
  CHECK(second.read_until("to the second\n"));
  close(input[1]); // the operator goes home
  const auto ending = server.program().finish();
  CHECK(ending.by_exit(0));
  CHECK(ending.lines().back() == "server: ends");
}

TEST_CASE("Python talks with the non-blocking server") {
  Server server("19_nonblocking_server");
  const auto ending = python(R"(
import socket, sys
for text in (b'hello', b'again'):
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.sendall(text)
    s.close()
)",
                             server.port());
  CHECK(ending.by_exit(0));
  CHECK(server.program().read_until("server: received \"hello\""));
  CHECK(server.program().read_until("server: received \"again\""));
  CHECK(server.end_by(SIGTERM).by_exit(0));
}

// --- Clients and others' servers ---

TEST_CASE("clients talk with a server of Python's") {
  e2e::Program server("/bin/sh", {"-c", "exec python3 -u -c \"$0\"", R"(
import selectors, socket
sel = selectors.DefaultSelector()
listener = socket.create_server(('127.0.0.1', 0))
print('port', listener.getsockname()[1], flush=True)
sel.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in sel.select():
        if key.fileobj is listener:
            connection, _ = listener.accept()
            sel.register(connection, selectors.EVENT_READ)
            continue
        try:
            data = key.fileobj.recv(1000)
            if data:
                print('got', data, flush=True)
                key.fileobj.sendall(data.upper())
        except ConnectionError: # a client that does not read its answer
            data = b''
        if not data:
            sel.unregister(key.fileobj)
            key.fileobj.close()
)"});
  REQUIRE(server.read_until("\n"));
  const std::string port = std::to_string(e2e::number_after(server.output(), "port "));
  for (const std::string name : {"19_select_client", "19_selectors_client"}) {
    const auto ending = shell("printf 'one\\n\\ntwo' | exec " + e2e::app(name) + " --port " + port);
    INFO(ending.err);
    CHECK(ending.by_exit(0));
    CHECK(ending.out == "client: sends \"one\"\nclient: got \"ONE\"\nclient: sends \"two\"\nclient: got \"TWO\"\n");
  }
  const auto said =
      e2e::run(e2e::app("19_nonblocking_client"), {"--port", port, "--text", "polled", "--time-scale", "0.05"});
  CHECK(said.by_exit(0));
  CHECK(server.read_until("got b'polled'"));
  const auto asked = e2e::run(e2e::app("19_blocking_client"), {"--port", port, "--text", "blocked"});
  CHECK(asked.by_exit(0));
  CHECK(e2e::contains(asked.out, "the server says \"BLOCKED\""));
  server.kill(SIGKILL);
}
