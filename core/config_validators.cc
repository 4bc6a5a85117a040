#include <algorithm>
#include <set>

#include "core/config_def.h"
#include "core/java_text.h"

namespace millrace::validators {
namespace {

using Message = std::optional<std::string>;

double number_of(const Number& number) {
  return std::holds_alternative<double>(number) ? std::get<double>(number)
                                                : static_cast<double>(std::get<int64_t>(number));
}
std::string text_of(const Number& number) {
  return std::holds_alternative<double>(number) ? java_double_text(std::get<double>(number))
                                                : std::to_string(std::get<int64_t>(number));
}

const std::string* text_of(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text;
  if (const auto* name = std::get_if<ClassName>(&value)) return &name->value;
  if (const auto* secret = std::get_if<Password>(&value)) return &secret->value;
  return nullptr;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

/// The order in which a java.util.HashSet lists these ASCII words: Kafka's text shows that order, and people search for
/// the text.
std::vector<std::string> in_hash_order(std::vector<std::string> words) {
  uint32_t buckets = 16;
  while (words.size() * 4 > size_t{buckets} * 3) buckets *= 2;
  const auto bucket = [buckets](const std::string& word) {
    uint32_t hash = 0;
    for (const char c : word) hash = hash * 31 + static_cast<uint8_t>(c);
    return (hash ^ hash >> 16) & (buckets - 1);
  };
  std::stable_sort(words.begin(), words.end(), [&](const auto& a, const auto& b) { return bucket(a) < bucket(b); });
  return words;
}

Message check_range(std::string_view key, const ConfigValue& value, const Number* min, const Number* max) {
  double number = 0;
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    number = static_cast<double>(*integer);
  } else if (const auto* floating = std::get_if<double>(&value)) {
    number = *floating;
  } else {
    return invalid_config_value(key, value, "Value must be non-null");
  }
  if (min != nullptr && number < number_of(*min))
    return invalid_config_value(key, value, "Value must be at least " + text_of(*min));
  if (max != nullptr && number > number_of(*max))
    return invalid_config_value(key, value, "Value must be no more than " + text_of(*max));
  return {};
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Character.isISOControl of each character in UTF-8.
std::vector<std::string> control_chars(std::string_view text) {
  std::vector<std::string> found;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x20 || byte == 0x7F) found.push_back(std::to_string(byte));
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xA0) {
      found.push_back(std::to_string(static_cast<uint8_t>(text[i + 1])));
    }
  }
  return found;
}

}  // namespace

ConfigValidator at_least(Number min) {
  return [min](std::string_view key, const ConfigValue& value) { return check_range(key, value, &min, nullptr); };
}

ConfigValidator between(Number min, Number max) {
  return [min, max](std::string_view key, const ConfigValue& value) { return check_range(key, value, &min, &max); };
}

ConfigValidator one_of(std::vector<std::string> allowed) {
  return [allowed = std::move(allowed)](std::string_view key, const ConfigValue& value) -> Message {
    const std::string* text = text_of(value);
    if (text != nullptr && contains(allowed, *text)) return {};
    return invalid_config_value(key, value, "String must be one of: " + joined(allowed));
  };
}

ConfigValidator one_of_ignoring_case(std::vector<std::string> allowed) {
  for (std::string& word : allowed) word = upper(word);
  return [allowed = in_hash_order(std::move(allowed))](std::string_view key, const ConfigValue& value) -> Message {
    const std::string* text = text_of(value);
    if (text != nullptr && contains(allowed, upper(*text))) return {};
    return invalid_config_value(key, value, "String must be one of (case insensitive): " + joined(allowed));
  };
}

ConfigValidator non_null() {
  return [](std::string_view key, const ConfigValue& value) -> Message {
    if (!std::holds_alternative<std::monostate>(value)) return {};
    return invalid_config_value(key, value, "entry must be non null");
  };
}

ConfigValidator non_empty_string() {
  return [](std::string_view key, const ConfigValue& value) -> Message {
    const std::string* text = text_of(value);
    if (text == nullptr || !text->empty()) return {};
    return invalid_config_value(key, value, "String must be non-empty");
  };
}

ConfigValidator non_empty_string_without_control_chars() {
  return [](std::string_view key, const ConfigValue& value) -> Message {
    const std::string* text = text_of(value);
    if (text == nullptr) return {};
    if (text->empty()) return invalid_config_value(key, value, "String may not be empty");
    const auto found = control_chars(*text);
    if (found.empty()) return {};
    return invalid_config_value(
        key, value, "String may not contain control sequences but had the following ASCII chars: " + joined(found));
  };
}

ConfigValidator list_of(std::vector<std::string> allowed) {
  return [element = one_of(std::move(allowed))](std::string_view key, const ConfigValue& value) -> Message {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      if (auto message = element(key, (*list)[i])) return message;
    }
    return {};
  };
}

ConfigValidator list_size_max(size_t max) {
  return [max](std::string_view key, const ConfigValue& value) -> Message {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr || list->size() <= max) return {};
    return invalid_config_value(key, value, "exceeds maximum list size of [" + std::to_string(max) + "].");
  };
}

ConfigValidator unique_list() {
  return [](std::string_view key, const ConfigValue& value) -> Message {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr || std::set<std::string>(list->begin(), list->end()).size() == list->size()) return {};
    return invalid_config_value(key, value, "Duplicate alias provided.");
  };
}

ConfigValidator all_of(std::vector<ConfigValidator> validators) {
  return [validators = std::move(validators)](std::string_view key, const ConfigValue& value) -> Message {
    for (const ConfigValidator& validator : validators) {
      if (auto message = validator(key, value)) return message;
    }
    return {};
  };
}

ConfigValidator text_check(std::function<Message(std::string_view text)> check) {
  return [check = std::move(check)](std::string_view key, const ConfigValue& value) -> Message {
    const std::string* own = text_of(value);
    const auto text = own != nullptr ? std::optional<std::string>(*own) : config_text(value);
    if (!text) return {};
    const auto why = check(*text);
    return why ? Message(invalid_config_value(key, value, *why)) : Message();
  };
}

}  // namespace millrace::validators
