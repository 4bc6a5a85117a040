#include <optional>

#include "transforms/java_date_format.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"

namespace millrace::smt {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

class TimestampRouter final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = timestamp_router_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    topic_format_ = parsed->text("topic.format");
    format_ = JavaDateFormat::create(parsed->text("timestamp.format"));
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    if (!record.timestamp_ms) return bad_record(fmt::format("Timestamp missing on record of topic {}", record.topic));
    // Connect, too, looks at the pattern only when it needs it.
    if (!*format_) return bad_record(format_->error().message, "java.lang.IllegalArgumentException");
    timestamp_.clear();
    (*format_)->format(*record.timestamp_ms, timestamp_);
    topic_ = topic_format_;
    replace_all(topic_, "${topic}", record.topic);
    replace_all(topic_, "${timestamp}", timestamp_);
    record.topic = arena.copy(topic_);
    return true;
  }

 private:
  std::string topic_format_;
  std::optional<Expected<JavaDateFormat>> format_;
  std::string topic_, timestamp_;  // kept for their room
};

}  // namespace

TransformationPtr make_timestamp_router() { return std::make_unique<TimestampRouter>(); }

const ConfigDef& timestamp_router_options() {
  static const ConfigDef def = make_options(
      {{.name = "topic.format",
        .default_value = "${topic}-${timestamp}",
        .importance = ConfigImportance::kHigh,
        .documentation = "The new topic; ${topic} and ${timestamp} stand for the old one and the record's time."},
       {.name = "timestamp.format",
        .default_value = "yyyyMMdd",
        .importance = ConfigImportance::kHigh,
        .documentation = "How the time is written, in the letters of java.text.SimpleDateFormat; in UTC."}});
  return def;
}

}  // namespace millrace::smt
