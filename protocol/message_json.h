/// The pieces from which the generated JSON functions are made. See messages/registry.h for what they are for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "protocol/messages/registry.h"
#include "protocol/wire.h"

namespace millrace {

/// Writes JSON text. Bytes that are no UTF-8 become U+FFFD, as in Java.
class JsonText {
 public:
  void open_object() { open('{'); }
  void close_object() { close('}'); }
  void open_array() { open('['); }
  void close_array() { close(']'); }
  void key(std::string_view name);
  void null() { raw("null"); }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void integer(int64_t value) { raw(std::to_string(value)); }
  void real(double value);
  void text(std::string_view value);
  void base64(BytesView value);
  std::string take() { return std::move(out_); }

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);
  void raw(std::string_view text);
  std::string out_;
  bool first_ = true;
};

/// Keeps what decoded messages point to and JSON does not hold in that form.
class MessageStore {
 public:
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

 private:
  std::deque<std::string> kept_;
};

/// A value of a parsed document; valid as long as the document.
class JsonNode {
 public:
  explicit JsonNode(const void* node) : node_(node) {}
  std::optional<JsonNode> find(const char* key) const;
  bool is_null() const;
  int64_t integer() const;
  double real() const;
  bool boolean() const;
  std::string_view text() const;
  std::string base64() const;
  size_t size() const;
  JsonNode at(size_t index) const;

 private:
  const void* node_;  // a nlohmann::json, kept out of the generated files' includes
};

/// Parses `json` and hands its root to `use`. Errors: kBadRecord.
Status with_json(std::string_view json, const std::function<void(const JsonNode&)>& use);

}  // namespace millrace
