#include <rt/process/manager_client.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/task.hpp>
#include <rt/io/tcp.hpp>
#include <rt/io/unix_socket.hpp>
#include <rt/kernel/stream_io.hpp>
#include <rt/process/manager_protocol.hpp>

#include <algorithm>
#include <mutex>

namespace rt::managing {
namespace {

/// The peer is not there, or not any more.
bool is_loss(Error error) {
  return error == Errc::end_of_file || error == Errc::broken_pipe || error == Errc::connection_refused ||
         error == Errc::connection_reset || error == Errc::no_such_file_or_directory;
}

/// What an answer holds; bad_message: it is none.
Result<Value> open_answer(Value&& answer) {
  if (!answer.is_list() || answer.list().size() < 2 || !answer.list()[0].is_boolean()) return Errc::bad_message;
  Value::List& parts = answer.list();
  if (parts[0].boolean()) return std::move(parts[1]);
  if (!parts[1].is_integer() || parts[1].integer() <= 0 || parts[1].integer() > 0x7fffffff) return Errc::bad_message;
  return static_cast<Errc>(parts[1].integer());
}

} // namespace

Client::Client(const Address& address, std::string key)
    : address_(address), key_(std::move(key)), session_(random_bytes(session_size)) {
  const std::lock_guard guard(list_lock);
  next_ = first;
  first = this;
}

Client::~Client() {
  const std::lock_guard guard(list_lock);
  Client** link = &first;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
}

Result<void> Client::connect() {
  const auto link = take();
  if (!link) return link.error();
  give(**link);
  return {};
}

// --- Connections -----------------------------------------------------------------------------------------------------

Result<Client::Link*> Client::take() {
  std::string session;
  bool anchored;
  {
    const std::lock_guard guard(lock_);
    for (auto link = links_.rbegin(); link != links_.rend(); ++link)
      if (!(*link)->busy) return (*link)->busy = true, link->get();
    session = session_;
    anchored = anchor_.is_open();
  }
  if (!anchored)
    if (const auto begun = begin_session(session); !begun) return begun.error();
  auto connection = open(session);
  if (!connection) return connection.error();
  auto link = std::make_unique<Link>(Link{std::move(*connection), true});
  Link* const made = link.get();
  const std::lock_guard guard(lock_);
  links_.push_back(std::move(link));
  return made;
}

Result<void> Client::begin_session(const std::string& session) {
  auto connection = open(session);
  if (!connection) return connection.error();
  const std::lock_guard guard(lock_);
  if (!anchor_.is_open()) std::swap(anchor_, *connection); // another task may have done the same meanwhile
  return {};
}

void Client::give(Link& link) {
  const std::lock_guard guard(lock_);
  link.busy = false;
}

/// Closes a connection whose answer nobody waits for any more.
void Client::drop(Link& link) {
  std::unique_ptr<Link> dropped; // destroyed without the lock
  const std::lock_guard guard(lock_);
  const auto found = std::ranges::find(links_, &link, [](const auto& each) { return each.get(); });
  dropped = std::move(*found);
  links_.erase(found);
}

Result<Connection> Client::open(const std::string& session) const {
  const auto connected = [](auto&& stream) -> Result<Fd> {
    if (!stream) return stream.error();
    return Fd(stream->release());
  };
  auto socket = address_.family() == Address::Family::local ? connected(UnixStream::connect(address_))
                                                            : connected(TcpStream::connect(address_));
  if (!socket) return socket.error();
  (void)kernel::make_blocking(socket->number());
  Connection connection(std::move(*socket));

  // It is the server that begins. If its listener is closed during our connect(2), Linux may leave us connected to
  // nobody, and would tell us only if we sent something.
  const auto greeted = connection.poll(authentication_time);
  if (!greeted) return greeted.error();
  if (!*greeted) return Errc::connection_reset;
  const auto greeting = connection.recv();
  if (!greeting) return greeting.error();
  if (!greeting->is_list() || greeting->list().size() != 3 || greeting->list()[0] != protocol_name ||
      greeting->list()[1] != protocol_version || !greeting->list()[2].is_bytes())
    return Errc::bad_message;
  const std::string_view theirs = greeting->list()[2].bytes();
  const std::string challenge = random_bytes(challenge_size);
  const auto sent = connection.send({Value::bytes(session), Value::bytes(challenge),
                                     Value::bytes(proof(key_, "client", theirs, challenge, session))});
  if (!sent) return sent.error();
  auto reply = connection.recv();
  if (!reply) return reply.error();
  const auto proved = open_answer(std::move(*reply));
  if (!proved) return proved.error();
  const bool right =
      proved->is_bytes() && equal_in_constant_time(proved->bytes(), proof(key_, "server", challenge, theirs, session));
  if (!right) return Errc::permission_denied;
  return connection;
}

// --- Requests --------------------------------------------------------------------------------------------------------

Result<Value> Client::call(std::int64_t object, std::string_view method, Value::List&& arguments) {
  const auto link = take();
  if (!link) return is_loss(link.error()) ? Errc::server_lost : link.error().code;
  Connection& connection = (*link)->connection;
  Value::List request;
  request.reserve(4);
  request.emplace_back(object);
  request.emplace_back(method);
  request.emplace_back(std::move(arguments));
  request.emplace_back(current_task().id);
  const auto sent = connection.send(std::move(request));
  if (sent.error() == Errc::illegal_byte_sequence || sent.error() == Errc::value_too_large) {
    give(**link); // nothing was sent
    return sent.error();
  }
  auto answer = sent ? connection.recv() : Result<Value>(sent.error());
  if (!answer) {
    drop(**link);
    return is_loss(answer.error()) ? Errc::server_lost : answer.error().code;
  }
  give(**link);
  return open_answer(std::move(*answer));
}

// --- Copies of the process -------------------------------------------------------------------------------------------

void Client::lock_all() {
  list_lock.lock();
  for (Client* client = first; client; client = client->next_) client->lock_.lock();
}
void Client::unlock_all() {
  for (Client* client = first; client; client = client->next_) client->lock_.unlock();
  list_lock.unlock();
}
void Client::reset_locks() {
  for (Client* client = first; client; client = client->next_) client->lock_.reset();
  list_lock.reset();
}
void Client::close_all() {
  for (Client* client = first; client; client = client->next_) {
    client->links_.clear();
    client->anchor_.close();
    client->session_ = random_bytes(session_size);
  }
}

// The heap's locks (90) are taken after ours, and in the child free before our connections are.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_client_locks(ForkPhase phase) {
  if (phase == ForkPhase::prepare) Client::lock_all();
  if (phase == ForkPhase::parent) Client::unlock_all();
  if (phase == ForkPhase::child) Client::reset_locks();
}
RT_AT_FORK(25, rt_fork_client_locks);

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_client_connections() { Client::close_all(); }
RT_IN_FORKED(95, rt_fork_client_connections);

} // namespace rt::managing
