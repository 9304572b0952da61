#pragma once
// Answers of a name server, made by hand: well formed ones, and others.

#include <rt/io/dns_message.hpp>

#include <arpa/inet.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dns_test {

inline constexpr unsigned response = 0x8180; // recursion desired and available
inline constexpr unsigned truncated = 0x0200;
inline constexpr unsigned no_such_name = 3, server_failure = 2, refused = 5;

class Answer {
 public:
  std::vector<std::uint8_t> bytes;

  explicit Answer(std::uint16_t id, unsigned flags = response) {
    put16(id);
    put16(flags);
    bytes.resize(12);
  }

  Answer& question(std::string_view name, rt::dns::Type type, unsigned question_class = 1) {
    count(4);
    put_name(name);
    put16(static_cast<unsigned>(type));
    put16(question_class);
    return *this;
  }

  Answer& a(std::string_view owner, const char* address, std::uint32_t time_to_live = 60) {
    return address_record(owner, 1, AF_INET, 4, address, time_to_live);
  }
  Answer& aaaa(std::string_view owner, const char* address, std::uint32_t time_to_live = 60) {
    return address_record(owner, 28, AF_INET6, 16, address, time_to_live);
  }
  Answer& cname(std::string_view owner, std::string_view target, std::uint32_t time_to_live = 60) {
    return record(6, owner, 5, time_to_live, [&] { put_name(target); });
  }
  Answer& soa(std::string_view owner, std::uint32_t time_to_live, std::uint32_t minimum) {
    return record(8, owner, 6, time_to_live, [&] {
      put_name("ns." + std::string(owner));
      put_name("admin." + std::string(owner));
      for (const std::uint32_t number : {1u, 2u, 3u, 4u, minimum}) put32(number);
    });
  }
  /// In the answer section, with these bytes as its data.
  Answer& raw(std::string_view owner, unsigned type, std::vector<std::uint8_t> data, unsigned record_class = 1) {
    return record(
        6, owner, type, 60, [&] { bytes.insert(bytes.end(), data.begin(), data.end()); }, record_class);
  }

  void put16(unsigned number) {
    bytes.push_back(static_cast<std::uint8_t>(number >> 8));
    bytes.push_back(static_cast<std::uint8_t>(number));
  }
  void put32(std::uint32_t number) {
    put16(number >> 16);
    put16(number & 0xffff);
  }
  /// "example.com"; "@12" is a pointer to the name at byte 12, and may follow labels: "www.@12".
  void put_name(std::string_view name) {
    while (!name.empty()) {
      const std::size_t end = std::min(name.find('.'), name.size());
      const std::string label(name.substr(0, end));
      name.remove_prefix(std::min(end + 1, name.size()));
      if (label[0] == '@') return put16(0xc000u | static_cast<unsigned>(std::stoi(label.substr(1))));
      bytes.push_back(static_cast<std::uint8_t>(label.size()));
      bytes.insert(bytes.end(), label.begin(), label.end());
    }
    bytes.push_back(0);
  }
  /// Adds one to the number of records of a section, which is at that place of the header.
  void count(std::size_t place) {
    if (++bytes[place + 1] == 0) ++bytes[place];
  }

 private:
  template <class Data>
  Answer& record(std::size_t section, std::string_view owner, unsigned type, std::uint32_t time_to_live, Data data,
                 unsigned record_class = 1) {
    count(section);
    put_name(owner);
    put16(type);
    put16(record_class);
    put32(time_to_live);
    const std::size_t length = bytes.size();
    put16(0);
    data();
    const std::size_t size = bytes.size() - length - 2;
    bytes[length] = static_cast<std::uint8_t>(size >> 8);
    bytes[length + 1] = static_cast<std::uint8_t>(size);
    return *this;
  }
  Answer& address_record(std::string_view owner, unsigned type, int family, std::size_t size, const char* text,
                         std::uint32_t time_to_live) {
    return record(6, owner, type, time_to_live, [&] {
      std::uint8_t address[16];
      inet_pton(family, text, address);
      bytes.insert(bytes.end(), address, address + size);
    });
  }
};

} // namespace dns_test
