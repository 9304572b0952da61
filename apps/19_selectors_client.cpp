// Selectors: a client that sends lines, and gets each back in upper case.
//
// Without --port server and client are threads of this program; with it the lines come from standard input.

#include "19_selectors.hpp"

using namespace apps;

namespace {

constexpr std::string_view name = "19_selectors_client";

} // namespace

int main(int argc, char** argv) {
  Options options(argc, argv, "Selectors, the client: it sends lines of standard input, and gets them in upper case.");
  const auto port = client_port(options);
  if (const auto status = options.finish()) return *status;
  if (!port) {
    if (const auto shown = selectors_example::demonstrate(1); !shown) return fail(name, "it failed", shown.error());
    rt::println("end");
    return 0;
  }

  occupy_standard_files();
  const auto talked = talk_from_standard_input("client", loopback(*port));
  return talked ? 0 : fail(name, "cannot talk with the server", talked.error());
}
