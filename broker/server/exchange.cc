#include "broker/server/exchange.h"

#include "core/invariant.h"

namespace millrace {
namespace {

constexpr size_t kLengthBytes = 4;
// Room for most small answers, so that encoding them grows the buffer not even once.
constexpr size_t kAnswerReserve = 256;

}  // namespace

Exchange::Exchange(std::shared_ptr<ExchangeSink> sink, uint64_t sequence, std::string frame, RequestHeader header,
                   BytesView body, bool response_header_tagged, std::shared_ptr<const Session> session)
    : sink_(std::move(sink)),
      sequence_(sequence),
      frame_(std::move(frame)),
      header_(header),
      body_(body),
      response_header_tagged_(response_header_tagged),
      session_(std::move(session)) {}

Exchange::~Exchange() {
  if (!answered_) close_connection();
  sink_->recycle(std::move(frame_));
}

void Exchange::no_reply() {
  invariant(!answered_, "a request is answered once");
  answered_ = true;
  sink_->answer_nothing(sequence_);
}

void Exchange::close_connection() {
  invariant(!answered_, "a request is answered once");
  answered_ = true;
  sink_->close(sequence_);
}

std::string Exchange::begin_frame() const {
  std::string out;
  out.reserve(kAnswerReserve);
  out.resize(kLengthBytes);
  append_be(out, header_.correlation_id);
  if (response_header_tagged_) out.push_back('\0');
  return out;
}

void Exchange::finish_frame(std::string bytes, const std::vector<WireWriter::Gap>& gaps, std::vector<FileRange> files,
                            bool close_after) {
  invariant(!answered_, "a request is answered once");
  ResponseFrame frame;
  uint64_t size = bytes.size() - kLengthBytes;
  invariant(gaps.size() == files.size(), "every gap of an answer has its file range");
  for (size_t i = 0; i < gaps.size(); ++i) {
    invariant(gaps[i].bytes == files[i].size, "a file range fills its gap");
    size += files[i].size;
    frame.files.emplace_back(gaps[i].position, std::move(files[i]));
  }
  store_be(bytes.data(), static_cast<int32_t>(size));
  frame.bytes = std::move(bytes);
  frame.close_after = close_after;
  answered_ = true;
  sink_->answer(sequence_, std::move(frame));
}

}  // namespace millrace
