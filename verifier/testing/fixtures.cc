#include "verifier/testing/fixtures.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/jose.h"

namespace touchmark::verifier::testing {
namespace {

Bytes repeatable_bytes(const std::string& seed, std::size_t count) {
  RepeatableRandom random(seed);
  return random.bytes(count);
}

}  // namespace

void RepeatableRandom::fill(std::span<std::byte> out) {
  const MutexLock lock(mutex_);
  while (!out.empty()) {
    const Sha256Digest block = crypto::sha256(as_bytes(seed_ + std::to_string(counter_++)));
    const std::size_t take = std::min(out.size(), block.size());
    std::ranges::copy(ByteView(block).first(take), out.begin());
    out = out.subspan(take);
  }
}

MemoryApp MemoryApp::make(const std::string& package_name, const std::string& seed) {
  MemoryApp app;
  package::Measurement& m = app.measurement;
  m.package_name = package_name;
  m.version_name = "1.0";
  m.version_code = 7;
  m.label = "Example";
  m.sdk_version = "0.1.0";
  m.signers = {crypto::sha256(as_bytes("signer"))};
  app.contents = {{"AndroidManifest.xml", repeatable_bytes(seed + " manifest", 500)},
                  {"classes.dex", repeatable_bytes(seed + " dex", 200'000)},
                  {"lib/arm64-v8a/libapp.so", repeatable_bytes(seed + " so", 5'000)}};
  const std::map<std::string, package::PartKind> kinds{
      {"AndroidManifest.xml", package::PartKind::kManifest},
      {"classes.dex", package::PartKind::kDex},
      {"lib/arm64-v8a/libapp.so", package::PartKind::kNativeLibrary}};
  for (const auto& [name, content] : app.contents) {
    m.parts.push_back({name, kinds.at(name), content.size(), crypto::sha256(content)});
  }
  return app;
}

model::Registration MemoryApp::registration(UnixTime created,
                                            std::optional<UnixTime> expires) const {
  const Sha256Digest digest = package::digest(measurement);
  return {hex_encode(ByteView(digest).first(8)), measurement, created, expires, "admin"};
}

store::PartReader MemoryApp::reader() const {
  return
      [this](const package::Part& part, const auto& sink) { return sink(contents.at(part.name)); };
}

Result<void> put_registration(store::Store& store, const model::Registration& registration,
                              const store::PartReader& read) {
  return store.keep_parts(registration.measurement.parts, read, [&] {
    return write(store, &store::Transaction::put_registration, registration);
  });
}

void put_policy(store::Store& store, const std::string& text) {
  const Json stored{{"revision", 1}, {"text", text}, {"actor", "tests"}, {"time", 0}};
  static_cast<void>(write(store, &store::Transaction::put, "policy", as_bytes(dump_json(stored))));
}

Json SoftAttester::code() const {
  Json out = Json::array();
  for (const package::Part& part : app.measurement.parts) {
    if (part.code_bearing() && part.size > 0) out.push_back({part.name, part.size});
  }
  return out;
}

std::string SoftAttester::challenge_request() const {
  return Json{{"account", account},
              {"measurement", base64url_encode(package::digest(app.measurement))},
              {"code", code()}}
      .dump();
}

Json SoftAttester::claims(const Json& challenge) const {
  const auto nonce = base64url_decode(challenge["nonce"].get<std::string>());
  crypto::Sha256 proof;
  proof.update(nonce.value());
  for (const Json& range : challenge["ranges"]) {
    const auto content = app.contents.find(range[0].get<std::string>());
    if (content == app.contents.end()) continue;
    const ByteView bytes(content->second);
    const std::size_t from = std::min(range[1].get<std::size_t>(), bytes.size());
    proof.update(bytes.subspan(from, std::min(range[2].get<std::size_t>(), bytes.size() - from)));
  }
  const package::Measurement& m = app.measurement;
  Json signers = Json::array();
  for (const Sha256Digest& signer : m.signers) signers.push_back(base64url_encode(signer));
  Json parts = Json::object();
  for (const package::Part& part : m.parts) {
    if (part.code_bearing()) parts[part.name] = base64url_encode(part.sha256);
  }
  Json splits = Json::object();
  for (const auto& [name, digest] : package::split_digests(m)) {
    splits[name] = base64url_encode(digest);
  }
  return {{"eat_nonce", challenge["nonce"]},
          {"iat", 1'790'000'000},
          {"account", account},
          {"config_version", config_version},
          {"platform", {{"os", "android"}, {"api_level", 34}}},
          {"sdk", {{"platform", "Android"}, {"version", "0.1.0"}, {"build", "android"}}},
          {"app",
           {{"package", m.package_name},
            {"version_name", m.version_name},
            {"version_code", m.version_code},
            {"measurement", base64url_encode(package::digest(m))},
            {"signers", signers},
            {"parts", parts},
            {"code", code()},
            {"splits", splits}}},
          {"range_proof", base64url_encode(proof.finish())},
          {"checks", {"app", "hook", "debug", "root", "network"}},
          {"findings", Json::array()},
          {"tls", {{"exporter", base64url_encode(exporter)}, {"spki", base64url_encode(spki)}}}};
}

std::string SoftAttester::attest_request(const Json& claims) const {
  const std::string evidence = crypto::sign_es256(
      claims, key, {{"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(key)}});
  return Json{{"evidence", evidence}}.dump();
}

}  // namespace touchmark::verifier::testing
