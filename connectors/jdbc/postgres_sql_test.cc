/// PostgreSQL's SQL, text by text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/jdbc/postgres_sql.h"

namespace millrace::jdbc {
namespace {

using ::testing::HasSubstr;

const TableId kTable{"db", "public", "t"};

mr_schema schema(mr_kind type, std::string_view name = "") {
  mr_schema made{};
  made.struct_size = sizeof(made);
  made.type = static_cast<uint8_t>(type);
  if (!name.empty()) made.name = sdk::to_mr(name);
  return made;
}

std::string literal(mr_kind type, const mr_value& value, std::string_view name = "") {
  return make_postgres_dialect(true)->literal(schema(type, name), value, {});
}

mr_value bytes(std::string_view b) {
  mr_value value = sdk::string_value(b);
  value.kind = MR_BYTES;
  return value;
}

TEST(PostgresSql, WritesRows) {
  const auto dialect = make_postgres_dialect(true);
  EXPECT_EQ(dialect->insert(kTable, {"k"}, {"a"}), R"(INSERT INTO "db"."public"."t" ("k","a") VALUES (?,?))");
  EXPECT_EQ(dialect->upsert(kTable, {"k"}, {"a"}, {"a"}),
            R"(INSERT INTO "db"."public"."t" ("k","a") VALUES (?,?) ON CONFLICT ("k") DO UPDATE SET "a"=EXCLUDED."a")");
  EXPECT_EQ(dialect->upsert(kTable, {"k", "l"}, {}, {}),
            R"(INSERT INTO "db"."public"."t" ("k","l") VALUES (?,?) ON CONFLICT ("k","l") DO NOTHING)");
  EXPECT_EQ(dialect->upsert(kTable, {"k"}, {"a", "b"}, {"b"}),
            R"(INSERT INTO "db"."public"."t" ("k","a","b") VALUES (?,?,?) ON CONFLICT ("k") DO UPDATE SET )"
            R"("b"=EXCLUDED."b")");
  EXPECT_EQ(dialect->update(kTable, {"k", "l"}, {"a", "b"}),
            R"(UPDATE "db"."public"."t" SET "a" = ?, "b" = ? WHERE "k" = ? AND "l" = ?)");
  EXPECT_EQ(dialect->remove(kTable, {"k"}), R"(DELETE FROM "db"."public"."t" WHERE "k" = ?)");
  EXPECT_EQ(dialect->truncate({"", "s", "t"}), R"(TRUNCATE TABLE "s"."t")");
}

TEST(PostgresSql, MakesTables) {
  const auto dialect = make_postgres_dialect(true);
  EXPECT_EQ(dialect->create(kTable, {{"k", "INT", false, "", true}, {"a", "TEXT", true, "", false}}),
            "CREATE TABLE \"db\".\"public\".\"t\" (\n\"k\" INT NOT NULL,\n\"a\" TEXT NULL,\nPRIMARY KEY(\"k\"))");
  EXPECT_EQ(dialect->alter(kTable, {{"c", "INT", true, "", false}}),
            R"(ALTER TABLE "db"."public"."t" ADD "c" INT NULL)");
  // The rows that are there could not have a value that is not null.
  EXPECT_EQ(dialect->alter(kTable, {{"c", "INT", false, "", false}, {"d", "INT", true, "42", false}}),
            "ALTER TABLE \"db\".\"public\".\"t\" \nADD \"c\" INT NULL,\nADD \"d\" INT DEFAULT 42");
  EXPECT_EQ(dialect->array_of("INT", 2), "INT[][]");
}

TEST(PostgresSql, QuotesNames) {
  const auto always = make_postgres_dialect(true), never = make_postgres_dialect(false);
  EXPECT_EQ(always->quote(R"(a"b)"), R"("a""b")");
  EXPECT_EQ(never->quote("Ab"), "Ab");
  EXPECT_EQ(never->stored("ÄBc"), "Äbc");
  EXPECT_EQ(always->stored("ABc"), "ABc");
  const auto folds = make_postgres_dialect(true, true);
  EXPECT_EQ(folds->quote("Group By"), R"("group by")");
  EXPECT_EQ(folds->stored("Group By"), "group by");
  EXPECT_EQ(always->stored(std::string(62, 'x') + "äy"), std::string(62, 'x'));
  EXPECT_EQ(always->stored(std::string(61, 'x') + "äy"), std::string(61, 'x') + "ä");
}

TEST(PostgresSql, CompletesTableNames) {
  JdbcUrl url;
  url.database = "shop";
  const auto id = [&](std::string_view name, bool quotes = true) {
    auto found = make_postgres_dialect(quotes)->table_id(name, url);
    return found.ok() ? *found : TableId{"", "", found.status().message()};
  };
  EXPECT_EQ(id("T"), (TableId{"shop", "", "T"}));
  EXPECT_EQ(id("s.t"), (TableId{"shop", "s", "t"}));
  EXPECT_EQ(id("d.s.\"a.b\""), (TableId{"d", "s", "a.b"}));
  EXPECT_EQ(id("S.T", false), (TableId{"shop", "s", "t"}));
  EXPECT_THAT(id("a.b.c.d").table, HasSubstr("has 4 parts"));
}

TEST(PostgresSql, EscapesLiterals) {
  EXPECT_EQ(literal(MR_STRING, sdk::string_value("it's")), "'it''s'");
  EXPECT_EQ(literal(MR_STRING, sdk::string_value(R"(a\'; drop table t; --)")), R"(E'a\\''; drop table t; --')");
  EXPECT_EQ(literal(MR_BYTES, bytes(std::string_view("\x01\xff\0", 3))), R"('\x01ff00')");
  EXPECT_EQ(literal(MR_BOOLEAN, sdk::int_value(MR_BOOLEAN, 1)), "TRUE");
  EXPECT_EQ(literal(MR_INT64, sdk::int_value(MR_INT64, INT64_MIN)), "-9223372036854775808");
  mr_value real{};
  real.kind = MR_FLOAT64;
  real.u.f64 = std::numeric_limits<double>::infinity();
  EXPECT_EQ(literal(MR_FLOAT64, real), "'inf'");
  real.u.f64 = 2.5;
  EXPECT_EQ(literal(MR_FLOAT64, real), "2.5");
  EXPECT_EQ(literal(MR_INT64, sdk::int_value(MR_INT64, -1), "org.apache.kafka.connect.data.Timestamp"),
            "'1969-12-31 23:59:59.999'");
}

TEST(PostgresSql, LiteralsOfChangeEvents) {
  const auto dialect = make_postgres_dialect(true);
  mr_schema bits = schema(MR_BYTES, "io.debezium.data.Bits");
  const mr_pair length{sdk::to_mr("length"), sdk::to_mr("10")};
  bits.parameters = &length;
  bits.parameter_count = 1;
  EXPECT_EQ(dialect->event_literal(bits, CellForm::kBits, bytes("\x05\x02"), {}), "B'1000000101'");
  EXPECT_EQ(dialect->event_literal(bits, CellForm::kMicroDuration, sdk::int_value(MR_INT64, -5), {}),
            "'-5 microseconds'");
  EXPECT_EQ(dialect->event_literal(bits, CellForm::kEventDate, sdk::int_value(MR_INT32, 1), {}), "'1970-01-02'");
}

class ArrayStatement : public ::testing::Test {
 protected:
  RowWrite write(RowWrite::Kind kind) const { return {kind, kTable, {"k"}, {"a"}, {"a"}, "", dialect_.get()}; }
  std::unique_ptr<Dialect> dialect_ = make_postgres_dialect(true);
  const std::vector<ArrayParameter> plain_ = {{"bigint", false}, {"text", false}};
  const std::vector<ArrayParameter> nested_ = {{"bigint", false}, {"integer[]", true}};
};

TEST_F(ArrayStatement, Inserts) {
  EXPECT_EQ(array_statement(write(RowWrite::Kind::kInsert), nested_, false),
            R"(INSERT INTO "db"."public"."t" ("k","a") SELECT d.c1,d.c2::integer[] FROM )"
            R"(unnest($1::bigint[],$2::text[]) AS d(c1,c2))");
  EXPECT_EQ(copy_statement(write(RowWrite::Kind::kInsert)), R"(COPY "db"."public"."t" ("k","a") FROM STDIN)");
}

TEST_F(ArrayStatement, Upserts) {
  EXPECT_EQ(array_statement(write(RowWrite::Kind::kUpsert), plain_, false),
            R"(INSERT INTO "db"."public"."t" ("k","a") SELECT d.c1,d.c2 FROM unnest($1::bigint[],$2::text[]) )"
            R"(AS d(c1,c2) ON CONFLICT ("k") DO UPDATE SET "a"=EXCLUDED."a")");
  EXPECT_EQ(array_statement(write(RowWrite::Kind::kUpsert), plain_, true),
            R"(INSERT INTO "db"."public"."t" ("k","a") SELECT d.c1,d.c2 FROM (SELECT DISTINCT ON (d.c1) * FROM )"
            R"(unnest($1::bigint[],$2::text[]) WITH ORDINALITY AS d(c1,c2,n) ORDER BY d.c1,d.n DESC) AS d )"
            R"(ON CONFLICT ("k") DO UPDATE SET "a"=EXCLUDED."a")");
}

TEST_F(ArrayStatement, UpdatesAndDeletes) {
  const std::vector<ArrayParameter> changed = {{"text", false}, {"bigint", false}};
  EXPECT_EQ(array_statement(write(RowWrite::Kind::kUpdate), changed, false),
            R"(UPDATE "db"."public"."t" AS t SET "a" = d.c1 FROM unnest($1::text[],$2::bigint[]) AS d(c1,c2) )"
            R"(WHERE t."k" = d.c2)");
  RowWrite remove{RowWrite::Kind::kDelete, kTable, {"k"}, {}, {}, "", dialect_.get()};
  EXPECT_EQ(array_statement(remove, std::vector<ArrayParameter>{{"uuid", false}}, false),
            R"(DELETE FROM "db"."public"."t" WHERE "k" = ANY($1::uuid[]))");
  remove.keys = {"k", "l"};
  EXPECT_EQ(array_statement(remove, plain_, false),
            R"(DELETE FROM "db"."public"."t" AS t USING unnest($1::bigint[],$2::text[]) AS d(c1,c2) )"
            R"(WHERE t."k" = d.c1 AND t."l" = d.c2)");
}

}  // namespace
}  // namespace millrace::jdbc
