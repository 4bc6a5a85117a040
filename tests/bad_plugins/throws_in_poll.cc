// Something that is not even a std::exception leaves poll, after some good polls.
#include <millrace/connector.hpp>

namespace {
using namespace millrace::sdk;

class ThrowingTask final : public SourceTask {
 public:
  Status start(SourceContext&) override { return ok(); }
  Status poll(SourceContext&) override {
    if (++polls_ > 2) throw 42;
    return ok();
  }

 private:
  int polls_ = 0;
};
struct ThrowsInPollSource {
  using Task = ThrowingTask;
  static constexpr std::string_view kName = "ThrowsInPollSource", kVersion = "1.0.0";
  static std::span<const ConfigKey> config() { return {}; }
};
}  // namespace

MILLRACE_PLUGIN(ThrowsInPollSource)
