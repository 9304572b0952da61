// httpd and fetch, with curl and Python's http.client and http.server on the other side.

#include "run.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <thread>

namespace {

using e2e::contains, e2e::Ending, e2e::Program, e2e::run, e2e::TemporaryDirectory;
namespace fs = std::filesystem;

void write_file(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Ending curl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"-sS", "--path-as-is", "--noproxy", "*", "--max-time", "30"});
  return run("/usr/bin/curl", arguments);
}

Ending python(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"-c", script};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run("/usr/bin/python3", all);
}

// The status that curl is answered with.
std::string status_of(const std::string& url, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.end(), {"-o", "/dev/null", "-w", "%{http_code}", url});
  return curl(arguments).out;
}

/// httpd on any port, serving a directory.
class Httpd {
 public:
  explicit Httpd(const std::string& directory, std::vector<std::string> options = {"--quiet"},
                 const e2e::Setting& setting = {})
      : program_(e2e::app("httpd"), with(std::move(options), {"--port", "0", directory}), setting) {
    REQUIRE(program_.read_until("/\n"));
    port = static_cast<int>(e2e::number_after(program_.output(), "http://127.0.0.1:"));
    url = "http://127.0.0.1:" + std::to_string(port);
  }

  Ending stop(int signal = SIGTERM) {
    program_.kill(signal);
    return program_.finish();
  }

  pid_t pid() const { return program_.pid(); }

  int port = 0;
  std::string url;

 private:
  static std::vector<std::string> with(std::vector<std::string> all, const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Program program_;
};

// As sandboxes do that know nothing of openat2(2): it fails as if there were no such call.
bool forbid_openat2() {
  sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{4, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

int connect_to(int port) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return client;
}

} // namespace

TEST_CASE("httpd serves files, their heads and parts of them, and answers conditions") {
  const TemporaryDirectory root;
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += static_cast<char>(i * 7919 >> 3);
  write_file(root.path() + "/data.bin", text);
  write_file(root.path() + "/a b.html", "<p>\n");
  Httpd httpd(root.path());
  const std::string url = httpd.url + "/data.bin";

  CHECK((curl({url}).out == text));
  CHECK(curl({httpd.url + "/a%20b.html"}).out == "<p>\n");
  const std::string head = curl({"-I", url}).out;
  CHECK(contains(head, "Content-Length: 300000\r\n"));
  CHECK(contains(head, "Content-Type: application/octet-stream\r\n"));
  CHECK(contains(curl({"-I", httpd.url + "/a%20b.html"}).out, "Content-Type: text/html"));

  const std::pair<std::string, std::string> ranges[] = {
      {"0-0", text.substr(0, 1)},   {"100-199", text.substr(100, 100)},      {"299990-", text.substr(299'990)},
      {"-5", text.substr(299'995)}, {"299999-400000", text.substr(299'999)}, {"-400000", text}};
  for (const auto& [range, part] : ranges) {
    CAPTURE(range);
    CHECK((curl({"-r", range, url}).out == part));
    CHECK(status_of(url, {"-r", range}) == "206");
  }
  CHECK(contains(curl({"-D", "-", "-o", "/dev/null", "-r", "100-199", url}).out,
                 "Content-Range: bytes 100-199/300000\r\n"));
  CHECK(status_of(url, {"-r", "300000-"}) == "416");
  CHECK(contains(curl({"-D", "-", "-r", "300000-", url}).out, "Content-Range: bytes */300000\r\n"));
  for (const std::string range : {"bytes=5-2", "bytes=x-", "lines=1-2", "bytes=0-1,3-4"})
    CHECK(status_of(url, {"-H", "Range: " + range}) == "200");

  const auto field = [&](const std::string& name) {
    const std::size_t begin = head.find(name + ": ") + name.size() + 2;
    return head.substr(begin, head.find('\r', begin) - begin);
  };
  CHECK(status_of(url, {"-H", "If-None-Match: \"x\", W/" + field("ETag")}) == "304");
  CHECK(status_of(url, {"-H", "If-None-Match: \"x\""}) == "200");
  CHECK(status_of(url, {"-H", "If-Modified-Since: " + field("Last-Modified")}) == "304");
  CHECK(status_of(url, {"-H", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"}) == "200");
  CHECK(status_of(url, {"-H", "If-Range: " + field("ETag"), "-r", "0-1"}) == "206");
  CHECK(status_of(url, {"-H", "If-Range: \"x\"", "-r", "0-1"}) == "200");
  CHECK(status_of(url, {"-X", "POST", "-d", "x"}) == "405");
  CHECK(status_of(httpd.url + "/none") == "404");
  CHECK(status_of(url + "/") == "404");
  const Ending ending = httpd.stop();
  CHECK(ending.by_exit(0));
  CHECK(ending.err == "");
  CHECK(contains(ending.out, "httpd: ended after "));
}

TEST_CASE("httpd lists a directory, or shows its index.html") {
  const TemporaryDirectory root;
  fs::create_directories(root.path() + "/sub/with index");
  write_file(root.path() + "/sub/a<b>&.txt", "");
  write_file(root.path() + "/sub/.hidden", "secret\n");
  write_file(root.path() + "/sub/with index/index.html", "the index\n");
  Httpd httpd(root.path());
  const std::string page = curl({httpd.url + "/sub/"}).out;
  CHECK(contains(page, "<a href=\"./a%3Cb%3E%26.txt\">a&lt;b&gt;&amp;.txt</a>"));
  CHECK(contains(page, "<a href=\"./with%20index/\">with index/</a>"));
  CHECK(contains(page, "<a href=\"../\">"));
  CHECK_FALSE(contains(page, "hidden"));
  CHECK(status_of(httpd.url + "/sub/.hidden") == "404");
  CHECK(curl({httpd.url + "/sub/with%20index/"}).out == "the index\n");
  CHECK(contains(curl({"-I", httpd.url + "/sub/with%20index?q"}).out, "Location: /sub/with%20index/?q\r\n"));
  CHECK(curl({"-L", httpd.url + "/sub/with%20index"}).out == "the index\n");
  CHECK(contains(curl({"-I", httpd.url + "//sub"}).out, "Location: /sub/\r\n"));
  Httpd open(root.path(), {"--quiet", "--hidden"});
  CHECK(curl({open.url + "/sub/.hidden"}).out == "secret\n");
}

TEST_CASE("no path leads httpd out of its directory") {
  const TemporaryDirectory folder;
  const std::string root = folder.path() + "/root";
  fs::create_directories(root + "/sub");
  write_file(folder.path() + "/secret.txt", "secret\n");
  write_file(root + "/inside.txt", "inside\n");
  fs::create_symlink(folder.path() + "/secret.txt", root + "/absolute.txt");
  fs::create_symlink("../secret.txt", root + "/relative.txt");
  fs::create_symlink("../..", root + "/sub/up");
  fs::create_symlink("../inside.txt", root + "/sub/good.txt");
  fs::create_symlink("loop", root + "/loop");
  REQUIRE(mkfifo((root + "/fifo").c_str(), 0666) == 0);
  for (const bool without_openat2 : {false, true}) {
    CAPTURE(without_openat2);
    Httpd httpd(root, {"--quiet"}, {.before_execution = [&] { return !without_openat2 || forbid_openat2(); }});
    for (const std::string path : {"/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt",
                                   "/sub/..%2f..%2fsecret.txt", "/absolute.txt", "/relative.txt", "/sub/up/secret.txt",
                                   "/sub/up/root/inside.txt", "/loop", "//etc/passwd", "/..//../etc/passwd"}) {
      CAPTURE(path);
      CHECK(status_of(httpd.url + path) == "404");
    }
    CHECK(status_of(httpd.url + "/inside.txt%00.html") == "400");
    CHECK(status_of(httpd.url + "/fifo") == "403");
    CHECK(status_of(httpd.url + "/sub/good.txt") == (without_openat2 ? "404" : "200"));
    CHECK(curl({httpd.url + "/sub/./../inside.txt"}).out == "inside\n");
    CHECK(status_of(httpd.url + "/sub/") == "200");
  }
}

TEST_CASE("httpd: Python's http.client uses one connection for several requests") {
  const TemporaryDirectory root;
  write_file(root.path() + "/one", "1");
  write_file(root.path() + "/two", std::string(100'000, '2'));
  Httpd httpd(root.path(), {});
  const Ending ending = python(R"(
import http.client, sys
connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=30)
socket = None
for path in ('/one', '/two', '/none', '/one'):
    connection.request('GET', path)
    if socket is None: socket = connection.sock
    answer = connection.getresponse()
    print(answer.status, len(answer.read()), connection.sock is socket)
)",
                               {std::to_string(httpd.port)});
  CHECK(ending.out == "200 1 True\n200 100000 True\n404 14 True\n200 1 True\n");
  CHECK(ending.err == "");
  const std::string log = httpd.stop(SIGINT).out;
  CHECK(contains(log, " GET /two 200 100000\n"));
  CHECK(contains(log, " GET /none 404 14\n"));
}

TEST_CASE("httpd goes on serving while clients send garbage, half of something, nothing, or reset") {
  const TemporaryDirectory root;
  write_file(root.path() + "/file", "file\n");
  write_file(root.path() + "/large", std::string(30'000'000, 'x'));
  Httpd httpd(root.path());
  std::vector<int> open;
  for (const std::string text : {"", "GET /file", "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", "\x16\x03\x01\x02\x03",
                                 "\r\n\r\n\r\n", "GET /file HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n",
                                 "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\nfffff\r\n"})
    for (const bool reset : {false, true}) {
      const int client = connect_to(httpd.port);
      REQUIRE(send(client, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
      if (!reset) {
        open.push_back(client);
      } else {
        const linger at_once{1, 0};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(client);
      }
      CHECK(curl({httpd.url + "/file"}).out == "file\n");
    }
  for (const int client : open) shutdown(client, SHUT_WR);
  CHECK(curl({httpd.url + "/file"}).out == "file\n");
  for (const int client : open) close(client);
  CHECK(httpd.stop().by_exit(0));
}

TEST_CASE("httpd: what was asked for before SIGTERM is sent to its end") {
  const TemporaryDirectory root;
  write_file(root.path() + "/large", std::string(30'000'000, 'x'));
  Httpd httpd(root.path());
  const int client = connect_to(httpd.port), idle = connect_to(httpd.port);
  const std::string request = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(send(client, request.data(), request.size(), 0) > 0);
  char buffer[65536];
  REQUIRE(recv(client, buffer, 1, 0) == 1);
  std::thread reader([&] {
    std::size_t size = 1;
    for (ssize_t got; (got = recv(client, buffer, sizeof buffer, 0)) > 0;) size += static_cast<std::size_t>(got);
    CHECK(size > 30'000'000);
  });
  const Ending ending = httpd.stop();
  reader.join();
  CHECK(ending.by_exit(0));
  CHECK(recv(idle, buffer, 1, 0) == 0);
  close(client);
  close(idle);
}

TEST_CASE("httpd and fetch say what is wrong with their arguments") {
  const std::string httpd = e2e::app("httpd"), fetch = e2e::app("fetch");
  for (const auto& [program, arguments] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{{httpd, {"--port"}},
                                                                     {httpd, {"--port", "65536"}},
                                                                     {httpd, {"--port", "x"}},
                                                                     {httpd, {"--nonsense"}},
                                                                     {httpd, {".", "."}},
                                                                     {httpd, {"--address", "nowhere"}},
                                                                     {fetch, {}},
                                                                     {fetch, {"nonsense"}},
                                                                     {fetch, {"ftp://h/"}},
                                                                     {fetch, {"--jobs", "0", "http://h/"}},
                                                                     {fetch, {"-o"}},
                                                                     {fetch, {"-o", "x", "http://h/a", "http://h/b"}},
                                                                     {fetch, {"http://h/a", "http://g/a"}}}) {
    const Ending ending = run(program, arguments);
    INFO(ending.err);
    CHECK(ending.by_exit(2));
    CHECK(e2e::split_lines(ending.err).size() == 1);
    CHECK(ending.out == "");
  }
  const Ending missing = run(httpd, {"/no/such/directory"});
  CHECK(missing.by_exit(1));
  CHECK(missing.err == "httpd: /no/such/directory: no such file or directory\n");
  for (const std::string& program : {httpd, fetch}) CHECK(run(program, {"--help"}).by_exit(0));
}

TEST_CASE("fetch downloads several URLs at once from Python's http.server") {
  const TemporaryDirectory root, target;
  std::vector<std::string> urls;
  Program server("/usr/bin/python3",
                 {"-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", root.path()});
  REQUIRE(server.read_until("/) ..."));
  const std::string url = "http://127.0.0.1:" + std::to_string(e2e::number_after(server.output(), "port ")) + "/";
  for (int i = 0; i < 20; ++i) {
    const std::string name = "file " + std::to_string(i);
    write_file(root.path() + "/" + name, std::string(static_cast<std::size_t>(i) * 10'000, static_cast<char>('a' + i)));
    urls.push_back(url + "file%20" + std::to_string(i));
  }
  std::vector<std::string> arguments = {"--directory", target.path(), "--jobs", "7"};
  arguments.insert(arguments.end(), urls.begin(), urls.end());
  const Ending ending = run(e2e::app("fetch"), arguments);
  INFO(ending.err);
  CHECK(ending.by_exit(0));
  CHECK(ending.lines().size() == 20);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "/file " + std::to_string(i);
    CHECK((read_file(target.path() + name) == read_file(root.path() + name)));
  }
  CHECK(std::distance(fs::directory_iterator(target.path()), {}) == 20);
  const Ending printed = run(e2e::app("fetch"), {"-o", "-", urls[1]});
  CHECK((printed.out == std::string(10'000, 'b')));
  server.kill(SIGTERM);
}

TEST_CASE("fetch leaves nothing half-written, whatever goes wrong") {
  const TemporaryDirectory target;
  Program server("/usr/bin/python3", {"-u", "-c", R"(
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments): pass
    def do_GET(self):
        if self.path == '/none': return self.send_error(404)
        if self.path == '/redirect':
            self.send_response(302); self.send_header('Location', '/whole'); self.end_headers(); return
        self.send_response(200)
        self.send_header('Content-Length', '10')
        self.end_headers()
        self.wfile.write(b'0123456789' if self.path == '/whole' else b'01234')
        if self.path == '/stalls': print('stalls'); self.rfile.read()
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print('port', server.server_port)
server.serve_forever()
)"});
  REQUIRE(server.read_until("\n"));
  const std::string url = "http://127.0.0.1:" + std::to_string(e2e::number_after(server.output(), "port "));
  const std::string fetch = e2e::app("fetch");
  const auto fails = [&](const std::string& what, const std::string& message) {
    const Ending ending = run(fetch, {"--directory", target.path(), what});
    CHECK(ending.by_exit(1));
    CHECK(ending.err == "fetch: " + what + ": " + message + "\n");
    CHECK(ending.out == "");
    CHECK(target.empty());
  };
  fails(url + "/none", "the server answers 404");
  fails(url + "/breaks-off", "end of file");
  fails("http://127.0.0.1:1/x", "connection refused");
  fails("https://127.0.0.1/x", "https is not supported, as there is no TLS yet");
  CHECK(run(fetch, {"--timeout", "1", "--directory", target.path(), url + "/stalls"}).err ==
        "fetch: " + url + "/stalls: timed out\n");
  CHECK(target.empty());
  {
    Program interrupted(fetch, {"--directory", target.path(), url + "/stalls"});
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (target.empty() && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK_FALSE(target.empty()); // the file of the temporary name
    interrupted.kill(SIGINT);
    CHECK(interrupted.finish().by_exit(130));
    CHECK(target.empty());
  }
  const Ending no_directory = run(fetch, {"--directory", target.path() + "/none", url + "/whole"});
  CHECK(no_directory.by_exit(1));
  CHECK(contains(no_directory.err, "/none/whole: no such file or directory\n"));

  write_file(target.path() + "/old", "what was there before");
  CHECK(run(fetch, {"-o", target.path() + "/old", url + "/breaks-off"}).by_exit(1));
  CHECK(read_file(target.path() + "/old") == "what was there before");
  CHECK(run(fetch, {"-o", target.path() + "/old", url + "/redirect"}).by_exit(0));
  CHECK(read_file(target.path() + "/old") == "0123456789");
  server.kill(SIGTERM);
}

TEST_CASE("fetch shows bars on a terminal") {
  const TemporaryDirectory root;
  write_file(root.path() + "/file", std::string(1000, 'x'));
  Httpd httpd(root.path());
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  REQUIRE(grantpt(terminal) == 0);
  REQUIRE(unlockpt(terminal) == 0);
  const std::string name = ptsname(terminal);
  // One that stops in the middle, so that there is something to be shown.
  Program server("/usr/bin/python3", {"-u", "-c", R"(
import socket
listener = socket.create_server(('127.0.0.1', 0))
print('port', listener.getsockname()[1])
connection = listener.accept()[0]
connection.recv(4096)
connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n' + b'x' * 1000)
connection.recv(4096)
)"});
  REQUIRE(server.read_until("\n"));
  const std::string url = "http://127.0.0.1:" + std::to_string(e2e::number_after(server.output(), "port ")) + "/half";
  Program fetch(e2e::app("fetch"), {"--directory", root.path(), url, httpd.url + "/file"},
                {.before_execution = [&] { return dup2(open(name.c_str(), O_RDWR | O_NOCTTY), 1) >= 0; }});
  std::string shown;
  while (!contains(shown, "] 1.0 KB of 2.0 KB")) {
    char buffer[4096];
    pollfd ready{terminal, POLLIN, 0};
    REQUIRE(poll(&ready, 1, 30'000) == 1);
    const ssize_t got = read(terminal, buffer, sizeof buffer);
    REQUIRE(got > 0);
    shown.append(buffer, static_cast<std::size_t>(got));
  }
  CHECK(contains(shown, "half"));
  CHECK(contains(shown, "[================                 ]"));
  fetch.kill(SIGTERM);
  CHECK(fetch.finish().by_exit(143));
  close(terminal);
}

TEST_CASE("httpd holds 10,000 idle connections in less than 60 MB, and answers the next one") {
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  const rlimit before = files;
  files.rlim_cur = files.rlim_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0); // httpd inherits it
  const std::size_t count = std::min<std::size_t>(10'000, files.rlim_max - std::min<rlim_t>(files.rlim_max, 200));
  if (count < 10'000)
    std::printf("SKIPPED 10,000 idle connections: %zu of them only, as a process may have %zu descriptors\n", count,
                static_cast<std::size_t>(files.rlim_max));
  const TemporaryDirectory root;
  write_file(root.path() + "/file", "file\n");
  Httpd httpd(root.path());
  const auto resident = [&] {
    const std::string status = read_file("/proc/" + std::to_string(httpd.pid()) + "/status");
    return static_cast<std::size_t>(e2e::number_after(status, "VmRSS:")) * 1024;
  };
  const std::size_t at_first = resident();
  std::vector<int> clients;
  const std::string request = "GET /file HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(connect_to(httpd.port));
    REQUIRE(send(clients.back(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    if (i < 64) continue;
    // So that there are never more than the listener's backlog takes on any machine.
    char answer[1024];
    REQUIRE(recv(clients[i - 64], answer, sizeof answer, 0) > 0);
  }
  for (std::size_t i = count - std::min<std::size_t>(count, 64); i < count; ++i) {
    char answer[1024];
    REQUIRE(recv(clients[i], answer, sizeof answer, 0) > 0);
  }
  const std::size_t grown = resident() - at_first;
  MESSAGE(count, " idle connections: ", grown / std::max<std::size_t>(count, 1), " bytes each, ", resident() / 1000,
          " KB for the process");
  CHECK(grown < count * 6'000);
  if (count == 10'000) CHECK(resident() < 60'000'000);
  CHECK(curl({httpd.url + "/file"}).out == "file\n");
  for (const int client : clients) {
    char byte;
    CHECK(recv(client, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0); // all are still open
    close(client);
  }
  CHECK(httpd.stop().by_exit(0));
  setrlimit(RLIMIT_NOFILE, &before);
}
