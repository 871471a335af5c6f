#include "attester/keys/installation_key.h"

#include "base/encoding.h"
#include "crypto/jose.h"

namespace touchmark::attester::keys {
namespace {

class SoftwareKey final : public InstallationKey {
 public:
  explicit SoftwareKey(crypto::EcKey key) : key_(std::move(key)) {}
  const crypto::EcKey& public_key() const override { return key_; }
  Result<Bytes> sign(ByteView data) const override { return key_.sign(data); }
  std::string_view protection() const override { return "software"; }

 private:
  crypto::EcKey key_;
};

}  // namespace

std::unique_ptr<InstallationKey> make_software_key(crypto::EcKey key) {
  return std::make_unique<SoftwareKey>(std::move(key));
}

Result<std::string> sign_jws(const Json& payload, std::string_view typ,
                             const InstallationKey& key) {
  const Json header = {{"alg", "ES256"}, {"typ", typ}, {"jwk", crypto::to_jwk(key.public_key())}};
  std::string text = base64url_encode(as_bytes(dump_json(header))) + "." +
                     base64url_encode(as_bytes(dump_json(payload)));
  const Result<Bytes> signature = key.sign(as_bytes(text));
  if (!signature) return pass(signature);
  return text + "." + base64url_encode(*signature);
}

}  // namespace touchmark::attester::keys
