#pragma once
// Client: a process's way to a manager's server.
//
// Each request has a connection to itself until its answer has come, as that may take long: requests of several tasks
// go side by side. Connections are kept for the next request, and all of a process name the same session. One is used
// for no request: when others are closed, as a request was taken back, the session goes on.
//
// In a copy of the process (a Process), the connections are its parent's: they are closed there, and the first request
// makes its own, for a session of its own.

#include <rt/base/futex_lock.hpp>
#include <rt/io/address.hpp>
#include <rt/process/connection.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rt::managing {

class Client {
 public:
  Client(const Address& address, std::string key);
  ~Client();
  Client(const Client&) = delete;

  /// Makes a first connection. permission_denied: the server has another key, or we have; errors of connect(2).
  Result<void> connect();

  /// server_lost: the server has ended, or does not listen any more. timed_out, canceled: the request is taken back.
  /// Otherwise what the server says.
  Result<Value> call(std::int64_t object, std::string_view method, Value::List&& arguments);

  const Address& address() const { return address_; }
  const std::string& key() const { return key_; }

  // Handles share it.
  void use() { users_.fetch_add(1, std::memory_order_relaxed); }
  void leave() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // Around the making of a copy of the process.
  static void lock_all();
  static void unlock_all();
  static void reset_locks();
  static void close_all();

 private:
  struct Link {
    Connection connection;
    bool busy = false;
  };

  Result<Link*> take();
  Result<void> begin_session(const std::string& session);
  void give(Link& link);
  void drop(Link& link);
  Result<Connection> open(const std::string& session) const;

  const Address address_;
  const std::string key_;
  Atomic<std::uint32_t> users_ = 0;

  FutexLock lock_; // protects what follows
  std::string session_;
  Connection anchor_;                        // the one for no request
  std::vector<std::unique_ptr<Link>> links_; // those of requests, too
  // In the list of all.
  Client* next_ = nullptr;

  static inline constinit FutexLock list_lock;
  static inline constinit Client* first = nullptr;
};

/// Keeps a Client.
class ClientPointer {
 public:
  ClientPointer() = default;
  explicit ClientPointer(Client* client) : client_(client) {
    if (client_) client_->use();
  }
  ClientPointer(const ClientPointer& other) : ClientPointer(other.client_) {}
  ClientPointer(ClientPointer&& other) noexcept : client_(std::exchange(other.client_, nullptr)) {}
  ClientPointer& operator=(ClientPointer other) noexcept {
    std::swap(client_, other.client_);
    return *this;
  }
  ~ClientPointer() {
    if (client_) client_->leave();
  }
  Client* operator->() const { return client_; }
  explicit operator bool() const { return client_ != nullptr; }

 private:
  Client* client_ = nullptr;
};

} // namespace rt::managing
