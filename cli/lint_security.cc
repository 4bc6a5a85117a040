#include <fmt/format.h>

#include <algorithm>

#include "cli/lint_checks.h"
#include "core/java_text.h"
#include "runtime/raw_config.h"

namespace millrace {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

bool looks_secret(std::string_view name) {
  constexpr std::string_view kEndings[] = {"password",          "passwd", "passphrase", "secret", "secret.key",
                                           "secret.access.key", "token"};
  const std::string text = lower(name);
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return text.ends_with(ending); });
}

/// Whether the value itself gives something away: a variable does not, a JAAS line only with a literal password.
bool gives_away(std::string_view name, std::string_view value) {
  if (is_blank(value)) return false;
  if (!name.ends_with("sasl.jaas.config")) return value.find("${") == value.npos;
  const std::string text = lower(value);
  const size_t at = text.find("password");
  if (at == text.npos) return false;
  const size_t quote = text.find('"', at);
  return quote == text.npos || text.compare(quote + 1, 2, "${") != 0;
}

bool is_public_key(std::string_view name) {
  return name.ends_with("ssl.keystore.certificate.chain") || name.ends_with("ssl.truststore.certificates");
}

/// The host of scheme://host:port, without brackets.
std::string_view host_of(std::string_view listener) {
  const size_t scheme = listener.find("://");
  if (scheme == listener.npos) return listener;
  listener.remove_prefix(scheme + 3);
  listener = listener.substr(0, listener.rfind(':'));
  if (listener.starts_with('[')) listener = listener.substr(1, listener.size() - 2);
  return listener;
}

bool is_everywhere(std::string_view listener) {
  const std::string_view host = host_of(listener);
  return host.empty() || host == "0.0.0.0" || host == "::";
}

std::string text_of(const ConfigMap& settings, const char* key, const char* fallback = "") {
  const auto found = settings.find(key);
  return found == settings.end() ? fallback : std::string(java_trim(found->second));
}

}  // namespace

void lint_secrets(const std::string& file, const RawConfig& settings, bool (*is_secret)(std::string_view name),
                  Findings& findings) {
  for (const auto& [name, value] : settings) {
    if (!value) continue;
    if ((is_secret(name) || looks_secret(name)) && !is_public_key(name) && gives_away(name, *value)) {
      findings.add(file, name, Severity::kWarning,
                   "A secret stands here in plain text. Put it into a file that only the worker may read and write "
                   "${file:/path/of.properties:key} here; the worker needs config.providers=file and "
                   "config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider.");
    }
    if (name.ends_with("security.protocol") && lower(java_trim(*value)) == "sasl_plaintext") {
      findings.add(file, name, Severity::kWarning,
                   "SASL_PLAINTEXT sends user and password, or what they protect, unencrypted. Use SASL_SSL.");
    }
    if (name.ends_with("ssl.endpoint.identification.algorithm") && is_blank(*value)) {
      findings.add(file, name, Severity::kWarning,
                   "The host's name is not compared with its certificate, so any certified host can pose as it. "
                   "Remove the line.");
    }
  }
}

void lint_listeners(const std::string& file, const ConfigMap& settings, Findings& findings) {
  const bool password = text_of(settings, "rest.extension.classes").find("BasicAuth") != std::string::npos;
  const bool certificate = text_of(settings, "ssl.client.auth") == "required" ||
                           text_of(settings, "listeners.https.ssl.client.auth") == "required";
  for (const std::string& each : split_list(text_of(settings, "listeners", "http://:8083"))) {
    const bool tls = lower(each).starts_with("https://");
    if (is_everywhere(each) && !password && !(tls && certificate)) {
      findings.add(
          file, "listeners", Severity::kWarning,
          fmt::format("{} listens on every interface and asks nobody who they are: whoever reaches it can read "
                      "and change all connectors. Listen on http://127.0.0.1:8083, set rest.extension.classes="
                      "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension, or "
                      "ask for certificates (https and ssl.client.auth=required).",
                      each));
    } else if (password && !tls && is_everywhere(each)) {
      findings.add(file, "listeners", Severity::kWarning,
                   fmt::format("{} takes user and password unencrypted. Use https.", each));
    }
  }
  for (const std::string& each : split_list(text_of(settings, "log.listeners"))) {
    const bool plain = lower(each).starts_with("plaintext://");
    if (plain && is_everywhere(each)) {
      findings.add(file, "log.listeners", Severity::kWarning,
                   fmt::format("{} lets every Kafka client in the network read and write all topics. Listen on "
                               "127.0.0.1, or use SASL_SSL.",
                               each));
    }
  }
}

}  // namespace millrace
