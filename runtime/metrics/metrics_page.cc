#include "runtime/metrics/metrics_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "runtime/metrics/process_metrics.h"
#include "runtime/metrics/task_rows.h"
#include "runtime/source_task.h"

namespace millrace {
namespace {

using Kind = PrometheusText::Kind;
constexpr std::string_view kConnector = "connector-metrics", kTask = "connector-task-metrics",
                           kWorker = "connect-worker-metrics", kRebalance = "connect-worker-rebalance-metrics";
constexpr std::array kStates = {State::kUnassigned, State::kRunning, State::kPaused,
                                State::kStopped,    State::kFailed,  State::kRestarting};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool applies(TaskRow::Of of, const WorkerTask& task) {
  if (of == TaskRow::Of::kAll) return true;
  const auto* source = dynamic_cast<const SourceTask*>(&task);
  if (of == TaskRow::Of::kSinks) return source == nullptr;
  return source != nullptr && (of == TaskRow::Of::kSources || source->exactly_once());
}

std::string label_name(std::string_view setting) {
  std::string name(setting);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  constexpr std::array<std::string_view, 12> kTaken = {
      "connector", "task",    "status",    "connector_class",  "connector_type", "connector_version",
      "name",      "version", "commit_id", "connect_protocol", "leader_name",    "le"};
  const bool taken = std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end();
  // Names that begin with two underscores are Prometheus's own.
  if (taken || name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) || name.starts_with("__"))
    name.insert(0, "context_");
  return name;
}

}  // namespace

MetricLabels context_labels(const ConfigMap& settings) {
  constexpr std::string_view kPrefix = "metrics.context.";
  MetricLabels labels;
  for (const auto& [key, value] : settings) {
    if (!key.starts_with(kPrefix)) continue;
    const std::string name = label_name(std::string_view(key).substr(kPrefix.size()));
    const bool known =
        std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return label.first == name; });
    if (!known) labels.emplace_back(name, value);
  }
  return labels;
}

/// One rendering.
class MetricsPage::Sheet {
 public:
  explicit Sheet(const MetricsPage& page) : page_(page), plain_(labels({})) {}

  void add_process();
  void add_worker(const LocalHerder& herder, const std::vector<LocalHerder::Reading>& readings,
                  std::chrono::nanoseconds now);
  void add_rebalance(const std::string& worker_id);
  void add_connector(const LocalHerder::Reading& reading);
  void add_tasks(const LocalHerder::Reading& reading, MetricsSampler& sampler, std::chrono::nanoseconds now);
  std::string text() const { return text_.text(); }

 private:
  std::string labels(MetricLabels own) const {
    own.insert(own.end(), page_.context_.begin(), page_.context_.end());
    return PrometheusText::labels_text(own);
  }
  void add(std::string_view group, std::string_view attribute, Kind kind, std::string_view help,
           std::string_view labels, double value) {
    text_.metric(prometheus_name(group, attribute), kind, help).add(labels, value);
  }
  /// One sample for each state, 1 for the present one.
  void add_status(std::string_view group, std::string_view help, const MetricLabels& of, State present);
  void add_startups(std::string_view what, const StartupCounters::Outcomes& outcomes, const StartupRates& rates);

  const MetricsPage& page_;
  PrometheusText text_;
  const std::string plain_;
  std::vector<PrometheusText::Metric*> task_metrics_;  // by row
};

void MetricsPage::Sheet::add_process() {
  add_process_metrics(text_, plain_);
  text_.metric("kafka_connect_app_info", Kind::kGauge, "The version of the worker; always 1.")
      .add(labels({{"version", page_.version_}, {"commit_id", page_.commit_}}), 1);
  add("app-info", "start-time-ms", Kind::kGauge, "When the worker started, in milliseconds since the epoch.", plain_,
      static_cast<double>(page_.started_ms_));
}

void MetricsPage::Sheet::add_startups(std::string_view what, const StartupCounters::Outcomes& outcomes,
                                      const StartupRates& rates) {
  const auto put = [&](std::string_view attribute, Kind kind, std::string_view help, double value) {
    add(kWorker, fmt::format("{}-startup-{}", what, attribute), kind, fmt::format(fmt::runtime(help), what), plain_,
        value);
  };
  const auto successes = static_cast<double>(outcomes.successes.get());
  const auto failures = static_cast<double>(outcomes.failures.get());
  put("attempts-total", Kind::kCounter, "Starts of a {} that this worker attempted.", successes + failures);
  put("success-total", Kind::kCounter, "Starts of a {} that succeeded.", successes);
  put("failure-total", Kind::kCounter, "Starts of a {} that failed.", failures);
  put("success-percentage", Kind::kGauge, "The fraction of recent {} starts that succeeded, 0 to 1.", rates.succeeded);
  put("failure-percentage", Kind::kGauge, "The fraction of recent {} starts that failed, 0 to 1.", rates.failed);
}

void MetricsPage::Sheet::add_worker(const LocalHerder& herder, const std::vector<LocalHerder::Reading>& readings,
                                    std::chrono::nanoseconds now) {
  size_t tasks = 0;
  for (const auto& reading : readings) tasks += reading.status.tasks.size();
  add(kWorker, "connector-count", Kind::kGauge, "Connectors of this worker.", plain_,
      static_cast<double>(readings.size()));
  add(kWorker, "task-count", Kind::kGauge, "Tasks of this worker.", plain_, static_cast<double>(tasks));
  add_startups("connector", herder.startups().connectors, herder.sampler().connector_startups(now));
  add_startups("task", herder.startups().tasks, herder.sampler().task_startups(now));
}

/// A worker that is alone never regroups: it leads itself from the start.
void MetricsPage::Sheet::add_rebalance(const std::string& worker_id) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  add(kRebalance, "info", Kind::kGauge, "The group's protocol and its leader; always 1.",
      labels({{"connect_protocol", page_.protocol_}, {"leader_name", worker_id}}), 1);
  add(kRebalance, "epoch", Kind::kGauge, "The generation of this worker.", plain_, 1);
  add(kRebalance, "completed-rebalances-total", Kind::kCounter, "Rebalances completed by this worker.", plain_, 0);
  add(kRebalance, "rebalancing", Kind::kGauge, "Whether this worker is rebalancing.", plain_, 0);
  add(kRebalance, "rebalance-max-time-ms", Kind::kGauge, "The longest rebalance, in milliseconds.", plain_, kNone);
  add(kRebalance, "rebalance-avg-time-ms", Kind::kGauge, "The average time of a rebalance, in milliseconds.", plain_,
      kNone);
  add(kRebalance, "time-since-last-rebalance-ms", Kind::kGauge,
      "Milliseconds since this worker completed its last rebalance.", plain_, kNever);
}

void MetricsPage::Sheet::add_status(std::string_view group, std::string_view help, const MetricLabels& of,
                                    State present) {
  PrometheusText::Metric& metric = text_.metric(prometheus_name(group, "status"), Kind::kGauge, help);
  std::string own = labels(of);
  own.back() = ',';  // instead of the brace
  for (const State state : kStates)
    metric.add(fmt::format("{}status=\"{}\"}}", own, lower_case(state_name(state))), state == present ? 1 : 0);
}

void MetricsPage::Sheet::add_connector(const LocalHerder::Reading& reading) {
  const ConnectorStatus& status = reading.status;
  const State state = status.connector.state;
  add(kConnector, "info", Kind::kGauge, "What a connector is; always 1.",
      labels({{"connector", status.name},
              {"connector_class", reading.class_name},
              {"connector_type", std::string(connector_type_name(status.type))},
              {"connector_version", status.connector.version},
              {"status", lower_case(state_name(state))}}),
      1);
  add_status(kConnector, "1 for the state that the connector is in.", {{"connector", status.name}}, state);

  const std::string own = labels({{"connector", status.name}});
  const auto count = [&](std::string_view what, double number) {
    add(kWorker, fmt::format("connector-{}-task-count", what), Kind::kGauge,
        fmt::format("Tasks of the connector on this worker: {}.", what), own, number);
  };
  const auto in = [&](State wanted) {
    return static_cast<double>(std::count_if(status.tasks.begin(), status.tasks.end(),
                                             [&](const auto& task) { return task.state == wanted; }));
  };
  count("total", static_cast<double>(status.tasks.size()));
  count("running", in(State::kRunning));
  count("paused", in(State::kPaused));
  count("failed", in(State::kFailed));
  count("unassigned", in(State::kUnassigned));
  count("destroyed", 0);  // such tasks are not shown at all
  count("restarting", in(State::kRestarting));
}

void MetricsPage::Sheet::add_tasks(const LocalHerder::Reading& reading, MetricsSampler& sampler,
                                   std::chrono::nanoseconds now) {
  const auto rows = task_rows();
  if (task_metrics_.empty()) {
    for (const TaskRow& row : rows)
      task_metrics_.push_back(&text_.metric(prometheus_name(row.group, row.attribute), row.kind, row.help));
  }
  const auto of = [&](int id) {
    return MetricLabels{{"connector", reading.status.name}, {"task", std::to_string(id)}};
  };
  for (const auto& part : reading.status.tasks)
    add_status(kTask, "1 for the state that the task is in.", of(part.id), part.state);
  for (const auto& part : reading.status.tasks) {
    for (const auto& item : part.progress) {
      if (item.text) continue;
      auto own = of(part.id);
      own.emplace_back("name", item.name);
      text_.metric("millrace_task_progress", Kind::kGauge, "What the task tells of its work, by name.")
          .add(labels(own), item.number);
    }
  }
  for (const auto& task : reading.tasks) {
    const TaskMetrics* metrics = metrics_of(*task);
    if (metrics == nullptr) continue;
    const TaskRates rates = sampler.read(task, now);
    const std::string own = labels(of(task->status().id));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (applies(rows[i].of, *task)) task_metrics_[i]->add(own, rows[i].value({*metrics, rates}));
    }
  }
}

MetricsPage::MetricsPage(const WorkerConfig& config, std::string version, std::string commit, const Clock& clock)
    : mode_(config.mode),
      protocol_(config.connect_protocol),
      version_(std::move(version)),
      commit_(std::move(commit)),
      context_(context_labels(config.all)),
      clock_(clock),
      started_ms_(clock.wall_ms()) {}

std::string MetricsPage::render(const LocalHerder* herder) const {
  Sheet sheet(*this);
  sheet.add_process();
  if (herder == nullptr) return sheet.text();
  const auto now = clock_.monotonic();
  const auto readings = herder->readings();
  sheet.add_worker(*herder, readings, now);
  if (mode_ == WorkerMode::kDistributed) sheet.add_rebalance(herder->worker_id());
  for (const LocalHerder::Reading& reading : readings) {
    sheet.add_connector(reading);
    sheet.add_tasks(reading, herder->sampler(), now);
  }
  return sheet.text();
}

}  // namespace millrace
