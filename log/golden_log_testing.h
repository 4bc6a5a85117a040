/// What the golden tests of the log share: digests and comparisons as the recordings' README describes them.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <filesystem>
#include <optional>
#include <string>

#include "protocol/golden_testing.h"
#include "protocol/record_batch.h"

namespace millrace::golden {

using nlohmann::json;
using testing::from_hex;
using testing::read_bytes;
using testing::read_json_lines;
using testing::to_hex;

inline std::filesystem::path folder() { return testing::golden_root() / "kafka-log"; }

inline std::string sha256(BytesView bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return to_hex({reinterpret_cast<char*>(digest), size});
}

inline std::string base64(BytesView bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return out;
}

inline void digest_nullable(std::string& into, const NullableBytes& bytes) {
  append_be<int32_t>(into, bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) into.append(*bytes);
}

/// Java decodes header keys, so a broken sequence counts as U+FFFD in its digests; millrace keeps the bytes.
inline std::string as_java_text(BytesView key) {
  std::string text;
  for (size_t i = 0; i < key.size(); ++i) {
    const auto lead = static_cast<uint8_t>(key[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    bool whole = length <= key.size() - i;
    for (size_t k = 1; whole && k < length; ++k) whole = (key[i + k] & 0xC0) == 0x80;
    text += whole ? std::string(key.substr(i, length)) : "\xEF\xBF\xBD";
    if (whole) i += length - 1;
  }
  return text;
}

inline void digest_record(std::string& into, const RecordView& record) {
  append_be(into, record.offset);
  append_be(into, record.timestamp);
  digest_nullable(into, record.key);
  digest_nullable(into, record.value);
  append_be<int32_t>(into, record.headers.count);
  RecordHeader header;
  for (HeaderIterator headers(record.headers); headers.next(header);) {
    const std::string name = as_java_text(header.key);
    digest_nullable(into, BytesView(name));
    digest_nullable(into, header.value);
  }
}

/// The digest input of a batch's records; nothing when they cannot be read.
inline std::optional<std::string> digest_batch(const RecordBatchView& batch, int* count = nullptr) {
  std::string scratch, into;
  auto records = RecordIterator::open(batch, scratch);
  if (!records) return std::nullopt;
  RecordView record;
  while (records->next(record)) {
    digest_record(into, record);
    if (count != nullptr) ++*count;
  }
  if (!records->status()) return std::nullopt;
  return into;
}

inline void expect_batch(const json& expected, const RecordBatchView& batch, const std::string& where) {
  EXPECT_EQ(batch.base_offset(), expected["base_offset"].get<int64_t>()) << where;
  EXPECT_EQ(batch.last_offset(), expected["last_offset"].get<int64_t>()) << where;
  EXPECT_EQ(batch.size_bytes(), expected["size"].get<size_t>()) << where;
  EXPECT_EQ(batch.crc(), expected["crc"].get<uint32_t>()) << where;
  EXPECT_EQ(batch.verify_crc().has_value(), expected["valid"].get<bool>()) << where;
  EXPECT_EQ(batch.attributes(), expected["attributes"].get<int>()) << where;
  EXPECT_EQ(batch.base_timestamp(), expected["base_timestamp"].get<int64_t>()) << where;
  EXPECT_EQ(batch.max_timestamp(), expected["max_timestamp"].get<int64_t>()) << where;
  EXPECT_EQ(batch.producer_id(), expected["producer_id"].get<int64_t>()) << where;
  EXPECT_EQ(batch.producer_epoch(), expected["producer_epoch"].get<int>()) << where;
  EXPECT_EQ(batch.base_sequence(), expected["base_sequence"].get<int>()) << where;
  EXPECT_EQ(batch.last_sequence(), expected["last_sequence"].get<int>()) << where;
  EXPECT_EQ(batch.leader_epoch(), expected["partition_leader_epoch"].get<int>()) << where;
  EXPECT_EQ(batch.record_count(), expected["count"].get<int>()) << where;
  EXPECT_EQ(codec_name(batch.codec()), expected["compression"].get<std::string>()) << where;
  const auto digest = digest_batch(batch);
  if (expected.contains("records_sha256")) {
    ASSERT_TRUE(digest) << where;
    EXPECT_EQ(sha256(*digest), expected["records_sha256"].get<std::string>()) << where;
  } else if (expected.contains("records_error")) {
    EXPECT_FALSE(digest) << where << expected["records_error"];
  }
}

}  // namespace millrace::golden
