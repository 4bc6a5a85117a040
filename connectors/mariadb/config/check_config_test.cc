#include "connectors/mariadb/config/check_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "connectors/mariadb/config/connection_settings.h"
#include "connectors/mariadb/config/tls_stores.h"

namespace millrace::mariadb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Settings = std::map<std::string, std::string>;

class Checked {
 public:
  explicit Checked(const Settings& more, Dialect dialect = Dialect::kMariaDb) : dialect_(dialect) {
    settings_ = {
        {"topic.prefix", "p"}, {"database.hostname", "h"}, {"database.user", "u"}, {"database.server.id", "7"}};
    for (const auto& [key, value] : more) settings_[key] = value;
    std::vector<mr_pair> pairs;
    for (const auto& [key, value] : settings_) pairs.push_back({sdk::to_mr(key), sdk::to_mr(value)});
    config = sdk::Config({pairs.data(), pairs.size()}, options_of(dialect));
  }
  ConfigReport report() const { return check_config(dialect_, config); }
  std::string error() const {
    const auto made = report();
    return made.errors.empty() ? "" : made.errors[0].key + ": " + made.errors[0].message;
  }
  std::string warning() const {
    const auto made = report();
    return made.warnings.empty() ? "" : made.warnings[0].key + ": " + made.warnings[0].message;
  }
  sdk::Config config;

 private:
  Dialect dialect_;
  Settings settings_;
};

Checked configured(const Settings& more, Dialect dialect = Dialect::kMariaDb) { return Checked(more, dialect); }

TEST(CheckConfig, KeysWithVariableNamesPass) {
  const Checked all = configured({{"column.mask.hash.SHA-256.with.salt.a.b", "d.t.c"},
                                  {"column.mask.hash.v2.MD5.with.salt.x", "d.t.c"},
                                  {"column.truncate.to.20.chars", "d.t.c"},
                                  {"signal.consumer.security.protocol", "SSL"},
                                  {"schema.history.internal.producer.security.protocol", "SSL"},
                                  {"snapshot.max.threads.multiplier.d.t", "3"},
                                  {"converters", "one"},
                                  {"one.type", "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter"},
                                  {"one.selector", "d.t.c"}});
  EXPECT_EQ(all.error(), "");
  EXPECT_EQ(all.warning(), "");
  EXPECT_THAT(configured({{"column.mask.with.3.chars", "a["}}).error(), HasSubstr("Unclosed character class"));
}

TEST(CheckConfig, WhatOnlyJavaCouldDoIsRefusedWithACure) {
  for (const auto& [key, value, cure] : std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"post.processors", "res", "binlog_row_image"},
           {"sourceinfo.struct.maker", "com.acme.Maker", "transformation"},
           {"transaction.metadata.factory", "com.acme.Factory", "Remove"},
           {"topic.naming.strategy", "com.acme.Names", "topic.regex"},
           {"queue.provider.type", "chronicle", "Remove"},
           {"snapshot.query.mode", "custom", "Choose"},
           {"snapshot.locking.mode", "custom", "Choose"}}) {
    const std::string error = configured({{key, value}}).error();
    EXPECT_THAT(error, HasSubstr(key));
    EXPECT_THAT(error, HasSubstr(cure));
  }
  EXPECT_THAT(configured({{"snapshot.mode", "custom"}, {"snapshot.mode.custom.name", "x"}}).error(),
              HasSubstr("'custom' is not available"));
  EXPECT_THAT(configured({{"converters", "c"}, {"c.type", "com.acme.C"}}).error(), HasSubstr("com.acme.C"));
}

TEST(CheckConfig, WhatHasNoEffectIsSaid) {
  EXPECT_THAT(configured({{"driver.connectionTimeZone", "+09:00"}}).warning(), HasSubstr("no JDBC driver"));
  EXPECT_THAT(
      configured({{"schema.history.internal", "io.debezium.storage.redis.history.RedisSchemaHistory"}}).warning(),
      HasSubstr("no history is written"));
  EXPECT_THAT(configured({{"snapshot.mode", "schema_only"}}).warning(), HasSubstr("no_data"));
  EXPECT_THAT(configured({{"snapshot.select.statement.overrides", "d.t"}}).warning(),
              HasSubstr("d.t is read as usual"));
  EXPECT_THAT(configured({{"snapshot.select.statement.overrides.d.t", "SELECT 1"}}).warning(), HasSubstr("lists d.t"));
  EXPECT_THAT(configured({{"database.ssl.ca", "/ca.pem"}}).warning(), HasSubstr("verify-full"));
  const auto notes = configured({{"poll.interval.ms", "100"}, {"query.fetch.size", "0"}}).report().notes;
  EXPECT_EQ(std::count_if(notes.begin(), notes.end(), [](const auto& note) { return note.key == "poll.interval.ms"; }),
            1);
  EXPECT_EQ(std::count_if(notes.begin(), notes.end(), [](const auto& note) { return note.key == "query.fetch.size"; }),
            0);
}

TEST(CheckConfig, MySqlHasItsOwnWords) {
  EXPECT_EQ(configured({{"snapshot.locking.mode", "minimal_percona"}}, Dialect::kMySql).error(), "");
  EXPECT_EQ(configured({}, Dialect::kMySql).config.string("database.ssl.mode"), "preferred");
  EXPECT_EQ(dialect_of(configured({{"connector.class", std::string(kMySqlConnector)}}).config), Dialect::kMySql);
  EXPECT_EQ(dialect_of(configured({{"connector.class", std::string(kMariaDbConnector)}}).config), Dialect::kMariaDb);
}

TEST(CheckConfig, ATaskStartsWithTheFirstError) {
  EXPECT_TRUE(first_error(configured({}).report()).ok());
  const auto status = first_error(configured({{"max.queue.size", "1"}}).report());
  EXPECT_EQ(status.code(), connectors::Code::kInvalidConfig);
  EXPECT_THAT(status.message(), HasSubstr("max.queue.size"));
}

TEST(ConnectionSettings, BothSpellingsOfTls) {
  using Tls = ConnectionOptions::Tls;
  for (const auto& [text, mode] :
       std::initializer_list<std::pair<const char*, Tls>>{{"disable", Tls::kDisable},
                                                          {"disabled", Tls::kDisable},
                                                          {"preferred", Tls::kPrefer},
                                                          {"trust", Tls::kTrust},
                                                          {"REQUIRED", Tls::kTrust},
                                                          {"verify-ca", Tls::kVerifyCa},
                                                          {"verify_ca", Tls::kVerifyCa},
                                                          {"verify-full", Tls::kVerifyFull},
                                                          {"verify_identity", Tls::kVerifyFull}}) {
    auto options = connection_options(configured({{"database.ssl.mode", text}}).config);
    ASSERT_TRUE(options.ok()) << text;
    EXPECT_EQ(options->tls, mode) << text;
  }
}

TEST(ConnectionSettings, Values) {
  auto options = connection_options(configured({{"database.port", "3307"},
                                                {"database.password", "secret"},
                                                {"connect.timeout.ms", "5000"},
                                                {"database.ssl.mode", "verify-ca"},
                                                {"database.ssl.ca", "/ca.pem"},
                                                {"database.initial.statements", "SET a=1; SET b=';;' ;"}})
                                        .config);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->where(), "h:3307 as user 'u'");
  EXPECT_EQ(options->password, "secret");
  EXPECT_EQ(options->connect_timeout_ms, 5000);
  EXPECT_EQ(options->query_timeout_ms, 600'000);
  EXPECT_EQ(options->tls_ca, "/ca.pem");
  EXPECT_THAT(options->initial_statements, ElementsAre("SET a=1", " SET b=';' "));
  for (const char* port : {"0", "-1", "70000"}) {
    auto refused = connection_options(configured({{"database.port", port}}).config);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.status().message(), HasSubstr(std::string("out of range:") + port));
  }
}

class TlsStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() / ("millrace-tls-" + std::to_string(getpid()) + test->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const char* name, const std::string& content = "") {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  /// A key with its own certificate, as keytool -genkeypair makes it.
  static void write_pkcs12(const std::string& path, const char* password) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_pubkey(certificate, key);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_sign(certificate, key, EVP_sha256());
    STACK_OF(X509)* authorities = sk_X509_new_null();
    sk_X509_push(authorities, certificate);
    PKCS12* store = PKCS12_create(password, "us", key, certificate, authorities, 0, 0, 0, 0, 0);
    FILE* out = std::fopen(path.c_str(), "wb");
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(i2d_PKCS12_fp(out, store), 1);
    std::fclose(out);
    PKCS12_free(store);
    sk_X509_free(authorities);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path folder_;
};

TEST_F(TlsStoreTest, Pkcs12BecomesPem) {
  const std::string path = file("store.p12");
  write_pkcs12(path, "changeit");
  auto store = open_tls_store("database.ssl.keystore", path, "changeit");
  ASSERT_TRUE(store.ok()) << store.status().message();
  EXPECT_THAT(content(store->key), HasSubstr("PRIVATE KEY"));
  EXPECT_THAT(content(store->key), HasSubstr("PRIVATE KEY")) << "the second time";
  EXPECT_THAT(content(store->certificate), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(content(store->authorities), HasSubstr("BEGIN CERTIFICATE"));
  auto again = open_tls_store("database.ssl.keystore", path, "changeit");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->key, store->key);
  auto wrong = open_tls_store("database.ssl.keystore", path, "wrong");
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.status().message(), HasSubstr("check its password"));
}

TEST_F(TlsStoreTest, JksIsRefusedWithTheWayOut) {
  auto store = open_tls_store("database.ssl.truststore", file("trust.jks", "\xFE\xED\xFE\xED rest"), "changeit");
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.status().message(), HasSubstr("database.ssl.truststore"));
  EXPECT_THAT(store.status().message(), HasSubstr("keytool -importkeystore"));
}

TEST_F(TlsStoreTest, OtherFiles) {
  const std::string pem = file("ca.pem", "-----BEGIN CERTIFICATE-----\n");
  auto store = open_tls_store("database.ssl.truststore", pem, "");
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(store->authorities, pem);
  EXPECT_THAT(open_tls_store("k", file("x", "nonsense"), "").status().message(), HasSubstr("neither"));
  EXPECT_THAT(open_tls_store("k", "/no/such/file", "").status().message(), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace millrace::mariadb
