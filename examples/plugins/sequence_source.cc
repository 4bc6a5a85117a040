// A custom source: counts 0, 1, 2, … into a topic and goes on where it stopped after a restart.
//   g++ -std=c++20 -O2 -fPIC -shared -fvisibility=hidden sequence_source.cc -o sequence_source.so -I <prefix>/include
#include <millrace/connector.hpp>

namespace {
using namespace millrace::sdk;

constexpr ConfigKey kConfig[] = {
    {"topic", Type::kString, kNoDefault, Importance::kHigh, "Topic the numbers go to."},
    {"batch.size", Type::kInt64, "500", Importance::kLow, "Numbers per poll.", "", -1, Width::kNone, "",
     checks::at_least<1>},
    {"interval.ms", Type::kInt64, "1000", Importance::kLow, "Pause between polls, in milliseconds."},
};

class SequenceTask final : public SourceTask {
 public:
  Status start(SourceContext& context) override {
    topic_ = context.string("topic");
    next_ = context.source_offset_or(kPartition, -1) + 1;  // the stored offset is the last number sent
    return ok();
  }
  Status poll(SourceContext& context) override {
    batch_.clear();
    for (int64_t i = 0; i < context.int64("batch.size"); ++i, ++next_) {
      batch_.push_back({topic_, /*key=*/next_, /*value=*/next_, kPartition, /*source_offset=*/next_});
    }
    if (Status sent = context.emit(batch_); !sent.ok()) return sent;  // copied by the worker; waits for room
    context.wait(context.int64("interval.ms"));
    return ok();
  }

 private:
  static constexpr std::string_view kPartition = "sequence";
  std::string topic_;
  int64_t next_ = 0;
  std::vector<SourceRecord> batch_;
};

struct SequenceSource {
  using Task = SequenceTask;
  static constexpr std::string_view kName = "SequenceSource", kVersion = "1.0.0";
  static std::span<const ConfigKey> config() { return kConfig; }
  static Support exactly_once_support(const Config&) { return Support::kSupported; }  // a number follows from the last
};
}  // namespace

MILLRACE_PLUGIN(SequenceSource)
