// What may come over a connection. The first byte chooses who reads the rest: a server's parser, a client's, the reader
// of chunks, and those of URLs and dates. What comes in pieces has to be read as what comes at once is.

#include <rt/io/http_chunks.hpp>
#include <rt/io/http_date.hpp>
#include <rt/io/http_head.hpp>
#include <rt/io/url.hpp>

#include <cstdlib>
#include <memory>
#include <string>

using namespace rt::http;

namespace {

constexpr Limits limits{.line = 200, .head = 600, .fields = 8, .body = 1000};

void require(bool condition) {
  if (!condition) std::abort();
}

// In a block of exactly that size, so that reading beyond it is noticed.
struct Copy {
  explicit Copy(std::string_view text) : bytes(new char[text.size()]), size(text.size()) {
    text.copy(bytes.get(), size);
  }
  std::string_view text() const { return {bytes.get(), size}; }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

template <class Parser, class Same> void parse_head(std::string_view text, std::size_t step, Same same) {
  const Copy whole(text);
  Parser at_once(limits);
  const Progress progress = at_once.parse(whole.text());
  require((progress == Progress::failed) == (at_once.fault() != Fault::none));

  Parser in_pieces(limits);
  Progress after = Progress::more;
  std::unique_ptr<Copy> part; // what the parser hands out lies there
  for (std::size_t size = 0; after == Progress::more && size < text.size();) {
    size = std::min(size + step, text.size());
    part = std::make_unique<Copy>(text.substr(0, size));
    after = in_pieces.parse(part->text());
  }
  // Where something is wrong, a limit may be noticed before the rest has come.
  require(text.empty() ||
          (after == progress && (in_pieces.fault() == at_once.fault() || progress == Progress::failed)));
  if (progress != Progress::complete) return;
  require(at_once.size() <= text.size() && at_once.size() == in_pieces.size());
  require(text.substr(0, at_once.size()).ends_with("\r\n"));
  require(!(at_once.chunked() && at_once.content_length()));
  unsigned count = 0;
  for (const Field& field : at_once.fields()) {
    require(all_of(field.name, token) && prefix_of(field.value, field_text) == field.value.size());
    ++count;
  }
  require(count <= limits.fields);
  same(at_once, in_pieces);
}

struct Body {
  Progress progress = Progress::more;
  std::string data;
  std::size_t taken = 0;
};

Body read_chunks(std::string_view text, std::size_t step) {
  ChunkReader reader(limits);
  Body body;
  for (std::size_t size = std::min(step, text.size());;) {
    const Copy part(text.substr(body.taken, size - body.taken));
    const auto next = reader.next(part.text(), step);
    require(next.taken <= part.size && next.data.size() <= std::min(next.taken, step));
    body.data += next.data;
    body.taken += next.taken;
    body.progress = next.progress;
    if (next.progress != Progress::more) break;
    if (next.taken != 0) continue;
    if (size == text.size()) break;
    size = std::min(size + step, text.size());
  }
  require((body.progress == Progress::failed) == (reader.fault() != Fault::none));
  require(body.data.size() <= limits.body);
  return body;
}

void read_url(std::string_view text) {
  const Copy copy(text);
  const auto url = rt::Url::parse(copy.text());
  if (url) {
    require(!url->host().empty() && url->port() != 0 && url->target().starts_with('/'));
    const auto again = rt::Url::parse(url->text());
    require(again && again->text() == url->text() && same_origin(*url, *again));
  }
  const auto resolved = rt::resolve_reference("http://h/a/b?c", copy.text());
  if (resolved) require(rt::split_uri(*resolved).ok());
  const auto decoded = rt::percent_decode(copy.text());
  if (decoded) require(rt::percent_decode(rt::percent_encode_path(*decoded)).value() == *decoded);
}

void read_and_write_date(std::string_view text) {
  const Copy copy(text);
  const auto seconds = read_date(copy.text());
  if (!seconds) return;
  char written[date_size];
  write_date(written, *seconds);
  require(read_date({written, sizeof written}) == seconds);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t step = data[1] % 16 + 1;
  switch (data[0] % 5) {
  case 0:
    parse_head<RequestParser>(text, step, [](RequestParser& a, RequestParser& b) {
      require(a.method() == b.method() && a.target() == b.target() && a.authority() == b.authority());
      require(a.path() == b.path() && a.query() == b.query() && is_authority(a.authority()));
    });
    break;
  case 1:
    parse_head<ResponseParser>(text, step, [](ResponseParser& a, ResponseParser& b) {
      require(a.status() == b.status() && a.reason() == b.reason() && a.status() >= 100 && a.status() <= 999);
    });
    break;
  case 2: {
    const Body whole = read_chunks(text, text.size() + 1), pieces = read_chunks(text, step);
    require(whole.progress == pieces.progress);
    if (whole.progress == Progress::complete) require(whole.data == pieces.data && whole.taken == pieces.taken);
    break;
  }
  case 3: read_url(text); break;
  case 4: read_and_write_date(text); break;
  }
  return 0;
}
