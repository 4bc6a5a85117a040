#include "connectors/mariadb/events/topic_naming.h"

#include <re2/re2.h>

#include <vector>

#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/events/name_adjustment.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

namespace {

Status invalid(std::string_view key, const std::string& why) {
  return {Code::kInvalidConfig, "The '" + std::string(key) + "' value is invalid: " + why};
}

/// Java's named groups in RE2's spelling.
std::string with_named_groups(std::string expression) {
  for (size_t at = 0; (at = expression.find("(?<", at)) != std::string::npos; at += 4) expression.insert(at + 2, "P");
  return expression;
}

std::string class_only(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

/// An expression for whole names, in any case, and what a name that matches becomes.
struct TopicNaming::Rewrite {
  struct Piece {
    std::string text;
    int group = -1;  ///< >= 0: this group in place of the text
  };
  std::unique_ptr<RE2> regex;
  std::vector<Piece> replacement;

  static Result<std::shared_ptr<const Rewrite>> make(const sdk::Config& config, const std::string& regex_key,
                                                     const std::string& replacement_key);
  /// Nothing when the name does not match.
  std::optional<std::string> apply(std::string_view name) const;

 private:
  std::string add_replacement(std::string_view text);
};

Result<std::shared_ptr<const TopicNaming::Rewrite>> TopicNaming::Rewrite::make(const sdk::Config& config,
                                                                               const std::string& regex_key,
                                                                               const std::string& replacement_key) {
  const std::string expression = config.string(regex_key);
  if (expression.empty()) return invalid(regex_key, "A value is required");
  if (const std::string fault = regex_fault(expression); !fault.empty()) return invalid(regex_key, fault);
  auto rewrite = std::make_shared<Rewrite>();
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  rewrite->regex = std::make_unique<RE2>(with_named_groups(expression), options);
  if (!rewrite->regex->ok()) return invalid(regex_key, rewrite->regex->error());
  if (const std::string fault = rewrite->add_replacement(config.string(replacement_key)); !fault.empty())
    return invalid(replacement_key, fault);
  return std::shared_ptr<const Rewrite>(std::move(rewrite));
}

/// Java's syntax: $1, ${name}, backslash for the character itself. Returns what is wrong, or nothing.
std::string TopicNaming::Rewrite::add_replacement(std::string_view text) {
  const auto plain = [this](char c) {
    if (replacement.empty() || replacement.back().group >= 0) replacement.emplace_back();
    replacement.back().text += c;
  };
  const int groups = regex->NumberOfCapturingGroups();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      plain(text[++i]);
    } else if (text[i] != '$') {
      plain(text[i]);
    } else if (i + 1 < text.size() && text[i + 1] == '{') {
      const size_t end = text.find('}', i);
      if (end == std::string_view::npos) return "'${' without '}'";
      const std::string name(text.substr(i + 2, end - i - 2));
      const auto found = regex->NamedCapturingGroups().find(name);
      if (found == regex->NamedCapturingGroups().end()) return "No group with name {" + name + "}";
      replacement.push_back({"", found->second});
      i = end;
    } else {
      int group = -1;
      while (i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') {
        const int longer = (group < 0 ? 0 : group * 10) + (text[i + 1] - '0');
        if (group >= 0 && longer > groups) break;
        group = longer;
        ++i;
      }
      if (group < 0) return "'$' without a group";
      if (group > groups) return "No group " + std::to_string(group);
      replacement.push_back({"", group});
    }
  }
  return {};
}

std::optional<std::string> TopicNaming::Rewrite::apply(std::string_view name) const {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex->NumberOfCapturingGroups()) + 1);
  const re2::StringPiece whole(name.data(), name.size());
  if (!regex->Match(whole, 0, name.size(), RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size())))
    return std::nullopt;
  std::string out;
  for (const Piece& piece : replacement) {
    if (piece.group < 0) {
      out += piece.text;
    } else if (const re2::StringPiece& group = groups[static_cast<size_t>(piece.group)]; group.data() != nullptr) {
      out.append(group.data(), group.size());
    }
  }
  return out;
}

Result<TopicNaming> TopicNaming::parse(const sdk::Config& config) {
  TopicNaming naming;
  naming.prefix_ = config.string("topic.prefix");
  if (config.get("topic.delimiter").has_value()) naming.delimiter_ = config.string("topic.delimiter");
  for (const char c : naming.delimiter_) {
    if (sanitized_topic(std::string_view(&c, 1))[0] != c)
      return invalid("topic.delimiter", "'" + naming.delimiter_ + "' cannot stand in a topic name");
  }
  const auto or_else = [&](const char* key, std::string_view fallback) {
    const std::string value = config.string(key);
    return value.empty() ? std::string(fallback) : value;
  };
  naming.transaction_ =
      sanitized_topic(naming.prefix_ + naming.delimiter_ + or_else("topic.transaction", "transaction"));
  // The older spelling counts only where the newer one is not set.
  const char* heartbeat_key =
      config.is_set("topic.heartbeat.prefix") ? "topic.heartbeat.prefix" : "heartbeat.topics.prefix";
  naming.heartbeat_ = or_else("topic.heartbeat.name",
                              or_else(heartbeat_key, "__debezium-heartbeat") + naming.delimiter_ + naming.prefix_);
  naming.heartbeat_ = sanitized_topic(naming.heartbeat_);

  const std::string strategy = class_only(config.string("topic.naming.strategy"));
  if (strategy == "DefaultRegexTopicNamingStrategy") {
    if (Status s = naming.parse_rewrites(config); !s.ok()) return s;
  } else if (!strategy.empty() && strategy != "DefaultTopicNamingStrategy" && strategy != "SchemaTopicNamingStrategy") {
    return invalid("topic.naming.strategy", "'" + config.string("topic.naming.strategy") +
                                                "' is not available; the strategies are "
                                                "io.debezium.schema.DefaultTopicNamingStrategy and "
                                                "io.debezium.schema.DefaultRegexTopicNamingStrategy");
  }
  return naming;
}

Status TopicNaming::parse_rewrites(const sdk::Config& config) {
  auto topics = Rewrite::make(config, "topic.regex", "topic.replacement");
  if (!topics.ok()) return topics.status();
  topic_rewrite_ = std::move(topics.value());
  const std::optional<std::string> enforce = config.get("topic.key.enforce.uniqueness");
  if (enforce.has_value() && !config.boolean("topic.key.enforce.uniqueness")) return sdk::ok();
  key_field_ = config.string("topic.key.field.name");
  if (key_field_.empty()) key_field_ = "__dbz__physicalTableIdentifier";
  if (config.string("topic.key.field.regex").empty()) return sdk::ok();
  auto keys = Rewrite::make(config, "topic.key.field.regex", "topic.key.field.replacement");
  if (!keys.ok()) return keys.status();
  key_rewrite_ = std::move(keys.value());
  return sdk::ok();
}

std::string TopicNaming::unshared_topic(const TableId& table) const {
  return sanitized_topic(prefix_ + delimiter_ + table.database + delimiter_ + table.table);
}

std::string TopicNaming::data_topic(const TableId& table) const {
  std::string topic = unshared_topic(table);
  if (topic_rewrite_ == nullptr) return topic;
  std::optional<std::string> rewritten = topic_rewrite_->apply(topic);
  return rewritten.has_value() && !rewritten->empty() ? sanitized_topic(*rewritten) : topic;
}

std::string TopicNaming::key_field_value(const TableId& table) const {
  std::string topic = unshared_topic(table);
  if (key_rewrite_ == nullptr) return topic;
  std::optional<std::string> rewritten = key_rewrite_->apply(topic);
  return rewritten.has_value() && !rewritten->empty() ? std::move(*rewritten) : topic;
}

}  // namespace millrace::mariadb
