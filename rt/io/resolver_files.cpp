#include <rt/io/resolver_files.hpp>

#include <algorithm>
#include <optional>

namespace rt::dns {
namespace {

constexpr std::uint16_t domain_port = 53;
constexpr std::size_t most_servers = 8, most_searches = 32;
// As in other resolvers.
constexpr unsigned most_dots = 15, longest_timeout = 30, most_attempts = 5;

/// Takes the text up to the separator, which goes as well.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// The next line, without its comment.
std::string_view take_line(std::string_view& text, std::string_view comment_marks) {
  const std::string_view line = take_until(text, '\n');
  return line.substr(0, line.find_first_of(comment_marks));
}

/// The next word; empty: there is none.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view spaces = " \t\r\f\v";
  line.remove_prefix(std::min(line.find_first_not_of(spaces), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(spaces));
  line.remove_prefix(word.size());
  return word;
}

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Sets a decimal number, or the nearest one that is allowed; leaves it alone if the text is none.
template <class N> void read_number(N& number, std::string_view text, unsigned least, unsigned most) {
  if (text.empty()) return;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return;
    value = std::min(value * 10 + static_cast<unsigned>(c - '0'), most);
  }
  number = N(std::max(value, least));
}

Result<Address> parse_server(std::string_view text) {
  const auto server = Address::parse(text, domain_port);
  return server || text.starts_with("unix:") ? server : Address::parse(text);
}

void read_option(Configuration& configuration, std::string_view word) {
  const std::string_view name = take_until(word, ':');
  if (name == "rotate") configuration.rotate = true;
  if (name == "use-vc") configuration.over_tcp = true;
  if (name == "ndots") read_number(configuration.least_dots, word, 0, most_dots);
  if (name == "timeout") read_number(configuration.timeout, word, 1, longest_timeout);
  if (name == "attempts") read_number(configuration.attempts, word, 1, most_attempts);
}

} // namespace

std::vector<Address> find_in_hosts(std::string_view text, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::vector<Address> found;
  while (!text.empty()) {
    std::string_view line = take_line(text, "#");
    const std::string_view address = take_word(line);
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      if (!same(word, name)) continue;
      if (const auto parsed = Address::parse(address, 0)) found.push_back(*parsed);
      break;
    }
  }
  return found;
}

Configuration read_configuration(std::string_view text) {
  Configuration configuration;
  while (!text.empty()) {
    std::string_view line = take_line(text, "#;");
    const std::string_view keyword = take_word(line);
    if (keyword == "search" || keyword == "domain") configuration.search.clear(); // the last line counts
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      if (keyword == "nameserver" && configuration.servers.size() < most_servers)
        if (const auto server = parse_server(word)) configuration.servers.push_back(*server);
      if (keyword == "search" || keyword == "domain")
        if (const auto name = Name::parse(word); name && configuration.search.size() < most_searches)
          configuration.search.push_back(*name);
      if (keyword == "options") read_option(configuration, word);
    }
  }
  if (configuration.servers.empty()) configuration.servers.push_back(Address::loopback(domain_port));
  return configuration;
}

} // namespace rt::dns
