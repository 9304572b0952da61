#include <rt/base/sha256.hpp>

#include <doctest/doctest.h>

#include <string>

using rt::HmacSha256, rt::Sha256;

static std::string to_hex(const Sha256::Digest& digest) {
  std::string hex;
  for (const char byte : digest) {
    const auto value = static_cast<unsigned char>(byte);
    hex += {"0123456789abcdef"[value >> 4], "0123456789abcdef"[value & 15]};
  }
  return hex;
}
static std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}
static std::string hash(std::string_view message) {
  Sha256 sha;
  sha.add(message);
  return to_hex(sha.finish());
}
static std::string hmac(std::string_view key, std::string_view message) {
  HmacSha256 mac(key);
  mac.add(message);
  return to_hex(mac.finish());
}

TEST_CASE("SHA-256 of the examples of FIPS 180") {
  CHECK(hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a message may be added in any pieces") {
  std::string message;
  for (int i = 0; i < 1000; ++i) message.push_back(static_cast<char>(i * 7));
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string expected = hash(message.substr(0, size));
    for (const std::size_t piece : {1, 3, 63, 64, 65, 130}) {
      Sha256 sha;
      for (std::size_t at = 0; at < size; at += piece)
        sha.add(std::string_view(message).substr(at, std::min(piece, size - at)));
      CHECK(to_hex(sha.finish()) == expected);
    }
  }
}

TEST_CASE("HMAC-SHA256 of the examples of RFC 4231") {
  CHECK(hmac(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hmac(from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd')) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(hmac(std::string(20, '\x0c'), "Test With Truncation").substr(0, 32) == "a3b6167473100ee06e0c796c2955552b");
  CHECK(hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac(std::string(131, '\xaa'),
             "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
             "hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("texts are compared as a whole") {
  CHECK(rt::equal_in_constant_time("", ""));
  CHECK(rt::equal_in_constant_time("abc", "abc"));
  CHECK(!rt::equal_in_constant_time("abc", "abd"));
  CHECK(!rt::equal_in_constant_time("xbc", "abc"));
  CHECK(!rt::equal_in_constant_time("abc", "ab"));
}
