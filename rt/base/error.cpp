#include <rt/base/error.hpp>
#include <rt/base/format.hpp>

#include <array>

namespace rt {

/// Read only by the compiler, which warns of an enumerator that is missing.
static consteval std::string_view meaning(Errc code) {
  switch (code) {
  case Errc::none: return "no error";
  case Errc::operation_not_permitted: return "operation not permitted";
  case Errc::no_such_file_or_directory: return "no such file or directory";
  case Errc::no_such_process: return "no such process";
  case Errc::interrupted: return "interrupted by a signal";
  case Errc::io_error: return "input/output error";
  case Errc::no_such_device_or_address: return "no such device or address";
  case Errc::argument_list_too_long: return "argument list too long";
  case Errc::executable_format_error: return "not a program for this system";
  case Errc::bad_file_descriptor: return "bad file descriptor";
  case Errc::no_child_process: return "no child process";
  case Errc::would_block: return "would block";
  case Errc::not_enough_memory: return "not enough memory";
  case Errc::permission_denied: return "permission denied";
  case Errc::bad_address: return "bad address";
  case Errc::device_or_resource_busy: return "device or resource busy";
  case Errc::file_exists: return "file exists";
  case Errc::cross_device_link: return "link across file systems";
  case Errc::no_such_device: return "no such device";
  case Errc::not_a_directory: return "not a directory";
  case Errc::is_a_directory: return "is a directory";
  case Errc::invalid_argument: return "invalid argument";
  case Errc::too_many_files_open_in_system: return "too many files open in the system";
  case Errc::too_many_files_open: return "too many files open";
  case Errc::inappropriate_io_control_operation: return "inappropriate control operation for this device";
  case Errc::text_file_busy: return "program file is in use";
  case Errc::file_too_large: return "file too large";
  case Errc::no_space_on_device: return "no space left on device";
  case Errc::invalid_seek: return "not seekable";
  case Errc::read_only_file_system: return "read-only file system";
  case Errc::too_many_links: return "too many links";
  case Errc::broken_pipe: return "broken pipe";
  case Errc::argument_out_of_domain: return "argument out of domain";
  case Errc::result_out_of_range: return "result out of range";
  case Errc::resource_deadlock_would_occur: return "resource deadlock would occur";
  case Errc::filename_too_long: return "file name too long";
  case Errc::no_lock_available: return "no lock available";
  case Errc::function_not_supported: return "function not supported";
  case Errc::directory_not_empty: return "directory not empty";
  case Errc::too_many_symbolic_link_levels: return "too many levels of symbolic links";
  case Errc::bad_message: return "bad message";
  case Errc::value_too_large: return "value too large";
  case Errc::illegal_byte_sequence: return "illegal byte sequence";
  case Errc::not_a_socket: return "not a socket";
  case Errc::destination_address_required: return "destination address required";
  case Errc::message_size: return "message too long";
  case Errc::wrong_protocol_type: return "wrong type of protocol for the socket";
  case Errc::no_protocol_option: return "no such protocol option";
  case Errc::protocol_not_supported: return "protocol not supported";
  case Errc::operation_not_supported: return "operation not supported";
  case Errc::address_family_not_supported: return "address family not supported";
  case Errc::address_in_use: return "address in use";
  case Errc::address_not_available: return "address not available";
  case Errc::network_down: return "network down";
  case Errc::network_unreachable: return "network unreachable";
  case Errc::network_reset: return "connection dropped by the network";
  case Errc::connection_aborted: return "connection aborted";
  case Errc::connection_reset: return "connection reset by the peer";
  case Errc::no_buffer_space: return "no buffer space";
  case Errc::already_connected: return "already connected";
  case Errc::not_connected: return "not connected";
  case Errc::timed_out: return "timed out";
  case Errc::connection_refused: return "connection refused";
  case Errc::host_unreachable: return "host unreachable";
  case Errc::connection_already_in_progress: return "connection already in progress";
  case Errc::operation_in_progress: return "operation in progress";
  case Errc::canceled: return "canceled";
  case Errc::owner_died: return "owner died";
  case Errc::state_not_recoverable: return "state not recoverable";
  case Errc::full: return "full";
  case Errc::empty: return "empty";
  case Errc::closed: return "closed";
  case Errc::end_of_file: return "end of file";
  case Errc::broken_barrier: return "broken barrier";
  case Errc::deadlock: return "waiting would be a dead lock";
  case Errc::not_owner: return "not held by the caller";
  case Errc::over_released: return "released more often than acquired";
  case Errc::still_open: return "still open";
  case Errc::worker_lost: return "the worker process died";
  case Errc::already_started: return "already started";
  case Errc::too_many_mappings: return "too many memory mappings";
  case Errc::descriptor_too_large: return "select cannot wait for a descriptor above 1023";
  case Errc::too_many_redirects: return "too many redirects";
  case Errc::host_not_found: return "host not found";
  case Errc::no_address: return "the host has no address";
  case Errc::name_server_failure: return "the name servers have failed";
  case Errc::not_found: return "not found";
  case Errc::server_lost: return "the server process is gone";
  }
  return {};
}

/// What stands for a code in `records`: errno values, then the runtime's own from 192 on.
static constexpr unsigned key(Errc code) {
  unsigned number = static_cast<unsigned>(code);
  return number < 192 ? number : number >= 4096 && number < 4096 + 64 ? number - 4096 + 192 : 256;
}

static consteval Errc code_of(unsigned key) { return static_cast<Errc>(key < 192 ? key : key - 192 + 4096); }

static consteval std::size_t total_size() {
  std::size_t size = 0;
  for (unsigned k = 0; k < 256; ++k)
    if (std::size_t text = meaning(code_of(k)).size()) size += 1 + text + 1;
  return size;
}

static consteval std::array<char, total_size()> pack() {
  std::array<char, total_size()> all{};
  std::size_t end = 0;
  for (unsigned k = 0; k < 256; ++k) {
    std::string_view text = meaning(code_of(k));
    if (text.empty()) continue;
    all[end++] = static_cast<char>(k);
    for (char c : text) all[end++] = c;
    all[end++] = 0;
  }
  return all;
}

/// For each code its key, its message and a NUL. One array of characters, because a table of pointers or of
/// string_views would need relocations.
static constexpr std::array records = pack();

/// Empty when there is no such code.
static std::string_view find(Errc code) {
  std::string_view rest(records.data(), records.size());
  while (!rest.empty()) {
    std::size_t end = rest.find('\0', 1);
    if (static_cast<unsigned char>(rest[0]) == key(code)) return {rest.data() + 1, end - 1};
    rest.remove_prefix(end + 1);
  }
  return {};
}

std::string_view Error::message() const {
  std::string_view text = find(code);
  return text.empty() ? "unknown error" : text;
}

void format_value(Output& out, Error error) {
  out.put(error.message());
  if (find(error.code).empty()) format_to(out, " {}", static_cast<int>(error.code));
}

} // namespace rt
