// A played iPhone for tests in other languages: one JSON object per line on the standard input, one
// answer per line. It attests with the SDK's own core; only what an iPhone alone has is played
// (what is in memory, the Secure Enclave, App Attest), under roots that it makes at its start.
#include <fstream>
#include <iostream>
#include <sstream>

#include "attester/checks/ios/app_integrity.h"
#include "attester/checks/ios/loaded_image.h"
#include "attester/client/client.h"
#include "attester/testing/played_iphone.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/source.h"
#include "formats/zip/zip.h"
#include "package/ios/app_images.h"
#include "package/ios/ipa.h"
#include "package/package.h"
#include "package/testing/ios_builder.h"
#include "protocol/hardware_binding.h"
#include "tests/support/apple_device.h"

namespace touchmark::attester::testing {
namespace {

namespace build = package::testing;
using touchmark::testing::AppleDevice;

constexpr std::string_view kTeam = "TESTTEAM01";
constexpr std::string_view kOtherTeam = "EVILTEAM01";
constexpr std::string_view kBundle = "org.example.iosapp";

class EnclaveKey final : public keys::InstallationKey {
 public:
  const crypto::EcKey& public_key() const override { return key_; }
  Result<Bytes> sign(ByteView data) const override { return key_.sign(data); }
  std::string_view protection() const override { return "secure-enclave"; }

 private:
  crypto::EcKey key_ = crypto::EcKey::generate();
};

// What Apple's App Attest service and the phone's daemon keep.
struct AppAttest {
  AppleDevice& device;
  std::uint8_t counter = 0;
  Json record = nullptr;    // of the key's attestation
  Json recorded = nullptr;  // the last evidence
  bool replays = false;     // sends that again
};

class Enclave final : public keys::KeyProvider {
 public:
  explicit Enclave(AppAttest& app_attest) : app_attest_(app_attest) {}

  Result<Key> load() override {
    if (!key_) return fail(ClientError::kKeyLost, "no key yet");
    return Key(key_);
  }
  Result<Key> make(ByteView) override {
    key_ = std::make_shared<EnclaveKey>();
    return Key(key_);
  }
  Json evidence(const crypto::EcKey& key, bool own, ByteView nonce) override {
    if (!own) return Json::object();
    if (app_attest_.replays) return app_attest_.recorded;
    const Bytes hash =
        to_bytes(ByteView(protocol::app_attest_client_data_hash(nonce, key.public_der())));
    const bool first = app_attest_.record.is_null();
    if (first) {
      app_attest_.record = {{"key_id", base64_encode(app_attest_.device.key_id())},
                            {"attestation", base64_encode(app_attest_.device.attest(hash))},
                            {"nonce", base64url_encode(nonce)}};
    }
    Json submod = app_attest_.record;
    if (!first) {
      submod["assertion"] =
          base64_encode(app_attest_.device.assert_over(hash, ++app_attest_.counter));
    }
    app_attest_.recorded = {{"app-attest", submod}};
    return app_attest_.recorded;
  }

 private:
  std::shared_ptr<EnclaveKey> key_;
  AppAttest& app_attest_;
};

std::string read_text(const std::string& path) {
  const auto bytes = read_file(path, std::size_t{1} << 30);
  if (!bytes) throw std::runtime_error(bytes.error().text());
  return touchmark::to_string(*bytes);
}

template <class Value>
Value take(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return *std::move(result);
}

class Session {
 public:
  Json answer(const Json& asked) {
    const std::string what = asked.at("do");
    if (what == "roots") return roots();
    if (what == "build") return build_ipa(asked);
    if (what == "measure") return measured(asked.at("ipa"));
    if (what == "code") return code(asked.at("ipa"));
    if (what == "install") return install(asked);
    if (what == "images") return images();
    if (what == "flip") return flip(asked.at("address"));
    if (what == "load") return load(asked);
    if (what == "inspect") return inspect();
    if (what == "change") return change(asked);
    if (what == "fetch") return fetch(asked.at("url"));
    throw std::runtime_error("no such thing to do: " + what);
  }

 private:
  Json roots() const {
    return {{"pem", touchmark::testing::to_pem(to_bytes(pki_.root_der())) +
                        touchmark::testing::to_pem(other_.root_der_bytes()) +
                        touchmark::testing::to_pem(device_.root())}};
  }

  // An app of a main executable, a framework and the given files, which may be images.
  Json build_ipa(const Json& asked) {
    const bool other = asked.value("signer", "own") == "other";
    const build::IosPki& pki = other ? other_.pki : pki_;
    build::CodeSpec spec;
    spec.team = other ? kOtherTeam : kTeam;
    spec.signer = &pki;
    spec.info = build::info_plist();
    spec.image.encrypted = asked.value("encrypted", false);
    spec.image.seed = static_cast<char>(asked.value("seed", 1));
    if (const Json libraries = asked.value("libraries", Json()); libraries.is_array()) {
      spec.image.libraries = libraries.get<std::vector<std::string>>();
    }
    std::map<std::string, std::string> files = {
        {"Frameworks/Kit.framework/Kit", build::kit_image()},
        {"embedded.mobileprovision",
         pki.wrap(build::profile_plist(pki, spec.team, spec.team + "." + std::string(kBundle)))},
        {"Touchmark_Touchmark.bundle/touchmark-sdk.json",
         "{\"version\":\"" TOUCHMARK_VERSION "\"}"}};
    const Json more = asked.value("files", Json::object());
    for (const auto& [name, path] : more.items()) files[name] = read_text(path);
    spec.resources = build::code_resources(files);
    files["Info.plist"] = spec.info;
    files["_CodeSignature/CodeResources"] = spec.resources;
    files["Example"] = build::signed_image(spec);
    if (asked.value("universal", false)) {  // for processors of another kind as well
      spec.image.cpu_subtype = 2;           // arm64e
      files["Example"] = build::universal({files["Example"], build::signed_image(spec)});
    }
    build::ZipFile zip;
    for (const auto& [name, content] : files) {
      zip.entries.push_back(build::deflated("Payload/Example.app/" + name, content));
    }
    const std::string packed = zip.build();
    const std::string path = asked.at("ipa");
    std::ofstream(path, std::ios::binary) << packed;
    return {{"size", packed.size()}};
  }

  Json measured(const std::string& path) const {
    const auto source = take(open_file(path));
    return package::to_json(take(package::measure(
        *source, {.ios_roots = {to_bytes(pki_.root_der()), other_.root_der_bytes()}})));
  }

  // The code of an IPA's images, whoever signed them, if anybody did.
  static Json code(const std::string& path) {
    const auto source = take(open_file(path));
    const auto archive = take(zip::ZipArchive::open(*source));
    const auto files = take(package::ios::find_images(archive, package::ios::ipa_folder(archive)));
    package::Measurement out;
    out.parts = take(package::ios::digest_images(archive, files));
    return package::to_json(out);
  }

  // A new phone, with a new installation of the app.
  Json install(const Json& asked) {
    client_.reset();
    phone_ = std::make_unique<PlayedIphone>();
    take(phone_->install(as_bytes(read_text(asked.at("ipa")))).map([] { return 0; }));
    device_.app_id_ = asked.value("app_id", std::string(kTeam) + "." + std::string(kBundle));
    key_device_.emplace(device_.with_new_key());
    app_attest_.emplace(AppAttest{*key_device_});
    if (!asked.contains("config")) return {{"rebases_in_fixed_segments", phone_->fixed_rebases}};
    client::ClientParts parts{
        .initial = take(parse_initial_config(read_text(asked.at("config")))),
        .storage = take(keys::Storage::open(asked.at("storage").get<std::string>())),
        .integrity = checks::ios::make_app_integrity(*phone_),
        .sdk = {.sdk_platform = "iOS",
                .package_name = std::string(kBundle),
                .platform = {{"os", "ios"}, {"os_version", "18.1"}, {"model", "iPhone17,1"}},
                .build = std::string(protocol::kIosBuild)},
        .platform_keys = std::make_unique<Enclave>(*app_attest_)};
    client_ = client::Client::open(std::move(parts));
    return {{"rebases_in_fixed_segments", phone_->fixed_rebases}};
  }

  // What is in memory of each image, and where.
  Json images() const {
    Json out = Json::array();
    for (const auto& loaded : checks::ios::list_images(*phone_).images) {
      Json parts = Json::object();
      for (const package::ios::ImagePart& part : loaded.image.parts) {
        Json extents = Json::array();
        for (const package::ios::Extent& extent : part.extents) {
          extents.push_back({loaded.header + extent.address, extent.size});
        }
        parts[part.name] = extents;
      }
      out.push_back({{"path", loaded.path},
                     {"name", loaded.name},
                     {"architecture", loaded.image.architecture()},
                     {"header", loaded.header},
                     {"parts", parts}});
    }
    return out;
  }

  Json flip(std::uint64_t address) {
    Bytes byte = phone_->read(address, 1);
    if (byte.size() != 1) throw std::runtime_error("nothing is mapped there");
    byte[0] ^= std::byte{1};
    phone_->write(address, byte);
    return Json::object();
  }

  Json load(const Json& asked) {
    const std::string path = asked.at("path");
    return {{"header", take(phone_->load(path, as_bytes(build::kit_image())))}};
  }

  Json inspect() const {
    const Inspection found = checks::ios::make_app_integrity(*phone_)->inspect();
    Json findings = Json::array();
    for (const protocol::Finding& finding : found.findings) {
      findings.push_back({std::string(protocol::to_string(finding.id)), finding.detail});
    }
    return {{"measurement", found.measurement ? package::to_json(*found.measurement) : Json()},
            {"findings", findings}};
  }

  Json change(const Json& asked) {
    if (asked.contains("traced")) phone_->traced = asked["traced"].get<bool>();
    if (asked.contains("file")) phone_->files.insert(asked["file"].get<std::string>());
    if (asked.contains("replays")) app_attest_->replays = asked["replays"].get<bool>();
    return Json::object();
  }

  Json fetch(const std::string& url) {
    client_->discard_tokens();
    const auto token = client_->fetch(url, "");
    if (!token) return {{"error", token.error().text()}};
    return {{"token", token->token}, {"note", token->note}, {"device", client_->device_id()}};
  }

  struct Other {
    build::IosPki pki{std::string(kOtherTeam)};
    Bytes root_der_bytes() const { return to_bytes(pki.root_der()); }
  };

  build::IosPki pki_{std::string(kTeam)};
  Other other_;
  AppleDevice device_{std::string(kTeam) + "." + std::string(kBundle)};
  std::optional<AppleDevice> key_device_;
  std::optional<AppAttest> app_attest_;
  std::unique_ptr<PlayedIphone> phone_;
  std::unique_ptr<client::Client> client_;
};

int run() {
  Session session;
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = {{"ok", session.answer(Json::parse(line))}};
    } catch (const std::exception& failure) {
      answer = {{"error", failure.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace touchmark::attester::testing

int main() { return touchmark::attester::testing::run(); }
