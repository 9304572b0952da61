#include <rt/io/http_chunks.hpp>

#include <doctest/doctest.h>

#include <string>

using rt::http::ChunkReader, rt::http::Fault, rt::http::Limits, rt::http::Progress;

namespace {

struct Outcome {
  Progress progress;
  Fault fault;
  std::string data;
  std::size_t taken;
};

// Gives the reader the text in pieces, as a connection would.
Outcome read(const std::string& text, std::size_t piece, const Limits& limits = {}) {
  ChunkReader reader(limits);
  Outcome outcome{Progress::more, Fault::none, {}, 0};
  for (std::size_t come = std::min(piece, text.size());;) {
    const auto step = reader.next(std::string_view(text).substr(outcome.taken, come - outcome.taken));
    outcome.taken += step.taken;
    outcome.data += step.data;
    outcome.progress = step.progress;
    outcome.fault = reader.fault();
    if (step.progress != Progress::more) return outcome;
    if (step.taken != 0) continue;
    if (come == text.size()) return outcome;
    come = std::min(come + piece, text.size());
  }
}

Fault fault_of(const std::string& text) { return read(text, text.size()).fault; }

} // namespace

TEST_CASE("chunks are put together, however they come") {
  const std::string text = "5\r\nhello\r\n1;name\r\n \r\n00006;a=b;c = \"d;\\\"\r\ne\"\r\n";
  const std::string good = "5\r\nhello\r\n1;name\r\n \r\n00006; a=b ;c = \"d;\\\" e\"\r\nworld!\r\nA\r\n0123456789\r\n"
                           "0;last\r\nTrailer: value\r\nX:\r\n\r\n";
  for (std::size_t piece = 1; piece <= good.size(); ++piece) {
    CAPTURE(piece);
    const Outcome outcome = read(good + "NEXT", piece);
    CHECK(outcome.progress == Progress::complete);
    CHECK(outcome.data == "hello world!0123456789");
    CHECK(outcome.taken == good.size());
  }
  CHECK(fault_of(text) == Fault::malformed); // a quoted string does not go over a line's end
}

TEST_CASE("chunks that are none are refused") {
  for (const std::string text : {"\r\n",
                                 "x\r\n",
                                 " 5\r\n",
                                 "5 \r\n",
                                 "0x5\r\n",
                                 "-5\r\n",
                                 "5\nhello\r\n",
                                 "5;\r\n",
                                 "5;=\r\n",
                                 "5;a=\r\n",
                                 "5;a=\"\r\n",
                                 "5;a=\"b\r\n",
                                 "5 a\r\n",
                                 "5;a b\r\n",
                                 "5\r\nhello0\r\n",
                                 "5\r\nhello\n0\r\n",
                                 "5\r\nhello\rx",
                                 "0\r\nTrailer\r\n\r\n",
                                 "0\r\n folded\r\n\r\n",
                                 "0\r\na: b\n\r\n",
                                 "0\r\nTrailer : x\r\n\r\n",
                                 "0\r\na: \x01\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(fault_of(text) == Fault::malformed);
  }
}

TEST_CASE("chunks beyond a limit are refused") {
  CHECK(fault_of("10000000000000000\r\n") == Fault::body_too_large);
  CHECK(fault_of("ffffffffffffffff\r\n") == Fault::body_too_large);
  const Limits small{.line = 32, .head = 64, .fields = 2, .body = 10};
  CHECK(read("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 100, small).progress == Progress::complete);
  CHECK(read("5\r\nhello\r\n6\r\n", 100, small).fault == Fault::body_too_large);
  CHECK(read("5;" + std::string(40, 'a'), 100, small).fault == Fault::head_too_large);
  std::string many;
  for (int i = 0; i < 4; ++i) many += "1;" + std::string(20, 'a') + "\r\nx\r\n";
  CHECK(read(many, 1000, small).fault == Fault::head_too_large);
  CHECK(read("0\r\na:\r\nb:\r\nc:\r\n\r\n", 100, small).fault == Fault::head_too_large);
}

TEST_CASE("the sizes of chunks are written in hexadecimal") {
  const std::pair<std::size_t, std::string> rows[] = {{0, "0\r\n"},
                                                      {1, "1\r\n"},
                                                      {15, "f\r\n"},
                                                      {16, "10\r\n"},
                                                      {0xabcdef, "abcdef\r\n"},
                                                      {SIZE_MAX, "ffffffffffffffff\r\n"}};
  for (const auto& [size, expected] : rows) {
    char text[18];
    CHECK(std::string(text, rt::http::write_chunk_size(text, size)) == expected);
  }
}
