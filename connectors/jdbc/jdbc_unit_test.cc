/// URL grammar, SQL texts, calendar, decimals: all that needs no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/jdbc/calendar.h"
#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/jdbc_parameters.h"
#include "connectors/jdbc/mariadb_session.h"
#include "connectors/jdbc/source_config.h"
#include "connectors/jdbc/source_connector.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(JdbcSource, ReadsExactlyOnceByAUniqueColumn) {
  const auto support = [](std::string_view mode) {
    const mr_pair pairs[] = {{sdk::to_mr("mode"), sdk::to_mr(mode)}};
    return JdbcSource::exactly_once_support(sdk::Config(mr_config{pairs, 1}, JdbcSource::config()));
  };
  EXPECT_EQ(support("incrementing"), sdk::Support::kSupported);
  EXPECT_EQ(support("timestamp+incrementing"), sdk::Support::kSupported);
  EXPECT_EQ(support("timestamp"), sdk::Support::kUnsupported);
  EXPECT_EQ(support("bulk"), sdk::Support::kUnsupported);
}

TEST(JdbcUrl, TakesHostsLoginAndParameters) {
  auto url = parse_jdbc_url(
      "jdbc:mysql:loadbalance://me:p%40ss@db1:3307,[::1],(host=h3,port=9)/shop?useSSL=false&sslMode=VERIFY_CA#x");
  ASSERT_TRUE(url.ok()) << url.status().message();
  EXPECT_EQ(url->scheme, Scheme::kMySql);
  ASSERT_EQ(url->hosts.size(), 3U);
  EXPECT_EQ(url->hosts[0].port, 3307);
  EXPECT_EQ(url->hosts[1].host, "::1");
  EXPECT_EQ(url->hosts[2].port, 9);
  EXPECT_EQ(url->user, "me");
  EXPECT_EQ(url->password, "p@ss");
  EXPECT_EQ(url->database, "shop");
  EXPECT_EQ(url->parameter("sslmode"), "VERIFY_CA");
  EXPECT_FALSE(url->flag("usessl", true));
}

TEST(JdbcUrl, DefaultsToLocalhostAndWarnsOfUnknownParameters) {
  auto url = parse_jdbc_url("jdbc:mariadb:///db?frobnicate=1&useSSL=true");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->host_port(), "localhost:3306");
  EXPECT_THAT(ignored_parameters(*url), ElementsAre("frobnicate"));
}

TEST(JdbcUrl, SaysWhatAnUnknownParameterMayMean) {
  const auto ignored = [](std::string_view text) { return ignored_parameters(*parse_jdbc_url(text)); };
  EXPECT_THAT(ignored("jdbc:mariadb://h/db?sslMood=REQUIRED&ssl_mode=REQUIRED&SSLMODE=REQUIRED"),
              ElementsAre(HasSubstr("ssl_mode (did you mean sslMode: DISABLED, PREFERRED"),
                          HasSubstr("sslmood (did you mean sslMode: DISABLED, PREFERRED")));
  EXPECT_THAT(ignored("jdbc:mariadb://h/db?sslrootcert=a&currentSchema=b"),
              ElementsAre("currentschema (a parameter of PostgreSQL)", HasSubstr("did you mean serverSslCert: ")));
  EXPECT_THAT(ignored("jdbc:postgresql://h/db?useSSL=true&conectTimeout=3&useBulkStmts=true"),
              ElementsAre("conecttimeout (did you mean connectTimeout: seconds to wait for a connection?)",
                          "usebulkstmts (a parameter of MariaDB and MySQL)", HasSubstr("did you mean sslmode: ")));
}

TEST(JdbcUrl, RefusesWhatItCannotSpeak) {
  EXPECT_EQ(parse_jdbc_url("localhost:3306/db").status().message(), "Not a valid JDBC URL: localhost:3306/db");
  EXPECT_THAT(parse_jdbc_url("jdbc:postgresql://h:5432").status().message(), HasSubstr("'/' must follow the hosts"));
  EXPECT_THAT(parse_jdbc_url("jdbc:nosuch://h/db").status().message(),
              HasSubstr("No suitable driver found for jdbc:nosuch://h/db"));
  EXPECT_THAT(parse_jdbc_url("jdbc:mysql://h:99999/db").status().message(), HasSubstr("99999"));
  EXPECT_THAT(parse_jdbc_url("jdbc:oracle:thin:@//h:1521/x").status().message(),
              HasSubstr("Oracle is not supported; supported are MariaDB, MySQL, PostgreSQL and SQLite"));
  EXPECT_THAT(parse_jdbc_url("jdbc:sqlserver://h;databaseName=x").status().message(),
              HasSubstr("SQL Server is not supported"));
}

TEST(JdbcUrl, NeverShowsAPassword) {
  for (const char* url : {"jdbc:mysql://u:geheim@h/db",
                          "jdbc:mysql://h/db?user=u&password=geheim&x=1",
                          "jdbc:mysql://(host=h,password=geheim)/db",
                          "jdbc:mysql://u:ge/heim@h/db",
                          "jdbc:mariadb://u:g@heim@h/db",
                          "jdbc:postgresql://u:ge/heim@h/db",
                          "jdbc:oracle:thin:scott/geheim@//h:1521/x",
                          "jdbc:oracle:thin:scott/ge:heim@h:1521:x",
                          "jdbc:sqlserver://h;user=u;password=geheim;x=1",
                          "u:geheim@h/db",
                          "mysql://u:geheim@h/db",
                          "jdbc:postgresql://h/db?sslPassword=geheim",
                          "jdbc:nosuch://u:ge?heim@h/db",
                          "jdbc:nosuch://u:ge?x=heim@h",
                          "jdbc:nosuch://u:ge@heim?heim@h/db",
                          "jdbc:nosuch://h/db?password=ge,heim&x=1",
                          "jdbc:nosuch://h/db?password=ge#heim",
                          "jdbc:nosuch://h/db?a=1&password=ge;heim)heim&x=1",
                          "jdbc:sqlserver://h;password=ge,heim&heim;x=1",
                          "jdbc:mysql://u:geheim",
                          "jdbc:nosuch://u:geheim/db"}) {
    EXPECT_THAT(redact(url), Not(HasSubstr("heim"))) << url;
    const auto parsed = parse_jdbc_url(url);
    const std::string message = parsed.ok() ? std::string() : std::string(parsed.status().message());
    EXPECT_THAT(message, Not(HasSubstr("heim"))) << url;
  }
  EXPECT_EQ(redact("jdbc:mysql://u:geheim@h:1/db?a=b"), "jdbc:mysql://u:****@h:1/db?a=b");
  EXPECT_EQ(redact("jdbc:mysql://u@h:1/db?mail=a@b"), "jdbc:mysql://u@h:1/db?mail=a@b");
  EXPECT_EQ(redact("jdbc:nosuch://h/db?password=ge,heim&x=1"), "jdbc:nosuch://h/db?password=****&x=1");
  EXPECT_EQ(redact("jdbc:nosuch://[::1]:9/db?a=b"), "jdbc:nosuch://[::1]:9/db?a=b");
  EXPECT_EQ(redact("jdbc:nosuch://h1:9,h2:9/db"), "jdbc:nosuch://h1:9,h2:9/db");
}

TEST(JdbcUrl, RefusesALoginThatEndsTheHostsTooEarly) {
  for (const std::string scheme : {"jdbc:mariadb://", "jdbc:mysql://", "jdbc:postgresql://"}) {
    for (const std::string login :
         {"mover:se?cret", "mover:se/cret", "mover:12?cret", "mover:12/cret", "mover:99999?cret", "mover:se/cr?cret",
          "mover:12/cr?cret", "mover:se?cr=cret", "mover:12?cr=cret", "mover:s@se?cret", "mover:s@se/cret",
          "mo?ver:cret", "mo/ver:cret"}) {
      const auto parsed = parse_jdbc_url(scheme + login + "@db/shop");
      ASSERT_FALSE(parsed.ok()) << scheme << login;
      EXPECT_EQ(parsed.status().code(), Code::kInvalidConfig);
      EXPECT_THAT(parsed.status().message(),
                  AllOf(HasSubstr("%2F"), HasSubstr("%3F"), HasSubstr("%23"), Not(HasSubstr("cret")),
                        Not(HasSubstr("'se'")), Not(HasSubstr("99999")), Not(HasSubstr("mover"))))
          << scheme << login;
    }
  }
  for (const char* url : {"jdbc:mariadb://mover:se#cret@db/shop", "jdbc:mariadb://mover:12#cret@db/shop"}) {
    const auto parsed = parse_jdbc_url(url);
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_THAT(parsed.status().message(), AllOf(HasSubstr("%23"), Not(HasSubstr("'se'")), Not(HasSubstr("cret"))));
  }
  EXPECT_EQ(parse_jdbc_url("jdbc:postgresql://mover:se#cret@db/shop")->password, "se#cret");
  EXPECT_EQ(parse_jdbc_url("jdbc:mariadb://mover:a%2Fb%3Fc%23d@db/shop")->password, "a/b?c#d");
  EXPECT_TRUE(parse_jdbc_url("jdbc:mariadb://h:3306/shop?user=me@corp&sessionVariables=a=@@b/2").ok());
  EXPECT_TRUE(parse_jdbc_url("jdbc:mariadb://u:p@h:3306?mail=me@corp").ok());
  EXPECT_TRUE(parse_jdbc_url("jdbc:mariadb://h:3306?user=me@corp&serverSslCert=/etc/ca.pem").ok());
  EXPECT_EQ(parse_jdbc_url("jdbc:mariadb://h/sh@op")->database, "sh@op");
}

TEST(Sql, MariaDbTextsAreTheKnownOnes) {
  auto url = parse_jdbc_url("jdbc:mariadb://h/db");
  const auto dialect = make_dialect(*url, true);
  const TableId table{"db", "", "t"};
  EXPECT_EQ(dialect->insert(table, {"k"}, {"a"}), "INSERT INTO `db`.`t`(`k`,`a`) VALUES(?,?)");
  EXPECT_EQ(dialect->upsert(table, {"k"}, {"a"}, {"a"}),
            "insert into `db`.`t`(`k`,`a`) values(?,?) on duplicate key update `a`=values(`a`)");
  EXPECT_EQ(dialect->upsert(table, {"k"}, {}, {}),
            "insert into `db`.`t`(`k`) values(?) on duplicate key update `k`=values(`k`)");
  EXPECT_EQ(dialect->update(table, {"k", "l"}, {"a"}), "UPDATE `db`.`t` SET `a` = ? WHERE `k` = ? AND `l` = ?");
  EXPECT_EQ(dialect->remove(table, {"k"}), "DELETE FROM `db`.`t` WHERE `k` = ?");
  EXPECT_EQ(dialect->create(table, {{"k", "INT", false, "", true}, {"a", "TEXT", true, "", false}}),
            "CREATE TABLE `db`.`t` (\n`k` INT NOT NULL,\n`a` TEXT NULL,\nPRIMARY KEY(`k`))");
  EXPECT_EQ(dialect->alter(table, {{"c", "INT", true, "", false}}), "ALTER TABLE `db`.`t` ADD `c` INT NULL");
  EXPECT_EQ(dialect->quote("a`b"), "`a``b`");
}

TEST(Sql, IdentifiersSplitAtDotsOutsideQuotes) {
  EXPECT_THAT(*split_identifier("a.`b.c`.d"), ElementsAre("a", "b.c", "d"));
  EXPECT_THAT(split_identifier("a.`b").status().message(), HasSubstr("missing trailing quote"));
}

TEST(Calendar, IsJulianBeforeTheReformUnlessProleptic) {
  EXPECT_EQ(days_of(CalendarSystem::kLegacy, 1970, 1, 1), 0);
  EXPECT_EQ(days_of(CalendarSystem::kLegacy, 1582, 10, 15), -141427);
  EXPECT_EQ(days_of(CalendarSystem::kLegacy, 1582, 10, 4), -141428);
  EXPECT_EQ(days_of(CalendarSystem::kProlepticGregorian, 1582, 10, 4), -141438);
  for (int64_t day = -800000; day < 800000; day += 997) {
    for (const auto system : {CalendarSystem::kLegacy, CalendarSystem::kProlepticGregorian}) {
      const Civil date = date_of(system, day);
      ASSERT_EQ(days_of(system, date.year, date.month, date.day), day);
    }
  }
}

TEST(TimeZone, KnowsOffsetsShortIdsAndSummerTime) {
  EXPECT_TRUE(TimeZone::load("UTC")->utc());
  EXPECT_EQ(TimeZone::load("+09:00")->offset_at(0), 9 * 3600);
  EXPECT_EQ(TimeZone::load("EST")->offset_at(0), -5 * 3600);
  EXPECT_FALSE(TimeZone::load("Mars/Base").ok());
  EXPECT_FALSE(TimeZone::load("../../etc/passwd").ok());
  auto berlin = TimeZone::load("Europe/Berlin");
  if (!berlin.ok()) GTEST_SKIP() << "no zone database";
  EXPECT_EQ(berlin->offset_at(1720000000), 7200);
  EXPECT_EQ(berlin->offset_at(4086288000), 7200);  // June 2099: the rule after the table's end
  EXPECT_EQ(berlin->utc_of(1720000000 + 7200), 1720000000);
}

TEST(Decimal, GoesBothWays) {
  for (const auto& [text, scale] :
       std::vector<std::pair<std::string, int>>{{"0.00", 2},
                                                {"12.34", 2},
                                                {"-12.34", 2},
                                                {"-1", 0},
                                                {"128", 0},
                                                {"-128", 0},
                                                {"99999999999999999999999999999999999.9999999999", 10},
                                                {"-99999999999999999999999999999999999.9999999999", 10}}) {
    std::array<char, kDecimalBytesMax> bytes;
    const size_t size = decimal_bytes(text, scale, bytes);
    char back[kDecimalTextMax];
    EXPECT_EQ(std::string(back, decimal_text({bytes.data(), size}, scale, back)), text);
  }
}

TEST(Errors, SayWhatTheCallerDoesNext) {
  EXPECT_EQ(classify(1213, "40001"), Code::kUnavailable);
  EXPECT_EQ(classify(2006, "HY000"), Code::kUnavailable);
  EXPECT_EQ(classify(1045, "28000"), Code::kInvalidConfig);
  EXPECT_EQ(classify(1062, "23000"), Code::kBadRecord);
  EXPECT_EQ(classify(1146, "42S02"), Code::kInternal);
  for (const unsigned full : {3U, 20U, 1021U, 1026U, 1030U, 1114U})
    EXPECT_EQ(classify(full, "HY000"), Code::kUnavailable);
}

TEST(Mappings, ArePairsOfExpressionAndColumns) {
  EXPECT_THAT(parse_timestamp_mapping(".*:[a|b]")->columns, ElementsAre("a", "b"));
  EXPECT_EQ(parse_timestamp_mapping(".*:a").status().message(), "Columns list must be enclosed in square brackets");
  EXPECT_EQ(parse_incrementing_mapping("x").status().message(), "Invalid format. Expected 'regex:columnName'");
}

}  // namespace
}  // namespace millrace::jdbc
