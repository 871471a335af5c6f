// A platform's key store in memory, behind the C interface.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "attester/include/touchmark.h"
#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"

namespace touchmark::attester::testing {

// The DER of r and s (RFC 3279 section 2.2.3) of 64 bytes r || s.
inline Bytes der_signature(ByteView signature) {
  Bytes content;
  for (ByteView number : {signature.first(32), signature.last(32)}) {
    while (number.size() > 1 && number.front() == std::byte{0}) number = number.subspan(1);
    const bool pad = (number.front() & std::byte{0x80}) != std::byte{0};
    content.push_back(std::byte{0x02});
    content.push_back(static_cast<std::byte>(number.size() + (pad ? 1 : 0)));
    if (pad) content.push_back(std::byte{0});
    append(content, number);
  }
  Bytes out = {std::byte{0x30}, static_cast<std::byte>(content.size())};
  append(out, content);
  return out;
}

struct FakePlatform {
  std::optional<crypto::EcKey> key;
  touchmark_key_status make_status = TOUCHMARK_KEY_OK;
  touchmark_key_status load_failure = TOUCHMARK_KEY_NONE;  // when there is no key
  bool gives_evidence = true;
  bool signs_with_another_key = false;
  bool cannot_load = false;  // although there is a key
  bool cannot_sign = false;  // although there is a key
  bool loses_keys = false;   // that it makes, before they sign
  int loads = 0;
  std::string account;
  std::vector<Bytes> challenges;  // that keys were made with
  std::atomic<int> made = 0;      // as many; from any thread

  touchmark_key_provider provider() {
    touchmark_key_provider out{};
    out.size = sizeof out;
    out.context = this;
    out.name = "fake-keystore";
    out.load = [](void* context, const char* account, touchmark_bytes* spki) {
      auto& self = *static_cast<FakePlatform*>(context);
      self.account = account;
      ++self.loads;
      if (self.cannot_load) return self.out_of_order(spki);
      if (!self.key) return self.load_failure;
      return self.give_public_key(spki);
    };
    out.make = [](void* context, const char* account, const uint8_t* challenge, size_t size,
                  touchmark_bytes* spki) {
      auto& self = *static_cast<FakePlatform*>(context);
      self.account = account;
      if (self.make_status != TOUCHMARK_KEY_OK) {
        self.out_of_order(spki);
        return self.make_status;
      }
      self.challenges.push_back(to_bytes(std::as_bytes(std::span(challenge, size))));
      ++self.made;
      self.key = crypto::EcKey::generate();
      return self.give_public_key(spki);
    };
    out.sign = [](void* context, const uint8_t* data, size_t size, touchmark_bytes* signature) {
      auto& self = *static_cast<FakePlatform*>(context);
      if (self.cannot_sign) return self.out_of_order(signature);
      if (self.loses_keys) self.key.reset();
      if (!self.key) return TOUCHMARK_KEY_NONE;
      const crypto::EcKey signer =
          self.signs_with_another_key ? crypto::EcKey::generate() : *self.key;
      const Bytes der = der_signature(signer.sign(std::as_bytes(std::span(data, size))));
      touchmark_bytes_set(signature, der.data(), der.size());
      return TOUCHMARK_KEY_OK;
    };
    out.evidence = [](void* context, const touchmark_evidence_request* request,
                      touchmark_bytes* json) {
      auto& self = *static_cast<FakePlatform*>(context);
      if (!self.gives_evidence) return TOUCHMARK_KEY_FAILED;
      const auto hash = std::as_bytes(std::span(request->app_attest_client_data_hash));
      const std::string text = dump_json({{"fake",
                                           {{"own", request->provider_key != 0},
                                            {"nonce", request->nonce},
                                            {"hash", base64_encode(hash)},
                                            {"play", request->play_integrity_nonce}}}});
      touchmark_bytes_set(json, text.data(), text.size());
      return TOUCHMARK_KEY_OK;
    };
    return out;
  }

 private:
  static touchmark_key_status out_of_order(touchmark_bytes* text) {
    touchmark_bytes_set(text, "out of order", 12);
    return TOUCHMARK_KEY_FAILED;
  }
  touchmark_key_status give_public_key(touchmark_bytes* spki) const {
    const Bytes der = key->public_der();
    touchmark_bytes_set(spki, der.data(), der.size());
    return TOUCHMARK_KEY_OK;
  }
};

}  // namespace touchmark::attester::testing
