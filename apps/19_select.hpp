#pragma once
// Multiplexing by select: one thread waits for many descriptors at once: the listener, each client, and the standard
// input, from where an operator answers the clients.

#include "line_client.hpp"

#include <rt/io/selectors.hpp>

#include <deque>

namespace select_example {

using namespace apps;
using rt::Ready, rt::SelectorKey;

class Server {
 public:
  /// operator_input: lines, each of which answers the client that has waited longest. Ends when that ends, after
  /// `clients` clients have gone, or at a signal if there are any to be waited for.
  Server(TcpListener& listener, rt::Fd operator_input, rt::SignalEvents* signals = nullptr, unsigned clients = ~0u)
      : listener_(listener), input_(std::move(operator_input)), signals_(signals), clients_left_(clients) {}

  Result<void> run() {
    listener_.set_nonblocking(true);
    for (const int number : {listener_.number(), input_.number(), signals_ ? signals_->number() : -1})
      if (number >= 0)
        if (const auto key = selector_.register_(number, Ready::read); !key) return key.error();
    while (!ending_ && clients_left_ > 0) {
      const auto events = selector_.select(scaled(3s));
      if (!events) return events.error();
      if (events->empty()) rt::println("server: nobody has said anything for {}", scaled(3s));
      for (const auto& event : *events) {
        if (event.key.fd == listener_.number())
          accept();
        else if (event.key.fd == input_.number())
          take_answer();
        else if (signals_ && event.key.fd == signals_->number())
          ending_ = signals_->try_wait().ok(); // taken, or it would end the process when nobody waits for it any more
        else
          listen_to(event.key.fd);
      }
      give_answers();
    }
    return {};
  }

 private:
  struct Client {
    unsigned number;
    TcpStream stream;
  };

  void accept() {
    auto stream = listener_.accept();
    if (!stream) return; // it has gone already
    stream->set_nonblocking(true);
    const auto key = selector_.register_(*stream, Ready::read);
    if (!key) return rt::println("server: refuses {}: {}", stream->peer(), key.error());
    clients_.push_back({++clients_seen_, std::move(*stream)});
    rt::println("server: client {} has connected, {} now", clients_seen_, clients_.size());
  }

  Client* client_of(int descriptor) {
    for (auto& client : clients_)
      if (client.stream.number() == descriptor) return &client;
    return nullptr;
  }

  void listen_to(int descriptor) {
    Client* const client = client_of(descriptor);
    if (!client) return;
    char buffer[1024];
    const auto size = client->stream.read(buffer);
    if (size.error() == rt::Errc::would_block) return;
    if (!size || *size == 0) return remove(*client);
    rt::println("server: client {} says {}", client->number, Received{without_newline({buffer, *size})});
    waiting_.push_back(client->number);
    if (answers_.empty()) prompt();
  }

  void remove(Client& client) {
    rt::println("server: client {} has gone", client.number);
    std::erase(waiting_, client.number);
    (void)selector_.unregister(client.stream);
    if (clients_left_ != ~0u) --clients_left_;
    std::erase_if(clients_, [&](const Client& each) { return &each == &client; });
  }

  void prompt() const {
    if (!waiting_.empty()) rt::println("server: answer client {}:", waiting_.front());
  }

  // One read: there is something, or the end.
  void take_answer() {
    char buffer[4096];
    const auto size = input_.read(buffer);
    if (!size || *size == 0) {
      ending_ = true;
      return;
    }
    typed_.append(buffer, *size);
    for (std::size_t end; (end = typed_.find('\n')) != typed_.npos; typed_.erase(0, end + 1))
      answers_.push_back(typed_.substr(0, end + 1));
  }

  void give_answers() {
    while (!answers_.empty() && !waiting_.empty()) {
      for (auto& client : clients_)
        if (client.number == waiting_.front()) {
          rt::println("server: answers client {}: {}", client.number, Received{without_newline(answers_.front())});
          (void)client.stream.write_some(answers_.front()); // one that does not read misses its answer
        }
      answers_.pop_front();
      waiting_.pop_front();
      if (answers_.empty()) prompt();
    }
  }

  TcpListener& listener_;
  rt::Fd input_;
  rt::SignalEvents* const signals_;
  unsigned clients_left_;
  bool ending_ = false;
  rt::SelectSelector selector_;
  std::vector<Client> clients_;
  unsigned clients_seen_ = 0;
  std::deque<unsigned> waiting_;    // clients that have said something, by their numbers
  std::deque<std::string> answers_; // that nobody has asked for yet
  std::string typed_;               // the beginning of a line
};

/// The server, its clients, and in place of the operator a pipe with his answers.
inline Result<void> demonstrate(unsigned clients) {
  auto listener = listen(0);
  if (!listener) return listener.error();
  const auto ends = rt::kernel::make_pipe(O_CLOEXEC);
  if (!ends) return ends.error();
  rt::Fd answers(ends->read), typing(ends->write);
  for (unsigned i = 1; i <= 2 * clients; ++i) {
    char line[32];
    const std::size_t size = rt::format_to(line, "answer {}\n", i);
    if (const auto typed = rt::kernel::write_file(typing.number(), {line, size}); !typed) return typed.error();
  }
  TalkingClients talking(listener->address(), clients);
  const auto served = Server(*listener, std::move(answers), nullptr, clients).run();
  const auto talked = talking.join();
  return served ? talked : served;
}

} // namespace select_example
