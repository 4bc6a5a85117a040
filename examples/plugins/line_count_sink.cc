// A custom sink: appends "topic-partition offset count" to a file at each commit, a ledger of what has arrived.
//   g++ -std=c++20 -O2 -fPIC -shared -fvisibility=hidden line_count_sink.cc -o line_count_sink.so -I <prefix>/include
#include <cstdio>
#include <millrace/connector.hpp>

namespace {
using namespace millrace::sdk;

constexpr ConfigKey kConfig[] = {
    {"ledger.file", Type::kString, kNoDefault, Importance::kHigh, "File the counts are appended to.", "", -1,
     Width::kNone, "", checks::non_empty},
    {"skip.null", Type::kBoolean, "false", Importance::kLow, "Leave records with a null value out of the count."},
};

class LineCountTask final : public SinkTask {
 public:
  Status start(SinkContext& context) override {
    path_ = context.string("ledger.file");
    file_.reset(std::fopen(path_.c_str(), "a"));
    skip_null_ = context.boolean("skip.null");
    return file_ ? ok() : Status(Code::kInternal, "cannot append to " + path_);
  }
  Status put(SinkContext&, std::span<const mr_record> records) override {
    for (const mr_record& record : records) {
      if (skip_null_ && record.value.kind == MR_NULL) continue;
      ++counts_[std::string(view(record.original_topic)) + "-" + std::to_string(record.original_partition)];
    }
    return ok();
  }
  /// The worker commits these offsets when this returns ok: by then the counts must be in the file.
  Status flush(SinkContext&, std::span<mr_topic_partition> offsets) override {
    for (const mr_topic_partition& at : offsets) {
      const std::string name = std::string(view(at.topic)) + "-" + std::to_string(at.partition);
      if (const auto count = counts_.find(name); count != counts_.end() && count->second != 0) {
        std::fprintf(file_.get(), "%s %lld %lld\n", name.c_str(), static_cast<long long>(at.offset), count->second);
      }
    }
    if (std::fflush(file_.get()) != 0) return {Code::kUnavailable, "cannot write to " + path_};
    counts_.clear();
    return ok();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool skip_null_ = false;
  std::map<std::string, long long> counts_;
};

struct LineCountSink {
  using Task = LineCountTask;
  static constexpr std::string_view kName = "LineCountSink", kVersion = "1.0.0";
  static std::span<const ConfigKey> config() { return kConfig; }
};
}  // namespace

MILLRACE_PLUGIN(LineCountSink)
