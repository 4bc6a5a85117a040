/// How the field types of messages become JSON. Included by generated files only, after the declarations of
/// write_json() and read_json() for their structs.
#pragma once

#include "protocol/message_json.h"

namespace millrace {

template <class T>
void json_value(JsonText& out, const T& value, int16_t version) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_integral_v<T>) {
    out.integer(static_cast<int64_t>(value));
  } else if constexpr (std::is_same_v<T, double>) {
    out.real(value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    out.text(value.text());
  } else if constexpr (std::is_same_v<T, Records>) {
    value.is_null ? out.null() : out.base64(value.bytes);
  } else {
    write_json(out, value, version);
  }
}

/// Strings and bytes are the same C++ type: the generated code names the one it means.
inline void json_string(JsonText& out, std::string_view value) { out.text(value); }
inline void json_bytes(JsonText& out, BytesView value) { out.base64(value); }

template <class T>
void json_read(const JsonNode& in, T& value, int16_t version, MessageStore& store) {
  if constexpr (std::is_same_v<T, bool>) {
    value = in.boolean();
  } else if constexpr (std::is_integral_v<T>) {
    value = static_cast<T>(in.integer());
  } else if constexpr (std::is_same_v<T, double>) {
    value = in.real();
  } else if constexpr (std::is_same_v<T, Uuid>) {
    value = Uuid::parse(in.text()).value_or(Uuid{});
  } else if constexpr (std::is_same_v<T, Records>) {
    value.is_null = in.is_null();
    value.bytes = value.is_null ? BytesView{} : store.keep(in.base64());
  } else {
    read_json(in, value, version, store);
  }
}

template <class Message>
constexpr MessageInfo make_message_info(std::string_view name, MessageInfo::Kind kind, int16_t key) {
  return MessageInfo{name,
                     kind,
                     key,
                     Message::kVersionMin,
                     Message::kVersionMax,
                     Message::kFlexibleFrom,
                     [](BytesView bytes, int16_t version, size_t& left) -> Expected<std::string> {
                       WireReader in(bytes);
                       Message message;
                       message.decode(in, version);
                       if (in.bad())
                         return fail(ErrorCode::kCorruption, "the message ends early or contradicts itself");
                       left = in.remaining();
                       JsonText text;
                       write_json(text, message, version);
                       return text.take();
                     },
                     [](std::string_view json, int16_t version) -> Expected<std::string> {
                       std::string bytes;
                       MessageStore store;
                       auto parsed = with_json(json, [&](const JsonNode& root) {
                         Message message;
                         read_json(root, message, version, store);
                         WireWriter out(bytes);
                         message.encode(out, version);
                       });
                       if (!parsed) return fail(std::move(parsed.error()));
                       return bytes;
                     },
                     [](BytesView bytes, int16_t version) -> Expected<std::string> {
                       WireReader in(bytes);
                       Message message;
                       message.decode(in, version);
                       if (in.bad())
                         return fail(ErrorCode::kCorruption, "the message ends early or contradicts itself");
                       std::string copied;
                       WireWriter out(copied);
                       message.encode(out, version);
                       return copied;
                     }};
}

}  // namespace millrace
