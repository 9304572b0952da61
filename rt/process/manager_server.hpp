#pragma once
// The server of a manager: a fiber for each connection, and the objects.

#include <rt/io/address.hpp>
#include <rt/process/connection.hpp>
#include <rt/process/manager_object.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rt::managing {

class Server {
 public:
  explicit Server(std::string key) : key_(std::move(key)) {}
  Server(const Server&) = delete;

  /// Serves one client's connection until it ends.
  void serve(Connection& connection);

  std::size_t objects() const { return objects_.size(); }

 private:
  Session* authenticate(Connection& connection);
  void close(Link& link);

  Answer handle(Link& link, Value& message);
  Answer call_manager(Request& request);
  Answer create(Request& request);
  Answer remove(const Value& reference);
  Answer publish(Value& name, const Value& reference);

  Object* find(std::int64_t number) const;
  void make_known(Session& session, Object& object);
  void destroy(Object& object);

  void collect_garbage();
  void reach(Object& object, std::vector<Object*>& reached);

  const std::string key_;
  std::int64_t last_number_ = 0;
  std::vector<std::unique_ptr<Object>> objects_; // in the order of their numbers
  std::vector<std::unique_ptr<Session>> sessions_;
  Value::Map published_; // names and references
};

/// Listens at the address, of TCP or local, sends what has become of that through the pipe ([true, address] or
/// [false, code]), and serves for ever.
void run_server(const Address& address, const std::string& key, Connection& pipe);

} // namespace rt::managing
