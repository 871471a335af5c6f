#include "verifier/appraisal/device_evidence.h"

#include <algorithm>
#include <iterator>

#include "base/encoding.h"
#include "protocol/hardware_binding.h"
#include "verifier/appraisal/device_facts.h"

namespace touchmark::verifier::appraisal {
namespace {

using evidence::PlayIntegrityError;
using pki::ChainError;
using protocol::Finding;
using protocol::FindingId;
using Findings = std::vector<Finding>;

constexpr std::size_t kMaxCertificateText = 48 * 1024;  // kMaxCertificateBytes in base64
constexpr std::size_t kMaxPlayToken = 64 * 1024;

pki::TrustRoots roots(pki::TrustRoots built_in, const HardwareSettings& settings) {
  return settings.more_roots ? built_in.with(*settings.more_roots) : std::move(built_in);
}

FindingId finding_of(const Error& refusal) {
  if (refusal.is(ChainError::kRevoked) || refusal.is(ChainError::kSuspended)) {
    return FindingId::kHardwareRevoked;
  }
  if (refusal.is(PlayIntegrityError::kWrongPackage)) return FindingId::kHardwareOtherApp;
  return FindingId::kHardwareRefused;
}

Result<std::vector<Bytes>> read_chain(const Json& submod) {
  const Json* texts = find_array(submod, "chain");
  if (texts == nullptr || texts->empty() || texts->size() > pki::kMaxChainLength) {
    return fail(SubmodError::kMalformed, "android-key has no chain of 1 to 10 certificates");
  }
  std::vector<Bytes> chain;
  for (const Json& text : *texts) {
    auto der = text.is_string() && text.get_ref<const std::string&>().size() <= kMaxCertificateText
                   ? base64_decode(text.get_ref<const std::string&>())
                   : fail(SubmodError::kMalformed, "");
    if (!der) return fail(SubmodError::kMalformed, "a certificate of android-key is not base64");
    chain.push_back(std::move(*der));
  }
  return chain;
}

// What the leaf says, before anything is verified. Views point into `leaf`.
std::optional<evidence::KeyDescription> claimed_description(ByteView leaf) {
  const auto certificate = pki::parse_certificate(leaf);
  if (!certificate) return std::nullopt;
  const auto* extension = certificate->find(evidence::kKeyDescriptionOid);
  if (extension == nullptr) return std::nullopt;
  auto description = evidence::parse_key_description(extension->value);
  if (!description) return std::nullopt;
  return std::move(*description);
}

policy::Assurance claimed_by_chain(const Json& submod) {
  const auto chain = read_chain(submod);
  const auto description = chain ? claimed_description(chain->front()) : std::nullopt;
  return description ? assurance_of(description->attestation_security_level)
                     : policy::Assurance::kSoftware;
}

// Android's own word, which counts because a verified boot vouches for Android.
std::string names_other_app(const evidence::KeyDescription& description, const ExpectedApp& app) {
  const auto& software = description.software_enforced;
  if (software.all_applications || description.hardware_enforced.all_applications) {
    return "every app of the phone may use the key";
  }
  if (!software.attestation_application_id) return "the key names no app";
  const evidence::AttestationApplicationId& id = *software.attestation_application_id;
  const auto is_app = [&app](const evidence::AttestationPackage& package) {
    return as_text(package.name) == app.package_name;
  };
  if (std::ranges::none_of(id.packages, is_app)) {
    return "the key is of package " +
           (id.packages.empty() ? "(none)"
                                : std::string(as_text(id.packages.front().name).substr(0, 100)));
  }
  // More than one package can share the app's user id; Android asks that all have one signer.
  std::set<Sha256Digest> signers;
  for (const ByteView digest : id.signature_digests) {
    if (digest.size() != sizeof(Sha256Digest)) return "a signer digest is not 32 bytes";
    Sha256Digest signer;
    std::ranges::copy(digest, signer.begin());
    signers.insert(signer);
  }
  const bool first = app.first_signer && signers == std::set{*app.first_signer};
  if (first || signers == app.signers) return "";
  // As `apksigner verify --print-certs` prints it, since the operator may know it: of a signing key
  // that was rotated, Android names the first certificate.
  return "the key is of an app with other signers: " +
         (signers.empty() ? "none" : hex_encode(*signers.begin())) +
         (signers.size() > 1 ? " and more" : "");
}

bool names_signers(const evidence::PlayIntegrityVerdict& verdict, const ExpectedApp& app) {
  const auto is_signer = [&app](const std::string& text) {
    const auto digest = base64url_decode(text);
    if (digest && app.first_signer && std::ranges::equal(*app.first_signer, *digest)) return true;
    return digest && std::ranges::any_of(app.signers, [&digest](const Sha256Digest& signer) {
             return std::ranges::equal(signer, *digest);
           });
  };
  return std::ranges::any_of(verdict.certificate_sha256_digests, is_signer);
}

std::string_view platform_of(bool ios) {
  return ios ? protocol::kIosBuild : protocol::kAndroidBuild;
}

// Whose devices make evidence of this kind; empty for a kind that this version does not know.
std::string_view platform_of_kind(std::string_view kind) {
  if (kind == protocol::kAppAttestSubmod) return protocol::kIosBuild;
  if (kind == protocol::kAndroidKeySubmod || kind == protocol::kPlayIntegritySubmod) {
    return protocol::kAndroidBuild;
  }
  return {};
}

DeviceAppraisal refused(const Error& error, FindingId finding = FindingId::kHardwareRefused) {
  return {.findings = {{finding, error.text()}}};
}

// Several kinds may vouch for one key; the best word counts.
DeviceAppraisal combined(DeviceAppraisal a, DeviceAppraisal b) {
  std::ranges::move(b.findings, std::back_inserter(a.findings));
  a.assurance = std::max(a.assurance, b.assurance);
  if (b.android) a.android = std::move(b.android);
  if (b.app_attest) a.app_attest = b.app_attest;
  if (b.play) a.play = std::move(b.play);
  return a;
}

}  // namespace

std::string_view error_id(SubmodError error) {
  using enum SubmodError;
  static constexpr auto kIds = error_table<SubmodError>({
      {kMalformed, "submods.malformed"},
      {kForeignPlatform, "submods.foreign-platform"},
  });
  return kIds[error];
}

ExpectedApp ExpectedApp::of(const Evidence& evidence, const Reference* reference) {
  if (reference == nullptr) {
    // Nobody knows better than the app which platform it is for; a host build says what it plays.
    const bool ios = protocol::is_mobile_build(evidence.sdk_build)
                         ? evidence.sdk_build == protocol::kIosBuild
                         : evidence.os == "ios";
    return {.package_name = evidence.package_name,
            .signers = evidence.signers,
            .platform = platform_of(ios)};
  }
  const package::Measurement& measured = reference->registration.measurement;
  return {.package_name = measured.package_name,
          .signers = reference->signers,
          .first_signer = measured.first_signer,
          .platform = platform_of(measured.platform == "iOS"),
          .team = measured.team};
}

policy::Assurance claimed_assurance(const Evidence& evidence, const ExpectedApp& app) {
  auto claimed = policy::Assurance::kSoftware;
  for (const auto& [kind, submod] : evidence.submods.items()) {
    if (platform_of_kind(kind) != app.platform) continue;
    if (kind == protocol::kAndroidKeySubmod) claimed = std::max(claimed, claimed_by_chain(submod));
    if (kind == protocol::kAppAttestSubmod)
      claimed = std::max(claimed, policy::Assurance::kSecureChip);
    if (kind == protocol::kPlayIntegritySubmod)
      claimed = std::max(claimed, policy::Assurance::kPlatform);
  }
  return claimed;
}

bool DeviceAppraisal::names_signers() const {
  const bool by_phone = android && assurance >= policy::Assurance::kTee;
  const bool by_store = play && !play->test_response && play->app_recognition == "PLAY_RECOGNIZED";
  return by_phone || by_store;
}

HardwareAppraiser::HardwareAppraiser(HardwareSettings settings, const ChallengeMaker& challenges,
                                     model::AppAttestKeys& app_attest_keys)
    : settings_(std::move(settings)),
      challenges_(challenges),
      app_attest_keys_(app_attest_keys),
      key_attestation_(roots(pki::TrustRoots::google(), settings_)),
      app_attest_(roots(pki::TrustRoots::apple_app_attest(), settings_),
                  roots(pki::TrustRoots::apple_receipts(), settings_)) {}

Result<DeviceAppraisal> HardwareAppraiser::appraise(const Evidence& evidence,
                                                    const ExpectedApp& app, UnixTime now) const {
  DeviceAppraisal out;
  out.claimed = claimed_assurance(evidence, app);
  for (const auto& [kind, submod] : evidence.submods.items()) {
    const std::string_view platform = platform_of_kind(kind);
    if (platform.empty()) continue;
    if (platform != app.platform) {
      const Error foreign(SubmodError::kForeignPlatform,
                          kind + " says nothing of an app for " + std::string(app.platform));
      out = combined(std::move(out), refused(foreign));
    } else if (kind == protocol::kAndroidKeySubmod) {
      out = combined(std::move(out), appraise_android_key(submod, evidence, app, now));
    } else if (kind == protocol::kAppAttestSubmod) {
      auto appraised = appraise_app_attest(submod, evidence, app, now);
      if (!appraised) return appraised;
      out = combined(std::move(out), std::move(*appraised));
    } else if (kind == protocol::kPlayIntegritySubmod) {
      out = combined(std::move(out), appraise_play_integrity(submod, evidence, app, now));
    }
  }
  return out;
}

DeviceAppraisal HardwareAppraiser::appraise_android_key(const Json& submod,
                                                        const Evidence& evidence,
                                                        const ExpectedApp& app,
                                                        UnixTime now) const {
  auto chain = read_chain(submod);
  if (!chain) return refused(chain.error());
  // The chain was made when its challenge lived, and its certificates had to be valid then:
  // remotely provisioned ones end after weeks, while the key stays.
  const auto claimed = claimed_description(chain->front());
  const Bytes challenge = claimed ? to_bytes(claimed->attestation_challenge) : Bytes{};
  const CheckedChallenge made = challenges_.check(challenge, now);
  const bool is_ours = made.state != ChallengeState::kForged;
  evidence::KeyAttestationRequest request{.as_of = now};
  if (is_ours) {
    request.as_of = std::min(now, made.expires);
    request.challenge = challenge;
  }
  Findings unknown_revocation;
  const auto revocation = settings_.revocation();
  if (!revocation) {
    unknown_revocation.push_back(
        {FindingId::kHardwareRevocationUnknown, revocation.error().text()});
  } else {
    request.revocation = revocation->get();
  }

  const auto attested = key_attestation_.verify(std::move(*chain), request);
  DeviceAppraisal out{.findings = std::move(unknown_revocation)};
  if (attested.refusal) {
    return combined(std::move(out), refused(*attested.refusal, finding_of(*attested.refusal)));
  }
  Findings wrong;
  if (!is_ours) {
    const Error mismatch(evidence::KeyAttestationError::kChallengeMismatch,
                         "the key was not made for a challenge of this service");
    wrong.push_back({FindingId::kHardwareRefused, mismatch.text()});
  }
  if (!crypto::constant_time_equal(attested.public_key(), evidence.key.public_der())) {
    wrong.push_back({FindingId::kHardwareOtherKey, "the chain is about another key"});
  }
  if (const std::string other = names_other_app(*attested.description, app); !other.empty()) {
    wrong.push_back({FindingId::kHardwareOtherApp, other});
  }
  if (!wrong.empty()) return combined(std::move(out), {.findings = std::move(wrong)});
  // An unknown revocation is a finding for the policy; what the chain says stands beside it.
  out.android = android_facts(attested);
  out.assurance = assurance_of(attested.description->attestation_security_level);
  return out;
}

DeviceAppraisal HardwareAppraiser::appraise_play_integrity(const Json& submod,
                                                           const Evidence& evidence,
                                                           const ExpectedApp& app,
                                                           UnixTime now) const {
  const auto token = get_string(submod, "token", kMaxPlayToken);
  if (!token) return refused(token.error());
  const auto keys = settings_.play_integrity.find(app.package_name);
  if (keys == settings_.play_integrity.end()) {
    return {.findings = {{FindingId::kHardwareRefused,
                          "no Play Integrity keys are configured for " + app.package_name}}};
  }
  const Sha256Digest expected =
      protocol::play_integrity_hash(evidence.nonce, evidence.key.public_der());
  const auto result = evidence::verify_play_integrity(
      *token, keys->second,
      {.as_of = now, .package_name = app.package_name, .challenge = to_bytes(ByteView(expected))});
  if (result.refusal) return refused(*result.refusal, finding_of(*result.refusal));
  if (result.verdict->app_recognition_verdict == "PLAY_RECOGNIZED" &&
      !names_signers(*result.verdict, app)) {
    return {.findings = {{FindingId::kHardwareOtherApp, "Google Play names other signers"}}};
  }
  return {.assurance = policy::Assurance::kPlatform, .play = play_facts(*result.verdict)};
}

}  // namespace touchmark::verifier::appraisal
