// A backup is opened or refused, whatever is in it: as it stands, and with the input as what was
// sealed with the right key. What is opened has the files of its list, each of its size.
#include <cstdlib>
#include <map>
#include <string>

#include "crypto/crypto.h"
#include "verifier/store/backup_file.h"

namespace {

using namespace touchmark;
using namespace touchmark::verifier;

class Zeros final : public Random {
 public:
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{0}); }
};

const Bytes kKey(32, std::byte{1});

// As backup_file.h describes it, in one chunk.
Bytes sealed_alone(ByteView plain) {
  Zeros random;
  Bytes out = to_bytes("TMBACKUP");
  out.push_back(std::byte{1});
  const Bytes salt(32);
  append(out, salt);
  Bytes root = kKey;
  append(root, salt);
  const Bytes keys = crypto::hkdf_sha256(root, "touchmark backup 1", 48);
  append(out, ByteView(keys).subspan(32));
  append(out,
         crypto::seal(ByteView(keys).first(32), "touchmark backup 1 chunk 0 last", plain, random));
  return out;
}

void open(Bytes bytes) {
  std::map<std::string, std::uint64_t> sizes;
  const auto list = store::read_backup(*from_memory(std::move(bytes)), kKey,
                                       [&](const auto& file, ByteView piece) -> Result<void> {
                                         sizes[file.name] += piece.size();
                                         return {};
                                       });
  if (!list) return;
  if (list->files.size() != sizes.size() || sizes.size() > store::kMaxBackupFiles) std::abort();
  for (const auto& file : list->files) {
    if (sizes.at(file.name) != file.size || file.name.find('/') != std::string::npos ||
        file.name.front() == '.') {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  open(to_bytes(input));
  open(sealed_alone(input));
  return 0;
}
