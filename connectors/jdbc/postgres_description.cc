#include "connectors/jdbc/postgres_description.h"

#include <algorithm>
#include <set>

#include "connectors/jdbc/sql_text.h"

namespace millrace::jdbc {
namespace {

class Describer {
 public:
  Describer(PgSession& session, const PGresult* result, const ReadOptions& options, bool may_cast, PgDescription& out)
      : session_(session), result_(result), options_(options), may_cast_(may_cast), out_(out) {}

  Status describe() {
    const int width = PQnfields(result_);
    if (width == 0) return {Code::kInvalidConfig, "the statement returns no columns; use a SELECT"};
    std::string origins, unknown;
    for (int i = 0; i < width; ++i) {
      ResultColumn column;
      PgColumn decoder;
      decoder.field = i;
      column.label = PQfname(result_, i);
      describe_column(PQftype(result_, i), PQfmod(result_, i), options_, column, decoder);
      if (const Oid table = PQftable(result_, i); table != 0) {
        origins += (origins.empty() ? "(" : ",(") + std::to_string(table) + "," +
                   std::to_string(PQftablecol(result_, i)) + ")";
      }
      if (decoder.decode == PgDecode::kSkipped)
        unknown += (unknown.empty() ? "" : ",") + std::to_string(PQftype(result_, i));
      out_.columns.push_back(std::move(column));
      out_.decoders.push_back(decoder);
    }
    if (Status s = find_not_null(origins); !s.ok()) return s;
    if (!unknown.empty()) {
      if (Status s = find_types(unknown); !s.ok()) return s;
    }
    const bool money = std::any_of(out_.decoders.begin(), out_.decoders.end(),
                                   [](const PgColumn& c) { return c.decode == PgDecode::kMoney; });
    return money ? find_money_unit() : sdk::ok();
  }

 private:
  /// Columns straight from a table are optional if they may be null there; all others always.
  Status find_not_null(const std::string& origins) {
    if (origins.empty()) return sdk::ok();
    auto rows = session_.query(
        "SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid=a.atttypid "
        "WHERE (a.attrelid,a.attnum) IN (" +
        origins + ") AND (a.attnotnull OR (t.typtype='d' AND t.typnotnull))");
    if (!rows.ok()) return rows.status();
    for (const Session::Row& row : *rows) {
      for (int i = 0; i < PQnfields(result_); ++i) {
        if (row[0] == std::to_string(PQftable(result_, i)) && row[1] == std::to_string(PQftablecol(result_, i)))
          out_.columns[static_cast<size_t>(i)].optional = false;
      }
    }
    return sdk::ok();
  }

  /// Enums are texts; all other types that are not built in have no form in records, and their columns are left out.
  Status find_types(const std::string& oids) {
    auto rows = session_.query(
        "SELECT oid, typtype, pg_catalog.format_type(oid,NULL), typcategory='A' OR typtype='c' OR typname='hstore' "
        "FROM "
        "pg_catalog.pg_type WHERE oid IN (" +
        oids + ")");
    if (!rows.ok()) return rows.status();
    if (may_cast_ && cast_others(*rows)) return sdk::ok();
    std::vector<ResultColumn> columns;
    std::vector<PgColumn> decoders;
    for (size_t i = 0; i < out_.columns.size(); ++i) {
      const std::string oid = std::to_string(PQftype(result_, static_cast<int>(i)));
      const auto type = std::find_if(rows->begin(), rows->end(), [&](const auto& row) { return row[0] == oid; });
      if (out_.decoders[i].decode == PgDecode::kSkipped && type != rows->end() && type->at(1) == "e") {
        out_.columns[i].type = out_.decoders[i].kind = MR_STRING;
        out_.decoders[i].decode = PgDecode::kText;
      }
      if (out_.decoders[i].decode == PgDecode::kSkipped) {
        out_.skipped.push_back(out_.columns[i].label + " (" + (type != rows->end() ? type->at(2).value_or(oid) : oid) +
                               ")");
      } else {
        columns.push_back(std::move(out_.columns[i]));
        decoders.push_back(out_.decoders[i]);
      }
    }
    out_.columns = std::move(columns);
    out_.decoders = std::move(decoders);
    return sdk::ok();
  }

  /// Writes the select list that makes texts of the columns without a form. False: there are none, or their labels do
  /// not tell columns apart, which nobody can read then anyway.
  bool cast_others(const std::vector<Session::Row>& types) {
    std::set<std::string> labels;
    bool any = false;
    std::string casts;
    for (size_t i = 0; i < out_.columns.size(); ++i) {
      if (!labels.insert(out_.columns[i].label).second) return false;
      const std::string oid = std::to_string(PQftype(result_, static_cast<int>(i)));
      const auto type = std::find_if(types.begin(), types.end(), [&](const auto& row) { return row[0] == oid; });
      const std::string name = "q." + enclosed(out_.columns[i].label, '"');
      casts += i == 0 ? "" : ",";
      if (out_.decoders[i].decode != PgDecode::kSkipped || type == types.end() || type->at(1) == "e") {
        casts += name;
        continue;
      }
      any = true;
      casts += (type->at(3) == "t" ? "pg_catalog.to_json(" + name + ")" : name) + "::pg_catalog.text AS " +
               enclosed(out_.columns[i].label, '"');
    }
    if (any) out_.casts = std::move(casts);
    return any;
  }

  /// The smallest part of a money is the locale's matter: a cent, or a yen.
  Status find_money_unit() {
    auto rows = session_.query("SELECT pg_catalog.scale('1'::money::numeric)");
    if (!rows.ok()) return rows.status();
    for (int i = std::atoi(rows->at(0).at(0).value_or("2").c_str()); i > 0; --i) out_.money_unit *= 10;
    return sdk::ok();
  }

  PgSession& session_;
  const PGresult* result_;
  const ReadOptions& options_;
  const bool may_cast_;
  PgDescription& out_;
};

}  // namespace

Result<PgDescription> describe_result(PgSession& session, const PGresult* result, const ReadOptions& options,
                                      bool may_cast) {
  PgDescription description;
  const Status s = Describer(session, result, options, may_cast, description).describe();
  if (!s.ok()) return s;
  return description;
}

}  // namespace millrace::jdbc
