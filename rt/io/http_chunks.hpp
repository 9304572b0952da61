#pragma once
// The chunked transfer coding (RFC 9112, section 7.1), read and written.
//
//   chunk-size [ ;extensions ] CR LF  data CR LF  ...  0 [ ;extensions ] CR LF  trailer fields  CR LF

#include <rt/io/http_head.hpp>

namespace rt::http {

/// Takes a chunked body apart. Extensions and trailer fields are checked and dropped.
class ChunkReader {
 public:
  /// The limits have to stay.
  explicit ChunkReader(const Limits& limits) : limits_(limits) {}

  struct Step {
    Progress progress;     ///< more: give what is left and what comes then; complete: the body has ended
    std::size_t taken;     ///< how much of the text is done with
    std::string_view data; ///< of the body, a view of the text; may be empty
  };
  /// The text: what has come and was not taken. Gives out `most` bytes of data at most; with data, or when something
  /// was taken, there may be more in the rest of the text.
  Step next(std::string_view text, std::size_t most = SIZE_MAX);

  Fault fault() const { return fault_; }
  /// Bytes of data so far.
  std::uint64_t size() const { return size_; }

 private:
  enum class Part : std::uint8_t { size_line, data, end_of_data, trailers };

  Step read_line(std::string_view text);
  bool take_size(std::string_view line);
  bool take_extensions(std::string_view text);
  bool take_trailer(std::string_view line);
  bool fail(Fault fault) {
    fault_ = fault;
    return false;
  }

  const Limits& limits_;
  std::uint64_t left_ = 0; // of the chunk's data
  std::uint64_t size_ = 0;
  std::uint32_t aside_ = 0;    // bytes of extensions and trailers
  std::uint32_t trailers_ = 0; // how many
  Part part_ = Part::size_line;
  Fault fault_ = Fault::none;
};

/// What comes before the data of a chunk, "1f4\r\n": at most 18 bytes. Returns how many.
std::size_t write_chunk_size(char* to, std::size_t size);

inline constexpr std::string_view end_of_chunk = "\r\n", last_chunk = "0\r\n\r\n";

} // namespace rt::http
