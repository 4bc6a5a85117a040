#include "runtime/metrics/task_rows.h"

namespace millrace {
namespace {

using N = const TaskNumbers&;
using Of = TaskRow::Of;
constexpr auto kGauge = PrometheusText::Kind::kGauge;
constexpr auto kCounter = PrometheusText::Kind::kCounter;
constexpr std::string_view kTask = "connector-task-metrics", kSource = "source-task-metrics",
                           kSink = "sink-task-metrics", kError = "task-error-metrics";

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

template <Counter TaskMetrics::*counter>
double total(N n) {
  return static_cast<double>((n.totals.*counter).get());
}
template <size_t which>
double rate(N n) {
  return n.rates.per_second[which];
}
template <size_t which>
double largest(N n) {
  return n.rates.measured[which].max;
}
template <size_t which>
double smallest(N n) {
  return n.rates.measured[which].min;
}
template <size_t which>
double average(N n) {
  return n.rates.measured[which].average;
}

using M = TaskMetrics;
constexpr TaskRow kRows[] = {
    {kTask, "running-ratio", Of::kAll, kGauge, "The fraction of time this task has spent in the running state.",
     [](N n) { return share(n.totals.state.running_us(), n.totals.state.alive_us()); }},
    {kTask, "pause-ratio", Of::kAll, kGauge, "The fraction of time this task has spent in the pause state.",
     [](N n) { return share(n.totals.state.paused_us(), n.totals.state.alive_us()); }},
    {kTask, "offset-commit-max-time-ms", Of::kAll, kGauge, "The longest offset commit, in milliseconds.",
     largest<kCommitMs>},
    {kTask, "offset-commit-avg-time-ms", Of::kAll, kGauge, "The average time of an offset commit, in milliseconds.",
     average<kCommitMs>},
    {kTask, "offset-commit-failure-percentage", Of::kAll, kGauge, "The fraction of offset commits that failed, 0 to 1.",
     [](N n) { return n.rates.commits_failed; }},
    {kTask, "offset-commit-success-percentage", Of::kAll, kGauge,
     "The fraction of offset commits that succeeded, 0 to 1.", [](N n) { return n.rates.commits_succeeded; }},
    {kTask, "batch-size-max", Of::kAll, kGauge, "The records of the largest batch.", largest<kBatchSize>},
    {kTask, "batch-size-avg", Of::kAll, kGauge, "The average number of records in a batch.", average<kBatchSize>},

    {kSource, "source-record-poll-rate", Of::kSources, kGauge, "Records polled per second, before transformations.",
     rate<kPolledRate>},
    {kSource, "source-record-poll-total", Of::kSources, kCounter, "Records polled, before transformations.",
     total<&M::polled>},
    {kSource, "source-record-write-rate", Of::kSources, kGauge, "Records written to the log per second.",
     rate<kWrittenRate>},
    {kSource, "source-record-write-total", Of::kSources, kCounter, "Records written to the log.", total<&M::written>},
    {kSource, "poll-batch-max-time-ms", Of::kSources, kGauge, "The longest poll that brought records, in milliseconds.",
     largest<kPollMs>},
    {kSource, "poll-batch-avg-time-ms", Of::kSources, kGauge,
     "The average time of a poll that brought records, in milliseconds.", average<kPollMs>},
    {kSource, "source-record-active-count", Of::kSources, kGauge, "Records polled and not yet written.",
     total<&M::active>},
    {kSource, "source-record-active-count-max", Of::kSources, kGauge, "The most records polled and not yet written.",
     largest<kActiveSeen>},
    {kSource, "source-record-active-count-avg", Of::kSources, kGauge,
     "The average number of records polled and not yet written.", average<kActiveSeen>},
    {kSource, "transaction-size-min", Of::kExactlyOnceSources, kGauge, "The records of the smallest transaction.",
     smallest<kTransactionSize>},
    {kSource, "transaction-size-max", Of::kExactlyOnceSources, kGauge, "The records of the largest transaction.",
     largest<kTransactionSize>},
    {kSource, "transaction-size-avg", Of::kExactlyOnceSources, kGauge,
     "The average number of records in a transaction.", average<kTransactionSize>},

    {kSink, "sink-record-read-rate", Of::kSinks, kGauge, "Records read per second, before transformations.",
     rate<kReadRate>},
    {kSink, "sink-record-read-total", Of::kSinks, kCounter, "Records read, before transformations.", total<&M::read>},
    {kSink, "sink-record-send-rate", Of::kSinks, kGauge, "Records given to the sink per second.", rate<kSentRate>},
    {kSink, "sink-record-send-total", Of::kSinks, kCounter, "Records given to the sink.", total<&M::sent>},
    {kSink, "partition-count", Of::kSinks, kGauge, "Partitions assigned to this task.", total<&M::partitions>},
    {kSink, "offset-commit-seq-no", Of::kSinks, kGauge, "The current sequence number of offset commits.",
     total<&M::commit_sequence>},
    {kSink, "offset-commit-completion-rate", Of::kSinks, kGauge, "Offset commits completed per second.",
     rate<kCompletedRate>},
    {kSink, "offset-commit-completion-total", Of::kSinks, kCounter, "Offset commits completed.",
     total<&M::commits_completed>},
    {kSink, "offset-commit-skip-rate", Of::kSinks, kGauge, "Offset commits per second that had nothing to store.",
     rate<kSkippedRate>},
    {kSink, "offset-commit-skip-total", Of::kSinks, kCounter, "Offset commits that had nothing to store.",
     total<&M::commits_skipped>},
    {kSink, "put-batch-max-time-ms", Of::kSinks, kGauge, "The longest put of a batch, in milliseconds.",
     largest<kPutMs>},
    {kSink, "put-batch-avg-time-ms", Of::kSinks, kGauge, "The average time to put a batch, in milliseconds.",
     average<kPutMs>},
    {kSink, "sink-record-active-count", Of::kSinks, kGauge, "Records read and not yet committed.", total<&M::active>},
    {kSink, "sink-record-active-count-max", Of::kSinks, kGauge, "The most records read and not yet committed.",
     largest<kActiveSeen>},
    {kSink, "sink-record-active-count-avg", Of::kSinks, kGauge,
     "The average number of records read and not yet committed.", average<kActiveSeen>},

    {kError, "total-record-failures", Of::kAll, kCounter, "Failed tries to process a record.",
     total<&M::record_failures>},
    {kError, "total-record-errors", Of::kAll, kCounter, "Records that failed for good.", total<&M::record_errors>},
    {kError, "total-records-skipped", Of::kAll, kCounter, "Records skipped because of errors.",
     total<&M::records_skipped>},
    {kError, "total-retries", Of::kAll, kCounter, "Operations tried again.", total<&M::retries>},
    {kError, "total-errors-logged", Of::kAll, kCounter, "Errors written to the worker's log.",
     total<&M::errors_logged>},
    {kError, "deadletterqueue-produce-requests", Of::kAll, kCounter, "Records given to the dead letter queue.",
     total<&M::dead_letters>},
    {kError, "deadletterqueue-produce-failures", Of::kAll, kCounter, "Records the dead letter queue could not write.",
     total<&M::dead_letter_failures>},
    {kError, "last-error-timestamp", Of::kAll, kGauge,
     "When this task last met an error, in milliseconds since the epoch; 0 = never.", total<&M::last_error_ms>},
};

}  // namespace

std::span<const TaskRow> task_rows() { return kRows; }

}  // namespace millrace
