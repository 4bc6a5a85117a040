// stop does not return by itself: the worker must give the task up after task.shutdown.graceful.timeout.ms.
// A test that is done with it creates the file named by the option `release.file`, so that the thread can end.
#include <millrace/connector.hpp>

#include <chrono>
#include <filesystem>
#include <thread>

namespace {
using namespace millrace::sdk;

constexpr ConfigKey kConfig[] = {
    {"release.file", Type::kString, kNoDefault, Importance::kHigh, "stop returns once this file exists."},
};

class HangingTask final : public SourceTask {
 public:
  Status start(SourceContext&) override { return ok(); }
  Status poll(SourceContext& context) override {
    context.wait(50);
    return ok();
  }
  Status stop(SourceContext& context) override {
    const std::filesystem::path release = context.string("release.file");
    std::error_code absent;
    while (!std::filesystem::exists(release, absent)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return ok();
  }
};
struct HangsInStopSource {
  using Task = HangingTask;
  static constexpr std::string_view kName = "HangsInStopSource", kVersion = "1.0.0";
  static std::span<const ConfigKey> config() { return kConfig; }
};
}  // namespace

MILLRACE_PLUGIN(HangsInStopSource)
