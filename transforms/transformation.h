/// Single message transforms and predicates, by Kafka Connect's names, options and error texts.
///
/// Threads: one; each task has its own instances. What apply() changes in a record borrows from the record it was
/// given, from `arena`, or from the transformation itself. A schema that a transformation made lives at least until the
/// second new_batch() after it was handed out, and longer while somebody holds its SchemaPtr
/// (Schema::shared_from_this()). A transformation keeps the plan for a known input schema, so that it allocates nothing
/// per record but in the arena.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config_def.h"
#include "data/arena.h"
#include "data/record.h"

namespace millrace {

class Transformation {
 public:
  virtual ~Transformation() = default;
  /// To be called once, before anything else; `settings` without the prefix (`transforms.<alias>.`). Unknown ones are
  /// ignored. Errors: kInvalidConfig with Connect's text.
  virtual Status configure(const ConfigMap& settings) = 0;
  /// Changes the record; false drops it. Errors: kBadRecord with Connect's text; the record is undefined then.
  virtual Expected<bool> apply(ConnectRecord& record, Arena& arena) = 0;
  /// Tells that records of the batch before the last are no longer used; caches may shrink to their bound.
  virtual void new_batch() {}
};

class Predicate {
 public:
  virtual ~Predicate() = default;
  virtual Status configure(const ConfigMap& settings) = 0;
  virtual Expected<bool> test(const ConnectRecord& record) = 0;
};

/// What a class name stands for: `org.apache.kafka.connect.transforms.HoistField$Value`, or a short form of it
/// (`HoistField$Value`, `RegexRouter`). `make` and `options` live as long as the process.
struct TransformationClass {
  std::string_view name;  ///< the full name
  std::unique_ptr<Transformation> (*make)();
  const ConfigDef& (*options)();
};
struct PredicateClass {
  std::string_view name;
  std::unique_ptr<Predicate> (*make)();
  const ConfigDef& (*options)();
};

/// nullptr if unknown.
const TransformationClass* find_transformation(std::string_view class_name);
const PredicateClass* find_predicate(std::string_view class_name);
/// All of them, sorted by name. $Key and $Value are classes of their own.
const std::vector<TransformationClass>& transformation_classes();
const std::vector<PredicateClass>& predicate_classes();

/// The part of the table that each file group brings; transformation_classes() joins them.
std::vector<TransformationClass> kafka_transformation_classes();
std::vector<TransformationClass> debezium_transformation_classes();

}  // namespace millrace
