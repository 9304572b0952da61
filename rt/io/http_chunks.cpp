#include <rt/io/http_chunks.hpp>

namespace rt::http {

namespace {
constexpr ChunkReader::Step failed = {Progress::failed, 0, {}};
}

ChunkReader::Step ChunkReader::next(std::string_view text, std::size_t most) {
  if (fault_ != Fault::none) return failed;
  if (part_ == Part::data) {
    const std::string_view data = text.substr(0, std::min<std::uint64_t>(left_, most));
    left_ -= data.size();
    if (left_ == 0) part_ = Part::end_of_data;
    return {Progress::more, data.size(), data};
  }
  if (part_ == Part::end_of_data) {
    if (!end_of_chunk.starts_with(text.substr(0, 2))) return fail(Fault::malformed), failed;
    if (text.size() < 2) return {Progress::more, 0, {}};
    part_ = Part::size_line;
    return {Progress::more, 2, {}};
  }
  return read_line(text);
}

ChunkReader::Step ChunkReader::read_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (std::min(end, text.size()) > limits_.line) return fail(Fault::head_too_large), failed;
  if (end == text.npos) return {Progress::more, 0, {}};
  if (end == 0 || text[end - 1] != '\r') return fail(Fault::malformed), failed;
  const std::string_view line = text.substr(0, end - 1);
  if (part_ == Part::size_line) {
    if (!take_size(line)) return failed;
    part_ = left_ != 0 ? Part::data : Part::trailers;
  } else {
    if (line.empty()) return {Progress::complete, end + 1, {}};
    if (!take_trailer(line)) return failed;
  }
  return {Progress::more, end + 1, {}};
}

bool ChunkReader::take_size(std::string_view line) {
  const std::size_t digits = prefix_of(line, hexadecimal);
  std::uint64_t number = 0;
  for (const char c : line.substr(0, digits)) {
    if (number >> 60 != 0) return fail(Fault::body_too_large);
    number = number << 4 | value_of_digit(c);
  }
  if (digits == 0 || !take_extensions(line.substr(digits))) return fail(Fault::malformed);
  // What is not the number: leading zeros count as well, as they say nothing either.
  aside_ += static_cast<std::uint32_t>(line.size() - std::min<std::size_t>(digits, 16));
  if (aside_ > limits_.head) return fail(Fault::head_too_large);
  if (number > limits_.body || size_ > limits_.body - number) return fail(Fault::body_too_large);
  left_ = number;
  size_ += number;
  return true;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
bool ChunkReader::take_extensions(std::string_view text) {
  const auto skip_blanks = [&] {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  };
  const auto take_token = [&] {
    const std::size_t size = prefix_of(text, token);
    text.remove_prefix(size);
    return size != 0;
  };
  const auto take_quoted = [&] {
    for (text.remove_prefix(1); !text.empty() && text.front() != '"'; text.remove_prefix(1)) {
      if (text.front() == '\\') text.remove_prefix(1);
      if (text.empty() || !is(text.front(), field_text)) return false;
    }
    if (text.empty()) return false;
    text.remove_prefix(1);
    return true;
  };
  while (!text.empty()) {
    skip_blanks();
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    skip_blanks();
    if (!take_token()) return false;
    const std::string_view after = text;
    skip_blanks();
    if (!text.starts_with('=')) {
      text = after;
      continue;
    }
    text.remove_prefix(1);
    skip_blanks();
    if (!(text.starts_with('"') ? take_quoted() : take_token())) return false;
  }
  return true;
}

bool ChunkReader::take_trailer(std::string_view line) {
  const std::size_t name = prefix_of(line, token);
  const std::string_view rest = line.substr(name);
  if (name == 0 || !rest.starts_with(':') || prefix_of(rest, field_text) != rest.size()) return fail(Fault::malformed);
  aside_ += static_cast<std::uint32_t>(line.size());
  if (aside_ > limits_.head || ++trailers_ > limits_.fields) return fail(Fault::head_too_large);
  return true;
}

std::size_t write_chunk_size(char* to, std::size_t size) {
  std::size_t digits = 1;
  while (digits < 16 && size >> (4 * digits) != 0) ++digits;
  for (std::size_t i = digits; i-- != 0; size >>= 4) to[i] = "0123456789abcdef"[size & 15];
  to[digits] = '\r';
  to[digits + 1] = '\n';
  return digits + 2;
}

} // namespace rt::http
