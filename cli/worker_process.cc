#include "cli/worker_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "cli/connector_file.h"
#include "cli/version.h"
#include "cli/worker_log.h"
#include "client/embedded_log_client.h"
#include "core/clock.h"
#include "rest/rest_server.h"
#include "runtime/herder/internal_topics.h"
#include "runtime/herder/local_herder.h"
#include "runtime/metrics/metrics_page.h"

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

Expected<WorkerConfig> read_worker_config(FileSystem& files, const std::string& path, WorkerMode mode) {
  auto settings = read_properties_file(files, path);
  if (!settings) return fail(std::move(settings.error()));
  auto config = WorkerConfig::parse(std::move(*settings), mode, files);
  if (!config)
    return fail(std::move(config.error()).wrap(fmt::format("the worker configuration {} cannot be used", path)));
  return config;
}

void log_remarks(const WorkerConfig& config, const Logger& logger) {
  for (const SettingRemark& remark : config.notices)
    logger.info("worker_setting", {{"setting", remark.key}, {"remark", remark.message}});
  for (const SettingRemark& remark : config.warnings)
    logger.warn("worker_setting", {{"setting", remark.key}, {"remark", remark.message}});
}

Expected<std::vector<ConnectorFile>> read_connector_files(FileSystem& files, const std::vector<std::string>& paths) {
  std::vector<ConnectorFile> connectors;
  for (const std::string& path : paths) {
    auto file = read_connector_file(files, path);
    if (!file) return fail(std::move(file.error()));
    connectors.push_back(std::move(*file));
  }
  return connectors;
}

/// The worker's state, read back from its topics.
struct Stores {
  std::unique_ptr<ConfigStore> configs;
  std::unique_ptr<OffsetStore> offsets;
  std::unique_ptr<StatusStore> statuses;
  std::unique_ptr<OffsetFileKeeper> offset_file;
};

Expected<std::unique_ptr<TopicStore>> open_topic(LogClient& client, const TopicStore::Options& options) {
  auto store = TopicStore::open(client, options);
  if (!store)
    return fail(std::move(store.error()).wrap(fmt::format("cannot open the worker's topic {}", options.topic)));
  return store;
}

Expected<Stores> open_stores(LogClient& client, const WorkerConfig& worker, std::string worker_id,
                             const Logger& logger) {
  const InternalTopics topics = internal_topics(worker);
  auto config = open_topic(client, topics.config);
  if (!config) return fail(std::move(config.error()));
  auto offset = open_topic(client, topics.offset);
  if (!offset) return fail(std::move(offset.error()));
  auto status = open_topic(client, topics.status);
  if (!status) return fail(std::move(status.error()));
  const int generation = worker.mode == WorkerMode::kDistributed ? 1 : 0;
  return Stores{std::make_unique<ConfigStore>(std::move(*config)), std::make_unique<OffsetStore>(std::move(*offset)),
                std::make_unique<StatusStore>(std::move(*status),
                                              StatusStore::Identity{std::move(worker_id), generation}, logger),
                nullptr};
}

Status keep_offset_file(Stores& stores, FileSystem& files, const WorkerConfig& config, const Logger& logger) {
  const auto path = config.all.find("offset.storage.file.filename");
  if (path == config.all.end() || path->second.empty()) return {};
  stores.offset_file =
      std::make_unique<OffsetFileKeeper>(files, path->second, *stores.offsets, config.offset_flush_interval, logger);
  return stores.offset_file->import();
}

Status put_connector_files(Herder& herder, const std::vector<ConnectorFile>& connectors) {
  for (const ConnectorFile& file : connectors) {
    if (auto put = herder.put_connector(file.name, file.config, file.initial, true); !put) {
      return fail(std::move(put.error()).wrap(fmt::format("Failed to create connector {}", file.name)));
    }
  }
  return {};
}

std::vector<std::string> names_of(const std::vector<ConnectorFile>& connectors) {
  std::vector<std::string> names;
  for (const ConnectorFile& file : connectors) names.push_back(file.name);
  return names;
}

/// Serves until a signal, or until the connectors of the command line fail.
/// `requests_ended` becomes false when a request still hangs in the herder.
Status serve(RestServer& rest, LocalHerder& herder, const std::vector<ConnectorFile>& connectors,
             const std::function<void()>& started, bool& requests_ended) {
  herder.start(names_of(connectors));
  rest.attach(herder);
  const Status created = put_connector_files(herder, connectors);
  if (created) {
    herder.set_ready();
    started();
    wait_for_signal();
  }
  requests_ended = rest.stop();
  herder.stop();
  return created;
}

}  // namespace

Status run_worker(const WorkerOptions& options, const Logger& logger) {
  PosixFileSystem files;
  SystemClock clock;
  auto config = read_worker_config(files, options.worker_file, options.mode);
  if (!config) return fail(std::move(config.error()));
  if (Status logging = logger.configure(config->all); !logging) return logging;
  log_remarks(*config, logger);
  auto providers = ConfigProviders::create(config->all, files);
  if (!providers) return fail(std::move(providers.error()));
  auto connectors = read_connector_files(files, options.connector_files);
  if (!connectors) return fail(std::move(connectors.error()));

  // REST listens first: it answers within milliseconds, and requests that need the herder wait for it.
  const bool standalone = options.mode == WorkerMode::kStandalone;
  auto rest_config = RestConfig::parse(config->all);
  if (!rest_config) return fail(std::move(rest_config.error()));
  RestServer::Options rest_options{.config = std::move(*rest_config), .http = {}, .api = {}};
  rest_options.api.standalone = standalone;
  // Requests may ask before there is a herder. Co-owned by the page and the stage.
  const auto running = std::make_shared<std::atomic<const LocalHerder*>>(nullptr);
  const auto metrics = std::make_shared<MetricsPage>(*config, kConnectVersion, kCommit, clock);
  rest_options.api.pages["/metrics"] = {kPrometheusContentType, [=] { return metrics->render(running->load()); }};
  rest_options.api.stage = [running] {
    const LocalHerder* herder = running->load();
    return herder == nullptr ? std::string() : herder->stage();
  };
  auto rest = RestServer::start(std::move(rest_options), logger);
  if (!rest) return fail(std::move(rest.error()));

  auto log = open_worker_log(files, clock, logger.module("millrace.broker"), *config);
  if (!log) return fail(std::move(log.error()));
  Node& node = (*log)->node();
  const auto client = EmbeddedLogClient::over(node.broker(), node.groups(), {.directory = config->log_dirs},
                                              logger.module("millrace.client"), &node.transactions());
  PluginHost plugins(files, plugin_host_table(), logger.module("millrace.plugins"));
  plugins.scan(options.built_in_plugins);
  for (const std::string& folder : config->plugin_path) plugins.scan(folder);
  auto stores = open_stores(*client, *config, (*rest)->advertised(), logger);
  if (!stores) return fail(std::move(stores.error()));
  if (standalone) {
    if (auto kept = keep_offset_file(*stores, files, *config, logger); !kept) return kept;
  }

  LocalHerder herder(*config, (*rest)->advertised(), {kConnectVersion, kCommit, client->admin().cluster_id()},
                     {*client, plugins, *stores->offsets, *stores->configs, *stores->statuses, std::move(*providers),
                      stores->offset_file.get()},
                     logger.module("millrace.runtime"));
  running->store(&herder);  // requests end before it does
  bool requests_ended = true;
  const Status served = serve(
      **rest, herder, *connectors,
      [&] {
        logger.info("worker_started", {{"mode", standalone ? "standalone" : "distributed"},
                                       {"rest", "http://" + (*rest)->advertised()},
                                       {"log", config->log_dirs},
                                       {"log_listeners", (*log)->addresses()},
                                       {"plugins", plugins.connectors().size()}});
      },
      requests_ended);
  logger.info("worker_stopped");
  if (herder.left_behind() || !requests_ended) {
    // Their threads still use the plugins and the log: close the log, and end without destroying anything under them.
    if (auto closed = (*log)->close(); !closed) logger.error("log_close_failed", {{"error", closed.error().message}});
    ::_exit(served ? 0 : 3);
  }
  return served;
}

}  // namespace millrace
