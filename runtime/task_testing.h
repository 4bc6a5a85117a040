/// What tests of tasks share: a log in this process, and plugins whose functions are lambdas of the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "broker/node.h"
#include "client/embedded_log_client.h"
#include "runtime/fake_plugin.h"
#include "runtime/offset_store.h"
#include "runtime/plugin_bridge.h"
#include "runtime/worker_task.h"

namespace millrace {

inline int32_t refuse(mr_error* error, mr_code code, std::string_view message) {
  error->code = code;
  error->retry_after_ms = 1;
  std::snprintf(error->message, sizeof(error->message), "%.*s", static_cast<int>(message.size()), message.data());
  return code;
}

/// The functions of the plugin under test. Set before a task is launched, cleared by the fixture.
struct Script {
  std::function<int32_t(mr_context*, mr_error*)> poll;
  std::function<int32_t(mr_context*, std::span<const mr_record>, mr_error*)> put;
  std::function<int32_t(std::span<mr_topic_partition>, mr_error*)> flush;
  std::function<void(std::span<const mr_topic_partition>)> close;
  static inline Script* current = nullptr;
};

inline ConnectorPlugin scripted_plugin(ConnectorType type) {
  ConnectorPlugin plugin = type == ConnectorType::kSource ? fake_source() : fake_sink();
  mr_connector_v1& table = plugin.table;
  table.task_create = [](mr_context* context, mr_error*) -> void* { return context; };
  table.task_start = [](void*, const mr_config*, mr_error*) -> int32_t { return MR_OK; };
  table.task_stop = [](void*, mr_error*) -> int32_t { return MR_OK; };
  table.task_destroy = [](void*) {};
  table.poll = [](void* task, mr_error* error) { return Script::current->poll(static_cast<mr_context*>(task), error); };
  table.put = [](void* task, const mr_record* records, size_t count, mr_error* error) {
    return Script::current->put(static_cast<mr_context*>(task), {records, count}, error);
  };
  table.flush = [](void*, mr_topic_partition* offsets, size_t count, mr_error* error) -> int32_t {
    return Script::current->flush ? Script::current->flush({offsets, count}, error) : MR_OK;
  };
  table.close = [](void*, const mr_topic_partition* partitions, size_t count, mr_error*) -> int32_t {
    if (Script::current->close) Script::current->close({partitions, count});
    return MR_OK;
  };
  return plugin;
}

/// A record with a STRING value and the offset {"n": number} of the partition {"p": "x"}.
struct TestRecord {
  TestRecord(mr_context& context, std::string topic_name, std::string text, int64_t number)
      : topic(std::move(topic_name)), value(std::move(text)) {
    partition_items[0] = string_value("p");
    partition_items[1] = string_value("x");
    offset_items[0] = string_value("n");
    offset_items[1] = int64_value(number);
    mr_schema schema{};
    schema.struct_size = sizeof(schema);
    schema.type = MR_STRING;
    record.value_schema = *context.register_schema(schema);
    record.partition = MR_NO_PARTITION;
    record.timestamp_ms = MR_NO_TIMESTAMP;
  }
  /// Valid while this stays where it is.
  const mr_record& get() {
    record.topic = to_mr(topic);
    record.value = string_value(value);
    record.source_partition = items_value(MR_MAP, partition_items);
    record.source_offset = items_value(MR_MAP, offset_items);
    return record;
  }
  std::string topic, value;
  Value partition_items[2], offset_items[2];
  mr_record record{};
};

inline Status emit_text(mr_context& context, const std::string& topic, const std::string& text, int64_t number) {
  TestRecord record(context, topic, text, number);
  return context.emit({&record.get(), 1});
}

class TaskTest : public ::testing::Test {
 protected:
  TaskTest() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    node_ = *Node::open(fs_, clock_, {}, {.broker = {.directory = folder_}});
    client_ =
        EmbeddedLogClient::over(node_->broker(), node_->groups(), {.directory = folder_}, {}, &node_->transactions());
    offsets_ = std::make_unique<OffsetStore>(*TopicStore::open(*client_, {.topic = "connect-offsets"}));
    Script::current = &script_;
  }
  ~TaskTest() override {
    stop();
    offsets_.reset();
    client_.reset();
    node_.reset();
    std::filesystem::remove_all(folder_);
  }

  void launch(std::shared_ptr<WorkerTask> task) {
    task_ = std::move(task);
    task_->observe({.state_changed = {}, .topic_used = [this](const std::string& topic) {
                      std::lock_guard lock(used_mutex_);
                      used_.insert(topic);
                    }});
    WorkerTask::launch(task_);
  }
  void stop() {
    if (!task_) return;
    task_->request_stop();
    EXPECT_TRUE(task_->await_end(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
  }
  std::set<std::string> used_topics() {
    std::lock_guard lock(used_mutex_);
    return used_;
  }
  State state() const { return task_->status().state; }

  static bool eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  struct Read {
    std::string key, value;
    std::vector<std::pair<std::string, std::string>> headers;
    int64_t timestamp;
  };
  std::vector<Read> read(const std::string& topic) {
    std::vector<Read> all;
    auto consumer = client_->consumer({.read_committed = true});
    if (!(*consumer)->assign({{topic, 0}})) return all;
    while (true) {
      auto fetched = (*consumer)->poll(std::chrono::milliseconds(0));
      if (!fetched || fetched->empty()) return all;
      for (const auto& each : *fetched) {
        for (const RecordView& record : each.records) {
          Read& one = all.emplace_back();
          one.key = record.key.value_or("(null)");
          one.value = record.value.value_or("(null)");
          one.timestamp = record.timestamp;
          RecordHeader header;
          for (HeaderIterator it(record.headers); it.next(header);)
            one.headers.emplace_back(header.key, header.value.value_or("(null)"));
        }
      }
    }
  }
  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> all;
    for (Read& each : read(topic)) all.push_back(std::move(each.value));
    return all;
  }
  void write(const std::string& topic, const std::vector<std::string>& texts) {
    auto producer = client_->producer("test");
    RecordBatchBuilder batch;
    const RecordHeader header{"h", "1"};
    for (const std::string& text : texts) batch.append(1700, "key", BytesView(text), {&header, 1});
    (*producer)->send({topic, 0}, std::move(batch), [](Expected<int64_t> offset) { EXPECT_TRUE(offset); });
    ASSERT_TRUE((*producer)->flush(std::chrono::seconds(10)));
  }
  /// As REST shows it; empty when none is stored.
  std::string source_offset() const {
    const auto all = offsets_->all("c");
    return all.empty() ? "" : all.front().second;
  }
  int64_t committed(const std::string& topic) {
    const auto offsets = client_->admin().group_offsets("connect-c");
    const auto at = offsets->find({topic, 0});
    return at == offsets->end() ? -1 : at->second.offset;
  }

  PosixFileSystem fs_;
  SystemClock clock_;
  Path folder_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<EmbeddedLogClient> client_;
  std::unique_ptr<OffsetStore> offsets_;
  Script script_;
  std::mutex used_mutex_;
  std::set<std::string> used_;
  std::shared_ptr<WorkerTask> task_;
};

}  // namespace millrace
