#include "net/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace millrace {
namespace {

// --- A BIO over a socket that never raises SIGPIPE (OpenSSL's own uses write()). ---

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(::BIO_get_data(bio))); }

int moved(BIO* bio, ssize_t bytes, int retry_flag) {
  ::BIO_clear_retry_flags(bio);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    ::BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
  return static_cast<int>(bytes);
}

int bio_write(BIO* bio, const char* from, int size) {
  return moved(bio, ::send(socket_of(bio), from, static_cast<size_t>(size), MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

int bio_read(BIO* bio, char* to, int size) {
  const ssize_t got = ::recv(socket_of(bio), to, static_cast<size_t>(size), 0);
  const int result = moved(bio, got, BIO_FLAGS_READ);
  if (got == 0) ::BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return result;
}

long bio_ctrl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return ::BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

int bio_create(BIO* bio) {
  ::BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* socket_method() {
  // Immutable after its making, like a vtable: OpenSSL wants one object per process.
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    ::BIO_meth_set_write(made, bio_write);
    ::BIO_meth_set_read(made, bio_read);
    ::BIO_meth_set_ctrl(made, bio_ctrl);
    ::BIO_meth_set_create(made, bio_create);
    return made;
  }();
  return method;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(Descriptor socket, SSL* ssl) : Transport(std::move(socket)), ssl_(ssl) {
    if (ssl_ == nullptr) return;
    BIO* bio = ::BIO_new(socket_method());
    ::BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(socket_.get())));
    ::SSL_set_bio(ssl_, bio, bio);
    ::SSL_set_accept_state(ssl_);
  }
  ~TlsTransport() override { ::SSL_free(ssl_); }

  IoResult::State handshake(std::string& error) override {
    if (ssl_ == nullptr) return IoResult::State::kBroken;
    if (::SSL_is_init_finished(ssl_) == 1) return IoResult::State::kMoved;
    ::ERR_clear_error();
    const int done = ::SSL_do_handshake(ssl_);
    if (done == 1) return IoResult::State::kMoved;
    const int reason = ::SSL_get_error(ssl_, done);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return IoResult::State::kBlocked;
    error = reason == SSL_ERROR_SSL ? reason_text() : "the client went away during the TLS handshake";
    return IoResult::State::kBroken;
  }

  IoResult read(std::span<const iovec> into) override {
    IoResult total{IoResult::State::kMoved, 0};
    for (const iovec& piece : into) {
      for (size_t filled = 0; filled < piece.iov_len;) {
        size_t got = 0;
        ::ERR_clear_error();
        const int done = ::SSL_read_ex(ssl_, static_cast<char*>(piece.iov_base) + filled, piece.iov_len - filled, &got);
        if (done != 1) return total.bytes > 0 ? total : IoResult{state_of(done), 0};
        filled += got;
        total.bytes += got;
      }
    }
    return total;
  }

  IoResult write(std::span<const iovec> from, bool) override {
    if (auto state = flush(); state != IoResult::State::kMoved) return {state, 0};
    size_t taken = 0;
    for (const iovec& piece : from) {
      const size_t part = std::min(piece.iov_len, kStagedMax - staged_.size());
      staged_.append(static_cast<const char*>(piece.iov_base), part);
      taken += part;
      if (staged_.size() == kStagedMax) break;
    }
    return took(taken);
  }

  IoResult send_file(const File& file, uint64_t position, uint64_t size) override {
    if (auto state = flush(); state != IoResult::State::kMoved) return {state, 0};
    staged_.resize(std::min<uint64_t>(size, kStagedMax));
    const auto got = file.read_at(position, staged_.data(), staged_.size());
    staged_.resize(got ? *got : 0);
    if (staged_.empty()) return {IoResult::State::kBroken, 0};
    return took(staged_.size());
  }

  IoResult::State flush() override {
    while (sent_ < staged_.size()) {
      size_t put = 0;
      ::ERR_clear_error();
      const int done = ::SSL_write_ex(ssl_, staged_.data() + sent_, staged_.size() - sent_, &put);
      if (done != 1) return state_of(done);
      sent_ += put;
    }
    sent_ = 0;
    staged_.clear();
    return IoResult::State::kMoved;
  }

  std::string peer_subject() const override {
    X509* certificate = ssl_ == nullptr ? nullptr : ::SSL_get0_peer_certificate(ssl_);
    if (certificate == nullptr) return {};
    BIO* text = ::BIO_new(::BIO_s_mem());
    // RFC 2253, the form of Java's X500Principal.getName(), but with UTF-8 left readable.
    ::X509_NAME_print_ex(text, ::X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* bytes = nullptr;
    const long size = ::BIO_get_mem_data(text, &bytes);
    std::string subject(bytes, static_cast<size_t>(size));
    ::BIO_free(text);
    return subject;
  }

  void shut_down() override {
    if (ssl_ != nullptr && ::SSL_is_init_finished(ssl_) == 1) ::SSL_shutdown(ssl_);
    ::ERR_clear_error();
    ::shutdown(socket_.get(), SHUT_WR);
  }

 private:
  // Four records of the largest size that TLS knows: what is staged is encrypted in one go.
  static constexpr size_t kStagedMax = 64 * 1024;

  /// Bytes in `staged_` are as good as sent to the caller, who learns by flush() when they really are.
  IoResult took(size_t bytes) {
    const IoResult::State state = flush();
    return {state == IoResult::State::kBroken ? state : IoResult::State::kMoved, bytes};
  }

  IoResult::State state_of(int done) const {
    switch (::SSL_get_error(ssl_, done)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return IoResult::State::kBlocked;
      case SSL_ERROR_ZERO_RETURN:
        return IoResult::State::kEnd;
      default:
        return IoResult::State::kBroken;
    }
  }

  static std::string reason_text() {
    std::array<char, 256> text{};
    ::ERR_error_string_n(::ERR_get_error(), text.data(), text.size());
    ::ERR_clear_error();
    return text.data();
  }

  SSL* const ssl_;
  std::string staged_;  // taken from the caller, not yet all sent
  size_t sent_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_tls_transport(Descriptor socket, ssl_st* ssl) {
  return std::make_unique<TlsTransport>(std::move(socket), ssl);
}

}  // namespace millrace
