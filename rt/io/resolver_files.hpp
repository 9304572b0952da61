#pragma once
// The two files that tell a resolver what to do, as text: hosts(5) and resolv.conf(5).

#include <rt/io/address.hpp>
#include <rt/io/dns_message.hpp>

#include <chrono>
#include <string_view>
#include <vector>

namespace rt::dns {

/// The addresses that a hosts file has for the name (case does not matter), in the file's order. Lines that it cannot
/// read do not count.
std::vector<Address> find_in_hosts(std::string_view text, std::string_view name);

/// What resolv.conf says.
struct Configuration {
  std::vector<Address> servers;    ///< nameserver; with a port, if it is not 53: 127.0.0.1:5353, [::1]:5353
  std::vector<Name> search = {};   ///< search, or domain: what a short name is looked for below
  unsigned least_dots = 1;         ///< ndots: a name with that many is looked for as it is, first
  std::chrono::seconds timeout{5}; ///< timeout: how long one server is waited for, each time
  unsigned attempts = 2;           ///< attempts: how often each server is asked
  bool rotate = false;             ///< rotate: each lookup begins with another server
  bool over_tcp = false;           ///< use-vc: no datagrams
};

/// Reads resolv.conf. What it does not know, or cannot read, does not count, as ever in this file. If there is no
/// server, the one of this machine is asked (127.0.0.1).
Configuration read_configuration(std::string_view text);

} // namespace rt::dns
