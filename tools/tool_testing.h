/// For tests of tools: streams that are read back, arguments as words.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tools/tool.h"

namespace millrace {

/// Threads: one.
class CapturedIo {
 public:
  CapturedIo() : out_stream_(open_memstream(&out_, &out_size_)), err_stream_(open_memstream(&err_, &err_size_)) {}
  ~CapturedIo() {
    std::fclose(out_stream_);
    std::fclose(err_stream_);
    std::free(out_);
    std::free(err_);
  }
  CapturedIo(const CapturedIo&) = delete;
  CapturedIo& operator=(const CapturedIo&) = delete;

  ToolIo io() { return {.files = files_, .out = out_stream_, .err = err_stream_}; }
  std::string_view out() const {
    std::fflush(out_stream_);
    return {out_, out_size_};
  }
  std::string_view err() const {
    std::fflush(err_stream_);
    return {err_, err_size_};
  }

 private:
  PosixFileSystem files_;
  char* out_ = nullptr;
  size_t out_size_ = 0;
  char* err_ = nullptr;
  size_t err_size_ = 0;
  FILE* out_stream_;
  FILE* err_stream_;
};

template <class... Words>
std::vector<std::string> words(Words&&... each) {
  return {std::string(each)...};
}

}  // namespace millrace
