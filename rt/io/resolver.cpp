#include <rt/io/resolver.hpp>

#include <rt/base/hook.hpp>
#include <rt/hub/fiber.hpp>
#include <rt/io/address_order.hpp>
#include <rt/io/dns_client.hpp>
#include <rt/io/fd.hpp>

#include <algorithm>
#include <linux/fcntl.h>
#include <mutex>
#include <string>

namespace rt {
namespace {

using dns::Answer, dns::Configuration, dns::Inquiry, dns::Name, dns::Outcome, dns::Question, dns::Type;

constexpr std::size_t largest_file = 16 << 20;

/// What is in the file, as far as it can be read: a machine without it is none to complain about.
std::string text_of_file(const char* path) {
  std::string text;
  const auto descriptor = kernel::open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (!descriptor) return text;
  const Fd file(*descriptor);
  char buffer[4096];
  while (text.size() < largest_file) {
    const auto got = kernel::read_file(file.number(), buffer);
    if (!got || *got == 0) break;
    text.append(buffer, *got);
  }
  return text;
}

std::vector<Address> with_port(std::vector<Address> addresses, std::uint16_t port) {
  for (Address& address : addresses) address.set_port(port);
  order_by_reachability(addresses);
  return addresses;
}

Address make_address(Type type, const dns::AddressBytes& bytes) {
  if (type == Type::aaaa) return Address::ipv6(bytes, 0);
  std::uint32_t host = 0;
  for (int i = 0; i < 4; ++i) host = host << 8 | bytes[static_cast<std::size_t>(i)];
  return Address::ipv4(host, 0);
}

/// The last label is a number: the host is meant to be an address, but is none. No name ends so.
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1); // npos + 1 is 0
  return std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// ::1.
Address loopback_of_ipv6() {
  Address::Ipv6Bytes host{};
  host.back() = 1;
  return Address::ipv6(host, 0);
}

/// "localhost", or below it.
bool is_localhost(const Name& name) {
  constexpr std::string_view label("\x09localhost\0", 11); // 9, its length, is in no label
  const auto bytes = name.bytes();
  return bytes.size() >= label.size() && std::equal(label.begin(), label.end(), bytes.end() - label.size());
}

/// Says what the answers together mean.
Result<std::vector<Address>> combine(std::span<const Inquiry> inquiries) {
  std::vector<Address> addresses;
  for (const Inquiry& inquiry : inquiries)
    if (inquiry.answer)
      for (const dns::AddressBytes& bytes : inquiry.answer->addresses)
        addresses.push_back(make_address(inquiry.question.type, bytes));
  if (!addresses.empty()) return addresses;
  Error error = {Errc::no_address};
  for (const Inquiry& inquiry : inquiries) {
    if (!inquiry.answer) return inquiry.error;
    if (inquiry.answer->outcome == Outcome::no_such_name) error = {Errc::host_not_found};
  }
  return error;
}

/// The names to look for, in this order (resolv.conf(5), ndots).
std::vector<Name> candidates(const Configuration& configuration, std::string_view host, const Name& name) {
  std::vector<Name> names;
  const auto dots = static_cast<std::size_t>(std::count(host.begin(), host.end(), '.'));
  const bool as_it_is_first = dots >= configuration.least_dots || host.ends_with('.');
  if (as_it_is_first) names.push_back(name);
  if (!host.ends_with('.'))
    for (const Name& parent : configuration.search)
      if (const auto below = name.below(parent)) names.push_back(*below);
  if (!as_it_is_first) names.push_back(name);
  return names;
}

} // namespace

Result<std::vector<Address>> Resolver::resolve(std::string_view host, std::uint16_t port) {
  if (const auto address = Address::parse(host, port)) return std::vector<Address>{*address};
  const auto name = Name::parse(host);
  if (!name || ends_in_number(host)) return Errc::invalid_argument;

  std::vector<Address> known = dns::find_in_hosts(text_of_file(options_.hosts_file), host);
  if (known.empty() && is_localhost(*name)) known = {loopback_of_ipv6(), Address::loopback(0)};
  if (!known.empty()) return with_port(std::move(known), port);

  const Configuration configuration = dns::read_configuration(text_of_file(options_.configuration_file));
  Error error = {Errc::host_not_found};
  for (const Name& candidate : candidates(configuration, host, *name)) {
    auto found = look_up(configuration, candidate);
    if (found) return with_port(std::move(*found), port);
    // What could not be asked may be there: another name's addresses would be the wrong ones.
    if (found.error() != Errc::host_not_found && found.error() != Errc::no_address) return found;
    if (found.error() == Errc::no_address) error = found.error();
  }
  return error;
}

/// A lookup under way, on the stack of the task that makes it.
struct Resolver::Lookup {
  const Name& name;
  Lookup* next;
  Follower* followers = nullptr;
};

/// A task that waits for the outcome of another one's lookup.
struct Resolver::Follower {
  Follower* next;
  bool finished = false;
  std::optional<Found> found = {}; // none: it was broken off
};

/// Waits, without the lock, for the lookup to end. nullopt: whoever made it was canceled, or his time was over.
std::optional<Resolver::Found> Resolver::follow(Lookup& lookup) {
  Follower self{lookup.followers};
  lookup.followers = &self;
  while (!self.finished) {
    const Result<void> waited = finished_.wait_for(lock_, forever);
    if (waited || self.finished) continue;
    Follower** place = &lookup.followers;
    while (*place != &self) place = &(*place)->next;
    *place = self.next;
    return waited.error();
  }
  return std::move(self.found);
}

void Resolver::finish(Lookup& lookup, const std::optional<Found>& found) {
  Lookup** place = &under_way_;
  while (*place != &lookup) place = &(*place)->next;
  *place = lookup.next;
  for (Follower* follower = lookup.followers; follower; follower = follower->next) {
    follower->found = found;
    follower->finished = true;
  }
  if (lookup.followers) finished_.notify_all();
}

Resolver::Found Resolver::look_up(const Configuration& configuration, const Name& name) {
  std::array inquiries = {Inquiry{{name, Type::aaaa}}, Inquiry{{name, Type::a}}};
  std::unique_lock guard(lock_);
  Lookup* same = nullptr;
  do {
    for (Inquiry& inquiry : inquiries) inquiry.answer = cache_.find(inquiry.question, Clock::now());
    if (inquiries[0].answer && inquiries[1].answer) return combine(inquiries);
    for (same = under_way_; same && !(same->name == name);) same = same->next;
    if (same)
      if (std::optional<Found> found = follow(*same)) return std::move(*found);
  } while (same);

  Lookup lookup{name, under_way_};
  under_way_ = &lookup;
  const unsigned first = configuration.rotate ? lookups_++ : 0;
  guard.unlock();
  const auto open = std::partition(inquiries.begin(), inquiries.end(),
                                   [](const Inquiry& inquiry) { return inquiry.answer.has_value(); });
  const Result<void> asked = dns::ask_servers(configuration, first, {open, inquiries.end()});
  guard.lock();
  for (const Inquiry& inquiry : std::span(open, inquiries.end()))
    if (inquiry.answer) cache_.keep(inquiry.question, *inquiry.answer, Clock::now());
  std::optional<Found> found;
  if (asked) found = combine(inquiries);
  finish(lookup, found);
  return found ? std::move(*found) : asked.error();
}

namespace {

// Never destroyed: threads may still use it while the program ends.
alignas(Resolver) constinit std::byte place_of_shared[sizeof(Resolver)] = {};

Resolver& shared() {
  static Resolver& made = *::new (place_of_shared) Resolver;
  return made;
}

} // namespace

// A new process has none of the tasks that look up in this one, nor will they give its lock back: it begins anew.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_resolver() { ::new (place_of_shared) Resolver; }
RT_IN_FORKED(95, rt_fork_resolver);

Result<std::vector<Address>> resolve(std::string_view host, std::uint16_t port) { return shared().resolve(host, port); }

} // namespace rt
