/// The names of all topics the connector writes: Debezium's default strategy and the one with a regular expression.
/// Threads: immutable, any.
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <string>

#include "connectors/common/result.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

class TopicNaming {
 public:
  /// kInvalidConfig: an unknown strategy, a faulty expression or replacement, a missing key.
  static connectors::Result<TopicNaming> parse(const sdk::Config& config);

  /// prefix.database.table, rewritten by topic.regex. Schema names begin with it.
  std::string data_topic(const TableId& table) const;
  const std::string& schema_change_topic() const { return prefix_; }
  const std::string& transaction_topic() const { return transaction_; }
  const std::string& heartbeat_topic() const { return heartbeat_; }

  /// The field that tells tables of one topic apart in their keys; empty = none.
  const std::string& key_field() const { return key_field_; }
  /// Its content for a table.
  std::string key_field_value(const TableId& table) const;

 private:
  struct Rewrite;
  std::string unshared_topic(const TableId& table) const;
  connectors::Status parse_rewrites(const sdk::Config& config);

  std::string prefix_, delimiter_ = ".", transaction_, heartbeat_, key_field_;
  std::shared_ptr<const Rewrite> topic_rewrite_, key_rewrite_;
};

}  // namespace millrace::mariadb
