#pragma once
// SelectorKey: what a selector knows of a descriptor (Python's selectors.SelectorKey), and SelectorData: what its user
// has attached to it, often a callback.
//
//   selector.register_(socket, Ready::read, [&](const rt::SelectorKey& key, rt::Ready events) { ... });
//   for (const auto& event : selector.select().value()) event.call();

#include <rt/hub/readiness.hpp>

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

namespace rt {

struct SelectorKey;

/// One value of any type, or none. Copies share it, and the last one destroys it.
class SelectorData {
 public:
  SelectorData() = default;
  template <class T>
  requires(!std::same_as<std::remove_cvref_t<T>, SelectorData>) SelectorData(T&& value)
      : box_(new BoxOf<std::decay_t<T>>(std::forward<T>(value))) {}

  SelectorData(const SelectorData& other) : box_(other.box_) {
    if (box_) box_->uses.fetch_add(1, std::memory_order_relaxed);
  }
  SelectorData(SelectorData&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  SelectorData& operator=(SelectorData other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }
  ~SelectorData() {
    if (box_ && box_->uses.fetch_sub(1, std::memory_order_acq_rel) == 1) box_->type->destroy(box_);
  }

  /// There is a value.
  explicit operator bool() const { return box_ != nullptr; }

  /// The value; nullptr: there is none, or it is of another type.
  template <class T> T* get() const {
    return box_ && box_->type == &type_of<T> ? &static_cast<BoxOf<T>*>(box_)->value : nullptr;
  }

  /// Calls the value, if it can be called with a key and events. False: it cannot.
  bool call(const SelectorKey& key, Ready events) const {
    if (!box_ || !box_->type->call) return false;
    box_->type->call(*box_, key, events);
    return true;
  }

  /// Whether both are the same value, not only an equal one.
  friend bool operator==(const SelectorData&, const SelectorData&) = default;

 private:
  struct Box;
  struct Type {
    void (*destroy)(Box* box);
    void (*call)(Box& box, const SelectorKey& key, Ready events); ///< nullptr: it is no callback
  };
  struct Box {
    const Type* type;
    std::atomic<unsigned> uses = 1;
  };
  template <class T> struct BoxOf : Box {
    template <class U> explicit BoxOf(U&& from) : Box{&type_of<T>}, value(std::forward<U>(from)) {}
    T value;
  };

  template <class T> static void destroy_box(Box* box) { delete static_cast<BoxOf<T>*>(box); }
  template <class T> static void call_box(Box& box, const SelectorKey& key, Ready events) {
    (void)static_cast<BoxOf<T>&>(box).value(key, events);
  }
  template <class T> static constexpr Type make_type() {
    if constexpr (std::invocable<T&, const SelectorKey&, Ready>)
      return {destroy_box<T>, call_box<T>};
    else
      return {destroy_box<T>, nullptr};
  }
  template <class T> static constexpr Type type_of = make_type<T>();

  Box* box_ = nullptr;
};

struct SelectorKey {
  int fd = -1;
  Ready events = Ready::none; ///< that are waited for: Ready::read, Ready::write or both
  SelectorData data = {};
};

/// A descriptor that is ready.
struct SelectorEvent {
  SelectorKey key;
  Ready events; ///< what it is ready for, of those that are waited for

  /// Calls the key's data with the key and the events. False: it is no callback.
  bool call() const { return key.data.call(key, events); }
};

} // namespace rt
