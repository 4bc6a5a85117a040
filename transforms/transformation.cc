#include "transforms/transformation.h"

#include <algorithm>
#include <iterator>

namespace millrace {
namespace {

/// By the full name, or by what follows the last dot of it.
template <class Class>
const Class* find_class(const std::vector<Class>& classes, std::string_view name) {
  for (const Class& one : classes) {
    if (one.name == name || one.name.substr(one.name.rfind('.') + 1) == name) return &one;
  }
  return nullptr;
}

}  // namespace

const std::vector<TransformationClass>& transformation_classes() {
  static const std::vector<TransformationClass> all = [] {
    std::vector<TransformationClass> classes = kafka_transformation_classes();
    std::ranges::move(debezium_transformation_classes(), std::back_inserter(classes));
    std::ranges::sort(classes, {}, &TransformationClass::name);
    return classes;
  }();
  return all;
}

const TransformationClass* find_transformation(std::string_view class_name) {
  return find_class(transformation_classes(), class_name);
}
const PredicateClass* find_predicate(std::string_view class_name) {
  return find_class(predicate_classes(), class_name);
}

}  // namespace millrace
