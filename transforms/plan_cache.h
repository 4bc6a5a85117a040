/// What a transformation worked out for each input schema, most often the schema it makes of it.
#pragma once

#include <memory>
#include <unordered_map>
#include <utility>

#include "data/schema.h"

namespace millrace::smt {

/// Plans by schema: found by the schema's address, and by content when a known schema comes as a new object.
/// Threads: one. A plan lives at least until the second new_batch() after it was handed out; one that stays in use
/// stays the same object. Holds at most kBound schemas beside those of the last two batches.
template <class Plan>
class PlanCache {
 public:
  static constexpr size_t kBound = 16;  // as Connect's own caches

  /// `make(const Schema&)` gives Expected<Plan>; its errors are passed on and not remembered.
  template <class Make>
  Expected<const Plan*> get(const Schema& schema, Make&& make) {
    if (&schema == last_schema_) return last_plan_;
    if (const auto known = current_.by_address.find(&schema); known != current_.by_address.end())
      return use(schema, known->second.plan);
    SchemaPtr held = schema.shared_from_this();
    PlanPtr plan = find(held);
    if (plan == nullptr) {
      auto made = make(schema);
      if (!made) return fail(std::move(made.error()));
      plan = std::make_shared<const Planned>(Planned{held, std::move(*made)});
    }
    current_.by_content.emplace(held, plan);
    current_.by_address.emplace(&schema, Entry{std::move(held), plan});
    return use(schema, plan);
  }

  void new_batch() {
    if (current_.by_address.size() <= kBound) {
      retired_ = {};
      return;
    }
    retired_ = std::exchange(current_, {});
    last_schema_ = nullptr;
  }

 private:
  struct Planned {
    SchemaPtr origin;  // plans point into the schema they were made for, also when an equal one comes later
    Plan plan;
  };
  using PlanPtr = std::shared_ptr<const Planned>;
  struct Hash {
    size_t operator()(const SchemaPtr& schema) const { return schema->hash(); }
  };
  struct Same {
    bool operator()(const SchemaPtr& left, const SchemaPtr& right) const { return *left == *right; }
  };
  struct Entry {
    SchemaPtr schema;  // keeps the address from being used again
    PlanPtr plan;
  };
  struct Generation {
    std::unordered_map<const Schema*, Entry> by_address;
    std::unordered_map<SchemaPtr, PlanPtr, Hash, Same> by_content;
  };

  PlanPtr find(const SchemaPtr& schema) const {
    for (const Generation* generation : {&current_, &retired_}) {
      if (const auto known = generation->by_content.find(schema); known != generation->by_content.end())
        return known->second;
    }
    return nullptr;
  }

  const Plan* use(const Schema& schema, const PlanPtr& planned) {
    last_schema_ = &schema;
    last_plan_ = &planned->plan;
    return last_plan_;
  }

  Generation current_, retired_;
  const Schema* last_schema_ = nullptr;  // most topics have one schema
  const Plan* last_plan_ = nullptr;
};

}  // namespace millrace::smt
