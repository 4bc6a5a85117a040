#include "broker/security/acl.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using enum AclOperation;
using Verdict = AclSet::Verdict;

constexpr auto kTopic = ResourceType::kTopic;

AclBinding allow(std::string name, AclOperation operation, PatternType pattern = PatternType::kLiteral,
                 std::string principal = "User:alice", std::string host = "*") {
  return {kTopic, std::move(name), pattern, std::move(principal), std::move(host), operation, AclPermission::kAllow};
}
AclBinding deny(AclBinding binding) {
  binding.permission = AclPermission::kDeny;
  return binding;
}
AclSet set_of(std::initializer_list<AclBinding> bindings) {
  AclSet set;
  for (const AclBinding& binding : bindings) set.add(binding);
  return set;
}
Verdict alice(const AclSet& set, AclOperation operation, std::string_view topic, std::string_view host = "10.0.0.1") {
  return set.decide("User:alice", host, operation, kTopic, topic);
}

TEST(AclSet, LiteralWildcardAndPrefixedNames) {
  const AclSet set =
      set_of({allow("orders", kRead), allow("*", kDescribe), allow("pay", kWrite, PatternType::kPrefixed),
              allow("payments-eu", kDelete, PatternType::kPrefixed)});
  EXPECT_EQ(alice(set, kRead, "orders"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kRead, "orders2"), Verdict::kNothingAllows);
  EXPECT_EQ(alice(set, kDescribe, "anything"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kWrite, "payments-eu-2"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kDelete, "payments-eu-2"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kDelete, "payments"), Verdict::kNothingAllows);
  EXPECT_EQ(alice(set, kWrite, "pa"), Verdict::kNothingAllows);
  EXPECT_EQ(set.decide("User:bob", "10.0.0.1", kRead, kTopic, "orders"), Verdict::kNothingAllows);
  EXPECT_EQ(set.decide("User:alice", "10.0.0.1", kRead, ResourceType::kGroup, "orders"), Verdict::kResourceHasNone);
}

TEST(AclSet, PrefixesAreFoundAmongManyNeighbours) {
  AclSet set;
  for (int i = 0; i < 500; ++i) set.add(allow("topic-" + std::to_string(i), kRead, PatternType::kPrefixed));
  set.add(allow("t", kWrite, PatternType::kPrefixed));
  EXPECT_EQ(alice(set, kRead, "topic-499-x"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kWrite, "topic-7"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kRead, "topic-"), Verdict::kNothingAllows);
}

TEST(AclSet, DenialsGoFirst) {
  const AclSet set = set_of({allow("*", kAll), deny(allow("secret", kAll, PatternType::kPrefixed)),
                             deny(allow("orders", kWrite, PatternType::kLiteral, "User:*", "10.0.0.9"))});
  EXPECT_EQ(alice(set, kRead, "public"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kRead, "secrets"), Verdict::kDenied);
  EXPECT_EQ(alice(set, kWrite, "orders"), Verdict::kAllowed);
  EXPECT_EQ(alice(set, kWrite, "orders", "10.0.0.9"), Verdict::kDenied);
}

TEST(AclSet, SomePermissionsIncludeDescribing) {
  for (const AclOperation operation : {kRead, kWrite, kDelete, kAlter}) {
    EXPECT_EQ(alice(set_of({allow("t", operation)}), kDescribe, "t"), Verdict::kAllowed);
    // A denial does not.
    EXPECT_EQ(alice(set_of({allow("t", kAll), deny(allow("t", operation))}), kDescribe, "t"), Verdict::kAllowed);
  }
  EXPECT_EQ(alice(set_of({allow("t", kAlterConfigs)}), kDescribeConfigs, "t"), Verdict::kAllowed);
  EXPECT_EQ(alice(set_of({allow("t", kCreate)}), kDescribe, "t"), Verdict::kNothingAllows);
}

TEST(AclSet, AllowedSomewhere) {
  const auto somewhere = [](const AclSet& set) { return set.allowed_somewhere("User:alice", "h", kWrite, kTopic); };
  EXPECT_FALSE(somewhere(set_of({})));
  EXPECT_TRUE(somewhere(set_of({allow("t", kWrite)})));
  EXPECT_TRUE(somewhere(set_of({allow("t", kWrite, PatternType::kPrefixed)})));
  EXPECT_FALSE(somewhere(set_of({allow("t", kWrite), deny(allow("*", kWrite))})));
  EXPECT_FALSE(somewhere(set_of({allow("team-a", kWrite), deny(allow("team", kWrite, PatternType::kPrefixed))})));
  EXPECT_TRUE(somewhere(
      set_of({allow("team", kWrite, PatternType::kPrefixed), deny(allow("team-a", kWrite, PatternType::kPrefixed))})));
}

TEST(AclFilter, MatchesAsKafkasFiltersDo) {
  const AclBinding prefixed = allow("pay", kWrite, PatternType::kPrefixed), wildcard = allow("*", kRead),
                   literal = allow("payments", kRead);
  AclFilter filter;
  EXPECT_TRUE(filter.matches(prefixed) && filter.matches(wildcard));
  filter.name = "payments";
  filter.pattern = PatternType::kMatch;
  EXPECT_TRUE(filter.matches(prefixed) && filter.matches(wildcard) && filter.matches(literal));
  filter.pattern = PatternType::kAny;
  EXPECT_TRUE(!filter.matches(prefixed) && !filter.matches(wildcard) && filter.matches(literal));
  filter.name.reset();
  filter.pattern = PatternType::kPrefixed;
  EXPECT_TRUE(filter.matches(prefixed) && !filter.matches(literal));
  filter.principal = "User:bob";
  EXPECT_FALSE(filter.matches(prefixed));
}

}  // namespace
}  // namespace millrace
