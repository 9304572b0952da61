#pragma once
// Non-blocking input and output: a call that finds nothing says so at once, and the program asks again and again.

#include "network.hpp"

#include <rt/sync/event.hpp>
#include <rt/thread/thread.hpp>

namespace nonblocking {

using namespace apps;

/// What the server does when it was told that nothing is ready. False: it is to end.
struct Meanwhile {
  virtual bool no_connection() = 0;
  virtual bool no_data() = 0;

 protected:
  ~Meanwhile() = default;
};

// --- The server ------------------------------------------------------------------------------------------------------

/// Polls the client's connection until it has said everything. False: it is to end.
inline bool poll_client(TcpStream client, Meanwhile& meanwhile) {
  client.set_nonblocking(true);
  char buffer[1024];
  for (;;) {
    const auto size = client.read(buffer);
    if (size && *size != 0) {
      rt::println("server: received {}", Received{without_newline({buffer, *size})});
    } else if (size.error() == rt::Errc::would_block) {
      rt::println("server: no data, error: {}", size.error());
      if (!meanwhile.no_data()) return false;
    } else {
      rt::println("server: the client has gone");
      return true;
    }
  }
}

/// Polls for connections, and takes one after the other. Ends after `clients` of them.
inline void serve(TcpListener& listener, Meanwhile& meanwhile, unsigned clients = ~0u) {
  listener.set_nonblocking(true);
  while (clients > 0) {
    auto client = listener.accept();
    if (client) {
      rt::println("server: {} has connected", client->peer());
      if (!poll_client(std::move(*client), meanwhile)) return;
      --clients;
    } else {
      rt::println("server: no connection, error: {}", client.error());
      if (!meanwhile.no_connection()) return;
    }
  }
}

// --- The client ------------------------------------------------------------------------------------------------------

/// Connects, sends the text, and leaves.
template <class BeforeSending>
Result<void> say(const Address& server, std::string_view text, BeforeSending before_sending) {
  auto stream = TcpStream::connect(server);
  if (!stream) return stream.error();
  before_sending();
  rt::println("client: sends {}", Received{text});
  return stream->write(text);
}

/// A demonstration: the client connects when the server has been told once that nobody has, and sends when the server
/// has been told once that nothing has come.
class Demonstration final : public Meanwhile {
 public:
  Result<void> run(TcpListener& listener) {
    const Address address = listener.address();
    rt::Thread server([&] { serve(listener, *this, 1); });
    server.start().value();
    polled_for_connections_.wait();
    const auto said = say(address, "hello", [this] { polled_for_data_.wait(); });
    server.join();
    return said;
  }

 private:
  bool no_connection() override {
    pause(500ms);
    polled_for_connections_.set();
    return true;
  }
  bool no_data() override {
    pause(500ms);
    polled_for_data_.set();
    return true;
  }

  rt::Event polled_for_connections_, polled_for_data_;
};

} // namespace nonblocking
