#pragma once
// Selectors: the best mechanism of the system tells which descriptors are ready, and each key's callback what to do
// then. The server echoes in upper case.

#include "line_client.hpp"

#include <rt/io/selectors.hpp>

#include <memory>

namespace selectors_example {

using namespace apps;
using rt::Ready, rt::SelectorKey;

/// A client's connection. It belongs to the callback in its key: when that is unregistered, it is closed.
class Connection {
 public:
  Connection(rt::DefaultSelector& selector, TcpStream stream)
      : selector_(selector), stream_(std::move(stream)), peer_(stream_.peer()) {}

  /// Something has come, or there is room for what is to be sent. False: the client has gone.
  bool serve(Ready events) {
    if (any(events & Ready::read) && !read()) return false;
    if (!send()) return false;
    // Whoever does not read his answers is not read from either, until he has.
    const Ready wanted = to_send_.empty() ? Ready::read : Ready::write;
    const auto key = selector_.get_key(stream_);
    return key && (key->events == wanted || selector_.modify(stream_, wanted, key->data).ok());
  }

  const Address& peer() const { return peer_; }

 private:
  bool read() {
    char buffer[1024];
    const auto size = stream_.read(buffer);
    if (size.error() == rt::Errc::would_block) return true;
    if (!size || *size == 0) return false;
    rt::println("server: received {}", Received{without_newline({buffer, *size})});
    for (const char c : std::string_view(buffer, *size))
      to_send_ += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return true;
  }

  bool send() {
    while (!to_send_.empty()) {
      const auto size = stream_.write_some(to_send_);
      if (size.error() == rt::Errc::would_block) return true;
      if (!size) return false;
      to_send_.erase(0, *size);
    }
    return true;
  }

  rt::DefaultSelector& selector_;
  TcpStream stream_;
  const Address peer_; // who has gone is no longer told by the socket
  std::string to_send_;
};

class Server {
 public:
  /// Ends after `clients` clients have gone, or at a signal if there are any to be waited for.
  Server(TcpListener& listener, rt::SignalEvents* signals = nullptr, unsigned clients = ~0u)
      : listener_(listener), signals_(signals), clients_left_(clients) {}

  Result<void> run() {
    listener_.set_nonblocking(true);
    auto key = selector_.register_(listener_, Ready::read, [this](const SelectorKey&, Ready) { accept(); });
    if (key && signals_)
      key = selector_.register_(*signals_, Ready::read, [this](const SelectorKey&, Ready) {
        ending_ = signals_->try_wait().ok(); // taken, or it would end the process when nobody waits for it any more
      });
    if (!key) return key.error();
    while (!ending_ && clients_left_ > 0) {
      const auto events = selector_.select();
      if (!events) return events.error();
      for (const auto& event : *events) event.call();
    }
    return {};
  }

 private:
  void accept() {
    auto stream = listener_.accept();
    if (!stream) return; // it has gone already
    stream->set_nonblocking(true);
    const Address peer = stream->peer();
    const int number = stream->number();
    auto serve = [this, connection = std::make_unique<Connection>(selector_, std::move(*stream))](
                     const SelectorKey& key, Ready events) {
      if (connection->serve(events)) return;
      rt::println("server: closes {}, {} clients are left", connection->peer(), --connected_);
      (void)selector_.unregister(key.fd);
      if (clients_left_ != ~0u) --clients_left_;
    };
    if (const auto key = selector_.register_(number, Ready::read, std::move(serve)); !key)
      return rt::println("server: refuses {}: {}", peer, key.error());
    rt::println("server: accepted {}, {} clients now", peer, ++connected_);
  }

  TcpListener& listener_;
  rt::SignalEvents* const signals_;
  unsigned clients_left_;
  unsigned connected_ = 0;
  bool ending_ = false;
  rt::DefaultSelector selector_;
};

inline Result<void> demonstrate(unsigned clients) {
  auto listener = listen(0);
  if (!listener) return listener.error();
  TalkingClients talking(listener->address(), clients);
  const auto served = Server(*listener, nullptr, clients).run();
  const auto talked = talking.join();
  return served ? talked : served;
}

} // namespace selectors_example
