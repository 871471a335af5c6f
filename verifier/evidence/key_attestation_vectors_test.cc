// Key attestation against chains that other people made: real phones, Google's own, synthetic ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/support/vectors.h"
#include "verifier/evidence/key_attestation.h"

namespace touchmark::verifier::evidence {
namespace {

using touchmark::testing::read_vector;

const std::string kFolder = "key-attestation/";
const KeyAttestationVerifier& google_verifier() {
  static const KeyAttestationVerifier verifier;
  return verifier;
}

KeyAttestationRequest at(std::string_view time) {
  KeyAttestationRequest request;
  request.as_of = parse_time(time).value();
  return request;
}

std::vector<Bytes> read_pem(const std::string& name) {
  auto chain = pki::parse_pem_certificates(as_text(read_vector(name)));
  if (!chain) {
    ADD_FAILURE() << name << ": " << chain.error().text();
    return {};
  }
  return std::move(*chain);
}

std::string refusal_id(const KeyAttestation& result) {
  return result.verified() ? "verified" : result.refusal->id();
}

struct Device {
  std::string folder;
  std::string prefix;
};

std::vector<Device> devices() {
  std::vector<Device> found;
  for (const auto& entry :
       std::filesystem::directory_iterator("tests/vectors/" + kFolder + "real-devices")) {
    for (const char* prefix : {"", "strongbox-"}) {
      if (std::filesystem::exists(entry.path() / (prefix + std::string("cert-0.der.x509")))) {
        found.push_back({kFolder + "real-devices/" + entry.path().filename().string(), prefix});
      }
    }
  }
  return found;
}

std::vector<Bytes> read_chain(const Device& device) {
  std::vector<Bytes> chain;
  for (int i = 0; i < 4; ++i) {
    chain.push_back(read_vector(device.folder + "/" + device.prefix + "cert-" + std::to_string(i) +
                                ".der.x509"));
  }
  return chain;
}

// "[ro.build.version.release]: [8.1.0]"
std::map<std::string, std::string> read_properties(const std::string& folder) {
  Bytes file = read_vector(folder + "/filtered.prop");
  std::string_view text = as_text(file);
  std::map<std::string, std::string> properties;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::size_t middle = line.find("]: [");
    if (!line.starts_with('[') || middle == line.npos) continue;
    std::string_view value = line.substr(middle + 4);
    properties[std::string(line.substr(1, middle - 1))] = value.substr(0, value.rfind(']'));
  }
  return properties;
}

// "8.1.0" -> 80100, as KeyMint's OS_VERSION counts.
std::uint64_t os_version_number(const std::string& release) {
  unsigned parts[3] = {0, 0, 0};
  std::sscanf(release.c_str(), "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
  return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

TEST(RealDevices, VerifyThenAndNowAndSayWhatThePhoneSays) {
  std::vector<Device> all = devices();
  ASSERT_EQ(all.size(), 19U);
  for (const Device& device : all) {
    SCOPED_TRACE(device.folder + " " + device.prefix);
    for (const char* time : {"2021-01-01", "2026-11-01"}) {
      KeyAttestationRequest request = at(time);
      request.challenge = to_bytes("sample");
      KeyAttestation result = google_verifier().verify(read_chain(device), request);
      ASSERT_TRUE(result.verified()) << result.refusal->text();
      EXPECT_EQ(result.provisioning, Provisioning::kFactory);
      EXPECT_EQ(
          result.description->attestation_security_level,
          device.prefix.empty() ? SecurityLevel::kTrustedEnvironment : SecurityLevel::kStrongBox);
      const AuthorizationList& hardware = result.description->hardware_enforced;
      auto properties = read_properties(device.folder);
      EXPECT_EQ(hardware.root_of_trust->device_locked, properties["ro.boot.flash.locked"] == "1");
      EXPECT_EQ(hardware.root_of_trust->verified_boot_state, VerifiedBootState::kVerified);
      EXPECT_EQ(hardware.os_version, os_version_number(properties["ro.build.version.release"]));
      std::string patch = properties["ro.build.version.security_patch"];
      EXPECT_EQ(std::to_string(hardware.os_patch_level->value),
                patch.substr(0, 4) + patch.substr(5, 2));
    }
  }
}

TEST(RealDevices, VerifyWithoutTheRootAndFromTheCache) {
  KeyAttestationVerifier uncached(pki::TrustRoots::google(), 0);
  for (const Device& device : devices()) {
    std::vector<Bytes> chain = read_chain(device);
    chain.pop_back();
    EXPECT_EQ(refusal_id(google_verifier().verify(chain, at("2021-01-01"))), "verified");
    EXPECT_EQ(refusal_id(google_verifier().verify(chain, at("2021-01-01"))), "verified");
    EXPECT_EQ(refusal_id(uncached.verify(chain, at("2021-01-01"))), "verified");
  }
}

// Every byte of a genuine chain counts, that of the root included.
TEST(RealDevices, NoByteCanBeChanged) {
  KeyAttestationVerifier verifier(pki::TrustRoots::google(), 0);
  std::vector<Bytes> chain = read_chain({kFolder + "real-devices/Pixel_3a_XL", "strongbox-"});
  for (std::size_t i = 0; i < chain.size(); ++i) {
    for (std::size_t at_byte = 0; at_byte < chain[i].size(); ++at_byte) {
      std::vector<Bytes> changed = chain;
      changed[i][at_byte] ^= std::byte{0x01};
      ASSERT_FALSE(verifier.verify(std::move(changed), at("2021-01-01")).verified())
          << "certificate " << i << " byte " << at_byte;
    }
  }
}

TEST(RealDevices, TheCacheTakesNothingThatDiffers) {
  KeyAttestationVerifier verifier;
  std::vector<Bytes> chain = read_chain({kFolder + "real-devices/G8341", ""});
  ASSERT_TRUE(verifier.verify(chain, at("2021-01-01")).verified());
  for (std::size_t i = 0; i < chain.size(); ++i) {
    std::vector<Bytes> changed = chain;
    changed[i][changed[i].size() / 2] ^= std::byte{0x80};
    EXPECT_FALSE(verifier.verify(std::move(changed), at("2021-01-01")).verified()) << i;
  }
  EXPECT_TRUE(verifier.verify(chain, at("2021-01-01")).verified());
}

// Google's JSON names some fields otherwise than the schema does, and writes numbers as text.
Json in_googles_form(const Json& ours) {
  static const std::map<std::string, std::string> kNames = {
      {"purpose", "purposes"},           {"algorithm", "algorithms"},
      {"blockMode", "blockModes"},       {"digest", "digests"},
      {"padding", "paddings"},           {"mgfDigest", "rsaOaepMgfDigests"},
      {"packageInfos", "packages"},      {"packageName", "name"},
      {"signatureDigests", "signatures"}};
  if (ours.is_number()) return std::to_string(ours.get<std::uint64_t>());
  if (ours.is_array()) {
    Json array = Json::array();
    for (const Json& item : ours) array.push_back(in_googles_form(item));
    return array;
  }
  if (!ours.is_object()) return ours;
  Json object = Json::object();
  for (const auto& [name, value] : ours.items()) {
    auto other = kNames.find(name);
    object[other == kNames.end() ? name : other->second] = in_googles_form(value);
  }
  return object;
}

// Their files hold comments, and say of some lists that they are in order.
Json read_googles_json(const std::string& name) {
  Bytes file = read_vector(name);
  Json json = Json::parse(as_text(file), nullptr, true, /*ignore_comments=*/true);
  for (const char* list : {"softwareEnforced", "hardwareEnforced"}) {
    json[list].erase("areTagsOrdered");
  }
  return json;
}

struct GoogleCase {
  const char* name;
  const char* as_of;
  const char* outcome;
};

TEST(GoogleChains, DecodeFieldByField) {
  constexpr GoogleCase kCases[] = {
      {"akita/sdk34/TEE_EC_NONE", "2024-10-01", "verified"},
      {"blueline/sdk28/SB_RSA_NONE", "2026-11-01", "verified"},
      {"blueline/sdk28/SB_RSA_NONE_USERAUTH", "2026-11-01", "verified"},
      {"blueline/sdk28/TEE_EC_NONE", "2026-11-01", "verified"},
      {"blueline/sdk28/TEE_RSA_BASE+IMEI", "2026-11-01", "verified"},
      {"blueline/sdk28/TEE_RSA_NONE", "2026-11-01", "verified"},
      {"caiman/sdk36/TEE_EC_RKP", "2025-09-27", "verified"},
      {"marlin/sdk29/TEE_EC_NONE", "2026-11-01", "chain.untrusted-root"},  // software's root
      {"tegu/sdk36/TEE_EC_2026_ROOT", "2026-02-24", "verified"},
  };
  for (const GoogleCase& c : kCases) {
    SCOPED_TRACE(c.name);
    std::string path = kFolder + "google/" + c.name;
    KeyAttestation result = google_verifier().verify(read_pem(path + ".pem"), at(c.as_of));
    EXPECT_EQ(refusal_id(result), c.outcome);
    ASSERT_TRUE(result.description);
    EXPECT_EQ(in_googles_form(to_json(*result.description)), read_googles_json(path + ".json"));
  }
}

TEST(GoogleChains, RemotelyProvisionedOnesExpire) {
  std::vector<Bytes> chain = read_pem(kFolder + "google/caiman/sdk36/TEE_EC_RKP.pem");
  KeyAttestation result = google_verifier().verify(chain, at("2025-09-27"));
  ASSERT_TRUE(result.verified()) << result.refusal->text();
  EXPECT_EQ(result.provisioning, Provisioning::kRemote);
  EXPECT_EQ(result.certified_level, SecurityLevel::kTrustedEnvironment);
  ASSERT_TRUE(result.provisioning_info);
  EXPECT_NE(result.provisioning_info->find(1), nullptr);
  EXPECT_EQ(refusal_id(google_verifier().verify(chain, at("2026-11-01"))), "chain.expired");
  EXPECT_EQ(refusal_id(google_verifier().verify(chain, at("2020-01-01"))), "chain.not-yet-valid");
}

TEST(SyntheticChains, GiveTheExpectedReason) {
  const std::map<std::string, std::string> kReasons = {
      {"CertLists.importedOrigin", "key-attestation.origin-not-generated"},
      {"CertLists.mismatchedSecurityLevels", "key-attestation.security-level-mismatch"},
      {"CertLists.missingExtension", "key-attestation.missing-extension"},
      {"CertLists.unknownTag", "key-description.unknown-tag"},
      {"Chains.wrongIssuer", "chain.issuer-mismatch"},
      {"Chains.wrongSignature", "chain.bad-signature"},
  };
  auto roots = pki::TrustRoots::parse(as_text(read_vector(kFolder + "synthetic/test_root.pem")));
  ASSERT_TRUE(roots) << roots.error().text();
  KeyAttestationVerifier verifier(std::move(*roots));
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("tests/vectors/" + kFolder + "synthetic")) {
    if (entry.path().extension() != ".expected") continue;
    std::string name = entry.path().stem().string();
    SCOPED_TRACE(name);
    Bytes expected = read_vector(kFolder + "synthetic/" + name + ".expected");
    KeyAttestation result =
        verifier.verify(read_pem(kFolder + "synthetic/" + name + ".pem"), at("2024-10-20"));
    ++count;
    if (as_text(expected).starts_with("SUCCESS")) {
      ASSERT_TRUE(result.verified()) << result.refusal->text();
      const RootOfTrust& root = *result.description->hardware_enforced.root_of_trust;
      std::string said = "SUCCESS sec=";
      said += to_string(result.description->attestation_security_level);
      said += " vb=" + std::string(to_string(root.verified_boot_state)) + " locked=";
      said += root.device_locked ? "true" : "false";
      EXPECT_TRUE(as_text(expected).starts_with(said)) << said;
    } else {
      ASSERT_TRUE(kReasons.contains(name));
      EXPECT_EQ(refusal_id(result), kReasons.at(name));
    }
  }
  EXPECT_EQ(count, 14U);
}

TEST(TrustRoots, GooglesAreThoseOfItsOwnFile) {
  auto published = pki::TrustRoots::parse(as_text(read_vector(kFolder + "roots.json")));
  ASSERT_TRUE(published) << published.error().text();
  pki::TrustRoots built_in = pki::TrustRoots::google();
  EXPECT_EQ(built_in.all().size(), 2U);
  ASSERT_EQ(published->all().size(), 2U);
  for (const pki::TrustRoot& root : published->all()) EXPECT_NE(built_in.find(root.spki), nullptr);
}

}  // namespace
}  // namespace touchmark::verifier::evidence
