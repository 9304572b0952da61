// fetch, and with it rt::http::Client, against a real nginx on the loopback interface.

#include "free_port.hpp"
#include "run.hpp"

#include <optional>

namespace {

using e2e::contains, e2e::Ending, e2e::run, e2e::TemporaryDirectory;
namespace fs = std::filesystem;

std::string content(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return text;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// nginx with one process, which serves the files of its root.
class Nginx {
 public:
  /// server: more of the configuration of its only server.
  explicit Nginx(const std::string& server = "") : server_(server) {
    fs::create_directory(root());
    fs::permissions(directory_.path(), fs::perms::all); // workers may run as somebody else
    // Somebody else may take the port before nginx does.
    for (int attempt = 0; attempt < 5; ++attempt)
      if (start(e2e::free_port())) return;
    FAIL("nginx does not start: ", read_file(directory_.path() + "/errors"));
  }

  std::string root() const { return directory_.path() + "/root"; }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(root() + "/" + name, std::ios::binary) << text;
    return url("/" + name);
  }
  /// A line for each request: its number on its connection, and its path.
  std::vector<std::string> log() const { return e2e::split_lines(read_file(directory_.path() + "/log")); }

 private:
  bool start(int port) {
    port_ = port;
    const std::string& path = directory_.path();
    std::ofstream configuration(path + "/nginx.conf");
    configuration << "daemon off; master_process off; pid " << path << "/pid; error_log " << path
                  << "/errors; events { worker_connections 2048; }\n"
                     "http { log_format short '$connection_requests $uri'; access_log "
                  << path << "/log short; default_type application/octet-stream;\n";
    for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      configuration << what << "_temp_path " << path << "/temporary; ";
    configuration << "\nserver { listen 127.0.0.1:" << port << " backlog=1024; root " << root() << "; " << server_
                  << " location = /ready { return 200 'ready'; } } }\n";
    configuration.close();
    program_.emplace("/usr/sbin/nginx", std::vector<std::string>{"-c", path + "/nginx.conf", "-e", path + "/errors"});
    for (int tries = 0; tries < 500; ++tries) {
      if (run(e2e::app("fetch"), {"-o", "-", url("/ready")}).out == "ready") return true;
      if (contains(read_file(path + "/errors"), "bind()")) break;
      usleep(20'000);
    }
    program_.reset();
    return false;
  }

  const TemporaryDirectory directory_;
  const std::string server_;
  int port_ = 0;
  std::optional<e2e::Program> program_;
};

} // namespace

TEST_CASE("fetch downloads files of all sizes from nginx, side by side, over few connections") {
  const Nginx nginx;
  const TemporaryDirectory target;
  std::vector<std::string> arguments = {"--directory", target.path(), "--jobs", "4"};
  std::vector<std::string> texts;
  for (unsigned i = 0; i < 40; ++i) {
    texts.push_back(content(i < 3 ? i : i == 3 ? 20'000'000 : i * 5'000, i));
    arguments.push_back(nginx.write("file" + std::to_string(i), texts.back()));
  }
  const Ending ending = run(e2e::app("fetch"), arguments);
  INFO(ending.err);
  CHECK(ending.by_exit(0));
  CHECK(ending.lines().size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    CHECK((read_file(target.path() + "/file" + std::to_string(i)) == texts[i]));
  int first_requests = 0;
  for (const std::string& line : nginx.log()) first_requests += line.starts_with("1 /file");
  CHECK(first_requests <= 4);
}

TEST_CASE("fetch follows nginx's redirects, and reads bodies whose length is not told") {
  const Nginx nginx("location /old/ { return 301 /moved$uri; } location /moved/ { return 302 /new%20place; } "
                    "location /list/ { autoindex on; }");
  nginx.write("new place", "here");
  const std::string fetch = e2e::app("fetch");
  CHECK(run(fetch, {"-o", "-", nginx.url("/old/x")}).out == "here");

  // nginx sends the list of a directory in chunks.
  fs::create_directory(nginx.root() + "/list");
  for (int i = 0; i < 500; ++i) nginx.write("list/entry-" + std::to_string(i), "");
  const Ending list = run(fetch, {"-o", "-", nginx.url("/list/")});
  CHECK(list.by_exit(0));
  CHECK(contains(list.out, "entry-0<"));
  CHECK(contains(list.out, "entry-499<"));
  CHECK(list.out.ends_with("</html>\r\n"));

  const Ending none = run(fetch, {"-o", "-", nginx.url("/none")});
  CHECK(none.by_exit(1));
  CHECK(none.err == "fetch: " + nginx.url("/none") + ": the server answers 404\n");
  CHECK(none.out == "");
}

TEST_CASE("fetch goes on where nginx closes connections after some requests, or after each") {
  for (const std::string setting : {"keepalive_requests 3;", "keepalive_timeout 0;"}) {
    CAPTURE(setting);
    const Nginx nginx(setting);
    const TemporaryDirectory target;
    std::vector<std::string> arguments = {"--directory", target.path(), "--jobs", "2"};
    for (int i = 0; i < 20; ++i)
      arguments.push_back(nginx.write("file" + std::to_string(i), "text " + std::to_string(i)));
    const Ending ending = run(e2e::app("fetch"), arguments);
    INFO(ending.err);
    CHECK(ending.by_exit(0));
    for (int i = 0; i < 20; ++i)
      CHECK(read_file(target.path() + "/file" + std::to_string(i)) == "text " + std::to_string(i));
    for (const std::string& line : nginx.log()) CHECK(std::atoi(line.c_str()) <= 3);
  }
}

TEST_CASE("500 URLs that nginx sends slowly take little longer than one") {
  const Nginx nginx("location /slow { limit_rate 10000; }");
  const TemporaryDirectory target;
  std::vector<std::string> arguments = {"--directory", target.path(), "--jobs", "500"};
  for (int i = 0; i < 500; ++i) arguments.push_back(nginx.write("slow" + std::to_string(i), std::string(10'000, 's')));
  const double alone = run(e2e::app("fetch"), {"-o", "-", arguments.back()}).seconds;
  const Ending ending = run(e2e::app("fetch"), arguments);
  INFO(ending.err);
  CHECK(ending.by_exit(0));
  MESSAGE("one: ", alone, " s, 500: ", ending.seconds, " s");
  CHECK(ending.lines().size() == 500);
  CHECK(ending.seconds < alone + 20); // one after the other they would take minutes
}
