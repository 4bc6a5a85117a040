#include "runtime/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace millrace {
namespace {

using Kind = PrometheusText::Kind;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Field `number`, counted from 1, of /proc/self/stat; the second one, a name in brackets, may hold blanks.
double stat_field(int number) {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return -1;
  std::istringstream rest(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= number; ++i) rest >> field;
  return rest ? std::stod(field) : -1;
}

/// Seconds since the epoch when the machine was started.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double time = 0;
    if (word == "btime" && file >> time) return time;
  }
  return -1;
}

}  // namespace

void add_process_metrics(PrometheusText& out, std::string_view labels) {
  const auto add = [&](std::string_view name, Kind kind, std::string_view help, double value) {
    if (value >= 0) out.metric(name, kind, help).add(labels, value);
  };
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    add("process_cpu_seconds_total", Kind::kCounter, "User and system CPU time spent in seconds.",
        seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  constexpr int kStartTicks = 22, kResidentPages = 24;
  add("process_resident_memory_bytes", Kind::kGauge, "Resident memory size in bytes.",
      stat_field(kResidentPages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  const double started = stat_field(kStartTicks), boot = boot_time();
  if (started >= 0 && boot >= 0) {
    add("process_start_time_seconds", Kind::kGauge, "Start time of the process since the Unix epoch in seconds.",
        boot + started / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
    ++open;
  if (!error) add("process_open_fds", Kind::kGauge, "Number of open file descriptors.", open);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    add("process_max_fds", Kind::kGauge, "Maximum number of open file descriptors.",
        static_cast<double>(limit.rlim_cur));
}

}  // namespace millrace
