// An exception in mr_plugin itself, which the C++ wrapper turns into a refusal.
#include <millrace/connector.hpp>

#include <stdexcept>

namespace {
using namespace millrace::sdk;

class Task final : public SourceTask {
 public:
  Status start(SourceContext&) override { return ok(); }
  Status poll(SourceContext&) override { return ok(); }
};
struct ThrowsOnLoadSource {
  using Task = ::Task;
  static constexpr std::string_view kName = "ThrowsOnLoadSource", kVersion = "1.0.0";
  static std::span<const ConfigKey> config() { throw std::runtime_error("thrown on load"); }
};
}  // namespace

MILLRACE_PLUGIN(ThrowsOnLoadSource)
