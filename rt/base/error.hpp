#pragma once
// Error: why an operation failed. One number for what the kernel says (errno) and for what the runtime says.

#include <string_view>

namespace rt {

/// Error codes. Those below 4096 are Linux's errno values, spelt as in std::errc (POSIX names where std::errc has
/// none); the runtime's own follow.
enum class Errc : int {
  none = 0,

  operation_not_permitted = 1,
  no_such_file_or_directory = 2,
  no_such_process = 3,
  interrupted = 4,
  io_error = 5,
  no_such_device_or_address = 6,
  argument_list_too_long = 7,
  executable_format_error = 8,
  bad_file_descriptor = 9,
  no_child_process = 10,
  would_block = 11, // EAGAIN, which Linux also uses for EWOULDBLOCK
  not_enough_memory = 12,
  permission_denied = 13,
  bad_address = 14,
  device_or_resource_busy = 16,
  file_exists = 17,
  cross_device_link = 18,
  no_such_device = 19,
  not_a_directory = 20,
  is_a_directory = 21,
  invalid_argument = 22,
  too_many_files_open_in_system = 23,
  too_many_files_open = 24,
  inappropriate_io_control_operation = 25,
  text_file_busy = 26,
  file_too_large = 27,
  no_space_on_device = 28,
  invalid_seek = 29,
  read_only_file_system = 30,
  too_many_links = 31,
  broken_pipe = 32,
  argument_out_of_domain = 33,
  result_out_of_range = 34,
  resource_deadlock_would_occur = 35,
  filename_too_long = 36,
  no_lock_available = 37,
  function_not_supported = 38,
  directory_not_empty = 39,
  too_many_symbolic_link_levels = 40,
  bad_message = 74,
  value_too_large = 75,
  illegal_byte_sequence = 84,
  not_a_socket = 88,
  destination_address_required = 89,
  message_size = 90,
  wrong_protocol_type = 91,
  no_protocol_option = 92,
  protocol_not_supported = 93,
  operation_not_supported = 95,
  address_family_not_supported = 97,
  address_in_use = 98,
  address_not_available = 99,
  network_down = 100,
  network_unreachable = 101,
  network_reset = 102,
  connection_aborted = 103,
  connection_reset = 104,
  no_buffer_space = 105,
  already_connected = 106,
  not_connected = 107,
  timed_out = 110,
  connection_refused = 111,
  host_unreachable = 113,
  connection_already_in_progress = 114,
  operation_in_progress = 115,
  canceled = 125,
  owner_died = 130,
  state_not_recoverable = 131,

  full = 4096,          // a bounded queue has no room (Python: queue.Full)
  empty,                // a queue has no item (Python: queue.Empty)
  closed,               // the queue, pipe or pool was shut down (Python: queue.ShutDown)
  end_of_file,          // the peer has closed, nothing more will come (Python: EOFError)
  broken_barrier,       // the barrier was aborted, reset, or one of its waiters timed out (Python: BrokenBarrierError)
  deadlock,             // waiting would close a cycle of owners that wait for each other
  not_owner,            // the caller does not hold the lock
  over_released,        // more releases than acquisitions (Python: ValueError of BoundedSemaphore and task_done)
  still_open,           // close() has to come first
  worker_lost,          // the worker process that had the task died
  already_started,      // a thread or process can be started once
  too_many_mappings,    // vm.max_map_count is reached
  descriptor_too_large, // select(2) knows descriptors below 1024 only

  too_many_redirects, // a web server leads from one place to the next

  host_not_found,     // there is no host of that name
  no_address,         // the host has no address
  name_server_failure, // no name server could tell, for reasons of theirs

  not_found,  // there is no such key, item or object (Python: KeyError, IndexError)
  server_lost // the server process, of a manager say, is gone
};

struct Error {
  Errc code = Errc::none;

  /// What the code means, in lower case and without a full stop: "timed out". Never empty.
  std::string_view message() const;

  /// From the result of a system call: a negative errno.
  static Error from_kernel(long result) { return {static_cast<Errc>(-result)}; }

  friend bool operator==(Error, Error) = default;
  friend bool operator==(Error error, Errc code) { return error.code == code; }
};

} // namespace rt
