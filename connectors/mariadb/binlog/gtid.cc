#include "connectors/mariadb/binlog/gtid.h"

#include <charconv>

namespace millrace::mariadb {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Takes a number off the front of `text`, up to `end` or, with '\0', all of it.
template <class T>
bool take_number(std::string_view& text, char end, T& number) {
  const size_t size = end == '\0' ? text.size() : text.find(end);
  if (size == std::string_view::npos) return false;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + size, number);
  if (error != std::errc{} || stop != text.data() + size) return false;
  text.remove_prefix(end == '\0' ? size : size + 1);
  return true;
}

}  // namespace

std::string Gtid::text() const {
  return std::to_string(domain) + "-" + std::to_string(server) + "-" + std::to_string(sequence);
}

Result<GtidList> GtidList::parse(std::string_view text) {
  GtidList list;
  for (std::string_view rest = trimmed(text); !rest.empty();) {
    const size_t comma = rest.find(',');
    std::string_view element = trimmed(rest.substr(0, comma));
    const std::string_view shown = element;
    Gtid id;
    if (!take_number(element, '-', id.domain) || !take_number(element, '-', id.server) ||
        !take_number(element, '\0', id.sequence)) {
      return Status(Code::kInvalidConfig, "'" + std::string(shown) + "' in the GTID list '" + std::string(text) +
                                              "' is not of the form domain-server-sequence");
    }
    list.set(id);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return list;
}

std::string GtidList::text() const {
  std::string out;
  for (const auto& [domain, id] : by_domain_) {
    if (!out.empty()) out += ',';
    out += id.text();
  }
  return out;
}

bool GtidList::contains(const Gtid& id) const {
  const auto found = by_domain_.find(id.domain);
  return found != by_domain_.end() && found->second.sequence >= id.sequence;
}

bool GtidList::contains_all(const GtidList& other) const {
  for (const auto& [domain, id] : other.by_domain_) {
    if (!contains(id)) return false;
  }
  return true;
}

}  // namespace millrace::mariadb
