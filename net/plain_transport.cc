#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/transport.h"

namespace millrace {
namespace {

// One call never holds the loop for longer than the kernel takes for this much.
constexpr uint64_t kSendFileMax = 1 << 20;

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(Descriptor socket) : Transport(std::move(socket)) {}

  IoResult::State handshake(std::string&) override { return IoResult::State::kMoved; }

  IoResult read(std::span<const iovec> into) override {
    for (;;) {
      const ssize_t got = ::readv(socket_.get(), into.data(), static_cast<int>(into.size()));
      if (got == 0) return {IoResult::State::kEnd, 0};
      if (got > 0 || errno != EINTR) return result(got);
    }
  }

  IoResult write(std::span<const iovec> from, bool more) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    for (;;) {
      const ssize_t put = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
      if (put >= 0 || errno != EINTR) return result(put);
    }
  }

  IoResult send_file(const File& file, uint64_t position, uint64_t size) override {
    if (file.descriptor() < 0) return send_copy(file, position, size);
    auto offset = static_cast<off_t>(position);
    for (;;) {
      const ssize_t put = ::sendfile(socket_.get(), file.descriptor(), &offset, std::min(size, kSendFileMax));
      if (put == 0) return {IoResult::State::kBroken, 0};  // the file ends here
      if (put > 0 || errno != EINTR) return result(put);
    }
  }

  IoResult::State flush() override { return IoResult::State::kMoved; }
  std::string peer_subject() const override { return {}; }
  void shut_down() override { ::shutdown(socket_.get(), SHUT_WR); }

 private:
  static IoResult result(ssize_t moved) {
    if (moved >= 0) return {IoResult::State::kMoved, static_cast<size_t>(moved)};
    const bool blocked = errno == EAGAIN || errno == EWOULDBLOCK;
    return {blocked ? IoResult::State::kBlocked : IoResult::State::kBroken, 0};
  }

  IoResult send_copy(const File& file, uint64_t position, uint64_t size) {
    std::array<char, 16 * 1024> buffer;
    const auto got = file.read_at(position, buffer.data(), std::min<uint64_t>(size, buffer.size()));
    if (!got || *got == 0) return {IoResult::State::kBroken, 0};
    const iovec piece{buffer.data(), *got};
    return write({&piece, 1}, false);
  }
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(Descriptor socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

}  // namespace millrace
