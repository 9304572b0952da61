#pragma once
// Resolver: the addresses of a host by its name, without threads: what waits for a name server is the calling task, in
// a fiber only the fiber.
//
//   for (const rt::Address& address : rt::resolve("example.com", 80).value()) ...
//
// In this order, the first that knows the name answers:
//
//   1. the name is an address          "192.0.2.1", "2001:db8::1", "[2001:db8::1]"
//   2. the hosts file                  /etc/hosts
//   3. it is "localhost" or below it   the loopback addresses (RFC 6761)
//   4. what name servers said before   for as long as they said
//   5. the name servers                those of /etc/resolv.conf, by UDP, and TCP where an answer is too long for that;
//                                      below the names that are to be searched, if the name is a short one
//
// A and AAAA records are asked for at the same time; tasks that look for the same name at the same time share one
// lookup. The files are read anew each time, so that changes count at once;
// a machine without them works as far as it can.
//
// Somebody who does not see the questions has to guess two numbers of 16 bits to have a false answer believed: the
// question's id, which comes from the kernel's random numbers, and the port that it was sent from, a new one each time.
// What comes from another address than the server's does not reach the socket, and what is not the answer is passed
// over while the right one is waited for.

#include <rt/io/dns_cache.hpp>
#include <rt/io/resolver_files.hpp>
#include <rt/sync/condition.hpp>
#include <rt/sync/lock.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace rt {

struct ResolverOptions {
  const char* hosts_file = "/etc/hosts";
  const char* configuration_file = "/etc/resolv.conf";
  std::size_t cached_answers = 512; ///< kept at most; one is 300 bytes and its addresses
};

/// For use by any number of threads and fibers at once.
class Resolver {
 public:
  explicit Resolver(const ResolverOptions& options = {}) : options_(options), cache_(options.cached_answers) {}

  /// The host's addresses with this port, those first that are likely to be reached (RFC 6724, in short: what there is
  /// a route to; of this machine, before others; IPv6 before IPv4).
  ///
  ///   host_not_found         there is no such name
  ///   no_address             the name is there, but has no address
  ///   name_server_failure    no server could tell, for reasons of theirs
  ///   timed_out              no server has answered, or the caller's Timeout is over
  ///   connection_refused, network_unreachable…   none could be asked
  ///   invalid_argument       this is no name of a host
  ///   canceled
  [[nodiscard]] Result<std::vector<Address>> resolve(std::string_view host, std::uint16_t port);

 private:
  using Found = Result<std::vector<Address>>;
  struct Lookup;
  struct Follower;

  Found look_up(const dns::Configuration& configuration, const dns::Name& name);
  std::optional<Found> follow(Lookup& lookup);
  void finish(Lookup& lookup, const std::optional<Found>& found);

  const ResolverOptions options_;
  Lock lock_; // of what follows
  dns::Cache cache_;
  unsigned lookups_ = 0; // for `rotate`
  Lookup* under_way_ = nullptr;
  Condition finished_;
};

/// Asks the Resolver that the whole program shares.
[[nodiscard]] Result<std::vector<Address>> resolve(std::string_view host, std::uint16_t port);

} // namespace rt
