#include "tools/message_formatter.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>
#include <bit>
#include <iterator>

#include "core/bytes.h"
#include "core/java_text.h"
#include "tools/coordinator_records.h"

namespace millrace {
namespace {

constexpr std::string_view kSerialization = "org.apache.kafka.common.serialization.";

bool is_true(std::string_view text) {
  text = java_trim(text);
  return text.size() == 4 && ::strncasecmp(text.data(), "true", 4) == 0;
}

/// DefaultMessageFormatter: columns chosen by print.* settings.
class DefaultFormatter final : public MessageFormatter {
 public:
  Status configure(const ClientProperties& properties) {
    const Flags known_flags = flags();
    const Texts known_texts = texts();
    for (const auto& [name, value] : properties) {
      if (const auto flag = known_flags.find(name); flag != known_flags.end()) this->*flag->second = is_true(value);
      if (const auto text = known_texts.find(name); text != known_texts.end()) this->*text->second = value;
    }
    const std::pair<const char*, std::optional<TextDeserializer>*> deserializers[] = {
        {"key.deserializer", &key_}, {"value.deserializer", &value_}, {"headers.deserializer", &headers_}};
    for (const auto& [name, to] : deserializers) {
      const auto found = properties.find(name);
      if (found == properties.end()) continue;
      auto made = TextDeserializer::create(found->second);
      if (!made) return fail(std::move(made.error()).wrap(fmt::format("cannot use {}", name)));
      *to = *made;
    }
    return {};
  }

  Status format(const ConsumedRecord& record, std::string& out) override {
    const size_t start = out.size();
    Status written = write(record, out);
    if (!written) out.resize(start);
    return written;
  }

 private:
  using Flags = std::map<std::string, bool DefaultFormatter::*, std::less<>>;
  using Texts = std::map<std::string, std::string DefaultFormatter::*, std::less<>>;
  static Flags flags() {
    return {{"print.timestamp", &DefaultFormatter::print_timestamp_},
            {"print.key", &DefaultFormatter::print_key_},
            {"print.offset", &DefaultFormatter::print_offset_},
            {"print.epoch", &DefaultFormatter::print_epoch_},
            {"print.delivery", &DefaultFormatter::print_delivery_},
            {"print.partition", &DefaultFormatter::print_partition_},
            {"print.headers", &DefaultFormatter::print_headers_},
            {"print.value", &DefaultFormatter::print_value_}};
  }
  static Texts texts() {
    return {{"key.separator", &DefaultFormatter::separator_},
            {"line.separator", &DefaultFormatter::line_end_},
            {"headers.separator", &DefaultFormatter::headers_separator_},
            {"null.literal", &DefaultFormatter::null_}};
  }

  Status write(const ConsumedRecord& record, std::string& out);
  Status field(const NullableBytes& bytes, const std::optional<TextDeserializer>& deserializer,
               std::string& out) const {
    const BytesView shown = bytes ? *bytes : BytesView(null_);
    if (deserializer) return deserializer->append(shown, out);
    out += shown;
    return {};
  }

  bool print_timestamp_ = false;
  bool print_key_ = false;
  bool print_offset_ = false;
  bool print_epoch_ = false;
  bool print_delivery_ = false;
  bool print_partition_ = false;
  bool print_headers_ = false;
  bool print_value_ = true;
  std::string separator_ = "\t";
  std::string line_end_ = "\n";
  std::string headers_separator_ = ",";
  std::string null_ = "null";
  std::optional<TextDeserializer> key_;
  std::optional<TextDeserializer> value_;
  std::optional<TextDeserializer> headers_;
};

Status DefaultFormatter::write(const ConsumedRecord& record, std::string& out) {
  // Each column ends with the separator, the last one that is not the value with the line end.
  int columns = print_timestamp_ + print_partition_ + print_offset_ + print_delivery_ + print_epoch_ + print_headers_ +
                print_key_ + print_value_;
  const auto end_column = [&] { out += --columns > 0 ? separator_ : line_end_; };
  if (print_timestamp_) {
    if (record.time_type == ConsumedRecord::Time::kNone) {
      out += "NO_TIMESTAMP";
    } else {
      const bool created = record.time_type == ConsumedRecord::Time::kCreate;
      fmt::format_to(std::back_inserter(out), "{}:{}", created ? "CreateTime" : "LogAppendTime", record.timestamp);
    }
    end_column();
  }
  if (print_partition_) {
    fmt::format_to(std::back_inserter(out), "Partition:{}", record.partition);
    end_column();
  }
  if (print_offset_) {
    fmt::format_to(std::back_inserter(out), "Offset:{}", record.offset);
    end_column();
  }
  if (print_delivery_) {
    out += "Delivery:NOT_PRESENT";
    end_column();
  }
  if (print_epoch_) {
    // Kafka's console consumer hands its formatter records without their epoch.
    out += "Epoch:NOT_PRESENT";
    end_column();
  }
  if (print_headers_) {
    if (record.headers.empty()) out += "NO_HEADERS";
    for (size_t i = 0; i < record.headers.size(); ++i) {
      if (i != 0) out += headers_separator_;
      out.append(record.headers[i].key) += ':';
      if (auto done = field(record.headers[i].value, headers_, out); !done) return done;
    }
    end_column();
  }
  if (print_key_) {
    if (auto done = field(record.key, key_, out); !done) return done;
    end_column();
  }
  if (print_value_) {
    if (auto done = field(record.value, value_, out); !done) return done;
    end_column();
  }
  return {};
}

class SilentFormatter final : public MessageFormatter {
 public:
  Status format(const ConsumedRecord& /*record*/, std::string& /*out*/) override { return {}; }
};

/// OffsetsMessageFormatter, GroupMetadataMessageFormatter and TransactionLogMessageFormatter: JSON, a line a record.
class CoordinatorFormatter final : public MessageFormatter {
 public:
  CoordinatorFormatter(CoordinatorTopic topic, std::string_view key_name) : topic_(topic), key_name_(key_name) {}

  Status format(const ConsumedRecord& record, std::string& out) override {
    auto decoded = decode_coordinator_record(topic_, record.key, record.value);
    if (!decoded) return fail(std::move(decoded.error()));
    // A topic holds several kinds of records; each formatter shows its own.
    if (decoded->key_name != key_name_) return {};
    fmt::format_to(std::back_inserter(out), R"({{"key":{{"type":{},"data":{}}},"value":)", decoded->key_version,
                   decoded->key);
    if (decoded->value) {
      fmt::format_to(std::back_inserter(out), R"({{"version":{},"data":{}}}}})", decoded->value_version,
                     *decoded->value);
    } else {
      out += "null}";
    }
    out += '\n';
    return {};
  }

 private:
  CoordinatorTopic topic_;
  std::string key_name_;
};

/// "org.apache.kafka.tools.consumer.X", "kafka.tools.X" and "Outer$X" are all X.
std::string_view short_name(std::string_view class_name) {
  const size_t at = class_name.find_last_of(".$");
  return at == std::string_view::npos ? class_name : class_name.substr(at + 1);
}

template <class Number>
Expected<Number> number(BytesView bytes, const char* type) {
  if (bytes.size() != sizeof(Number)) {
    return fail(ErrorCode::kBadRecord,
                fmt::format("Size of data received by {}Deserializer is not {}", type, sizeof(Number)));
  }
  return load_be<Number>(bytes.data());
}

}  // namespace

Expected<std::unique_ptr<MessageFormatter>> make_formatter(std::string_view class_name,
                                                           const ClientProperties& properties) {
  const std::string_view name = short_name(class_name);
  if (name == "DefaultMessageFormatter" || name == "LoggingMessageFormatter") {
    auto formatter = std::make_unique<DefaultFormatter>();
    if (auto done = formatter->configure(properties); !done) return fail(std::move(done.error()));
    return formatter;
  }
  if (name == "NoOpMessageFormatter") return std::make_unique<SilentFormatter>();
  if (name == "OffsetsMessageFormatter")
    return std::make_unique<CoordinatorFormatter>(CoordinatorTopic::kOffsets, "OffsetCommitKey");
  if (name == "GroupMetadataMessageFormatter")
    return std::make_unique<CoordinatorFormatter>(CoordinatorTopic::kOffsets, "GroupMetadataKey");
  if (name == "TransactionLogMessageFormatter")
    return std::make_unique<CoordinatorFormatter>(CoordinatorTopic::kTransactions, "TransactionLogKey");
  return fail(
      ErrorCode::kInvalidConfig,
      fmt::format("The formatter class {} is not there: this tool runs no Java. Known are DefaultMessageFormatter, "
                  "LoggingMessageFormatter, NoOpMessageFormatter, OffsetsMessageFormatter, "
                  "GroupMetadataMessageFormatter and TransactionLogMessageFormatter",
                  class_name));
}

Expected<TextDeserializer> TextDeserializer::create(std::string_view class_name) {
  std::string_view name = class_name;
  if (name.starts_with(kSerialization)) name.remove_prefix(kSerialization.size());
  if (name.ends_with("Deserializer")) name.remove_suffix(12);
  const std::pair<std::string_view, Kind> kinds[] = {{"String", Kind::kRaw},
                                                     {"Short", Kind::kShort},
                                                     {"Integer", Kind::kInteger},
                                                     {"Long", Kind::kLong},
                                                     {"Float", Kind::kFloat},
                                                     {"Double", Kind::kDouble},
                                                     {"UUID", Kind::kRaw},
                                                     {"Boolean", Kind::kBoolean},
                                                     {"ByteArray", Kind::kByteArray},
                                                     {"ByteBuffer", Kind::kByteArray},
                                                     {"Bytes", Kind::kByteArray},
                                                     {"Void", Kind::kVoid}};
  for (const auto& [known, kind] : kinds) {
    if (known == name) return TextDeserializer(kind);
  }
  return fail(
      ErrorCode::kInvalidConfig,
      fmt::format("The deserializer class {} is not there: this tool runs no Java. Known are the {}*Deserializer "
                  "classes of String, Short, Integer, Long, Float, Double, UUID, Boolean, ByteArray, ByteBuffer, "
                  "Bytes and Void",
                  class_name, kSerialization));
}

Status TextDeserializer::append(BytesView bytes, std::string& out) const {
  const auto put = [&out](auto parsed, auto&& text) -> Status {
    if (!parsed) return fail(std::move(parsed.error()));
    out += text(*parsed);
    return {};
  };
  const auto plain = [](auto value) { return fmt::format("{}", value); };
  switch (kind_) {
    case Kind::kShort:
      return put(number<int16_t>(bytes, "Short"), plain);
    case Kind::kInteger:
      return put(number<int32_t>(bytes, "Integer"), plain);
    case Kind::kLong:
      return put(number<int64_t>(bytes, "Long"), plain);
    case Kind::kFloat:
      return put(number<int32_t>(bytes, "Float"),
                 [](int32_t bits) { return java_float_text(std::bit_cast<float>(bits)); });
    case Kind::kDouble:
      return put(number<int64_t>(bytes, "Double"),
                 [](int64_t bits) { return java_double_text(std::bit_cast<double>(bits)); });
    case Kind::kBoolean:
      if (bytes.size() != 1 || static_cast<unsigned char>(bytes[0]) > 1)
        return fail(ErrorCode::kBadRecord, "Unexpected byte received by BooleanDeserializer");
      out += bytes[0] != 0 ? "true" : "false";
      return {};
    case Kind::kVoid:
      return fail(ErrorCode::kBadRecord, "Data should be null for a VoidDeserializer.");
    case Kind::kByteArray:
      // Kafka's Bytes prints this; of byte[] and ByteBuffer Java prints only an address, which helps nobody.
      for (const char c : bytes) {
        if (c == '\\')
          out += "\\\\";
        else if (c >= ' ' && c <= '~')
          out += c;
        else
          fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(c));
      }
      return {};
    case Kind::kRaw:
      out += bytes;
      return {};
  }
  return {};
}

}  // namespace millrace
