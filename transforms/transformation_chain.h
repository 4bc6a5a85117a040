/// `transforms=a,b` of a connector: its transformations in order, each behind its predicate.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "transforms/transformation.h"

namespace millrace {

/// Threads: one.
class TransformationChain {
 public:
  /// An empty chain: every record passes unchanged.
  TransformationChain() = default;
  /// From a connector's whole configuration (transforms, transforms.<a>.*, predicates, predicates.<p>.*).
  /// Errors: kInvalidConfig with Connect's text, e.g. for an alias that names no predicate.
  static Expected<TransformationChain> create(const ConfigMap& connector_config);

  bool empty() const { return stages_.empty(); }
  /// As Transformation::apply(). Stages after the one that drops a record do not see it.
  Expected<bool> apply(ConnectRecord& record, Arena& arena);
  /// After apply() failed: the class of the transformation or predicate that did. Empty otherwise.
  std::string_view failed_class() const { return failed_class_; }
  void new_batch();

 private:
  struct Stage {
    std::unique_ptr<Transformation> transformation;
    std::string_view class_name;
    std::unique_ptr<Predicate> predicate;  ///< null = always
    std::string_view predicate_class;
    bool negate = false;
  };
  std::vector<Stage> stages_;
  std::string_view failed_class_;
};

}  // namespace millrace
