#include "runtime/worker_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/java_text.h"
#include "runtime/config_providers.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;

constexpr const char* kLogDirectory = "./millrace-data";
constexpr const char* kFormerLogDirectory = "./data";

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

OverridePolicy override_policy(std::string_view name) {
  // Full class names end in …policy.NoneConnectorClientConfigOverridePolicy.
  if (const size_t dot = name.rfind('.'); dot != name.npos) name.remove_prefix(dot + 1);
  if (name.starts_with("None")) return OverridePolicy::kNone;
  return name.starts_with("Principal") ? OverridePolicy::kPrincipal : OverridePolicy::kAll;
}

ExactlyOnceSource exactly_once(const std::string& text) {
  const std::string word = lower(text);
  if (word == "enabled") return ExactlyOnceSource::kEnabled;
  return word == "preparing" ? ExactlyOnceSource::kPreparing : ExactlyOnceSource::kDisabled;
}

/// Typed members from the parsed table.
class Members {
 public:
  Members(const ParsedConfig& parsed, WorkerConfig& to) : parsed_(parsed), to_(to) {}

  void fill() {
    worker();
    internal_topics();
    if (to_.mode == WorkerMode::kDistributed) group();
    // No setting of Kafka's standalone worker, which cannot do it; this one can, so it is heeded there too.
    if (const auto at = to_.all.find("exactly.once.source.support"); at != to_.all.end())
      to_.exactly_once_source = exactly_once(at->second);
    to_.metrics_window = ms("metrics.sample.window.ms");
    to_.metrics_samples = static_cast<int>(parsed_.integer("metrics.num.samples"));
  }

 private:
  milliseconds ms(std::string_view key) const { return milliseconds(parsed_.integer(key)); }
  template <class T>
  T number(std::string_view key) const {
    return static_cast<T>(parsed_.integer(key));
  }

  void worker() {
    to_.bootstrap_servers = fmt::format("{}", fmt::join(parsed_.list("bootstrap.servers"), ","));
    to_.client_id = parsed_.text("client.id");
    to_.log_dirs = parsed_.text("log.dirs");
    to_.listeners = parsed_.list("listeners");
    to_.advertised_host = parsed_.text("rest.advertised.host.name");
    if (!parsed_.is_null("rest.advertised.port"))
      to_.advertised_port = std::to_string(parsed_.integer("rest.advertised.port"));
    to_.plugin_path = parsed_.list("plugin.path");
    to_.offset_flush_interval = ms("offset.flush.interval.ms");
    to_.offset_flush_timeout = ms("offset.flush.timeout.ms");
    to_.shutdown_timeout = ms("task.shutdown.graceful.timeout.ms");
    to_.override_policy = override_policy(parsed_.text("connector.client.config.override.policy"));
    to_.topic_creation_enable = parsed_.boolean("topic.creation.enable");
    to_.topic_tracking_enable = parsed_.boolean("topic.tracking.enable");
    to_.topic_tracking_allow_reset = parsed_.boolean("topic.tracking.allow.reset");
  }

  void internal_topics() {
    to_.config_topic = parsed_.text("config.storage.topic");
    to_.offset_topic = parsed_.text("offset.storage.topic");
    to_.status_topic = parsed_.text("status.storage.topic");
    to_.offset_partitions = number<int32_t>("offset.storage.partitions");
    to_.status_partitions = number<int32_t>("status.storage.partitions");
    to_.config_replication = number<int16_t>("config.storage.replication.factor");
    to_.offset_replication = number<int16_t>("offset.storage.replication.factor");
    to_.status_replication = number<int16_t>("status.storage.replication.factor");
    to_.config_topic_settings = topic_settings("config.storage.");
    to_.offset_topic_settings = topic_settings("offset.storage.");
    to_.status_topic_settings = topic_settings("status.storage.");
  }

  ConfigMap topic_settings(std::string_view prefix) {
    ConfigMap found;
    for (auto at = to_.all.lower_bound(std::string(prefix)); at != to_.all.end() && at->first.starts_with(prefix);
         ++at) {
      const std::string name = at->first.substr(prefix.size());
      if (name == "topic" || name == "replication.factor" || name == "partitions" || name == "file.filename") continue;
      if (name == "cleanup.policy") {
        to_.warnings.push_back({at->first, "The topic is always compacted; this is ignored."});
      } else {
        found.emplace(name, at->second);
      }
    }
    return found;
  }

  void group() {
    to_.group_id = parsed_.text("group.id");
    to_.session_timeout = ms("session.timeout.ms");
    to_.heartbeat_interval = ms("heartbeat.interval.ms");
    to_.rebalance_timeout = ms("rebalance.timeout.ms");
    to_.rebalance_delay_max = ms("scheduled.rebalance.max.delay.ms");
    to_.sync_timeout = ms("worker.sync.timeout.ms");
    to_.unsync_backoff = ms("worker.unsync.backoff.ms");
    to_.connect_protocol = lower(parsed_.text("connect.protocol"));
    to_.key_algorithm = parsed_.text("inter.worker.key.generation.algorithm");
    to_.key_bits = number<int32_t>("inter.worker.key.size");
    to_.key_ttl = ms("inter.worker.key.ttl.ms");
    to_.signature_algorithm = parsed_.text("inter.worker.signature.algorithm");
    to_.verification_algorithms = parsed_.list("inter.worker.verification.algorithms");
  }

  const ParsedConfig& parsed_;
  WorkerConfig& to_;
};

Status check_signatures(const WorkerConfig& config) {
  const auto& accepted = config.verification_algorithms;
  if (std::ranges::find(accepted, config.signature_algorithm) != accepted.end()) return {};
  return fail(ErrorCode::kInvalidConfig,
              invalid_config_value("inter.worker.signature.algorithm", config.signature_algorithm,
                                   "Signature algorithm must be present in inter.worker.verification.algorithms list"));
}

void remark_on_settings(WorkerConfig& config) {
  const std::vector<std::string_view> known = worker_setting_names();
  for (const auto& [name, value] : config.all) {
    if (const std::string_view why = why_idle(name, config.mode); !why.empty()) {
      config.notices.push_back({name, std::string(why)});
    } else if (!is_worker_setting(name, config.mode)) {
      config.warnings.push_back({name, fmt::format("No such setting; it is ignored.{}", did_you_mean(name, known))});
    }
  }
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  text = java_trim(text);
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    elements.emplace_back(java_trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return elements;
}

std::string default_log_directory(const FileSystem& files) {
  const bool former = files.exists(Path(kFormerLogDirectory) / "meta.properties") && !files.exists(kLogDirectory);
  return former ? kFormerLogDirectory : kLogDirectory;
}

Expected<WorkerConfig> WorkerConfig::parse(ConfigMap settings, WorkerMode mode, FileSystem& files) {
  const auto providers = ConfigProviders::create(settings, files);
  if (!providers) return fail(providers.error());
  auto resolved = providers->resolve(settings);
  if (!resolved) return fail(std::move(resolved.error()));
  WorkerConfig config;
  config.all = std::move(*resolved);
  config.mode = mode;
  remark_on_settings(config);
  const auto parsed = worker_options(mode).parse(config.all);
  if (!parsed) return fail(parsed.error());
  Members(*parsed, config).fill();
  if (auto fine = check_signatures(config); !fine) return fail(std::move(fine.error()));
  if (const auto folder = config.all.find("log.dir"); !config.all.contains("log.dirs") && folder != config.all.end()) {
    config.log_dirs = java_trim(folder->second);
  } else if (!config.all.contains("log.dirs")) {
    config.log_dirs = default_log_directory(files);
    if (config.log_dirs == kFormerLogDirectory) {
      config.notices.push_back({"log.dirs",
                                "The log in ./data of an earlier version is used. To move to the new default, stop the "
                                "worker and rename the folder to millrace-data; or set log.dirs=./data."});
    }
  }
  return config;
}

Expected<WorkerConfig> WorkerConfig::parse(ConfigMap settings, WorkerMode mode) {
  static PosixFileSystem files;
  return parse(std::move(settings), mode, files);
}

}  // namespace millrace
