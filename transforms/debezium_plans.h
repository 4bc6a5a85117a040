/// Caches of plans: what a transformation has worked out for a schema, or for a schema and something more.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "data/schema.h"

namespace millrace::debezium {

/// Plans that one cache keeps from batch to batch; a batch with more keeps them until the one after it.
inline constexpr size_t kPlansMax = 64;

/// Plans by the bytes of a key. Threads: one. A plan lives at least until the second new_batch() after it was asked
/// for.
template <class Plan>
class PlanCache {
 public:
  explicit PlanCache(size_t max = kPlansMax) : max_(max) {}

  /// nullptr when there is none.
  Plan* find(std::string_view key) {
    if (const auto found = young_.find(key); found != young_.end()) return found->second.get();
    const auto found = old_.find(key);
    if (found == old_.end()) return nullptr;
    return young_.emplace(key, found->second).first->second.get();
  }
  Plan* add(std::string_view key, Plan plan) {
    return young_.insert_or_assign(std::string(key), std::make_shared<Plan>(std::move(plan))).first->second.get();
  }

  void new_batch() {
    old_.clear();
    if (young_.size() > max_) old_.swap(young_);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [key, plan] : young_) visit(*plan);
  }
  size_t size() const { return young_.size() + old_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Plans = std::unordered_map<std::string, std::shared_ptr<Plan>, Hash, std::equal_to<>>;

  size_t max_;
  Plans young_, old_;  // a plan may be in both for one batch
};

/// Plans by schema: compared by address first, and by content when the address is new. Threads: one. Lifetime as above;
/// a cached schema is kept alive, so that its address stays its own.
template <class Plan>
class SchemaPlans {
 public:
  explicit SchemaPlans(size_t max = kPlansMax) : max_(max) {}

  /// The plan of `schema`, made by `make(schema)`, an Expected<Plan>, when there is none. A failure is not kept.
  template <class Make>
  Expected<Plan*> get(const Schema* schema, Make&& make) {
    if (schema == last_schema_) return last_plan_;
    if (const auto found = young_.by_address.find(schema); found != young_.by_address.end())
      return remember(schema, found->second.plan.get());
    std::shared_ptr<Plan> plan = known(schema);
    if (plan == nullptr) {
      Expected<Plan> made = make(*schema);
      if (!made) return fail(std::move(made.error()));
      plan = std::make_shared<Plan>(std::move(*made));
    }
    SchemaPtr owned = schema->shared_from_this();
    young_.by_content.try_emplace(owned, plan);
    const auto added = young_.by_address.insert_or_assign(schema, Entry{std::move(owned), std::move(plan)});
    return remember(schema, added.first->second.plan.get());
  }

  void new_batch() {
    old_ = {};
    if (young_.by_address.size() <= max_) return;
    std::swap(old_, young_);
    last_schema_ = nullptr;
    last_plan_ = nullptr;
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [schema, plan] : young_.by_content) visit(*plan);
  }
  size_t size() const { return young_.by_address.size() + old_.by_address.size(); }

 private:
  struct ContentHash {
    size_t operator()(const SchemaPtr& schema) const { return schema->hash(); }
  };
  struct SameContent {
    bool operator()(const SchemaPtr& left, const SchemaPtr& right) const {
      return same_schema(left.get(), right.get());
    }
  };
  struct Entry {
    SchemaPtr schema;
    std::shared_ptr<Plan> plan;
  };
  struct Generation {
    std::unordered_map<const Schema*, Entry> by_address;
    std::unordered_map<SchemaPtr, std::shared_ptr<Plan>, ContentHash, SameContent> by_content;
  };

  Plan* remember(const Schema* schema, Plan* plan) {
    last_schema_ = schema;
    last_plan_ = plan;
    return plan;
  }

  /// Of the generation before by address, of both by content.
  std::shared_ptr<Plan> known(const Schema* schema) const {
    if (const auto found = old_.by_address.find(schema); found != old_.by_address.end()) return found->second.plan;
    const SchemaPtr owned = schema->shared_from_this();
    for (const Generation* generation : {&young_, &old_}) {
      const auto found = generation->by_content.find(owned);
      if (found != generation->by_content.end()) return found->second;
    }
    return nullptr;
  }

  size_t max_;
  const Schema* last_schema_ = nullptr;
  Plan* last_plan_ = nullptr;
  Generation young_, old_;
};

}  // namespace millrace::debezium
