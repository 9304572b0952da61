// What a name server may send. Most inputs are put behind a header and a question that are right, so that what comes
// after them is reached at once; the first byte says how many bytes of them the input writes itself.

#include <rt/io/dns_message.hpp>

#include <algorithm>
#include <cstdlib>

using namespace rt::dns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::uint16_t id = 4711;
  const Question question{Name::parse("www.example.com").value(), data[0] & 0x80 ? Type::aaaa : Type::a};

  std::array<std::uint8_t, largest_question> buffer;
  const auto asked = write_question(buffer, id, question);
  std::vector<std::uint8_t> message(asked.begin(), asked.end());
  message[2] |= 0x80;          // it is a response
  message[7] = message[9] = 8; // with up to eight records in either section
  const std::size_t own = std::min<std::size_t>({data[0] & 0x7fu, message.size(), size - 1});
  std::copy_n(data + 1, own, message.begin());
  message.insert(message.end(), data + 1 + own, data + size);

  const auto answer = read_answer(message, id, question);
  if (!answer) return 0;
  if ((answer->outcome == Outcome::addresses) == answer->addresses.empty()) std::abort();
  if (answer->addresses.size() > 256 || answer->time_to_live > 24 * 60 * 60) std::abort();
  if (answer->outcome == Outcome::truncated && !(message[2] & 2)) std::abort();
  return 0;
}
