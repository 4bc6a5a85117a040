#include "connectors/mariadb/events/key_columns.h"

#include <algorithm>

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

namespace {

constexpr std::string_view kKey = "message.key.columns";

std::string trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

Result<KeyColumns> KeyColumns::parse(std::string_view text) {
  KeyColumns keys;
  for (const std::string& part : split(text, ';')) {
    if (part.empty()) continue;
    const size_t colon = part.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == part.size())
      return Status(Code::kInvalidConfig,
                    std::string(kKey) + ": '" + part + "' is not of the form table:column,column");
    auto table = RegexList::of(kKey, {trimmed(part.substr(0, colon))});
    if (!table.ok()) return table.status();
    Entry entry{table.value(), {}};
    for (const std::string& column : split(std::string_view(part).substr(colon + 1), ',')) {
      auto name = RegexList::of(kKey, {column});
      if (!name.ok()) return name.status();
      entry.columns.push_back(name.value());
    }
    keys.entries_.push_back(std::move(entry));
  }
  return keys;
}

std::vector<size_t> KeyColumns::of(const TableDefinition& definition) const {
  std::vector<size_t> found;
  const auto add = [&](size_t index) {
    if (std::find(found.begin(), found.end(), index) == found.end()) found.push_back(index);
  };
  const std::string name = definition.id.full();
  for (const Entry& entry : entries_) {
    if (!entry.table.matches(name)) continue;
    for (const RegexList& column : entry.columns) {
      for (size_t i = 0; i < definition.columns.size(); ++i) {
        if (column.matches(definition.columns[i].name)) add(i);
      }
    }
  }
  if (!found.empty()) return found;
  for (const std::string& key : definition.primary_key) {
    for (size_t i = 0; i < definition.columns.size(); ++i) {
      if (definition.columns[i].name == key) add(i);
    }
  }
  return found;
}

}  // namespace millrace::mariadb
