#include <optional>

#include "transforms/java_regex.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"

namespace millrace::smt {
namespace {

class RegexRouter final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = regex_router_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    auto regex = JavaRegex::compile(parsed->text("regex"));
    if (!regex) return fail(std::move(regex.error()));
    regex_ = std::move(*regex);
    replacement_.emplace(parsed->text("replacement"), regex_->pattern());
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    // Records of one topic come one after the other.
    if (!known_ || record.topic != topic_) {
      if (auto status = route(record.topic); !status) return fail(std::move(status.error()));
    }
    if (changed_) record.topic = arena.copy(routed_);
    return true;
  }

 private:
  Status route(std::string_view topic) {
    known_ = false;
    topic_ = topic;
    routed_.clear();
    changed_ = regex_->matches(topic);
    if (changed_) {
      if (auto status = replacement_->replace_first(regex_->pattern(), topic, routed_); !status) return status;
    }
    known_ = true;
    return {};
  }

  std::optional<JavaRegex> regex_;
  std::optional<JavaReplacement> replacement_;
  // The last topic seen, and what became of it.
  bool known_ = false, changed_ = false;
  std::string topic_, routed_;
};

}  // namespace

TransformationPtr make_regex_router() { return std::make_unique<RegexRouter>(); }

const ConfigDef& regex_router_options() {
  static const ConfigDef def = make_options(
      {{.name = "regex",
        .importance = ConfigImportance::kHigh,
        .documentation = "Java regular expression that a topic's whole name must match to be changed. Not supported: "
                         "looking ahead or behind, back-references, possessive quantifiers.",
        .validator = regex()},
       {.name = "replacement",
        .importance = ConfigImportance::kHigh,
        .documentation = "What replaces the first match; $1 and ${name} stand for groups."}});
  return def;
}

}  // namespace millrace::smt
