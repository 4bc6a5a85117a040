#include "transforms/kafka_transforms.h"
#include "transforms/options.h"

namespace millrace::smt {
namespace {

/// Drops whatever reaches it; its predicate decides what does.
class Filter final : public Transformation {
 public:
  Status configure(const ConfigMap&) override { return {}; }
  Expected<bool> apply(ConnectRecord&, Arena&) override { return false; }
};

}  // namespace

TransformationPtr make_filter() { return std::make_unique<Filter>(); }

const ConfigDef& filter_options() {
  static const ConfigDef def = make_options({});
  return def;
}

}  // namespace millrace::smt
