// Fetches a page many times at once, each in a fiber, with one client: `fetch URL COUNT` prints the microseconds that
// it took. tests/bench/fetch.cpp measures it beside others.

#include <rt/base/print.hpp>
#include <rt/hub/fiber.hpp>
#include <rt/io/http_client.hpp>

int main(int, char** argv) {
  unsigned count = 0;
  for (const char* digit = argv[2]; *digit; ++digit) count = count * 10 + static_cast<unsigned>(*digit - '0');
  const auto begin = rt::Clock::now();
  rt::http::Client client(count);
  std::vector<rt::Fiber<bool>> fibers;
  for (unsigned i = 0; i < count; ++i)
    fibers.push_back(rt::spawn([&] {
      const auto response = client.get(argv[1]);
      return response && response->status() == 200 && response->body().size() == 10'000;
    }));
  bool all = true;
  for (auto& fiber : fibers) all &= fiber.join();
  rt::println("{}", std::chrono::duration_cast<std::chrono::microseconds>(rt::Clock::now() - begin).count());
  return all ? 0 : 1;
}
