#pragma once
// Which of a host's addresses to try first.

#include <rt/io/address.hpp>

#include <span>

namespace rt {

/// Puts those first that are likely to be reached: RFC 6724 as far as one machine's routes tell. In this order counts
/// that there is a route to the address; that it reaches as far as the address that this machine would send from (a
/// public one is not sent to from a link's own); and the RFC's precedence, by which IPv6 comes before IPv4. Else the
/// order stays, in which servers spread their load. Nothing is sent.
void order_by_reachability(std::span<Address> addresses);

} // namespace rt
