#include "runtime/worker_config.h"

#include <fmt/format.h>

#include <charconv>

namespace millrace {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

/// Reads keys from the settings and keeps the first mistake.
class Reader {
 public:
  explicit Reader(const ConfigMap& settings) : settings_(settings) {}

  void text(const char* key, std::string& to) {
    if (const auto at = settings_.find(key); at != settings_.end()) to = trim(at->second);
  }
  void list(const char* key, std::vector<std::string>& to) {
    if (const auto at = settings_.find(key); at != settings_.end()) to = split_list(at->second);
  }
  template <class T>
  void number(const char* key, T& to, int64_t minimum) {
    const auto at = settings_.find(key);
    if (at == settings_.end()) return;
    const std::string_view value = trim(at->second);
    int64_t parsed = 0;
    const auto result = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (value.empty() || result.ec != std::errc() || result.ptr != value.data() + value.size()) {
      mistake(fmt::format("Invalid value {} for configuration {}: Not a number of type LONG", value, key));
    } else if (parsed < minimum) {
      mistake(fmt::format("Invalid value {} for configuration {}: Value must be at least {}", value, key, minimum));
    } else {
      to = T(parsed);
    }
  }
  void milliseconds(const char* key, std::chrono::milliseconds& to) { number(key, to, 0); }
  void required(const char* key, std::string_view hint) {
    if (settings_.find(key) == settings_.end()) {
      mistake(
          fmt::format("Missing required configuration \"{}\" which has no default value. Add a line such as {}={} to "
                      "the worker's properties.",
                      key, key, hint));
    }
  }
  Status result() const { return first_; }

 private:
  void mistake(std::string message) {
    if (first_) first_ = fail(ErrorCode::kInvalidConfig, std::move(message));
  }
  const ConfigMap& settings_;
  Status first_;
};

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  text = trim(text);
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    elements.emplace_back(trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return elements;
}

Expected<WorkerConfig> WorkerConfig::parse(ConfigMap settings) {
  WorkerConfig config;
  Reader reader(settings);
  reader.required("key.converter", "org.apache.kafka.connect.json.JsonConverter");
  reader.required("value.converter", "org.apache.kafka.connect.json.JsonConverter");
  reader.text("bootstrap.servers", config.bootstrap_servers);
  reader.text("log.dirs", config.log_dirs);
  reader.list("listeners", config.listeners);
  reader.text("rest.advertised.host.name", config.advertised_host);
  reader.text("rest.advertised.port", config.advertised_port);
  reader.list("plugin.path", config.plugin_path);
  reader.milliseconds("offset.flush.interval.ms", config.offset_flush_interval);
  reader.milliseconds("task.shutdown.graceful.timeout.ms", config.shutdown_timeout);
  reader.text("config.storage.topic", config.config_topic);
  reader.text("offset.storage.topic", config.offset_topic);
  reader.number("offset.storage.partitions", config.offset_partitions, 1);
  if (auto ok = reader.result(); !ok) return fail(std::move(ok.error()));
  config.all = std::move(settings);
  return config;
}

}  // namespace millrace
