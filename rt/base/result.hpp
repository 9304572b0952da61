#pragma once
// Result<T>: a value of type T, or the Error that says why there is none. Nothing in the runtime throws.
//
// The class is not [[nodiscard]]; those functions are whose failure is part of normal use.

#include <rt/base/error.hpp>

#include <new>
#include <type_traits>
#include <utility>

namespace rt {

/// Ends the program: value() was called on a Result that holds an error.
[[noreturn]] void panic_on_missing_value(Error error);

template <class T = void> class Result {
 public:
  using value_type = T;

  Result(const T& value) : ok_(true) { ::new (&value_) T(value); }
  Result(T&& value) : ok_(true) { ::new (&value_) T(std::move(value)); }
  Result(Error error) : error_(error) {}
  Result(Errc code) : error_{code} {}

  /// The value that write(address) has put at the address, or the error that it has returned.
  template <class Write> static Result written_by(Write write) {
    Result result(Errc::none);
    const auto written = write(static_cast<void*>(&result.value_));
    result.ok_ = written.ok();
    if (!written) result.error_ = written.error();
    return result;
  }

  Result(const Result& other) requires std::is_copy_constructible_v<T> : ok_(other.ok_) {
    if (ok_)
      ::new (&value_) T(other.value_);
    else
      error_ = other.error_;
  }
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_)
      ::new (&value_) T(std::move(other.value_));
    else
      error_ = other.error_;
  }
  Result& operator=(Result other) noexcept {
    this->~Result();
    return *::new (this) Result(std::move(other));
  }
  ~Result() {
    if (ok_) value_.~T();
  }

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }

  /// The value. Panics with the error's message when there is none.
  T& value() & {
    if (!ok_) panic_on_missing_value(error_);
    return value_;
  }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  T&& value() && { return std::move(value()); }

  template <class U> T value_or(U&& fallback) const& {
    return ok_ ? value_ : static_cast<T>(std::forward<U>(fallback));
  }
  template <class U> T value_or(U&& fallback) && {
    return ok_ ? std::move(value_) : static_cast<T>(std::forward<U>(fallback));
  }

  /// The error; Errc::none when there is a value.
  Error error() const { return ok_ ? Error{} : error_; }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  union {
    T value_;
    Error error_;
  };
  bool ok_ = false;
};

template <> class Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(error) {}
  Result(Errc code) : error_{code} {}

  bool ok() const { return error_.code == Errc::none; }
  explicit operator bool() const { return ok(); }

  /// Panics with the error's message when there is one.
  void value() const {
    if (!ok()) panic_on_missing_value(error_);
  }
  Error error() const { return error_; }

 private:
  Error error_;
};

} // namespace rt
