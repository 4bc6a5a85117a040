#include "transforms/transformation.h"

#include <algorithm>
#include <iterator>

namespace millrace {

const std::vector<TransformationClass>& transformation_classes() {
  static const std::vector<TransformationClass> all = [] {
    std::vector<TransformationClass> classes = kafka_transformation_classes();
    std::ranges::move(debezium_transformation_classes(), std::back_inserter(classes));
    std::ranges::sort(classes, {}, &TransformationClass::name);
    return classes;
  }();
  return all;
}

}  // namespace millrace
