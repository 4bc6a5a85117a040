// Runs every file of the corpus folders given through a fuzz target, and then cut and bent copies of each, so that the
// targets are exercised where there is no libFuzzer.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

size_t run_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(file), {}};
  run(input);
  size_t runs = 1;
  std::minstd_rand random(42);  // the same copies each time
  for (int i = 0; i < 200 && !input.empty(); ++i, ++runs) {
    std::string bent = input.substr(0, 1 + random() % input.size());
    for (unsigned flips = random() % 4; flips > 0; --flips) bent[random() % bent.size()] = static_cast<char>(random());
    run(bent);
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  size_t runs = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::exists(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) runs += run_file(entry.path());
    }
  }
  std::printf("%zu inputs\n", runs);
  return runs == 0 ? 1 : 0;  // an empty corpus tests nothing
}
