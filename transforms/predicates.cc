#include <algorithm>
#include <optional>

#include "transforms/java_regex.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"

namespace millrace {
namespace {

const ConfigDef& has_header_key_options() {
  static const ConfigDef def = smt::make_options(
      {{.name = "name", .documentation = "Name of the header.", .validator = validators::non_empty_string()}});
  return def;
}

class HasHeaderKey final : public Predicate {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = has_header_key_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    name_ = parsed->text("name");
    return {};
  }
  Expected<bool> test(const ConnectRecord& record) override {
    return std::ranges::find(record.headers, name_, &ConnectHeader::key) != record.headers.end();
  }

 private:
  std::string name_;
};

const ConfigDef& record_is_tombstone_options() {
  static const ConfigDef def = smt::make_options({});
  return def;
}

class RecordIsTombstone final : public Predicate {
 public:
  Status configure(const ConfigMap&) override { return {}; }
  Expected<bool> test(const ConnectRecord& record) override { return is_null(record.value.value); }
};

const ConfigDef& topic_name_matches_options() {
  static const ConfigDef def = smt::make_options(
      {{.name = "pattern",
        .documentation = "Java regular expression that the topic's whole name must match. Not "
                         "supported: looking ahead or behind, back-references, possessive quantifiers.",
        .validator = validators::all_of({validators::non_empty_string(), smt::regex()})}});
  return def;
}

class TopicNameMatches final : public Predicate {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = topic_name_matches_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    auto regex = smt::JavaRegex::compile(parsed->text("pattern"));
    if (!regex) return fail(std::move(regex.error()));
    regex_ = std::move(*regex);
    return {};
  }
  Expected<bool> test(const ConnectRecord& record) override {
    if (!known_ || record.topic != topic_) {  // records of one topic come one after the other
      topic_ = record.topic;
      matches_ = regex_->matches(topic_);
      known_ = true;
    }
    return matches_;
  }

 private:
  std::optional<smt::JavaRegex> regex_;
  bool known_ = false, matches_ = false;
  std::string topic_;
};

template <class T>
std::unique_ptr<Predicate> make() {
  return std::make_unique<T>();
}

}  // namespace

const std::vector<PredicateClass>& predicate_classes() {
  static const std::vector<PredicateClass> all = {
      {"org.apache.kafka.connect.transforms.predicates.HasHeaderKey", make<HasHeaderKey>, has_header_key_options},
      {"org.apache.kafka.connect.transforms.predicates.RecordIsTombstone", make<RecordIsTombstone>,
       record_is_tombstone_options},
      {"org.apache.kafka.connect.transforms.predicates.TopicNameMatches", make<TopicNameMatches>,
       topic_name_matches_options},
  };
  return all;
}

}  // namespace millrace
