#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/lint_checks.h"
#include "runtime/fake_plugin.h"
#include "runtime/plugin_bridge.h"

namespace millrace {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Lint : public testing::Test {
 protected:
  static ConfigMap worker(ConfigMap more = {}) {
    more.merge(
        ConfigMap{{"key.converter", "Json"}, {"value.converter", "Json"}, {"listeners", "http://127.0.0.1:8083"}});
    return more;
  }
  std::vector<std::string> worker_findings(const ConfigMap& settings) {
    Findings findings;
    lint_worker("w", settings, files_, findings);
    return lines(findings);
  }
  static std::vector<std::string> lines(const Findings& findings) {
    std::vector<std::string> all;
    const std::string text = findings.text();
    for (size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1)
      all.push_back(text.substr(at, end - at));
    all.pop_back();  // the summary
    return all;
  }
  PosixFileSystem files_;
};

TEST_F(Lint, AnOrdinaryWorkerIsClean) { EXPECT_THAT(worker_findings(worker()), IsEmpty()); }

TEST_F(Lint, EveryMistakeOfAWorkerIsToldNotOnlyTheFirst) {
  const auto found = worker_findings(
      worker({{"offset.flush.interval.ms", "soon"}, {"topic.creation.enable", "perhaps"}, {"key.converter", "Jason"}}));
  EXPECT_THAT(found,
              Contains("w:offset.flush.interval.ms: error: Invalid value soon for configuration "
                       "offset.flush.interval.ms: Not a number of type LONG. How often offsets are stored at the "
                       "latest. On the embedded log they are stored within 250 ms."));
  EXPECT_THAT(found, Contains(HasSubstr("w:topic.creation.enable: error: ")));
  EXPECT_THAT(found, Contains(HasSubstr("Class Jason could not be found.")));
}

TEST_F(Lint, MisspeltIdleAndInsecureSettingsOfAWorker) {
  const auto found = worker_findings({{"key.converter", "Json"},
                                      {"value.converter", "Json"},
                                      {"pluginpath", "/x"},
                                      {"plugin.discovery", "only_scan"},
                                      {"ssl.key.password", "open sesame"},
                                      {"ssl.keystore.password", "${file:/run/secret:key}"},
                                      {"consumer.security.protocol", "sasl_plaintext"},
                                      {"log.listeners", "PLAINTEXT://0.0.0.0:9092"}});
  EXPECT_THAT(found, Contains("w:pluginpath: warning: No such setting; it is ignored. Did you mean plugin.path?"));
  EXPECT_THAT(found, Contains(HasSubstr("w:plugin.discovery: notice: ")));
  EXPECT_THAT(found, Contains(HasSubstr("w:ssl.key.password: warning: A secret stands here in plain text.")));
  EXPECT_THAT(found,
              Contains(HasSubstr("w:ssl.keystore.password: warning: ${file:/run/secret:key} is answered by no")));
  EXPECT_THAT(found, Contains(HasSubstr("w:consumer.security.protocol: warning: SASL_PLAINTEXT")));
  EXPECT_THAT(found, Contains(HasSubstr("w:listeners: warning: http://:8083 listens on every interface")));
  EXPECT_THAT(found, Contains(HasSubstr("w:log.listeners: warning: ")));
  EXPECT_THAT(found, Not(Contains(HasSubstr("open sesame"))));
}

TEST_F(Lint, SettingsOfTheEmbeddedLog) {
  EXPECT_THAT(worker_findings(worker({{"log.retention.ms", "1000"},
                                      {"log.listeners", "none"},
                                      {"broker.offsets.retention.minutes", "5"},
                                      {"broker.id", "1"}})),
              IsEmpty());
  EXPECT_THAT(worker_findings(worker({{"log.retention.msx", "1000"}})),
              Contains(HasSubstr("w:log.retention.msx: warning: The embedded log has no setting log.retention.msx; it "
                                 "is ignored. Did you mean log.retention.ms?")));
  EXPECT_THAT(
      worker_findings(worker({{"broker.offsets.retention.minutes", "soon"}})),
      Contains("w: error: Invalid value soon for configuration offsets.retention.minutes: Not a number of type LONG. "
               "Correct this setting of the log."));
}

TEST_F(Lint, ABeatMustFitIntoASessionThreeTimes) {
  const auto found = worker_findings(worker({{"group.id", "g"},
                                             {"config.storage.topic", "c"},
                                             {"offset.storage.topic", "o"},
                                             {"status.storage.topic", "s"},
                                             {"heartbeat.interval.ms", "5000"}}));
  EXPECT_THAT(found, testing::ElementsAre(HasSubstr("w:heartbeat.interval.ms: warning: 5000 ms is more than a third")));
}

TEST_F(Lint, AGuardedListenerIsFine) {
  EXPECT_THAT(worker_findings(worker({{"listeners", "https://:8443"}, {"ssl.client.auth", "required"}})), IsEmpty());
  EXPECT_THAT(worker_findings(worker(
                  {{"rest.extension.classes", "x.BasicAuthSecurityRestExtension"}, {"listeners", "https://:8443"}})),
              IsEmpty());
}

TEST_F(Lint, AFileOfSecretsThatCannotBeReadIsAnErrorOfItsKey) {
  const auto found = worker_findings(worker({{"config.providers", "file,vault"},
                                             {"config.providers.file.class", "FileConfigProvider"},
                                             {"client.id", "${file:/no/such.properties:id}"}}));
  EXPECT_THAT(found,
              Contains(HasSubstr("w:client.id: error: Could not read properties from file /no/such.properties. ")));
  EXPECT_THAT(found, Contains(HasSubstr("w:config.providers.vault.class: warning: ")));
}

TEST_F(Lint, AConnectorThatNobodyHasAndSecrets) {
  const PluginHost plugins(files_, plugin_host_table(), Logger());
  const ConfigProviders providers;
  Findings findings;
  lint_connector("c",
                 {{"name", "c"},
                  {"connector.class", "Nope"},
                  {"producer.override.sasl.jaas.config", "x.PlainLoginModule required username=\"u\" password=\"p\";"},
                  {"consumer.override.sasl.jaas.config", "x required password=\"${file:/a:b}\";"},
                  {"connection.password", "p"},
                  {"key", std::nullopt}},
                 {plugins, providers, {}, false}, findings);
  const auto found = lines(findings);
  EXPECT_THAT(found, Contains(HasSubstr("c:connector.class: error: No connector has the name Nope.")));
  EXPECT_THAT(found, Contains(HasSubstr("c:producer.override.sasl.jaas.config: warning: A secret")));
  EXPECT_THAT(found, Not(Contains(HasSubstr("c:consumer.override.sasl.jaas.config: warning: A secret"))));
  EXPECT_THAT(found, Contains(HasSubstr("c:connection.password: warning: A secret")));
}

TEST(Findings, TextSummaryJsonAndExitCodes) {
  Findings findings;
  findings.count_file();
  EXPECT_EQ(findings.text(), "1 file: 0 errors, 0 warnings, 0 notices\n");
  EXPECT_EQ(findings.exit_code(true), 0);
  findings.add("f", "k", Severity::kNotice, "n.");
  EXPECT_EQ(findings.exit_code(true), 0);
  findings.add("f", "k", Severity::kWarning, "w.");
  EXPECT_EQ(findings.exit_code(false), 0);
  EXPECT_EQ(findings.exit_code(true), 1);
  findings.add("f", "", Severity::kError, "e.");
  EXPECT_EQ(findings.exit_code(false), 2);
  EXPECT_EQ(findings.text(), "f: error: e.\nf:k: warning: w.\nf:k: notice: n.\n1 file: 1 error, 1 warning, 1 notice\n");
  EXPECT_THAT(findings.json(), HasSubstr("\"severity\": \"warning\""));
}

}  // namespace
}  // namespace millrace
