#include "rest/http_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using testing::HasSubstr;

constexpr HttpParser::Limits kSmall{.head_bytes_max = 200, .body_bytes_max = 10, .discarded_bytes_max = 20};

int refusal_of(std::string_view bytes, HttpParser::Limits limits = kSmall) {
  HttpParser parser(limits);
  parser.consume(bytes);
  return parser.refusal();
}

TEST(HttpParser, ARequestInAnyPieces) {
  const std::string bytes =
      "\r\nPUT /a?b=c HTTP/1.1\r\nHost: h:1\r\nCONTENT-Type:  application/json \r\nAccept: a/b\r\nAccept: c/d\r\n"
      "Content-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\n\r\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    HttpParser parser(kSmall);
    size_t used = 0;
    while (!parser.done()) {
      const size_t taken = parser.consume(std::string_view(bytes).substr(used, piece));
      ASSERT_GT(taken, 0U) << parser.refusal_text();
      used += taken;
    }
    EXPECT_EQ(bytes.substr(used), "GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(parser.keep_alive());
    const RestRequest request = parser.take();
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.target, "/a?b=c");
    EXPECT_EQ(request.host, "h:1");
    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.accept, "a/b,c/d");
    EXPECT_EQ(request.body, "body");
    EXPECT_TRUE(parser.idle());
    parser.consume(std::string_view(bytes).substr(used));
    EXPECT_TRUE(parser.done());
  }
}

TEST(HttpParser, Chunks) {
  HttpParser parser(kSmall);
  parser.consume(
      "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: "
      "x\r\n\r\n");
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(parser.refusal(), 413) << "13 bytes";
  HttpParser fits(kSmall);
  fits.consume("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
  ASSERT_TRUE(fits.done());
  EXPECT_EQ(fits.take().body, "abcd");
}

TEST(HttpParser, KeepAlive) {
  const auto keeps = [](std::string_view bytes) {
    HttpParser parser(kSmall);
    parser.consume(bytes);
    EXPECT_TRUE(parser.done());
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(HttpParser, ABodyThatIsTooLargeIsReadToItsEnd) {
  HttpParser parser(kSmall);
  parser.consume("PUT / HTTP/1.1\r\nContent-Length: 25\r\n\r\n" + std::string(25, 'x'));
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(parser.refusal(), 413);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nContent-Length: 31\r\n\r\n"), 413) << "not even read";
  HttpParser endless(kSmall);
  endless.consume("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n" + std::string(40, 'x'));
  EXPECT_TRUE(endless.failed());
}

TEST(HttpParser, WhatIsNotARequest) {
  for (const char* bytes :
       {"\x16\x03\x01\n", "GET\r\n", "GET /\r\n", "GET / HTTP/1.1 x\r\n", "G@T / HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n", "GET / HTTP/1.1\r\nHost : x\r\n", "GET / HTTP/1.1\r\n folded\r\n",
        "GET / HTTP/1.1\r\nA: \x01\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    EXPECT_EQ(refusal_of(bytes), 400) << bytes;
  }
  EXPECT_EQ(refusal_of("PRI * HTTP/2.0\r\n"), 505);
  EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
  EXPECT_EQ(refusal_of("GET /" + std::string(300, 'a')), 414);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nA: " + std::string(300, 'a')), 431);
}

TEST(HttpParser, ContinueIsWantedOnce) {
  HttpParser parser(kSmall);
  parser.consume("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(parser.take_continue());
  EXPECT_FALSE(parser.take_continue());
  parser.consume("x");
  EXPECT_TRUE(parser.done());
}

}  // namespace
}  // namespace millrace
