/// MariaDB's global transaction ids: "domain-server-sequence", and the position they make, one id a domain.
/// Source: MariaDB Knowledge Base, "Global Transaction ID". Threads: plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "connectors/common/result.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

struct Gtid {
  uint32_t domain = 0, server = 0;
  uint64_t sequence = 0;
  std::string text() const;
  auto operator<=>(const Gtid&) const = default;
};

/// The last transaction of each domain: what @@gtid_binlog_pos and Debezium's offset key `gtids` say.
class GtidList {
 public:
  /// "0-1-5,1-2-3"; blanks and line ends around elements are allowed, empty text is the empty list.
  static Result<GtidList> parse(std::string_view text);
  std::string text() const;  ///< in the order of the domains
  bool empty() const { return by_domain_.empty(); }
  void set(const Gtid& id) { by_domain_[id.domain] = id; }
  /// Whether `id` is at or before this position, judged by its domain's sequence number.
  bool contains(const Gtid& id) const;
  bool contains_all(const GtidList& other) const;
  const std::map<uint32_t, Gtid>& by_domain() const { return by_domain_; }
  bool operator==(const GtidList&) const = default;

 private:
  std::map<uint32_t, Gtid> by_domain_;
};

}  // namespace millrace::mariadb
