// Images of apps: what is in the archive, and that each app runs with nothing but what a strict container leaves it.

#include "container.hpp"

namespace {

const auto pack = std::filesystem::absolute(std::filesystem::path(__FILE__).parent_path() / "../../apps/pack");

/// In the directory; its standard output, if it succeeds.
std::string shell(const std::string& command, const std::string& directory = ".") {
  const auto ending = e2e::run("/bin/sh", {"-c", command}, {.directory = directory});
  INFO(command, "\n", ending.err);
  REQUIRE(ending.by_exit(0));
  return ending.out;
}

/// A directory with the app as the only file of `root`, and archives of it.
struct Workshop {
  e2e::TemporaryDirectory directory;

  explicit Workshop(const std::string& app, const std::string& root = "root") { add(app, root); }

  void add(const std::string& app, const std::string& root) const {
    std::filesystem::create_directory(directory.path() + "/" + root);
    std::filesystem::copy_file(e2e::app(app + ".stripped"), directory.path() + "/" + root + "/" + app);
  }
  e2e::Ending image(const std::vector<std::string>& arguments) const {
    return e2e::run(pack / "image.sh", arguments, {.directory = directory.path()});
  }
  std::string run(const std::string& command) const { return shell(command, directory.path()); }
  std::string read(const std::string& name) const { return run("cat " + name); }
};

/// What follows the text, up to the next quote.
std::string after(const std::string& json, const std::string& text, std::size_t from = 0) {
  const std::size_t at = json.find(text, from);
  INFO("text: ", text, "\nin: ", json);
  REQUIRE(at != json.npos);
  const std::size_t begin = at + text.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

std::string blob(const std::string& digest) { return "blobs/sha256/" + digest; }

} // namespace

TEST_CASE("an image holds the app and nothing else, and names it by digests that are right") {
  const Workshop workshop("hello");
  const auto made = workshop.image({"image.tar", "localhost/hello:latest", "/hello", "arm64/v8=root"});
  INFO(made.err);
  REQUIRE(made.by_exit(0));
  CHECK(made.out + made.err == "");
  workshop.run("tar xf image.tar && cd blobs/sha256 && for b in *; do echo \"$b  $b\"; done | sha256sum -c --quiet");
  CHECK(workshop.run("ls blobs/sha256 | wc -l") == "3\n");
  CHECK(workshop.read("oci-layout") == "{\"imageLayoutVersion\":\"1.0.0\"}\n");

  const auto index = workshop.read("index.json");
  CHECK(after(index, "\"org.opencontainers.image.ref.name\":\"") == "localhost/hello:latest");
  CHECK(after(index, "\"io.containerd.image.name\":\"") == "localhost/hello:latest");
  const auto manifest = workshop.read(blob(after(index, "\"digest\":\"sha256:")));
  const auto config_digest = after(manifest, "config.v1+json\",\"digest\":\"sha256:");
  const auto layer_digest = after(manifest, "layer.v1.tar\",\"digest\":\"sha256:");
  const auto config = workshop.read(blob(config_digest));
  CHECK(after(config, "\"architecture\":\"") == "arm64");
  CHECK(after(config, "\"variant\":\"") == "v8");
  CHECK(after(config, "\"os\":\"") == "linux");
  CHECK(after(config, "\"Entrypoint\":[\"") == "/hello");
  CHECK(after(config, "\"diff_ids\":[\"sha256:") == layer_digest);
  CHECK(e2e::number_after(manifest, layer_digest + "\",\"size\":") ==
        static_cast<long>(std::filesystem::file_size(workshop.directory.path() + "/" + blob(layer_digest))));

  const auto of_old_engines = workshop.read("manifest.json");
  CHECK(after(of_old_engines, "\"Config\":\"") == blob(config_digest));
  CHECK(after(of_old_engines, "\"Layers\":[\"") == blob(layer_digest));
  CHECK(after(of_old_engines, "\"RepoTags\":[\"") == "localhost/hello:latest");

  CHECK(workshop.run("tar tvf " + blob(layer_digest) + " | sed 's/  */ /g; s/ [0-9]* 1970/ 1970/'") ==
        "-rwxr-xr-x 0/0 1970-01-01 00:00 hello\n");
  workshop.run("mkdir unpacked && tar xf " + blob(layer_digest) + " -C unpacked && cmp unpacked/hello root/hello");
}

TEST_CASE("the same files give the same image, whenever, wherever and by whomever they were written") {
  const Workshop workshop("hello");
  workshop.run("umask 077; cp -r root again; chmod 700 again again/hello; touch -d 2001-01-01 again/hello; "
               "echo text >root/a; echo text >again/a; chmod 666 root/a");
  REQUIRE(workshop.image({"one.tar", "hello:1", "/hello", "amd64=root"}).by_exit(0));
  REQUIRE(workshop.image({"two.tar", "hello:1", "/hello", "amd64=again"}).by_exit(0));
  workshop.run("cmp one.tar two.tar");
  workshop.run("echo other >root/a");
  REQUIRE(workshop.image({"two.tar", "hello:1", "/hello", "amd64=root"}).by_exit(0));
  workshop.run("! cmp -s one.tar two.tar");
}

TEST_CASE("an image for several CPUs is one name, with a manifest for each") {
  const Workshop workshop("hello");
  workshop.run("cp -r root other; echo >>other/hello");
  REQUIRE(workshop.image({"image.tar", "hello:1", "/hello", "amd64=root", "arm64/v8=other"}).by_exit(0));
  workshop.run("tar xf image.tar");
  const auto outer = workshop.read("index.json");
  const auto inner = workshop.read(blob(after(outer, "index.v1+json\",\"digest\":\"sha256:")));
  std::size_t at = 0;
  for (const std::string cpu : {"amd64", "arm64"}) {
    CAPTURE(cpu);
    at = inner.find("manifest.v1+json\",\"digest\"", at);
    REQUIRE(at != inner.npos);
    CHECK(after(inner, "\"architecture\":\"", at) == cpu);
    const auto manifest = workshop.read(blob(after(inner, "\"digest\":\"sha256:", at++)));
    const auto config = workshop.read(blob(after(manifest, "config.v1+json\",\"digest\":\"sha256:")));
    CHECK(after(config, "\"architecture\":\"") == cpu);
    const auto layer = blob(after(manifest, "layer.v1.tar\",\"digest\":\"sha256:"));
    workshop.run("tar xOf " + layer + " hello | cmp - " + (cpu == "amd64" ? "root" : "other") + "/hello");
    CHECK(e2e::contains(workshop.read("manifest.json"), "\"RepoTags\":[\"hello:1-" + cpu + "\"]"));
  }
}

TEST_CASE("the maker of images says in one line what is wrong, and leaves nothing behind") {
  const Workshop workshop("hello");
  const std::vector<std::pair<int, std::vector<std::string>>> wrong = {
      {2, {}},
      {2, {"image.tar", "hello:1", "/hello"}},
      {2, {"image.tar", "hello", "/hello", "amd64=root"}},
      {2, {"image.tar", "He\"llo:1", "/hello", "amd64=root"}},
      {2, {"image.tar", "hello:1", "hello", "amd64=root"}},
      {2, {"image.tar", "hello:1", "/he\"llo", "amd64=root"}},
      {2, {"image.tar", "hello:1", "/hello", "root"}},
      {1, {"image.tar", "hello:1", "/hello", "amd64=nowhere"}},
      {1, {"image.tar", "hello:1", "/nothing", "amd64=root"}},
      {1, {"nowhere/image.tar", "hello:1", "/hello", "amd64=root"}},
  };
  for (const auto& [status, arguments] : wrong) {
    const auto ending = workshop.image(arguments);
    INFO(ending.err);
    CHECK(ending.by_exit(status));
    CHECK(e2e::split_lines(ending.err).size() == 1);
    CHECK(ending.err.starts_with("image.sh: "));
  }
  CHECK(workshop.run("ls") == "root\n");
}

TEST_CASE(
    "each app runs as the only file of a container, with no capability, few processes and Docker's system calls") {
  auto names = e2e::numbered_apps();
  REQUIRE(names.size() >= 6);
  names.insert(names.end(), {"hello", "hello_thread"});
  for (const auto& name : names) {
    CAPTURE(name);
    const bool numbered = name[0] != 'h';
    const e2e::Container container({e2e::app(name + ".stripped")});
    const auto inside =
        container.run("/" + name + ".stripped",
                      numbered ? std::vector<std::string>{"--time-scale", "0.05"} : std::vector<std::string>{}, true);
    INFO("standard output: ", inside.out, "\nstandard error: ", inside.err);
    CHECK(inside.by_exit(0));
    CHECK(inside.err == "");
    CHECK(inside.out != "");
  }
}

TEST_CASE("without an engine, container.sh runs the image in namespaces, with the app's arguments and status") {
  const Workshop workshop("init");
  REQUIRE(workshop.image({"image.tar", "hello:1", "/init -e 143", "any=root"}).by_exit(0));
  const auto run = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"CONTAINER_ENGINE=namespaces", pack / "container.sh", "image.tar", "hello:1"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return e2e::run("/usr/bin/env", all, {.directory = workshop.directory.path()});
  };
  const auto help = run({"--help"});
  INFO(help.out, help.err);
  CHECK(help.by_exit(0));
  CHECK(e2e::contains(help.out, "Usage: init"));
  CHECK(help.err == "container.sh: running hello:1 unpacked in new namespaces (no podman or docker in use)\n");
  const auto missing = run({"no such program"});
  CHECK(missing.by_exit(127));
  CHECK(e2e::contains(missing.err, "'no such program'"));
}

TEST_CASE("container.sh gives the image to an engine that works, without capabilities and read-only") {
  const Workshop workshop("hello");
  REQUIRE(workshop.image({"image.tar", "hello:1", "/hello", "any=root"}).by_exit(0));
  // A podman that is broken, and a docker that tells what it is told.
  workshop.run("mkdir bin && printf '#!/bin/sh\\nexit 1\\n' >bin/podman && "
               "printf '#!/bin/sh\\necho \"$@\" >>calls; [ $1 != run ] || exit 7\\n' >bin/docker && chmod 755 bin/*");
  const std::string path = workshop.directory.path() + "/bin:" + std::getenv("PATH");
  const auto ending = e2e::run("/usr/bin/env",
                               {"PATH=" + path, "CONTAINER_ENGINE=", "CONTAINER_FLAGS=--memory 64m",
                                pack / "container.sh", "image.tar", "hello:1", "one"},
                               {.directory = workshop.directory.path()});
  CHECK(ending.by_exit(7));
  CHECK(ending.err == "container.sh: running hello:1 with docker\n");
  CHECK(workshop.read("calls") == "info\nload -q -i image.tar\n"
                                  "run --rm -i --read-only --cap-drop=ALL --memory 64m hello:1 one\n");
}
