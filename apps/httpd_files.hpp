#pragma once
// What httpd answers with: files, parts of them, lists of directories.

#include <rt/io/fd.hpp>
#include <rt/io/http_date.hpp>
#include <rt/io/http_request.hpp>
#include <rt/io/url.hpp>
#include <rt/kernel/beneath.hpp>
#include <rt/kernel/file.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace httpd {

using rt::http::Reply, rt::http::Request, rt::kernel::FileDetails;

/// Content-Type by the name's extension.
inline std::string_view type_of(std::string_view name) {
  struct Row {
    char extension[8];
    char type[32];
  };
  static constexpr Row rows[] = {
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/plain; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"js", "text/javascript"},
      {"mjs", "text/javascript"},
      {"json", "application/json"},
      {"xml", "application/xml"},
      {"pdf", "application/pdf"},
      {"wasm", "application/wasm"},
      {"zip", "application/zip"},
      {"gz", "application/gzip"},
      {"tar", "application/x-tar"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"svg", "image/svg+xml"},
      {"webp", "image/webp"},
      {"ico", "image/vnd.microsoft.icon"},
      {"mp3", "audio/mpeg"},
      {"ogg", "audio/ogg"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
      {"woff2", "font/woff2"},
  };
  const std::size_t dot = name.rfind('.');
  if (dot != name.npos)
    for (const Row& row : rows)
      if (rt::http::equal_ignoring_case(name.substr(dot + 1), row.extension)) return row.type;
  return "application/octet-stream";
}

/// A part of a file.
struct Range {
  enum class Kind : std::uint8_t { whole, part, unsatisfiable } kind = Kind::whole;
  std::uint64_t begin = 0, size = 0;
};

/// What the field Range asks for (RFC 9110, section 14). What is not understood, and several ranges at once, get the
/// whole, as is allowed.
inline Range parse_range(std::string_view text, std::uint64_t size) {
  const Range whole{Range::Kind::whole, 0, size}, none{Range::Kind::unsatisfiable, 0, 0};
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit)) return whole;
  text = rt::http::trim(text.substr(unit.size()));
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return whole;
  const auto number = [](std::string_view digits, std::uint64_t& value) {
    if (!rt::http::all_of(digits, rt::http::digit) || digits.size() > 18) return false;
    value = 0;
    for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
    return true;
  };
  std::uint64_t first = 0, last = size;
  const std::string_view before = text.substr(0, dash), after = text.substr(dash + 1);
  if (before.empty()) { // the last so many
    if (!number(after, last)) return whole;
    if (last == 0 || size == 0) return none;
    first = size - std::min(last, size);
    return {Range::Kind::part, first, size - first};
  }
  if (!number(before, first) || (!after.empty() && (!number(after, last) || last < first))) return whole;
  if (first >= size) return none;
  return {Range::Kind::part, first, std::min(after.empty() ? size : last + 1, size) - first};
}

class Files {
 public:
  /// Below the open directory.
  Files(int root, bool hidden) : root_(root), hidden_(hidden) {}

  void answer(Request& request, Reply& reply) const {
    if (request.method() != "GET" && request.method() != "HEAD") {
      (void)reply.field("Allow", "GET, HEAD");
      return fail(reply, 405);
    }
    const auto decoded = rt::percent_decode(request.path());
    if (!decoded || !decoded->starts_with('/') || decoded->find('\0') != decoded->npos) return fail(reply, 400);
    const std::string path = rt::remove_dot_segments(*decoded);
    if (!hidden_ && path.find("/.") != path.npos) return fail(reply, 404);
    answer_path(request, reply, path);
  }

 private:
  static void fail(Reply& reply, unsigned status) {
    char text[80];
    const std::size_t size = rt::format_to(text, "{} {}\n", status, rt::http::reason_of(status));
    (void)reply.send(status, "text/plain; charset=utf-8", {text, size});
  }

  static unsigned status_of(rt::Error error) {
    switch (error.code) {
    case rt::Errc::permission_denied: return 403;
    case rt::Errc::too_many_files_open:
    case rt::Errc::too_many_files_open_in_system:
    case rt::Errc::not_enough_memory: return 503;
    case rt::Errc::io_error: return 500;
    default: return 404; // it is not there, or leads out
    }
  }

  rt::Result<rt::Fd> open(std::string_view path) const {
    while (path.starts_with('/')) path.remove_prefix(1);
    const std::string name(path.empty() ? "." : path);
    const auto opened = rt::kernel::open_beneath(root_, name.c_str());
    if (!opened) return opened.error();
    return rt::Fd(*opened);
  }

  void answer_path(Request& request, Reply& reply, const std::string& path) const {
    const auto file = open(path);
    if (!file) return fail(reply, status_of(file.error()));
    const auto details = rt::kernel::file_details(file->number());
    if (!details) return fail(reply, status_of(details.error()));
    if (details->is_directory()) return answer_directory(request, reply, path, *file);
    if (!details->is_file() || path.ends_with('/')) return fail(reply, details->is_file() ? 404 : 403);
    send(request, reply, path, *file, *details);
  }

  void answer_directory(Request& request, Reply& reply, const std::string& path, const rt::Fd& directory) const {
    if (!path.ends_with('/')) {
      std::string place = rt::percent_encode_path(path) + "/";
      place.erase(0, place.find_first_not_of('/') - 1); // "//host/" would be another server's
      if (!request.query().empty()) place.append("?").append(request.query());
      (void)reply.field("Location", place);
      return fail(reply, 301);
    }
    const std::string index = path + "index.html";
    if (const auto file = open(index)) {
      const auto details = rt::kernel::file_details(file->number());
      if (details && details->is_file()) return send(request, reply, index, *file, *details);
    }
    list(reply, path, directory);
  }

  void send(Request& request, Reply& reply, std::string_view path, const rt::Fd& file,
            const FileDetails& details) const {
    char tag[64], date[rt::http::date_size];
    const std::string_view etag(
        tag, rt::format_to(tag, "\"{:x}-{:x}{:08x}\"", details.size, details.modified, details.modified_nanoseconds));
    rt::http::write_date(date, std::clamp<std::int64_t>(details.modified, 0, 253'402'300'799));
    (void)reply.field("ETag", etag);
    (void)reply.field("Last-Modified", {date, sizeof date});
    if (is_known(request, etag, details.modified)) return (void)reply.send(304, "", "");
    (void)reply.field("Accept-Ranges", "bytes");
    const std::string_view type = type_of(path);

    Range range{Range::Kind::whole, 0, details.size};
    const auto wanted = request.field("range");
    if (wanted && request.method() == "GET" && may_be_part(request, etag, details.modified))
      range = parse_range(*wanted, details.size);
    char text[64];
    if (range.kind == Range::Kind::unsatisfiable) {
      (void)reply.field("Content-Range", {text, rt::format_to(text, "bytes */{}", details.size)});
      return fail(reply, 416);
    }
    if (range.kind == Range::Kind::part)
      (void)reply.field("Content-Range", {text, rt::format_to(text, "bytes {}-{}/{}", range.begin,
                                                              range.begin + range.size - 1, details.size)});
    const unsigned status = range.kind == Range::Kind::part ? 206 : 200;
    (void)reply.send_file(status, type, file.number(), range.begin, range.size);
  }

  /// The client has the file as it is (RFC 9110, section 13.2.2).
  static bool is_known(const Request& request, std::string_view etag, std::int64_t modified) {
    if (request.field("if-none-match")) {
      for (const rt::http::Field& field : request.fields()) {
        if (!rt::http::equal_ignoring_case(field.name, "if-none-match")) continue;
        for (auto list = field.value, tag = rt::http::take_element(list); !tag.empty();
             tag = rt::http::take_element(list)) {
          if (tag.starts_with("W/")) tag.remove_prefix(2);
          if (tag == "*" || tag == etag) return true;
        }
      }
      return false;
    }
    const auto since = request.field("if-modified-since");
    const auto seconds = since ? rt::http::read_date(*since) : std::nullopt;
    return seconds && modified <= *seconds;
  }

  /// If-Range, where it is given, means the file as it is.
  static bool may_be_part(const Request& request, std::string_view etag, std::int64_t modified) {
    const auto condition = request.field("if-range");
    return !condition || *condition == etag || rt::http::read_date(*condition) == modified;
  }

  void list(Reply& reply, const std::string& path, const rt::Fd& directory) const {
    std::vector<std::string> names;
    rt::kernel::DirectoryReader reader(directory.number());
    for (;;) {
      const auto next = reader.next();
      if (!next) return fail(reply, status_of(next.error()));
      if (!*next) break;
      std::string name(*next);
      if (name == "." || name == ".." || (!hidden_ && name.starts_with('.'))) continue;
      const auto details = rt::kernel::file_details(directory.number(), name.c_str());
      if (details && details->is_directory()) name += '/';
      names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    std::string page = "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>" + escaped(path) + "</title>\n<h1>" +
                       escaped(path) + "</h1>\n<ul>\n";
    if (path != "/") page += "<li><a href=\"../\">../</a>\n";
    for (const std::string& name : names)
      page += "<li><a href=\"./" + rt::percent_encode_path(name) + "\">" + escaped(name) + "</a>\n";
    page += "</ul>\n";
    (void)reply.send(200, "text/html; charset=utf-8", page);
  }

  static std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) {
      switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      default: html += c;
      }
    }
    return html;
  }

  const int root_;
  const bool hidden_;
};

} // namespace httpd
