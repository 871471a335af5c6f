// Writes protocol/vectors/*.json: make_vectors FOLDER.
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "verifier/testing/vectors.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_vectors FOLDER\n", stderr);
    return 2;
  }
  for (const auto& [name, content] : touchmark::verifier::testing::make_vectors()) {
    const auto written = touchmark::write_file_atomic(std::filesystem::path(argv[1]) / name,
                                                      touchmark::as_bytes(content.dump(1) + "\n"));
    if (written) continue;
    std::fprintf(stderr, "make_vectors: %s\n", written.error().text().c_str());
    return 1;
  }
  return 0;
}
