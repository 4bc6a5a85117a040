#include "transforms/transformation.h"

#include <algorithm>
#include <iterator>

namespace millrace {
namespace {

/// By the full name, or by what follows its package.
template <class Table>
auto find_by_name(const Table& table, std::string_view name) -> decltype(table.data()) {
  for (const auto& each : table) {
    if (each.name == name || each.name.substr(each.name.rfind('.') + 1) == name) return &each;
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

const std::vector<PredicateClass>& predicate_classes() {
  static const std::vector<PredicateClass> none;
  return none;
}

const TransformationClass* find_transformation(std::string_view class_name) {
  return find_by_name(transformation_classes(), class_name);
}

const PredicateClass* find_predicate(std::string_view class_name) {
  return find_by_name(predicate_classes(), class_name);
}

}  // namespace millrace
