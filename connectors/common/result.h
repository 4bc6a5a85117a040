/// A value or the Status that says why there is none; the plugin's counterpart of the worker's Expected.
#pragma once

#include <millrace/connector.hpp>

#include <utility>
#include <variant>

namespace millrace::connectors {

using sdk::Code;
using sdk::Status;

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}
  Result(Status status) : content_(std::move(status)) {}
  bool ok() const { return content_.index() == 0; }
  T& value() { return std::get<0>(content_); }
  const T& value() const { return std::get<0>(content_); }
  T* operator->() { return &value(); }
  T& operator*() { return value(); }
  /// Only when !ok().
  const Status& status() const { return std::get<1>(content_); }

 private:
  std::variant<T, Status> content_;
};

}  // namespace millrace::connectors
