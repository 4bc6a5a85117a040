#include "cli/standalone.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "cli/connector_file.h"
#include "cli/served_log.h"
#include "cli/version.h"
#include "client/embedded_log_client.h"
#include "core/clock.h"
#include "rest/rest_server.h"
#include "runtime/standalone_herder.h"
#include "runtime/worker_config.h"

namespace millrace {
namespace {

void wait_for_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int signal = 0;
  sigwait(&set, &signal);
}

Expected<std::unique_ptr<TopicStore>> open_topic(LogClient& client, const std::string& topic, int32_t partitions) {
  auto store = TopicStore::open(client, {.topic = topic, .partitions = partitions});
  if (!store) return fail(std::move(store.error()).wrap(fmt::format("cannot open the worker's topic {}", topic)));
  return store;
}

void load_plugins(PluginHost& plugins, const StandaloneOptions& options, const WorkerConfig& config) {
  plugins.scan(options.built_in_plugins);
  for (const std::string& folder : config.plugin_path) plugins.scan(folder);
}

/// What of the worker's settings concerns the embedded log, under the names of server.properties: log.* and a few
/// others as they are; `log.listeners`, since `listeners` is REST's; anything else with the prefix `broker.`.
ConfigMap log_settings(const WorkerConfig& config) {
  constexpr std::string_view kPrefix = "broker.";
  constexpr std::string_view kShared[] = {"num.partitions", "auto.create.topics.enable", "message.max.bytes"};
  ConfigMap settings = {{"listeners", "PLAINTEXT://127.0.0.1:9092"}};
  for (const auto& [name, value] : config.all) {
    if (name == "log.listeners" || name == "log.advertised.listeners") {
      settings[name.substr(4)] = value;
    } else if (name.starts_with("log.") ||
               std::find(std::begin(kShared), std::end(kShared), name) != std::end(kShared)) {
      settings[name] = value;
    } else if (name.starts_with(kPrefix) && name != "broker.id") {
      settings[name.substr(kPrefix.size())] = value;
    }
  }
  settings["log.dirs"] = config.log_dirs;
  return settings;
}

Expected<std::unique_ptr<ServedLog>> open_log(PosixFileSystem& files, SystemClock& clock, const Logger& logger,
                                              const WorkerConfig& config) {
  ConfigMap settings = log_settings(config);
  const bool quiet = settings["listeners"] == "none";
  if (quiet) settings.erase("listeners");
  return ServedLog::open(files, clock, logger, settings,
                         quiet ? ServedLog::Listeners::kNone : ServedLog::Listeners::kOptional);
}

Status put_connector_files(Herder& herder, const std::vector<ConnectorFile>& connectors) {
  for (const ConnectorFile& file : connectors) {
    if (auto put = herder.put_connector(file.name, file.config, file.initial, true); !put) {
      return fail(std::move(put.error()).wrap(fmt::format("Failed to create connector {}", file.name)));
    }
  }
  return {};
}

}  // namespace

Status run_standalone(const StandaloneOptions& options, const Logger& logger) {
  PosixFileSystem files;
  SystemClock clock;
  auto settings = read_properties_file(files, options.worker_file);
  if (!settings) return fail(std::move(settings.error()));
  auto config = WorkerConfig::parse(std::move(*settings));
  if (!config)
    return fail(
        std::move(config.error()).wrap(fmt::format("the worker configuration {} cannot be used", options.worker_file)));
  if (!config->bootstrap_servers.empty()) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("bootstrap.servers={} asks for a Kafka cluster, which this "
                                                       "version does not reach yet. Remove the line: topics are then "
                                                       "kept in the embedded log under log.dirs={}.",
                                                       config->bootstrap_servers, config->log_dirs));
  }
  std::vector<ConnectorFile> connectors;
  std::vector<std::string> names;
  for (const std::string& path : options.connector_files) {
    auto file = read_connector_file(files, path);
    if (!file) return fail(std::move(file.error()));
    names.push_back(file->name);
    connectors.push_back(std::move(*file));
  }

  // REST listens first: it answers within milliseconds, and requests that need the herder wait for it.
  auto rest_config = RestConfig::parse(config->all);
  if (!rest_config) return fail(std::move(rest_config.error()));
  auto rest = RestServer::start({.config = std::move(*rest_config), .http = {}, .api = {}}, logger);
  if (!rest) return fail(std::move(rest.error()));

  auto log = open_log(files, clock, logger, *config);
  if (!log) return fail(std::move(log.error()));
  Node& node = (*log)->node();
  const auto client = EmbeddedLogClient::over(node.broker(), node.groups(), {.directory = config->log_dirs}, logger,
                                              &node.transactions());
  PluginHost plugins(files, plugin_host_table(), logger);
  load_plugins(plugins, options, *config);
  auto config_topic = open_topic(*client, config->config_topic, 1);
  if (!config_topic) return fail(std::move(config_topic.error()));
  auto offset_topic = open_topic(*client, config->offset_topic, config->offset_partitions);
  if (!offset_topic) return fail(std::move(offset_topic.error()));
  ConfigStore configs(std::move(*config_topic));
  OffsetStore offsets(std::move(*offset_topic));

  StandaloneHerder herder(*config, (*rest)->advertised(), {kConnectVersion, kCommit, client->admin().cluster_id()},
                          {*client, plugins, offsets, configs}, logger);
  herder.start(names);
  (*rest)->attach(herder);
  Status created = put_connector_files(herder, connectors);
  if (created) {
    herder.set_ready();
    logger.info("worker_started", {{"rest", "http://" + (*rest)->advertised()},
                                   {"log", config->log_dirs},
                                   {"log_listeners", (*log)->addresses()},
                                   {"plugins", plugins.connectors().size()}});
    wait_for_signal();
    logger.info("worker_stopping");
  }
  (*rest)->stop();
  herder.stop();
  if (herder.tasks_left_behind()) {
    // Their threads still use the plugins and the log: close the log, and end without destroying anything under them.
    if (auto closed = (*log)->close(); !closed) logger.error("log_close_failed", {{"error", closed.error().message}});
    ::_exit(created ? 0 : 3);
  }
  return created;
}

}  // namespace millrace
