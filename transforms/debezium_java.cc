#include "transforms/debezium_java.h"

#include <algorithm>

#include "core/java_text.h"

namespace millrace::debezium {
namespace {

char lower_of(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::vector<std::string> java_split(std::string_view text, char separator) {
  if (text.find(separator) == std::string_view::npos) return {std::string(text)};
  std::vector<std::string> parts;
  for (size_t begin = 0;;) {
    const size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

std::vector<std::string> java_split_trimmed(std::string_view text, char separator) {
  std::vector<std::string> parts = java_split(text, separator);
  for (std::string& part : parts) part = std::string(java_trim(part));
  return parts;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower_of, lower_of);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower_of);
  return result;
}

bool is_blank(std::string_view text) { return java_trim(text).empty(); }

std::vector<std::string> in_hash_order(std::vector<std::string> words) {
  uint32_t buckets = 16;
  while (words.size() * 4 > size_t{buckets} * 3) buckets *= 2;
  const auto bucket = [buckets](const std::string& word) {
    const auto hash = static_cast<uint32_t>(java_string_hash(word));
    return (hash ^ hash >> 16) & (buckets - 1);
  };
  std::ranges::stable_sort(words, {}, bucket);
  return words;
}

}  // namespace millrace::debezium
