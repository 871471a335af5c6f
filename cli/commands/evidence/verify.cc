#include "cli/commands/evidence/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/commands/evidence/input.h"
#include "cli/commands/evidence/key.h"
#include "cli/commands/evidence/summary.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "crypto/crypto.h"
#include "verifier/appraisal/device_facts.h"
#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"
#include "verifier/evidence/play_integrity.h"
#include "verifier/policy/document.h"
#include "verifier/policy/ear.h"
#include "verifier/policy/explain.h"

namespace touchmark::cli::commands {
namespace {

using pki::TrustRoots;

// What all types need, read and checked before the first file is looked at.
struct Request {
  UnixTime as_of;
  std::optional<Bytes> challenge;         // --challenge, --challenge-hex
  bool challenge_is_text = false;         // --challenge
  std::optional<Bytes> client_data_hash;  // --client-data-hash
  std::optional<Seconds> max_age;
  std::optional<TrustRoots> roots;
};

tl::unexpected<Error> usage(std::string message) {
  return fail(io::CliError::kUsage, std::move(message));
}

Result<std::optional<Bytes>> read_hex(const std::optional<std::string>& text, const char* option) {
  if (!text) return std::nullopt;
  auto bytes = hex_decode(*text);
  if (!bytes) return usage(fmt::format("{}: {}", option, bytes.error().message()));
  return std::move(*bytes);
}

Result<std::optional<TrustRoots>> read_roots(const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  auto file = read_file(*path, kMaxEvidenceBytes);
  if (!file) return pass(file);
  auto roots = TrustRoots::parse(as_text(*file));
  if (!roots) {
    return fail(io::CliError::kBadCertificate,
                fmt::format("{}: {}", *path, roots.error().message()));
  }
  return std::move(*roots);
}

Result<std::optional<pki::RevocationList>> read_revocation(const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  auto file = read_file(*path, pki::RevocationList::kMaxBytes);
  if (!file) return pass(file);
  auto list = pki::RevocationList::parse(as_text(*file));
  if (!list) return usage(fmt::format("{}: {}", *path, list.error().message()));
  return std::move(*list);
}

Result<Request> read_request(const VerifyOptions& options, Session& session) {
  Request request{
      .as_of = session.now(), .challenge = {}, .client_data_hash = {}, .max_age = {}, .roots = {}};
  if (options.as_of) {
    auto time = parse_time(*options.as_of);
    if (!time) return usage("--as-of: " + time.error().message());
    request.as_of = *time;
  }
  if (options.max_age) {
    auto age = parse_duration(*options.max_age);
    if (!age) return pass(age);
    request.max_age = *age;
  }
  if (options.challenge && options.challenge_hex) {
    return usage("--challenge and --challenge-hex exclude each other");
  }
  auto challenge = read_hex(options.challenge_hex, "--challenge-hex");
  if (!challenge) return pass(challenge);
  request.challenge = std::move(*challenge);
  if (options.challenge) {
    request.challenge = to_bytes(*options.challenge);
    request.challenge_is_text = true;
  }
  auto hash = read_hex(options.client_data_hash, "--client-data-hash");
  if (!hash) return pass(hash);
  request.client_data_hash = std::move(*hash);
  auto roots = read_roots(options.roots);
  if (!roots) return pass(roots);
  request.roots = std::move(*roots);
  return request;
}

Result<std::optional<verifier::policy::Policy>> read_policy(
    const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  auto file = read_file(*path, verifier::policy::kMaxDocumentBytes);
  if (!file) return pass(file);
  auto read = verifier::policy::parse_policy(as_text(*file));
  if (!read) return usage(fmt::format("{}: {}", *path, read.error().message()));
  return std::move(*read);
}

// Says something of every piece of evidence; the exit status is that of the worst.
class Report {
 public:
  Report(const VerifyOptions& options, std::optional<verifier::policy::Policy> policy,
         Session& session)
      : type_(options.type), policy_(std::move(policy)), ear_(options.ear), session_(session) {}

  // `facts`: of evidence that verified, for the policy.
  void add(const std::string& source, Json json, const verifier::policy::Facts& facts = {}) {
    const bool verified = json.at("verified") == Json(true);
    if (!verified) worst_ = io::kExitNo;
    if (verified) appraise(json, facts);
    json["file"] = source;
    json["type"] = type_;
    if (session_.json()) {
      print_json(session_, json);
      return;
    }
    std::string line = fmt::format("{}: {}", source, verified ? "verified" : "refused");
    if (!verified) {
      line += fmt::format(": {}: {}", json.at("reason").get_ref<const std::string&>(),
                          json.at("detail").get_ref<const std::string&>());
    }
    session_.console().print(io::one_line(line));
    for (const std::string& fact : summarize_evidence(json)) {
      session_.console().print("  " + io::one_line(fact));
    }
  }
  io::ExitCode exit_code() const { return worst_; }

 private:
  void appraise(Json& json, const verifier::policy::Facts& facts) {
    if (!policy_ && !ear_) return;
    const verifier::policy::Policy policy = policy_.value_or(verifier::policy::Policy());
    const verifier::policy::Verdict verdict =
        verifier::policy::judge(policy, facts, {}, session_.now());
    if (policy_) json["appraisal"] = verifier::policy::explain(policy, verdict);
    if (policy_ && !verdict.passed) worst_ = io::kExitNo;
    if (ear_) {
      json["ear"] = verifier::policy::ear_claims(
          facts, verdict, {.issued_at = session_.now(), .build = "touchmark " TOUCHMARK_VERSION});
    }
  }

  const std::string& type_;
  const std::optional<verifier::policy::Policy> policy_;
  const bool ear_;
  Session& session_;
  io::ExitCode worst_ = io::kExitOk;
};

Json refusal_json(const Error& error) {
  return {{"verified", false},
          {"reason", error.id()},
          {"detail", error.message()},
          {"warnings", Json::array()}};
}

// The challenges that may have been meant: a text as it is or, where it is base64 in some alphabet
// and padding, the bytes that it stands for.
std::vector<Bytes> challenges(const Request& request) {
  if (!request.challenge) return {};
  std::vector<Bytes> out{*request.challenge};
  auto decoded = request.challenge_is_text ? base64_any_decode(as_text(*request.challenge))
                                           : Result<Bytes>(Bytes());
  if (decoded && !decoded->empty()) out.push_back(std::move(*decoded));
  return out;
}

Outcome verify_key_attestations(const VerifyOptions& options, const Request& request,
                                Report& report) {
  auto revocation = read_revocation(options.revocation);
  if (!revocation) return pass(revocation);
  auto chains = read_evidence_chains(options.files);
  if (!chains) return pass(chains);
  const verifier::evidence::KeyAttestationVerifier verifier(request.roots ? *request.roots
                                                                          : TrustRoots::google());
  verifier::evidence::KeyAttestationRequest expected{
      .as_of = request.as_of,
      .challenge = request.challenge,
      .app_id = options.app_id,
      .revocation = *revocation ? &**revocation : nullptr};
  for (EvidenceChain& chain : *chains) {
    if (!chain.certificates) {
      report.add(chain.source, refusal_json(chain.certificates.error()));
      continue;
    }
    auto result = verifier.verify(*chain.certificates, expected);
    for (const Bytes& challenge : challenges(request)) {
      if (!result.refusal ||
          !result.refusal->is(verifier::evidence::KeyAttestationError::kChallengeMismatch))
        break;
      expected.challenge = challenge;
      result = verifier.verify(*chain.certificates, expected);
    }
    verifier::policy::Facts facts;
    facts.platform = "android";
    if (result.verified()) {
      facts.assurance =
          verifier::appraisal::assurance_of(result.description->attestation_security_level);
      facts.android = verifier::appraisal::android_facts(result);
      facts.package_name = options.app_id.value_or("");
    }
    report.add(chain.source, to_json(result), facts);
  }
  return report.exit_code();
}

// The client data hashes that may have been meant. An app that was given a challenge passes its
// SHA-256 or, as in Apple's sample, the challenge itself; either way nobody else can have made it.
std::vector<Bytes> client_data_hashes(const Request& request) {
  if (request.client_data_hash) return {*request.client_data_hash};
  std::vector<Bytes> out;
  for (const Bytes& challenge : challenges(request)) {
    const Sha256Digest hash = crypto::sha256(challenge);
    out.emplace_back(hash.begin(), hash.end());
    out.push_back(challenge);
  }
  return out;
}

Result<std::vector<Bytes>> need_client_data_hashes(const Request& request) {
  auto hashes = client_data_hashes(request);
  if (!hashes.empty()) return hashes;
  return usage("give --client-data-hash, or the --challenge whose SHA-256 it is");
}

Result<std::optional<verifier::evidence::AppAttestEnvironment>> read_environment(
    const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  for (auto environment : {verifier::evidence::AppAttestEnvironment::kDevelopment,
                           verifier::evidence::AppAttestEnvironment::kProduction}) {
    if (*name == to_string(environment)) return environment;
  }
  return usage("--environment is development or production, not " + *name);
}

Outcome verify_attestations(const VerifyOptions& options, const Request& request, Report& report) {
  auto hashes = need_client_data_hashes(request);
  if (!hashes) return pass(hashes);
  auto environment = read_environment(options.environment);
  if (!environment) return pass(environment);
  auto objects = read_evidence_objects(options.files);
  if (!objects) return pass(objects);
  // Of the roots that are given one may be the receipts'; Apple's own is always known.
  std::optional<TrustRoots> receipt_roots;
  if (request.roots) {
    receipt_roots = TrustRoots::apple_receipts().with(*request.roots);
  }
  const verifier::evidence::AttestationVerifier verifier(
      request.roots ? *request.roots : TrustRoots::apple_app_attest(),
      receipt_roots ? std::move(*receipt_roots) : TrustRoots::apple_receipts());
  verifier::evidence::AttestationRequest expected{.as_of = request.as_of, .client_data_hash = {}};
  expected.app_id = options.app_id;
  expected.environment = *environment;
  for (const EvidenceObject& object : *objects) {
    verifier::evidence::AppAttestAttestation result;
    for (const Bytes& hash : *hashes) {
      expected.client_data_hash = hash;
      result = verifier.verify(decode_evidence(object.bytes), expected);
      if (!result.refusal ||
          !result.refusal->is(verifier::evidence::AppAttestError::kNonceMismatch))
        break;
    }
    Json json = to_json(result);
    json["clientDataHash"] = hex_encode(expected.client_data_hash);
    verifier::policy::Facts facts;
    facts.platform = "ios";
    if (result.verified()) {
      facts.assurance = verifier::policy::Assurance::kSecureChip;
      facts.app_attest = verifier::appraisal::app_attest_facts(result);
    }
    report.add(object.source, std::move(json), facts);
  }
  return report.exit_code();
}

Outcome verify_assertions(const VerifyOptions& options, const Request& request, Report& report) {
  auto hashes = need_client_data_hashes(request);
  if (!hashes) return pass(hashes);
  auto spki = read_public_key(options.keys.front());
  if (!spki) return pass(spki);
  auto key = pki::PublicKey::from_spki(*spki);
  if (!key) {
    return fail(io::CliError::kBadKey,
                fmt::format("{}: {}", options.keys.front(), key.error().message()));
  }
  auto objects = read_evidence_objects(options.files);
  if (!objects) return pass(objects);
  for (const EvidenceObject& object : *objects) {
    const Bytes bytes = decode_evidence(object.bytes);
    verifier::evidence::AppAttestAssertion result;
    for (const Bytes& hash : *hashes) {
      verifier::evidence::AssertionRequest expected{.client_data_hash = hash};
      if (options.app_id) expected.app_id = *options.app_id;
      expected.previous_counter = options.previous_counter;
      result = verify_assertion(bytes, *key, expected);
      if (!result.refusal || !result.refusal->is(verifier::evidence::AppAttestError::kBadSignature))
        break;
    }
    report.add(object.source, to_json(result));
  }
  return report.exit_code();
}

// An attestation holds the receipt that was made with it.
Bytes receipt_of(const Bytes& bytes) {
  auto value = cbor::parse(bytes);
  if (!value) return bytes;
  const cbor::Value* statement = value->find("attStmt");
  const cbor::Value* receipt = statement == nullptr ? nullptr : statement->find("receipt");
  return receipt == nullptr ? bytes : to_bytes(receipt->bytes);
}

Outcome verify_receipts(const VerifyOptions& options, const Request& request, Report& report) {
  verifier::evidence::ReceiptRequest expected{.as_of = request.as_of};
  expected.app_id = options.app_id;
  expected.max_age = request.max_age;
  if (!options.keys.empty()) {
    auto spki = read_public_key(options.keys.front());
    if (!spki) return pass(spki);
    expected.public_key_spki = std::move(*spki);
  }
  auto objects = read_evidence_objects(options.files);
  if (!objects) return pass(objects);
  const verifier::evidence::ReceiptVerifier verifier(request.roots ? *request.roots
                                                                   : TrustRoots::apple_receipts());
  std::vector<std::optional<Bytes>> hashes;
  for (Bytes& hash : client_data_hashes(request)) hashes.emplace_back(std::move(hash));
  if (hashes.empty()) hashes.emplace_back();
  for (const EvidenceObject& object : *objects) {
    const Bytes bytes = receipt_of(decode_evidence(object.bytes));
    verifier::evidence::AppAttestReceipt result;
    for (const auto& hash : hashes) {
      expected.client_hash = hash;
      result = verifier.verify(bytes, expected);
      if (!result.refusal ||
          !result.refusal->is(verifier::evidence::ReceiptError::kWrongClientHash))
        break;
    }
    report.add(object.source, to_json(result));
  }
  return report.exit_code();
}

Outcome verify_play_tokens(const VerifyOptions& options, const Request& request, Report& report) {
  auto keys = read_play_keys(options.keys.at(0), options.keys.at(1));
  if (!keys) return pass(keys);
  auto objects = read_evidence_objects(options.files);
  if (!objects) return pass(objects);
  verifier::evidence::PlayIntegrityRequest expected{.as_of = request.as_of};
  expected.package_name = options.app_id;
  expected.challenge = request.challenge;
  expected.max_age = request.max_age;
  for (const EvidenceObject& object : *objects) {
    const auto result = verify_play_integrity(io::trim(as_text(object.bytes)), *keys, expected);
    verifier::policy::Facts facts;
    facts.platform = "android";
    if (result.verified()) {
      facts.assurance = verifier::policy::Assurance::kPlatform;
      facts.play = verifier::appraisal::play_facts(*result.verdict);
    }
    report.add(object.source, to_json(result), facts);
  }
  return report.exit_code();
}

using VerifyType = Outcome (*)(const VerifyOptions&, const Request&, Report&);

struct TypeRow {
  std::string_view name;
  VerifyType verify;
  std::size_t min_keys;
  std::size_t max_keys;
  bool revocation, client_data_hash, environment, counter, max_age, roots, policy;
};
constexpr auto kTypes = std::to_array<TypeRow>({
    {"android-key", verify_key_attestations, 0, 0, true, false, false, false, false, true, true},
    {"app-attest", verify_attestations, 0, 0, false, true, true, false, false, true, true},
    {"app-attest-assertion", verify_assertions, 1, 1, false, true, false, true, false, false,
     false},
    {"app-attest-receipt", verify_receipts, 0, 1, false, true, false, false, true, true, false},
    {"play-integrity", verify_play_tokens, 2, 2, false, false, false, false, true, false, true},
});

// An option that would be ignored is a mistake: whoever gave it relies on it.
Result<void> check_options(const TypeRow& type, const VerifyOptions& options) {
  const auto refuse = [&](const char* option) {
    return usage(fmt::format("{} means nothing for --type {}", option, type.name));
  };
  if (options.revocation && !type.revocation) return refuse("--revocation");
  if (options.client_data_hash && !type.client_data_hash) return refuse("--client-data-hash");
  if (options.environment && !type.environment) return refuse("--environment");
  if (options.previous_counter && !type.counter) return refuse("--previous-counter");
  if (options.max_age && !type.max_age) return refuse("--max-age");
  if (options.roots && !type.roots) return refuse("--roots");
  if (options.policy && !type.policy) return refuse("--policy");
  if (options.ear && !type.policy) return refuse("--ear");
  if (!options.keys.empty() && type.max_keys == 0) return refuse("--key");
  if (options.keys.size() < type.min_keys) {
    return usage(fmt::format("--type {} needs {}", type.name,
                             type.min_keys == 1 ? "--key FILE with the attested public key"
                                                : "--key FILE twice: the decryption key and the "
                                                  "verification key"));
  }
  if (options.files.empty()) return usage("FILE is missing: what is to be verified?");
  return {};
}

}  // namespace

Outcome verify_evidence(const VerifyOptions& given, Session& session) {
  const auto* type = std::ranges::find(kTypes, given.type, &TypeRow::name);
  if (type == kTypes.end()) {
    return usage(fmt::format("--type {} is not known; see --help", given.type));
  }
  VerifyOptions options = given;
  // `--key KEY EVIDENCE` reads as two keys; what is beyond a type's keys is evidence.
  if (type->max_keys > 0 && options.keys.size() > type->max_keys) {
    const auto rest = options.keys.begin() + static_cast<std::ptrdiff_t>(type->max_keys);
    options.files.insert(options.files.end(), rest, options.keys.end());
    options.keys.erase(rest, options.keys.end());
  }
  if (auto ok = check_options(*type, options); !ok) return pass(ok);
  auto request = read_request(options, session);
  if (!request) return pass(request);
  auto policy = read_policy(options.policy);
  if (!policy) return pass(policy);
  Report report(options, std::move(*policy), session);
  return type->verify(options, *request, report);
}

}  // namespace touchmark::cli::commands
