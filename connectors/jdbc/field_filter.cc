#include "connectors/jdbc/field_filter.h"

#include <re2/re2.h>

#include <algorithm>

namespace millrace::jdbc {
namespace {

using connectors::Code;
using connectors::Result;
using connectors::Status;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

Result<std::shared_ptr<const RE2>> expression(std::string_view text, const std::string& entry) {
  auto made = std::make_shared<const RE2>(piece(text), RE2::Quiet);
  if (made->ok()) return std::shared_ptr<const RE2>(std::move(made));
  return Status(Code::kInvalidConfig, "'" + entry + "' of a field list: " + made->error());
}

}  // namespace

Result<FieldFilter> FieldFilter::make(const std::vector<std::string>& include,
                                      const std::vector<std::string>& exclude) {
  if (!include.empty() && !exclude.empty()) {
    return Status(Code::kInvalidConfig, "field.include.list and field.exclude.list exclude each other; set only one");
  }
  FieldFilter filter;
  filter.including_ = !include.empty();
  for (const std::string& text : filter.including_ ? include : exclude) {
    Entry entry;
    const size_t colon = text.rfind(':');
    if (colon != std::string::npos) {
      auto topic = expression(std::string_view(text).substr(0, colon), text);
      if (!topic.ok()) return topic.status();
      entry.topic = *topic;
      filter.by_topic_ = true;
    }
    auto field = expression(colon == std::string::npos ? text : std::string_view(text).substr(colon + 1), text);
    if (!field.ok()) return field.status();
    entry.field = *field;
    filter.entries_.push_back(std::move(entry));
  }
  return filter;
}

bool FieldFilter::takes(std::string_view topic, std::string_view field) const {
  const bool listed = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return (entry.topic == nullptr || RE2::FullMatch(piece(topic), *entry.topic)) &&
           RE2::FullMatch(piece(field), *entry.field);
  });
  return entries_.empty() || listed == including_;
}

}  // namespace millrace::jdbc
