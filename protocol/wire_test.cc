#include "protocol/wire.h"

#include <gtest/gtest.h>

#include "protocol/messages/fetch.h"
#include "protocol/messages/metadata.h"

namespace millrace {
namespace {

TEST(Wire, UuidTextGoesBothWays) {
  const auto id = Uuid::parse("MkU3OEVBNTcwNTJENDM2Qg");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->text(), "MkU3OEVBNTcwNTJENDM2Qg");
  EXPECT_EQ(Uuid{}.text(), "AAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_FALSE(Uuid::parse("MkU3OEVBNTcwNTJENDM2Q"));
  EXPECT_FALSE(Uuid::parse("MkU3OEVBNTcwNTJENDM2Q!"));
}

TEST(Wire, EveryCutOfAFrameIsBad) {
  MetadataResponse response;
  response.cluster_id = "cluster";
  response.brokers.push_back({});
  response.brokers.back().host = "localhost";
  response.topics.resize(2);
  response.topics[0].name = "orders";
  response.topics[0].partitions.resize(3);
  for (int16_t version = MetadataResponse::kVersionMin; version <= MetadataResponse::kVersionMax; ++version) {
    std::string bytes;
    WireWriter out(bytes);
    response.encode(out, version);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      const std::string part = bytes.substr(0, cut);  // of its own, so that a sanitizer sees any step beyond it
      WireReader in(part);
      MetadataResponse read;
      read.decode(in, version);
      EXPECT_TRUE(in.bad()) << "version " << version << " cut at " << cut;
    }
  }
}

TEST(Wire, ALengthBeyondTheFrameAllocatesNothing) {
  // Metadata v1: a topic count of 2^31-1 and nothing behind it.
  WireReader in(std::string_view("\x7f\xff\xff\xff\0\0\0\0", 8));
  MetadataRequest request;
  request.decode(in, 1);
  EXPECT_TRUE(in.bad());
  EXPECT_LE(request.topics ? request.topics->capacity() : 0, 64U);
}

TEST(Wire, RecordsFromAFileLeaveAGap) {
  FetchResponse response;
  response.responses.resize(1);
  response.responses[0].partitions.resize(1);
  auto& partition = response.responses[0].partitions[0];
  partition.records = {false, "head", 1000};
  std::string bytes;
  WireWriter out(bytes);
  response.encode(out, 12);
  ASSERT_EQ(out.gaps().size(), 1U);
  EXPECT_EQ(out.gaps()[0].bytes, 1000U);
  EXPECT_EQ(bytes.substr(out.gaps()[0].position - 4, 4), "head");
}

TEST(Wire, TaggedFieldsMustRiseAndFit) {
  const auto read = [](std::string_view bytes) {
    WireReader in(bytes);
    in.skip_tagged_fields();
    return !in.bad();
  };
  EXPECT_TRUE(read(std::string_view("\x02\x00\x01x\x05\x00", 6)));
  EXPECT_FALSE(read(std::string_view("\x02\x05\x00\x05\x00", 5)));
  EXPECT_FALSE(read(std::string_view("\x01\x00\x02x", 4)));
}

}  // namespace
}  // namespace millrace
