// Container images, and the apps as all that a container holds.

#include "container.hpp"

#include <map>

namespace {

namespace fs = std::filesystem;

e2e::Ending shell(const std::string& command) {
  e2e::Setting setting;
  setting.time_limit = std::chrono::seconds(120);
  return e2e::run("/bin/sh", {"-c", command}, setting);
}
e2e::Ending make(const std::string& words) {
  const char* build = std::getenv("RT_BUILD");
  return shell("MAKEFLAGS= make --no-print-directory BUILD=" + std::string(build ? build : "") + " " + words);
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// An archive made by apps/pack/image.sh of a directory that holds one file, unpacked.
struct Image {
  e2e::TemporaryDirectory directory;
  fs::path root{directory.path()};

  void make(const std::string& archive, const std::string& platform) const {
    fs::create_directories(root / "files");
    fs::copy_file(e2e::app("hello") + ".stripped", root / "files/hello", fs::copy_options::skip_existing);
    const auto ending = shell("apps/pack/image.sh " + (root / archive).string() + " localhost/rt-hello:1 '/hello' " +
                              platform + "=" + (root / "files").string());
    INFO(ending.err);
    REQUIRE(ending.by_exit(0));
  }
  void unpack(const std::string& archive) const {
    fs::create_directories(root / "layout");
    REQUIRE(shell("tar -xf " + (root / archive).string() + " -C " + (root / "layout").string()).by_exit(0));
  }
};

} // namespace

TEST_CASE("an image is the same to the byte each time it is made") {
  const Image image;
  image.make("first.tar", "amd64");
  fs::last_write_time(image.root / "files/hello", fs::file_time_type::clock::now() - std::chrono::hours(1000));
  image.make("second.tar", "amd64");
  CHECK(read(image.root / "first.tar") == read(image.root / "second.tar"));
  CHECK(read(image.root / "first.tar").size() > 1000);
}

TEST_CASE("an image names its architecture and its entry point, and each blob is what its name says") {
  const Image image;
  image.make("image.tar", "arm64/v8");
  image.unpack("image.tar");
  std::map<std::string, std::string> blobs;
  for (const auto& entry : fs::directory_iterator(image.root / "layout/blobs/sha256")) {
    const std::string name = entry.path().filename();
    CHECK(shell("sha256sum " + entry.path().string()).out.substr(0, 64) == name);
    blobs[name] = read(entry.path());
  }
  CHECK(blobs.size() == 3); // layer, configuration, manifest

  const std::string manifest_list = read(image.root / "layout/manifest.json");
  const std::size_t at = manifest_list.find("blobs/sha256/") + 13;
  const std::string& config = blobs[manifest_list.substr(at, 64)];
  CHECK(e2e::contains(config, R"("architecture":"arm64")"));
  CHECK(e2e::contains(config, R"("variant":"v8")"));
  CHECK(e2e::contains(config, R"("Entrypoint":["/hello"])"));
  CHECK(e2e::contains(manifest_list, "localhost/rt-hello:1"));
  CHECK(e2e::contains(read(image.root / "layout/index.json"), "org.opencontainers.image.ref.name"));
  CHECK(e2e::contains(read(image.root / "layout/oci-layout"), "1.0.0"));
}

TEST_CASE("what cannot be made into an image is told in one line, and nothing is left behind") {
  const Image image;
  for (const char* arguments : {"x.tar", "x.tar name /hello amd64=/nowhere", "x.tar name:1 hello amd64=/tmp"}) {
    const auto ending = shell("cd " + image.directory.path() + " && " + fs::current_path().string() +
                              "/apps/pack/image.sh " + arguments);
    CHECK(ending.status != 0);
    CHECK(e2e::split_lines(ending.err).size() == 1);
  }
  CHECK(image.directory.empty());
}

TEST_CASE("an app's image runs in namespaces of its own") {
  const auto ending = make("container APP=hello CONTAINER_ENGINE=namespaces");
  INFO(ending.err);
  CHECK(ending.by_exit(0));
  CHECK(e2e::contains(ending.out, "hello"));
}

TEST_CASE("each app works as the only file of a container, for a user with no capability and without /proc") {
  for (const auto& name : e2e::numbered_apps()) {
    const e2e::Container container({e2e::app(name) + ".stripped"});
    const auto ending = container.run("/" + name + ".stripped", {"--time-scale", "0.02"}, true);
    INFO("app: ", name, "\n", ending.out, ending.err);
    CHECK(ending.by_exit(0));
    CHECK(ending.err == "");
    CHECK_FALSE(ending.out.empty());
  }
}
