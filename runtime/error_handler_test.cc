#include "runtime/error_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/record_text.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class ErrorHandlerTest : public ::testing::Test {
 protected:
  ErrorHandler handler() {
    return ErrorHandler(policy_, "c-0", Logger(), metrics_, [this](milliseconds pause) {
      pauses_.push_back(pause);
      return stop_after_ > 0 && static_cast<int>(pauses_.size()) >= stop_after_;
    });
  }
  /// Fails `times` times with a passing error, then works.
  Status attempt(ErrorHandler& with, int times) {
    return with.run([&]() -> Status {
      ++calls_;
      return calls_ <= times ? Status(fail(ErrorCode::kUnavailable, "away")) : Status();
    });
  }
  ErrorPolicy policy_;
  TaskMetrics metrics_;
  std::vector<milliseconds> pauses_;
  int stop_after_ = 0;
  int calls_ = 0;
};

TEST_F(ErrorHandlerTest, WithoutATimeoutNothingIsTriedAgain) {
  ErrorHandler with = handler();
  EXPECT_FALSE(attempt(with, 1));
  EXPECT_EQ(calls_, 1);
}

TEST_F(ErrorHandlerTest, PausesDoubleAndStayBelowTheirBound) {
  policy_.retry_timeout = milliseconds(-1);
  policy_.retry_delay_max = milliseconds(1000);
  ErrorHandler with = handler();
  EXPECT_TRUE(attempt(with, 6));
  ASSERT_EQ(pauses_.size(), 6U);
  EXPECT_EQ(pauses_[0], milliseconds(300));
  EXPECT_EQ(pauses_[1], milliseconds(600));
  for (size_t i = 2; i < pauses_.size(); ++i) EXPECT_LT(pauses_[i], milliseconds(1000));
  EXPECT_EQ(metrics_.retries.get(), 6);
}

TEST_F(ErrorHandlerTest, AStopEndsThePausesAndOtherErrorsAreFinal) {
  policy_.retry_timeout = milliseconds(-1);
  stop_after_ = 2;
  ErrorHandler with = handler();
  EXPECT_FALSE(attempt(with, 100));
  EXPECT_EQ(calls_, 2);
  int calls = 0;
  EXPECT_FALSE(with.run([&]() -> Status {
    ++calls;
    return fail(ErrorCode::kBadRecord, "wrong");
  }));
  EXPECT_EQ(calls, 1);
}

TEST_F(ErrorHandlerTest, ToleranceDecidesAndTheCauseStays) {
  const Error error{ErrorCode::kBadRecord, "wrong", {}, {}, {}};
  const Failure failure{Stage::kKeyConverter, "org.x.Y", error, "t", 3, 14, {}};
  ErrorHandler with = handler();
  const Status judged = with.judge(failure);
  ASSERT_FALSE(judged);
  const std::string trace = error_trace(judged.error());
  EXPECT_THAT(trace,
              HasSubstr("Tolerance exceeded in error handler: the record at t-3@14 failed in stage KEY_CONVERTER "
                        "(org.x.Y)"));
  EXPECT_THAT(trace, HasSubstr("\nCaused by: org.apache.kafka.connect.errors.DataException: wrong\n"));
  policy_.tolerate_all = true;
  EXPECT_TRUE(with.judge(failure));
  EXPECT_EQ(metrics_.record_errors.get(), 2);
  EXPECT_EQ(metrics_.records_skipped.get(), 1);
  EXPECT_GT(metrics_.last_error_ms.get(), 0);
}

TEST_F(ErrorHandlerTest, RecordsAreDescribedAsJavaDoes) {
  RecordView consumed;
  consumed.offset = 7;
  consumed.timestamp = 1'700'000'000'000;
  EXPECT_EQ(consumed_record_text("t", 2, consumed),
            ", where consumed record is {topic='t', partition=2, offset=7, timestamp=1700000000000, "
            "timestampType=CreateTime}");
  SchemaTable schemas;
  mr_record source{};
  source.topic = to_mr("t");
  source.partition = -1;
  source.value = string_value("one");
  source.value_schema = schemas.id_of(plain_schema(Type::kString).get());
  source.timestamp_ms = MR_NO_TIMESTAMP;
  const Value items[] = {string_value("position"), int64_value(4)};
  source.source_offset = items_value(MR_MAP, items);
  EXPECT_EQ(source_record_text(source, schemas),
            ", where source record is = SourceRecord{sourcePartition=null, sourceOffset={position=4}} "
            "ConnectRecord{topic='t', kafkaPartition=null, key=null, keySchema=null, value=one, "
            "valueSchema=Schema{STRING}, timestamp=null, headers=ConnectHeaders(headers=)}");
}

}  // namespace
}  // namespace millrace
