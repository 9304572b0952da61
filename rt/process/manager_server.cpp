#include <rt/process/manager_server.hpp>

#include <rt/hub/fiber.hpp>
#include <rt/hub/timeout.hpp>
#include <rt/io/tcp.hpp>
#include <rt/io/unix_socket.hpp>
#include <rt/kernel/signal.hpp>
#include <rt/process/manager_protocol.hpp>

#include <algorithm>

namespace rt::managing {
namespace {

Value encode(Answer&& answer) {
  if (!answer) return {false, static_cast<int>(answer.error().code), answer.error().message()};
  Value::List list;
  list.reserve(2);
  list.emplace_back(true);
  list.push_back(std::move(*answer));
  return list;
}

bool is_bytes_of(const Value& value, std::size_t size) { return value.is_bytes() && value.bytes().size() == size; }

/// The message was complete and is no value: the next one can be read.
bool is_of_message(Error error) {
  return error == Errc::bad_message || error == Errc::illegal_byte_sequence || error == Errc::value_too_large ||
         error == Errc::operation_not_supported;
}

} // namespace

// --- Connections -----------------------------------------------------------------------------------------------------

void Server::serve(Connection& connection) {
  const std::size_t limit = connection.limit();
  connection.set_limit(most_before_authentication);
  Session* const session = authenticate(connection);
  if (!session) return;
  connection.set_limit(limit);
  ++session->connections;
  Link link(*session, connection.fd());
  for (;;) {
    auto message = connection.recv();
    if (!message && !is_of_message(message.error())) break;
    Answer answer = message ? handle(link, *message) : message.error();
    Result<void> sent = connection.send(encode(std::move(answer)));
    if (is_of_message(sent.error())) sent = connection.send(encode(sent.error())); // nested too deeply, say
    if (!sent) break;
  }
  close(link);
}

Session* Server::authenticate(Connection& connection) {
  const Timeout limit(authentication_time);
  const std::string challenge = random_bytes(challenge_size);
  if (!connection.send({protocol_name, protocol_version, Value::bytes(challenge)})) return nullptr;
  const auto reply = connection.recv();
  if (!reply) return nullptr;
  const Value::List none;
  const Value::List& parts = reply->is_list() ? reply->list() : none;
  if (parts.size() != 3 || !is_bytes_of(parts[0], session_size) || !is_bytes_of(parts[1], challenge_size) ||
      !parts[2].is_bytes()) {
    (void)connection.send(encode(Errc::bad_message));
    return nullptr;
  }
  const std::string_view name = parts[0].bytes(), theirs = parts[1].bytes();
  if (!equal_in_constant_time(parts[2].bytes(), proof(key_, "client", challenge, theirs, name))) {
    (void)connection.send(encode(Errc::permission_denied));
    return nullptr;
  }
  if (!connection.send({true, Value::bytes(proof(key_, "server", theirs, challenge, name))})) return nullptr;
  for (const auto& session : sessions_)
    if (session->name == name) return session.get();
  sessions_.push_back(std::make_unique<Session>(Session{std::string(name), 0, {}}));
  return sessions_.back().get();
}

void Server::close(Link& link) {
  if (Object* const object = find(link.acquired.object)) object->give_back(link.acquired.caller);
  Session& session = link.session;
  if (--session.connections != 0) return;
  for (const auto& object : objects_) object->end_session(session);
  bool forgotten = false;
  for (const std::int64_t number : session.known)
    if (Object* const object = find(number)) forgotten |= --object->known_by == 0 && !object->published;
  std::erase_if(sessions_, [&](const auto& each) { return each.get() == &session; });
  if (forgotten) collect_garbage();
}

// --- Requests --------------------------------------------------------------------------------------------------------

Answer Server::handle(Link& link, Value& message) {
  link.acquired = {};
  if (!message.is_list()) return Errc::bad_message;
  Value::List& parts = message.list();
  if (parts.size() < 3 || parts.size() > 4 || !parts[0].is_integer() || !parts[1].is_text() || !parts[2].is_list() ||
      (parts.size() == 4 && !parts[3].is_integer()))
    return Errc::bad_message;
  const std::int64_t number = parts[0].integer(), task = parts.size() == 4 ? parts[3].integer() : 0;
  Request request(link, number, task, parts[1].text(), parts[2].list());
  if (number == 0) return call_manager(request);
  Object* const object = find(number);
  if (!object) return Errc::not_found;
  make_known(link.session, *object);
  ++object->users;
  Answer answer = object->call(request);
  --object->users;
  return answer;
}

Answer Server::call_manager(Request& request) {
  if (request.method == "create") return create(request);
  if (request.method == "remove") return remove(request.argument(0));
  if (request.method == "publish") return publish(request.argument(0), request.argument(1));
  if (request.method == "objects") return Value(objects_.size());
  if (request.method != "find") return Errc::operation_not_supported;
  const Value* const found = published_.find(request.argument(0));
  return found ? Answer(*found) : Errc::not_found;
}

Answer Server::create(Request& request) {
  if (!request.argument(0).is_text()) return Errc::invalid_argument;
  if (request.has(1) && !request.argument(1).is_list()) return Errc::invalid_argument;
  const Value kind = request.take(0);
  Value::List none;
  Request rest(request.link, 0, request.caller.task, request.method,
               request.has(1) ? request.argument(1).list() : none);
  std::unique_ptr<Object> object = make_lock(kind.text(), rest);
  if (!object) object = make_queue(kind.text(), rest);
  if (!object) object = make_container(kind.text(), rest);
  if (!object) return Errc::invalid_argument;
  object->number = ++last_number_;
  Object& made = *object;
  objects_.push_back(std::move(object));
  make_known(request.link.session, made);
  return make_reference(made.kind(), made.number);
}

Answer Server::remove(const Value& reference) {
  Object* const object = find(read_reference(reference).object);
  if (!object) return Errc::not_found;
  if (object->users != 0) return Errc::device_or_resource_busy;
  for (const auto& session : sessions_) std::erase(session->known, object->number);
  if (object->published) {
    const auto items = published_; // while it is walked through, nothing is erased
    for (const auto& item : items)
      if (read_reference(item.value).object == object->number) published_.erase(item.key);
  }
  destroy(*object);
  return done();
}

Answer Server::publish(Value& name, const Value& reference) {
  Object* const object = find(read_reference(reference).object);
  if (!object || name.is_null()) return object ? Errc::invalid_argument : Errc::not_found;
  if (const Value* const before = published_.find(name))
    if (Object* const other = find(read_reference(*before).object)) other->published = false;
  published_.set(std::move(name), make_reference(object->kind(), object->number));
  for (const auto& item : published_) find(read_reference(item.value).object)->published = true;
  return done();
}

Object* Server::find(std::int64_t number) const {
  const auto found = std::ranges::lower_bound(objects_, number, {}, [](const auto& object) { return object->number; });
  return found != objects_.end() && (*found)->number == number ? found->get() : nullptr;
}

void Server::destroy(Object& object) {
  const auto found =
      std::ranges::lower_bound(objects_, object.number, {}, [](const auto& each) { return each->number; });
  objects_.erase(found);
}

void Server::make_known(Session& session, Object& object) {
  auto& known = session.known;
  const auto place = std::ranges::lower_bound(known, object.number);
  if (place != known.end() && *place == object.number) return;
  known.insert(place, object.number);
  ++object.known_by;
}

// --- Garbage ---------------------------------------------------------------------------------------------------------

/// What no client knows, is not published, and cannot be reached from what is either.
void Server::collect_garbage() {
  std::vector<Object*> reached;
  for (const auto& object : objects_) object->reached = false;
  for (const auto& object : objects_)
    if (object->known_by != 0 || object->published || object->users != 0) reach(*object, reached);
  struct Search {
    Server& server;
    std::vector<Object*>& reached;

    static void see(void* argument, const Value& value) {
      auto& self = *static_cast<Search*>(argument);
      if (Object* const object = self.server.find(read_reference(value).object))
        return self.server.reach(*object, self.reached);
      if (value.is_list())
        for (const Value& item : value.list()) see(argument, item);
      if (value.is_map())
        for (const auto& item : value.map()) see(argument, item.key), see(argument, item.value);
    }
  } search{*this, reached};
  while (!reached.empty()) {
    const Object& object = *reached.back();
    reached.pop_back();
    object.visit(Search::see, &search);
  }
  std::erase_if(objects_, [](const auto& object) { return !object->reached; });
}

void Server::reach(Object& object, std::vector<Object*>& reached) {
  if (std::exchange(object.reached, true)) return;
  reached.push_back(&object);
}

// --- Listening -------------------------------------------------------------------------------------------------------

namespace {

// Values as deep as they may be are read and copied by calls as deep.
constexpr std::size_t client_stack_size = 192 * 1024;

/// As long as the listener accepts connections, for ever that is.
template <class Listener> void accept_all(Listener& listener, Server& server) {
  for (;;) {
    auto stream = listener.accept();
    if (!stream) return;
    // Without memory for another fiber, the client is sent away.
    (void)try_spawn(
        FiberOptions{"client", client_stack_size},
        [&server](Fd socket) {
          Connection connection(std::move(socket));
          server.serve(connection);
        },
        Fd(stream->release()));
  }
}

template <class Listener> void listen(const Address& address, const std::string& key, Connection& pipe) {
  auto listener = Listener::listen(address);
  char text[128];
  Output out(text);
  if (listener) format_to(out, "{}", listener->address());
  (void)pipe.send(encode(listener ? Answer(Value(out.text())) : Answer(listener.error())));
  pipe.close();
  if (!listener) return;
  Server server(key);
  spawn([&] { accept_all(*listener, server); }).join();
}

} // namespace

void run_server(const Address& address, const std::string& key, Connection& pipe) {
  // A terminal's Ctrl-C is for the program, which may still need its objects in the end. SIGTERM is for the server, not
  // for a handler of the program.
  (void)kernel::set_signal_action(kernel::Signal::sigint, kernel::SignalAction::ignore());
  (void)kernel::set_signal_action(kernel::Signal::sigterm, kernel::SignalAction::by_default());
  if (address.family() == Address::Family::local)
    listen<UnixListener>(address, key, pipe);
  else
    listen<TcpListener>(address, key, pipe);
}

} // namespace rt::managing
