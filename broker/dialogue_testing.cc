#include "broker/dialogue_testing.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "broker/server/request_header.h"
#include "core/crc32c.h"
#include "log/golden_log_testing.h"
#include "protocol/golden_testing.h"
#include "protocol/message_json.h"
#include "protocol/record_batch_format.h"

namespace millrace::testing {
namespace {

using nlohmann::json;

constexpr std::string_view kClusterId = "MkU3OEVBNTcwNTJENDM2Qg";
constexpr std::string_view kNoUuid = "AAAAAAAAAAAAAAAAAAAAAA";
// The recordings were made at this time and later; records carry earlier times.
constexpr int64_t kRecordingClock = 1'790'000'000'000;
constexpr size_t kLengthBytes = 4;

const std::vector<const MessageInfo*>& messages() {
  static const std::vector<const MessageInfo*> all = all_messages();
  return all;
}

const MessageInfo* message(int16_t api_key, MessageInfo::Kind kind) {
  for (const MessageInfo* info : messages()) {
    if (info->api_key == api_key && info->kind == kind) return info;
  }
  return nullptr;
}

std::string from_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  for (size_t i = text.size(); i > 0 && text[i - 1] == '='; --i) bytes.pop_back();
  return bytes;
}

/// Values that each broker chooses, by the field they stand in; fields of one kind share their values.
std::optional<std::string> chosen_kind(const std::string& key) {
  static const std::map<std::string, std::string> kKinds = {{"producerId", "producer"}, {"v3AndBelowProducerId", "producer"},
                                                            {"memberId", "member"},
                                                            {"leader", "member"},
                                                            {"topicId", "topic"},
                                                            {"sessionId", "session"},
                                                            {"directoryId", "dir"},
                                                            {"subscriptionId", "subscription"},
                                                            {"clientInstanceId", "instance"}};
  const auto found = kKinds.find(key);
  return found == kKinds.end() ? std::nullopt : std::optional(found->second);
}

bool is_none(const json& value) {
  if (value.is_number()) return value.get<int64_t>() <= 0;
  return value.is_null() || (value.is_string() && (value == "" || value == std::string(kNoUuid)));
}

/// What tells the elements of a list apart, when a hash map has ordered it.
std::string identity(const json& element) {
  if (!element.is_object()) return element.dump();
  std::string text;
  for (const char* key : {"name", "topic", "topicName", "groupId", "partition", "partitionIndex", "index", "producerId",
                          "transactionalId", "resourceName", "resourceType", "key", "apiKey", "configName"}) {
    if (element.contains(key)) text += element[key].dump() + "|";
  }
  return text;
}

std::vector<json> sorted(const json& list) {
  std::vector<json> elements(list.begin(), list.end());
  std::stable_sort(elements.begin(), elements.end(),
                   [](const json& a, const json& b) { return identity(a) < identity(b); });
  return elements;
}

/// The recordings' summary of fetched bytes.
json summary_of(const std::string& bytes) {
  int64_t first = -1, last = -1;
  int whole = 0;
  size_t at = 0;
  while (at + 12 <= bytes.size()) {
    const size_t size = 12 + static_cast<size_t>(load_be<int32_t>(bytes.data() + at + 8));
    if (size > bytes.size() - at) break;
    auto batch = RecordBatchView::parse(BytesView(bytes).substr(at, size));
    if (!batch) break;
    if (whole == 0) first = batch->base_offset();
    last = batch->last_offset();
    ++whole;
    at += size;
  }
  return {{"length", bytes.size()}, {"sha256", golden::sha256(bytes)},
          {"whole_batches", whole}, {"first_base_offset", first},
          {"last_offset", last},    {"bytes_of_a_cut_batch_at_the_end", bytes.size() - at}};
}

/// Writes Fetch answers as the recordings have them.
void summarise(json& actual, const json& expected) {
  if (!expected.contains("responses") || !actual.contains("responses")) return;
  for (size_t t = 0; t < actual["responses"].size() && t < expected["responses"].size(); ++t) {
    json& ours = actual["responses"][t];
    const json& theirs = expected["responses"][t];
    if (!ours.contains("partitions") || !theirs.contains("partitions")) continue;
    for (size_t p = 0; p < ours["partitions"].size() && p < theirs["partitions"].size(); ++p) {
      json& partition = ours["partitions"][p];
      if (!theirs["partitions"][p].contains("records_bytes") || !partition.contains("records")) continue;
      partition["records_bytes"] =
          summary_of(partition["records"].is_null() ? "" : from_base64(partition["records"].get<std::string>()));
      partition.erase("records");
    }
  }
}

void copy_golden_logs(const std::filesystem::path& to) {
  for (const auto& entry : std::filesystem::directory_iterator(golden::folder())) {
    if (!std::filesystem::exists(entry.path() / "case.json")) continue;
    std::filesystem::copy(entry.path(), to / entry.path().filename());
    std::filesystem::permissions(to / entry.path().filename(), std::filesystem::perms::owner_all);
    for (const auto& file : std::filesystem::directory_iterator(to / entry.path().filename())) {
      std::filesystem::permissions(file.path(),
                                   std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
  }
}

/// The checkpoint lines and configs that belong to the folders.
void describe_golden_logs(const std::filesystem::path& to) {
  std::map<std::string, std::vector<std::string>> checkpoints;
  json topics = json::object();
  for (const auto& entry : std::filesystem::directory_iterator(golden::folder())) {
    if (!std::filesystem::exists(entry.path() / "case.json")) continue;
    const json info = json::parse(read_bytes(entry.path() / "case.json"));
    const std::string folder = entry.path().filename();
    const std::string topic = folder.substr(0, folder.rfind('-'));
    const std::string partition = folder.substr(folder.rfind('-') + 1);
    checkpoints["recovery-point-offset-checkpoint"].push_back(topic + " " + partition + " " +
                                                              info["log_end_offset"].dump());
    checkpoints["log-start-offset-checkpoint"].push_back(topic + " " + partition + " " +
                                                         info["log_start_offset"].dump());
  }
  for (const auto& [file, lines] : checkpoints) {
    std::ofstream out(to / file);
    out << "0\n" << lines.size() << "\n";
    for (const std::string& line : lines) out << line << "\n";
  }
  std::ofstream(to / ".kafka_cleanshutdown") << R"({"version":0,"brokerEpoch":1})";
}

std::set<std::string> known_differences() {
  std::set<std::string> cases;
  std::ifstream file(std::filesystem::path(MILLRACE_SOURCE_DIR) / "tests/golden/known-differences.json");
  for (const json& each : json::parse(file, nullptr, false)) cases.insert(each.value("case", ""));
  return cases;
}

}  // namespace

void OutcomeSink::settle(Outcome outcome) {
  std::lock_guard lock(mutex_);
  EXPECT_EQ(outcome_.kind, Outcome::Kind::kPending) << "a request is answered once";
  outcome_ = std::move(outcome);
  settled_.notify_all();
}
void OutcomeSink::answer(uint64_t, ResponseFrame frame) {
  std::string bytes;
  size_t at = 0;
  for (const auto& [position, range] : frame.files) {
    bytes.append(frame.bytes, at, position - at);
    at = position;
    std::string part(range.size, '\0');
    const auto got = range.file->read_at(range.position, part.data(), part.size());
    EXPECT_TRUE(got && *got == part.size()) << "the file range lies within the file";
    bytes += part;
  }
  bytes.append(frame.bytes, at);
  settle({Outcome::Kind::kAnswer, std::move(bytes), frame.close_after});
}
void OutcomeSink::answer_nothing(uint64_t) { settle({Outcome::Kind::kNothing, {}, false}); }
void OutcomeSink::close(uint64_t) { settle({Outcome::Kind::kClosed, {}, false}); }

Outcome OutcomeSink::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  settled_.wait_for(lock, patience, [&] { return outcome_.kind != Outcome::Kind::kPending; });
  return outcome_;
}

std::shared_ptr<OutcomeSink> send_frame(Node& node, std::string_view frame) {
  auto sink = std::make_shared<OutcomeSink>();
  const auto refuse = [&] {
    sink->close(0);
    return sink;
  };
  if (frame.size() < kLengthBytes) return refuse();
  const auto length = load_be<int32_t>(frame.data());
  frame.remove_prefix(kLengthBytes);
  if (length < 0 || static_cast<size_t>(length) != frame.size()) return refuse();
  const auto asked = peek_api(frame);
  if (!asked) return refuse();
  const Api* api = node.apis().find(asked->first);
  constexpr int16_t kApiVersions = 18;
  if (api == nullptr) return refuse();
  if (api->key != kApiVersions && (asked->second < api->version_min || asked->second > api->version_max))
    return refuse();
  const bool flexible = asked->second >= api->flexible_from;
  // On the heap, so that the header's views hold when the string moves into the exchange.
  std::string bytes;
  bytes.reserve(std::max<size_t>(frame.size(), 64));
  bytes.append(frame);
  BytesView body;
  const auto header = parse_request_header(bytes, flexible, body);
  if (!header) return refuse();
  auto session = std::make_shared<Session>();
  session->client_host = "127.0.0.1";
  api->handle(node.services(), std::make_unique<Exchange>(sink, 0, std::move(bytes), *header, body,
                                                          flexible && api->key != kApiVersions, session));
  return sink;
}

std::vector<TopicSpec> dialogue_topics() {
  return {{"dlg", 2},
          {"dlg-compact", 1, {{"cleanup.policy", "compact"}}},
          {"dlg-small", 1, {{"max.message.bytes", "200"}}},
          {"dlg-logappend", 1, {{"message.timestamp.type", "LogAppendTime"}}},
          {"dlg-tsmax", 1, {{"message.timestamp.before.max.ms", "1000"}, {"message.timestamp.after.max.ms", "1000"}}},
          {"dlg-minisr", 1, {{"min.insync.replicas", "2"}}},
          {"dlg-segment", 1, {{"segment.bytes", "150"}}},
          {"dlg-txn", 1, {{"segment.ms", "9223372036854775807"}}}};
}

Dialogue::Dialogue(DialogueOptions options) {
  std::string pattern = (std::filesystem::temp_directory_path() / "dialogue-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  if (options.golden_logs) {
    copy_golden_logs(folder_);
    describe_golden_logs(folder_);
  }
  std::ofstream(folder_ / "meta.properties") << "version=1\ncluster.id=" << kClusterId << "\nnode.id=1\n";
  NodeOptions node;
  node.broker.directory = folder_;
  node.broker.auto_create_topics = false;
  node.advertised = {{"PLAINTEXT", "127.0.0.1", 19192}};
  if (options.configure) options.configure(node);
  auto opened = Node::open(files_, clock_, Logger(), std::move(node));
  if (!opened) {
    ADD_FAILURE() << error_trace(opened.error());
    std::abort();
  }
  node_ = std::move(*opened);
  for (const TopicSpec& topic : options.topics) {
    auto made = node_->broker().create_topic(topic.name, topic.partitions, topic.configs);
    EXPECT_TRUE(made) << topic.name << ": " << (made ? "" : made.error().message);
  }
}

Dialogue::~Dialogue() {
  node_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Dialogue::replay(const std::string& name) {
  const auto known = known_differences();
  int skipped = 0;
  const auto lines = read_json_lines(golden_root() / "kafka-dialogue" / (name + ".jsonl"));
  EXPECT_FALSE(lines.empty());
  for (const json& line : lines) {
    const int number = line["step"].get<int>();
    const std::string id = "kafka-dialogue/" + name + "/" + std::to_string(number);
    if (known.contains(id)) {
      skipped_.insert(number);
      ++skipped;
    }
    step(line, name);
  }
  if (skipped > 0) std::printf("%s: %d known differences skipped\n", name.c_str(), skipped);
}

void Dialogue::step(const json& line, const std::string& file) {
  const int number = line["step"].get<int>();
  const std::string where = file + " step " + std::to_string(number) + ": " + line["what"].get<std::string>();
  const std::string expected_end = line.value("connection", "");
  if (closed_) {
    closed_ = false;
    if (expected_end == "closed") return;
  }
  const std::string frame = request_frame(line);
  const Outcome outcome = send_frame(*node_, frame)->wait();
  closed_ = outcome.kind == Outcome::Kind::kClosed && expected_end == "no answer is due";
  if (skipped_.contains(number)) return;
  if (!expected_end.empty()) {
    const bool wanted =
        expected_end == "closed" ? outcome.kind == Outcome::Kind::kClosed : outcome.kind != Outcome::Kind::kAnswer;
    EXPECT_TRUE(wanted) << where << ": " << expected_end << " was expected";
    return;
  }
  ASSERT_EQ(outcome.kind, Outcome::Kind::kAnswer) << where;
  if (!line.contains("response") || line["response"].is_null() || !line.contains("api_key")) {
    // Bytes that no client sends: the length and the beginning of the answer tell whether it is the same.
    if (line.contains("response_hex") && checks_.contains(number)) {
      checks_[number](line["response_hex"], json(to_hex(outcome.bytes)));
    } else if (line.contains("response_hex")) {
      EXPECT_EQ(to_hex(outcome.bytes), line["response_hex"].get<std::string>()) << where;
    }
    return;
  }
  const auto key = line["api_key"].get<int16_t>();
  const auto version = line["version"].get<int16_t>();
  const MessageInfo* info = message(key, MessageInfo::Kind::kResponse);
  ASSERT_NE(info, nullptr) << where;
  const bool tagged_header = key != 18 && version >= info->flexible_from;
  ASSERT_EQ(load_be<int32_t>(outcome.bytes.data() + kLengthBytes), line["correlation_id"].get<int32_t>()) << where;
  size_t left = 0;
  auto text = info->to_json(BytesView(outcome.bytes).substr(8 + (tagged_header ? 1 : 0)), version, left);
  ASSERT_TRUE(text && left == 0) << where << ": the answer cannot be decoded";
  json actual = json::parse(*text);
  const json& expected = line["response"];
  if (key == 1) summarise(actual, expected);
  constexpr int16_t kListOffsets = 2, kMetadata = 3, kDescribeTopicPartitions = 75;
  tells_epoch_ = key == kListOffsets || key == kMetadata || key == kDescribeTopicPartitions;
  if (const auto check = checks_.find(number); check != checks_.end()) return check->second(expected, actual);
  std::vector<std::string> differences;
  compare(expected, actual, "", differences, "");
  for (const std::string& difference : differences) ADD_FAILURE() << where << "\n  " << difference;
  if (!differences.empty()) {
    ADD_FAILURE() << where << "\n  expected " << expected.dump() << "\n  actual   " << actual.dump();
  }
}

std::string Dialogue::request_frame(const json& line) {
  std::string frame = from_hex(line["request_hex"].get<std::string>());
  if (!line.contains("api_key") || !line.contains("request") || learnt_.empty()) return frame;
  const auto key = line["api_key"].get<int16_t>();
  const auto version = line["version"].get<int16_t>();
  const MessageInfo* info = message(key, MessageInfo::Kind::kRequest);
  if (info == nullptr) return frame;
  BytesView body;
  const BytesView request = BytesView(frame).substr(kLengthBytes);
  if (!parse_request_header(request, version >= info->flexible_from, body)) return frame;
  // The recorded JSON leaves out records, so it is made again from the bytes.
  size_t left = 0;
  auto text = info->to_json(body, version, left);
  if (!text) return frame;
  const json before = json::parse(*text);
  json after = before;
  carry_over(after, "");
  if (after == before) return frame;
  auto encoded = info->from_json(after.dump(), version);
  EXPECT_TRUE(encoded) << line["what"];
  if (!encoded) return frame;
  std::string changed = frame.substr(kLengthBytes, request.size() - body.size()) + *encoded;
  std::string out;
  append_be(out, static_cast<int32_t>(changed.size()));
  return out + changed;
}

/// Puts our values in the place of the recorded ones, also the producer's id in record batches.
void Dialogue::carry_over(json& value, const std::string& key) {
  if (value.is_object()) {
    for (auto& [name, inner] : value.items()) carry_over(inner, name);
    return;
  }
  if (value.is_array()) {
    for (json& inner : value) carry_over(inner, key);
    return;
  }
  if (key == "records" && value.is_string() && learnt_.contains("producer")) {
    std::string bytes = from_base64(value.get<std::string>());
    if (bytes.size() < batch_format::kHeaderBytes || bytes[batch_format::kMagicAt] != 2) return;
    const auto id = load_be<int64_t>(bytes.data() + batch_format::kProducerIdAt);
    const auto known = learnt_["producer"].find(json(id).dump());
    if (known == learnt_["producer"].end()) return;
    store_be(bytes.data() + batch_format::kProducerIdAt, known->second.get<int64_t>());
    store_be(bytes.data() + batch_format::kCrcAt, crc32c(BytesView(bytes).substr(batch_format::kAttributesAt)));
    value = golden::base64(bytes);
    return;
  }
  // Member ids and topic ids also stand in lists and under other names.
  for (const char* kind : {"member", "topic"}) {
    const auto found = learnt_[kind].find(value.dump());
    if (value.is_string() && found != learnt_[kind].end()) value = found->second;
  }
  if (const auto kind = chosen_kind(key)) {
    const auto found = learnt_[*kind].find(value.dump());
    if (found != learnt_[*kind].end()) value = found->second;
  }
}

bool Dialogue::same_chosen(const json& expected, const json& actual, const std::string& kind) {
  if (is_none(expected) || is_none(actual)) return is_none(expected) == is_none(actual);
  const auto [known, added] = learnt_[kind].emplace(expected.dump(), actual);
  return added || known->second == actual;
}

void Dialogue::compare(const json& expected, const json& actual, const std::string& key,
                       std::vector<std::string>& differences, const std::string& path) {
  const auto differs = [&] {
    differences.push_back(path + ": expected " + expected.dump() + ", got " + actual.dump());
  };
  if (const auto kind = chosen_kind(key); kind && !expected.is_structured()) {
    if (!same_chosen(expected, actual, *kind)) differs();
    return;
  }
  if (key == "errorMessage" || key == "batchIndexErrorMessage") {
    if (expected.is_null() != actual.is_null()) differs();
    return;
  }
  // An existing log is opened with a new leader epoch, one more than its last.
  if (key == "leaderEpoch" && tells_epoch_ && expected.is_number() && actual.is_number() &&
      actual.get<int>() == expected.get<int>() + 1)
    return;
  if (expected.is_number_integer() && expected.get<int64_t>() >= kRecordingClock &&
      expected.get<int64_t>() < INT64_MAX / 2) {
    if (!actual.is_number_integer() || actual.get<int64_t>() <= 0) differs();
    return;
  }
  if (expected.is_object() && actual.is_object()) {
    for (const auto& [name, value] : expected.items()) {
      if (!actual.contains(name)) {
        differences.push_back(path + "/" + name + " is missing");
      } else {
        compare(value, actual[name], name, differences, path + "/" + name);
      }
    }
    for (const auto& [name, value] : actual.items()) {
      if (!expected.contains(name)) differences.push_back(path + "/" + name + " is there: " + value.dump());
    }
    return;
  }
  if (expected.is_array() && actual.is_array()) {
    if (expected.size() != actual.size()) return differs();
    const std::vector<json> theirs = sorted(expected), ours = sorted(actual);
    for (size_t i = 0; i < ours.size(); ++i)
      compare(theirs[i], ours[i], key, differences, path + "[" + std::to_string(i) + "]");
    return;
  }
  if (expected != actual) differs();
}

}  // namespace millrace::testing
