// An exception leaves start: the wrapper hands it over as an error, the task fails with its text.
#include <millrace/connector.hpp>

#include <stdexcept>

namespace {
using namespace millrace::sdk;

class ThrowingTask final : public SourceTask {
 public:
  Status start(SourceContext&) override { throw std::runtime_error("thrown in start"); }
  Status poll(SourceContext&) override { return ok(); }
};
struct ThrowsInStartSource {
  using Task = ThrowingTask;
  static constexpr std::string_view kName = "ThrowsInStartSource", kVersion = "1.0.0";
  static std::span<const ConfigKey> config() { return {}; }
};
}  // namespace

MILLRACE_PLUGIN(ThrowsInStartSource)
