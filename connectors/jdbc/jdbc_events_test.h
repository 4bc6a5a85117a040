/// For tests that put Debezium's change events into a private server, through both sinks of the plugin.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <millrace/testing.hpp>

#include "connectors/common/schema_spec.h"
#include "tests/support/mariadb_server.h"

extern "C" const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept;

namespace millrace::jdbc {

using connectors::SchemaSpec;
using sdk::FakeHost;
using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

inline constexpr std::string_view kSink = "JdbcSink", kDebezium = "io.debezium.connector.jdbc.JdbcSinkConnector";

inline SchemaSpec spec(mr_kind type, std::string name = "", bool optional = true) {
  SchemaSpec out;
  out.type = type;
  out.optional = optional;
  out.name = std::move(name);
  return out;
}

inline SchemaSpec with(SchemaSpec out, std::string key, std::string value) {
  out.parameters.emplace_back(std::move(key), std::move(value));
  return out;
}

inline SchemaSpec row_of(std::vector<SchemaSpec::Field> fields, std::string name = "", bool optional = true) {
  SchemaSpec out = spec(MR_STRUCT, std::move(name), optional);
  out.fields = std::move(fields);
  return out;
}

inline mr_value number(int64_t n, mr_kind kind = MR_INT32) { return sdk::int_value(kind, n); }
inline mr_value text(std::string_view t) { return sdk::string_value(t); }
inline mr_value bytes(std::string_view b) {
  mr_value value = sdk::string_value(b);
  value.kind = MR_BYTES;
  return value;
}
inline mr_value real(double d) {
  mr_value value{};
  value.kind = MR_FLOAT64;
  value.u.f64 = d;
  return value;
}

/// Makes schemas and records as Debezium's source does, of one table whose key is `id`.
class EventMaker : public ::testing::Test {
 protected:
  virtual FakeHost::Settings connection() const = 0;  ///< connection.url, connection.user, connection.password

  void prepare() {
    key_ = schema(row_of({{"id", spec(MR_INT32, "", false)}}, "p.shop.orders.Key", false));
    use({{"id", spec(MR_INT32, "", false)}, {"name", spec(MR_STRING)}});
  }
  mr_schema_id schema(const SchemaSpec& made) { return add_schema(host_, made); }
  static mr_schema_id add_schema(FakeHost& host, const SchemaSpec& made) {
    // The host numbers children first, as register_with does in a task.
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : made.parameters) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    std::vector<mr_field> fields;
    for (const auto& field : made.fields) fields.push_back({sdk::to_mr(field.name), add_schema(host, field.schema), 0});
    mr_schema raw{};
    raw.struct_size = sizeof(raw);
    raw.type = static_cast<uint8_t>(made.type);
    raw.optional = made.optional ? 1 : 0;
    if (!made.name.empty()) raw.name = sdk::to_mr(made.name);
    raw.parameters = pairs.data();
    raw.parameter_count = pairs.size();
    raw.fields = fields.data();
    raw.field_count = fields.size();
    if (made.elements != nullptr) raw.value_schema = add_schema(host, *made.elements);
    raw.has_default = made.default_value ? 1 : 0;
    if (made.default_value) raw.default_value = *made.default_value;
    return host.add_schema(raw);
  }
  /// The row of the events that follow.
  void use(std::vector<SchemaSpec::Field> columns) {
    const SchemaSpec row = row_of(std::move(columns), "p.shop.orders.Value");
    const SchemaSpec source = row_of({{"db", spec(MR_STRING, "", false)}, {"table", spec(MR_STRING)}},
                                     "io.debezium.connector.mariadb.Source", false);
    row_ = schema(row);
    envelope_ = schema(row_of({{"before", row}, {"after", row}, {"source", source}, {"op", spec(MR_STRING, "", false)}},
                              "p.shop.orders.Envelope", false));
  }
  mr_value structure(std::vector<mr_value> members) {
    const auto& kept = values_.emplace_back(std::move(members));
    mr_value value{};
    value.kind = MR_STRUCT;
    value.size = static_cast<uint32_t>(kept.size());
    value.u.items = kept.data();
    return value;
  }
  mr_record record(std::optional<int> key) {
    mr_record made{};
    made.topic = sdk::to_mr("p.shop.orders");
    made.original_topic = made.topic;
    if (key) {
      made.key_schema = key_;
      made.key = structure({number(*key)});
    }
    made.offset = static_cast<int64_t>(records_.size());
    made.timestamp_ms = MR_NO_TIMESTAMP;
    return made;
  }
  void event(std::string_view op, std::optional<int> key, std::optional<std::vector<mr_value>> after,
             std::string_view table = "orders") {
    mr_record made = record(key);
    made.value_schema = envelope_;
    made.value = structure({mr_value{}, after ? structure(std::move(*after)) : mr_value{},
                            structure({text("shop"), text(table)}), text(op)});
    records_.push_back(made);
  }
  void upsert(std::string_view op, int key, mr_value name) { event(op, key, {{number(key), name}}); }
  void tombstone(int key) { records_.push_back(record(key)); }

  FakeHost::Settings settings(std::string_view sink, FakeHost::Settings more) const {
    const bool debezium = sink == kDebezium;
    for (const auto& [key, value] : connection())
      more.insert({debezium && key == "connection.user" ? "connection.username" : key, value});
    more.insert({{"insert.mode", "upsert"}, {debezium ? "primary.key.mode" : "pk.mode", "record_key"}});
    if (debezium) {
      more.insert({{"schema.evolution", "basic"}});
    } else {
      more.insert({{"auto.create", "true"},
                   {"auto.evolve", "true"},
                   {"max.retries", "0"},
                   {"table.name.format", "p_shop_orders"}});
    }
    return more;
  }
  /// One task that puts all records so far at once.
  sdk::Status put(std::string_view sink, FakeHost::Settings more) {
    sdk::TaskRunner task(host_, FakeHost::connector(mr_plugin, sink), settings(sink, std::move(more)));
    if (auto s = task.start(); !s.ok()) return s;
    return task.put(std::exchange(records_, {}));
  }
  void expect_put(std::string_view sink, FakeHost::Settings more) {
    const auto status = put(sink, std::move(more));
    EXPECT_TRUE(status.ok()) << status.message();
  }
  FakeHost host_;
  mr_schema_id key_ = 0, row_ = 0, envelope_ = 0;
  std::deque<std::vector<mr_value>> values_;
  std::vector<mr_record> records_;
};

/// The same into a private MariaDB server.
class Events : public EventMaker {
 protected:
  void SetUp() override {
    static millrace::testing::MariaDbServer server;
    server_ = &server;
    if (!server_->problem().empty()) GTEST_SKIP() << server_->problem();
    ASSERT_EQ(server_->run({"drop database if exists shop", "create database shop character set utf8mb4"}), "");
    prepare();
  }
  FakeHost::Settings connection() const override {
    return {{"connection.url", server_->url("mariadb", "shop")},
            {"connection.user", server_->user()},
            {"connection.password", server_->password()}};
  }
  Rows rows(const std::string& sql = "select * from p_shop_orders order by id") const {
    return server_->query(sql, "shop").rows;
  }
  Rows columns(const std::string& table) const {
    return server_
        ->query(
            "select column_name, column_type, is_nullable from information_schema.columns where "
            "table_schema='shop' and table_name='" +
            table + "' order by ordinal_position")
        .rows;
  }

  inline static millrace::testing::MariaDbServer* server_ = nullptr;
};

/// Both sinks; they must agree.
class BothSinks : public Events, public ::testing::WithParamInterface<std::string_view> {};

}  // namespace millrace::jdbc
