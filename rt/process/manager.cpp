#include <rt/process/manager.hpp>

#include <rt/kernel/random.hpp>
#include <rt/process/manager_server.hpp>

namespace rt {
namespace {

/// An abstract one, with 128 random bits in its name.
Address random_address() {
  unsigned char bytes[16];
  kernel::fill_with_random(std::as_writable_bytes(std::span(bytes)));
  char name[64];
  Output out(name);
  out.put("rt-manager-");
  for (const unsigned char byte : bytes) format_to(out, "{:02x}", byte);
  return Address::abstract(out.text()).value();
}

} // namespace

Manager::Manager(const ManagerOptions& options) : address_(options.address), key_(options.key) {
  if (!address_) address_ = random_address();
  if (!key_.empty()) return;
  key_.resize(32);
  kernel::fill_with_random(std::as_writable_bytes(std::span(key_)));
}

Manager::~Manager() { shutdown(); }

// The server listens by itself, and tells: so nobody else has its listening socket, and when it is gone nobody can
// connect.
Result<void> Manager::start() {
  if (client_) return Errc::already_started;
  auto pipe = try_make_pipe();
  if (!pipe) return pipe.error();
  auto& [here, there] = *pipe;
  const int kept[] = {there.fd()};
  const auto serve = [this, pipe = &*pipe] { managing::run_server(address_, key_, pipe->second); };
  auto process = std::make_unique<Process>(ProcessOptions{.name = "manager", .daemon = true, .keep = kept}, serve);
  if (const auto started = process->start(); !started) return started;
  there.close();
  const auto told = here.recv();
  if (!told) return Errc::server_lost;
  const Value::List& parts = told->list();
  if (!parts[0].boolean()) {
    process->join();
    return static_cast<Errc>(parts[1].integer());
  }
  address_ = Address::parse(parts[1].text()).value();
  process_ = std::move(process);
  client_ = managing::ClientPointer(new managing::Client(address_, key_));
  return client_->connect();
}

void Manager::shutdown() {
  if (!process_) return;
  if (process_->is_alive()) {
    (void)process_->kill(); // it has nothing to put in order
    process_->join();
  }
  process_.reset();
}

Result<Manager> Manager::connect(const Address& address, std::string_view key) {
  Manager manager({address, key});
  manager.client_ = managing::ClientPointer(new managing::Client(address, std::string(key)));
  if (const auto connected = manager.client_->connect(); !connected) return connected.error();
  return manager;
}

Result<Value> Manager::call(std::string_view method, Value::List&& arguments) const {
  if (!client_) return Errc::not_connected;
  return client_->call(0, method, std::move(arguments));
}

Result<void> Manager::publish(std::string_view name, const Value& proxy) const {
  return call("publish", {name, proxy}).error();
}

Result<void> Manager::remove(const Value& proxy) const { return call("remove", {proxy}).error(); }

Result<std::int64_t> Manager::objects() const {
  const auto count = call("objects", {});
  if (!count) return count.error();
  return count->is_integer() ? Result<std::int64_t>(count->integer()) : Errc::bad_message;
}

} // namespace rt
