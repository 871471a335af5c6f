#include "attester/keys/platform_key.h"

#include <cstring>

#include "attester/keys/c_bytes.h"
#include "base/encoding.h"
#include "formats/der.h"
#include "protocol/hardware_binding.h"
#include "protocol/limits.h"

void touchmark_bytes_set(touchmark_bytes* bytes, const void* data, size_t size) {
  if (bytes == nullptr || (data == nullptr && size > 0)) return;
  const auto* begin = static_cast<const std::byte*>(data);
  try {
    bytes->content.assign(begin, begin + size);
  } catch (const std::exception&) {
    bytes->content.clear();  // the caller is C; what is missing is no key, signature or evidence
  }
}

namespace touchmark::attester::keys {
namespace {

constexpr std::size_t kNumberBytes = 32;
constexpr std::size_t kMaxText = 300;

// Owned, so that the caller's struct need not live on.
struct Provider {
  touchmark_key_provider functions;
  std::string name;
  std::string account;
};
using SharedProvider = std::shared_ptr<const Provider>;

// What a provider in C++, Java or Objective-C throws all the same is its failure.
template <class Call>
touchmark_key_status answer_of(const Call& call, touchmark_bytes& bytes) {
  try {
    return call(&bytes);
  } catch (...) {
    constexpr std::string_view kThrown = "an exception";
    touchmark_bytes_set(&bytes, kThrown.data(), kThrown.size());
    return TOUCHMARK_KEY_FAILED;
  }
}

template <class Call>
Result<Bytes> ask(const char* what, const Call& call) {
  touchmark_bytes bytes;
  switch (answer_of(call, bytes)) {
    case TOUCHMARK_KEY_OK:
      return std::move(bytes.content);
    case TOUCHMARK_KEY_NONE:
      return fail(ClientError::kKeyLost, "the platform has no installation key");
    case TOUCHMARK_KEY_FAILED:
      break;
  }
  return fail(ClientError::kKeyFailed, std::string("the platform's key store, ") + what + ": " +
                                           std::string(as_text(bytes.content).substr(0, kMaxText)));
}

class PlatformKey final : public InstallationKey {
 public:
  PlatformKey(SharedProvider provider, crypto::EcKey key)
      : provider_(std::move(provider)), key_(std::move(key)) {}

  const crypto::EcKey& public_key() const override { return key_; }
  std::string_view protection() const override { return provider_->name; }

  Result<Bytes> sign(ByteView data) const override {
    const auto der = ask("sign", [&](touchmark_bytes* out) {
      return provider_->functions.sign(provider_->functions.context, uchars(data), data.size(),
                                       out);
    });
    if (!der) return pass(der);
    auto signature = es256_signature(*der);
    // A platform that signs with another key than it shows would look like a forger to the service.
    if (signature && !key_.verify(data, *signature)) {
      return fail(ClientError::kKeyLost, "the platform signs with another key");
    }
    return signature;
  }

 private:
  SharedProvider provider_;
  crypto::EcKey key_;
};

class PlatformKeys final : public KeyProvider {
 public:
  explicit PlatformKeys(SharedProvider provider) : provider_(std::move(provider)) {}

  Result<Key> load() override {
    return key_of(ask("load", [&](touchmark_bytes* spki) {
      return provider_->functions.load(provider_->functions.context, provider_->account.c_str(),
                                       spki);
    }));
  }
  Result<Key> make(ByteView nonce) override {
    return key_of(ask("make", [&](touchmark_bytes* spki) {
      return provider_->functions.make(provider_->functions.context, provider_->account.c_str(),
                                       uchars(nonce), nonce.size(), spki);
    }));
  }

  // Evidence that cannot be had is left out: the service judges what it gets.
  Json evidence(const crypto::EcKey& key, bool own, ByteView nonce) override {
    const touchmark_key_provider& functions = provider_->functions;
    if (functions.evidence == nullptr) return Json::object();
    const std::string nonce_text = base64url_encode(nonce);
    const Bytes spki = key.public_der();
    const std::string play = base64url_encode(protocol::play_integrity_hash(nonce, spki));
    const Sha256Digest client_data = protocol::app_attest_client_data_hash(nonce, spki);
    touchmark_evidence_request request{};
    request.size = sizeof request;
    request.provider_key = own ? 1 : 0;
    request.nonce = nonce_text.c_str();
    request.play_integrity_nonce = play.c_str();
    std::memcpy(request.app_attest_client_data_hash, client_data.data(), client_data.size());
    const auto text = ask("evidence", [&](touchmark_bytes* out) {
      return functions.evidence(functions.context, &request, out);
    });
    if (!text) return Json::object();
    auto json = parse_json(as_text(*text), {.max_bytes = protocol::kMaxSentSubmods});
    return json && json->is_object() ? std::move(*json) : Json::object();
  }

 private:
  Result<Key> key_of(const Result<Bytes>& spki) const {
    if (!spki) return pass(spki);
    auto key = crypto::EcKey::from_public_der(*spki);
    if (!key) return fail(ClientError::kKeyFailed, "the platform's key: " + key.error().text());
    return std::make_shared<const PlatformKey>(provider_, std::move(*key));
  }

  SharedProvider provider_;
};

}  // namespace

Result<std::unique_ptr<KeyProvider>> make_platform_keys(const touchmark_key_provider& provider,
                                                        const std::string& account) {
  if (provider.size < sizeof provider || provider.name == nullptr || provider.load == nullptr ||
      provider.make == nullptr || provider.sign == nullptr) {
    return fail(ClientError::kBadArgument, "key_provider lacks a function, its name or its size");
  }
  return std::make_unique<PlatformKeys>(
      std::make_shared<const Provider>(Provider{provider, provider.name, account}));
}

Result<Bytes> es256_signature(ByteView der) {
  auto sequence = der::parse(der, der::kSequence);
  if (!sequence) return pass(sequence);
  der::Reader reader(sequence->content);
  Bytes out;
  for (int i = 0; i < 2; ++i) {
    const auto element = reader.read(der::kInteger);
    if (!element) return pass(element);
    auto number = der::decode_integer(element->content);
    if (!number) return pass(number);
    if (number->size() == kNumberBytes + 1 && number->front() == std::byte{0}) {
      number = number->subspan(1);
    }
    if (number->size() > kNumberBytes) {
      return fail(ClientError::kKeyFailed, "the platform's signature is not one on P-256");
    }
    out.insert(out.end(), kNumberBytes - number->size(), std::byte{0});
    append(out, *number);
  }
  if (auto ok = reader.finish(); !ok) return pass(ok);
  return out;
}

}  // namespace touchmark::attester::keys
