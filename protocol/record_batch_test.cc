#include "protocol/record_batch.h"

#include <gtest/gtest.h>

#include <random>

namespace millrace {
namespace {

std::string build(Codec codec, int records) {
  RecordBatchBuilder builder({.compression = {codec, {}}});
  for (int i = 0; i < records; ++i) {
    const std::string key = "key-" + std::to_string(i);
    const std::string value(static_cast<size_t>(i % 300), static_cast<char>('a' + i % 26));
    const RecordHeader headers[] = {{"trace", BytesView(key)}, {"none", std::nullopt}};
    builder.append(1'700'000'000'000 - i, key, i % 7 == 0 ? NullableBytes() : NullableBytes(value), headers);
  }
  EXPECT_TRUE(builder.finish());
  return builder.take();
}

class RecordBatchCodec : public ::testing::TestWithParam<Codec> {};

TEST_P(RecordBatchCodec, ReadsWhatItWrote) {
  const std::string bytes = build(GetParam(), 1000);
  const auto batch = RecordBatchView::parse(bytes);
  ASSERT_TRUE(batch);
  ASSERT_TRUE(batch->verify_crc());
  EXPECT_EQ(batch->record_count(), 1000);
  EXPECT_EQ(batch->max_timestamp(), 1'700'000'000'000);
  EXPECT_EQ(batch->codec(), GetParam());
  std::string scratch;
  auto records = RecordIterator::open(*batch, scratch);
  ASSERT_TRUE(records) << records.error().message;
  RecordView record;
  int count = 0;
  for (; records->next(record); ++count) {
    EXPECT_EQ(record.offset, count);
    EXPECT_EQ(record.timestamp, 1'700'000'000'000 - count);
    EXPECT_EQ(record.key, "key-" + std::to_string(count));
    EXPECT_EQ(record.value.has_value(), count % 7 != 0);
    HeaderIterator headers(record.headers);
    RecordHeader header;
    ASSERT_TRUE(headers.next(header));
    EXPECT_EQ(header.key, "trace");
    EXPECT_EQ(header.value, record.key);
    ASSERT_TRUE(headers.next(header));
    EXPECT_FALSE(header.value);
    EXPECT_FALSE(headers.next(header));
  }
  EXPECT_TRUE(records->status());
  EXPECT_EQ(count, 1000);
}

TEST_P(RecordBatchCodec, DamageIsAnErrorNeverACrash) {
  const std::string good = build(GetParam(), 20);
  std::mt19937 random(static_cast<uint32_t>(GetParam()) + 1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 != 0) bytes.resize(random() % bytes.size());
    const auto batch = RecordBatchView::parse(bytes);
    if (!batch) continue;
    std::string scratch;
    auto records = RecordIterator::open(*batch, scratch);
    if (!records) continue;
    RecordView record;
    while (records->next(record)) {
      RecordHeader header;
      for (HeaderIterator headers(record.headers); headers.next(header);) {
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllCodecs, RecordBatchCodec,
                         ::testing::Values(Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd));

TEST(RecordBatch, RawHeadersAreForwardedAsTheyAre) {
  const std::string first = build(Codec::kNone, 1);
  std::string scratch;
  auto records = RecordIterator::open(*RecordBatchView::parse(first), scratch);
  RecordView record;
  ASSERT_TRUE(records->next(record));
  RecordBatchBuilder builder;
  builder.append(record.timestamp, record.key, record.value, record.headers);
  ASSERT_TRUE(builder.finish());
  EXPECT_EQ(builder.bytes(), first);
}

TEST(RecordBatch, TakeHandsOverTheBufferWithoutACopy) {
  RecordBatchBuilder builder;
  builder.append(1, "key", std::string(100, 'v'));
  ASSERT_TRUE(builder.finish());
  const char* before = builder.bytes().data();
  const std::string bytes = builder.take();
  EXPECT_EQ(bytes.data(), before);
}

TEST(RecordBatch, WrongCrcNamesBothValues) {
  std::string bytes = build(Codec::kNone, 1);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const auto checked = RecordBatchView::parse(bytes)->verify_crc();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorruption);
  EXPECT_NE(checked.error().message.find("the header says"), std::string::npos);
}

TEST(RecordBatch, RawSnappyBlockIsRead) {
  // librdkafka writes one raw block: length 5, then a literal of five bytes.
  const std::string block("\x05\x10hello", 7);
  std::string out;
  ASSERT_TRUE(decompress(Codec::kSnappy, block, out));
  EXPECT_EQ(out, "hello");
}

TEST(RecordBatch, BombsStopAtTheBound) {
  const std::string zeros(10 << 20, '\0');
  for (const Codec codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    std::string packed, out;
    ASSERT_TRUE(compress({codec, {}}, zeros, packed));
    const auto opened = decompress(codec, packed, out, 1 << 20);
    ASSERT_FALSE(opened) << codec_name(codec);
    EXPECT_EQ(opened.error().code, ErrorCode::kBadRecord);
  }
}

}  // namespace
}  // namespace millrace
