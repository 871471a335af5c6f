#include "verifier/service.h"

#include <algorithm>

#include "base/encoding.h"
#include "protocol/arc.h"
#include "protocol/messages/answer.h"
#include "verifier/appraisal/facts.h"
#include "verifier/policy/ear.h"
#include "verifier/service_impl.h"

namespace touchmark::verifier {
namespace {

constexpr std::size_t kMaxSpentChallenges = 1'000'000;

tl::unexpected<Error> malformed(const Error& error) {
  return fail(ServiceError::kMalformedRequest, error.text());
}

// The code that an app says it has.
std::vector<package::Part> claimed_code(const protocol::ChallengeRequest& request) {
  std::vector<package::Part> out;
  for (const protocol::CodePart& part : request.code) {
    out.push_back({part.name, package::PartKind::kOther, part.size, {}});
  }
  return out;
}

// What the command line allows beyond the policy document.
std::function<void(policy::Policy&)> policy_overlay(bool allow_host_builds) {
  return [allow_host_builds](policy::Policy& policy) {
    if (!allow_host_builds) return;
    policy.set_action(protocol::FindingId::kDeviceHostBuild, policy::Action::kIgnore,
                      {"--allow-host-builds"});
  };
}

Result<void> check_settings(const ServiceSettings& settings) {
  const auto bad = [](const std::string& message) {
    return fail(ServiceError::kBadSettings, message);
  };
  if (settings.public_urls.empty()) return bad("no public URL");
  if (settings.token_lifetime < Seconds(2) || settings.token_lifetime > Seconds(86400)) {
    return bad("the token lifetime is not between 2 seconds and a day");
  }
  if (settings.challenge_lifetime < Seconds(5) || settings.challenge_lifetime > Seconds(3600)) {
    return bad("the challenge lifetime is not between 5 seconds and an hour");
  }
  for (const std::string& claim : settings.extra_claims) {
    if (!appraisal::is_extra_claim(claim))
      return bad("\"" + claim + "\" is not a claim that can be added");
    const bool tells_verdict = claim == "arc" || claim == "anno" || claim == "ear";
    if (tells_verdict && !settings.reveal_reasons) {
      return bad("claim \"" + claim + "\" tells the app its verdict; it needs reveal_reasons");
    }
    if (claim == "iss" && settings.issuer.empty()) return bad("claim \"iss\" needs an issuer");
    if (claim == "aud" && settings.audience.empty()) return bad("claim \"aud\" needs an audience");
  }
  return {};
}

// The keys of the service that a client may have seen at the other end of its connection.
Result<std::vector<Sha256Digest>> expected_spki(const ServiceSettings& settings) {
  if (!settings.tls_ended_by_proxy) return std::vector{settings.tls_spki_sha256};
  std::vector<Sha256Digest> out;
  for (const std::string& pin : settings.service_pins) {
    const auto bytes = base64_decode(pin);
    if (!bytes || bytes->size() != sizeof(Sha256Digest)) {
      return fail(ServiceError::kBadSettings, "service pin \"" + pin + "\" is not a SHA-256");
    }
    std::ranges::copy(*bytes, out.emplace_back().begin());
  }
  return out;
}

policy::EarContext ear_context(const appraisal::Evidence& evidence, UnixTime now) {
  policy::EarContext context{.issued_at = now, .build = "touchmark " TOUCHMARK_VERSION};
  // A forged challenge may have a length that EAT has no place for.
  if (evidence.nonce.size() == appraisal::kNonceBytes)
    context.nonce = base64url_encode(evidence.nonce);
  return context;
}

}  // namespace

// --- Start ---------------------------------------------------------------------------------------

ServiceImpl::ServiceImpl(store::Store& store, const Clock& clock, Random& random,
                         ServiceSettings settings, state::Keyring keyring,
                         std::vector<Sha256Digest> expected_spki)
    : store_(store),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)),
      keyring_(std::move(keyring)),
      expected_spki_(std::move(expected_spki)),
      mint_(keyring_.token_secret, {settings_.token_lifetime, settings_.extra_claims,
                                    settings_.issuer, settings_.audience}),
      challenges_(keyring_.challenge_key),
      replays_(kMaxSpentChallenges),
      appraiser_({keyring_.account, settings_.challenge_lifetime}, challenges_, replays_,
                 [this](const Sha256Digest& part, std::uint64_t offset, std::uint64_t length) {
                   return store_.part_range(part, offset, length);
                 }),
      hardware_(settings_.hardware, challenges_, store_),
      policies_(
          store_, clock_, devices_,
          [this](const auto& actor, const auto& action, const auto& detail, const auto& change) {
            return audited(actor, action, detail, change);
          },
          policy_overlay(settings_.allow_host_builds)),
      references_(appraisal::ReferenceValues::of({})),
      configuration_(std::make_shared<state::Configuration>()),
      operators_(std::make_shared<std::vector<store::OperatorToken>>()) {}

Result<void> ServiceImpl::load() {
  auto registrations = store_.registrations();
  if (!registrations) return pass(registrations);
  auto certificates = store_.certificates();
  if (!certificates) return pass(certificates);
  references_.set(
      appraisal::ReferenceValues::of(std::move(*registrations), std::move(*certificates)));

  auto stored = store_.get(kConfigurationName);
  if (!stored) return pass(stored);
  if (*stored) {
    auto parsed = state::parse_configuration(as_text(**stored), keyring_.config_key);
    if (!parsed) return pass(parsed);
    configuration_.set(std::make_shared<state::Configuration>(std::move(*parsed)));
  }
  // The settings may say something else than at the last start.
  auto renewed = renew_configuration();
  if (!renewed) return pass(renewed);
  configuration_.set(std::make_shared<state::Configuration>(std::move(*renewed)));

  if (auto ok = policies_.load(); !ok) return ok;
  if (auto ok = reload_operators(); !ok) return ok;
  first_start_ = operators_.get()->empty();
  return {};
}

// --- The hot path --------------------------------------------------------------------------------

protocol::Challenge ServiceImpl::new_challenge(const std::vector<package::Part>& code,
                                               UnixTime now) {
  Bytes nonce = challenges_.make(now + settings_.challenge_lifetime, random_);
  auto ranges = challenges_.ranges(nonce, code.empty() ? appraisal::assumed_code() : code);
  return {std::move(nonce), settings_.challenge_lifetime, std::move(ranges), now};
}

Result<std::string> ServiceImpl::challenge(std::string_view body) {
  const auto request = protocol::decode_challenge_request(body);
  if (!request) return malformed(request.error());
  const auto references = references_.get();
  const appraisal::Reference* reference = references->find(request->measurement);
  const auto& code = reference != nullptr ? reference->code : claimed_code(*request);
  return dump_json(protocol::encode_challenge(new_challenge(code, clock_.now())));
}

std::string ServiceImpl::answer_body(const appraisal::Evidence& evidence,
                                     const policy::Verdict& verdict, const policy::Facts& judged,
                                     const std::string& arc, const ConnectionFacts& connection,
                                     const appraisal::Recognition& app, UnixTime now) {
  appraisal::TokenFacts facts{evidence.did, connection.remote_ip,     evidence.pay, arc,
                              {},           evidence.key.public_der()};
  facts.level =
      policy::to_string(verdict.passed ? judged.assurance : appraisal::claimed_assurance(evidence));
  if (std::ranges::find(settings_.extra_claims, "ear") != settings_.extra_claims.end()) {
    facts.ear = policy::ear_claims(judged, verdict, ear_context(evidence, now));
  }
  for (const protocol::Finding& finding : verdict.with(policy::Action::kAnnotate)) {
    facts.annotations.emplace_back(protocol::to_string(finding.id));
  }
  protocol::AttestAnswer answer{.token = mint_.mint(verdict.passed, facts, now, random_),
                                .expires_in = settings_.token_lifetime,
                                .challenge = new_challenge(app.installed_code(), now)};
  const auto configuration = configuration_.get();
  if (evidence.config_version < configuration->version) answer.config = configuration->jws;
  if (settings_.reveal_reasons) {
    answer.arc = arc;
    answer.reasons.emplace();
    for (const protocol::Finding& finding : verdict.with(policy::Action::kReject)) {
      answer.reasons->emplace_back(protocol::to_string(finding.id));
    }
  }
  return protocol::encode_attest_answer(answer);
}

Result<AttestAnswer> ServiceImpl::attest(std::string_view body, const ConnectionFacts& connection) {
  auto compact = protocol::decode_attest_request(body);
  if (!compact) return malformed(compact.error());
  auto evidence = protocol::decode_evidence(*compact);
  if (!evidence) return malformed(evidence.error());

  const UnixTime now = clock_.now();
  const auto references = references_.get();
  appraisal::ExpectedConnection expected{
      settings_.tls_ended_by_proxy ? std::nullopt : connection.exporter, expected_spki_};
  // Without its exporter value a connection cannot be told from a relayed one.
  if (!settings_.tls_ended_by_proxy && !expected.exporter) expected.exporter = Bytes{};
  const appraisal::Recognition app = appraisal::recognise(*evidence, *references);
  auto findings = appraiser_.appraise(*evidence, *references, app, expected, now);
  if (!findings) return pass(findings);
  policy::Facts facts = appraisal::facts_of(*evidence, connection.remote_ip);
  const appraisal::ExpectedApp expected_app =
      appraisal::ExpectedApp::of(*evidence, references->find(evidence->measurement));
  if (auto ok = hardware_.appraise(*evidence, expected_app, now, *findings, facts); !ok)
    return pass(ok);
  appraisal::accept_vouched_signers(facts, *findings);
  // What that is worth is for the policy, which makes the finding.
  facts.development_key = appraisal::development_mark(*evidence, *references).has_value();
  std::ranges::stable_sort(*findings, {}, &protocol::Finding::id);

  const policy::Verdict judged = policies_.judge(facts, *findings, now);
  Verdict verdict{judged.passed,          evidence->did,
                  evidence->package_name, std::string(policy::to_string(facts.assurance)),
                  judged.notable(),       {}};
  verdict.arc = protocol::encode_arc(verdict.findings);
  devices_.add({verdict.did, now, verdict.passed, verdict.arc, verdict.package_name});
  return AttestAnswer{answer_body(*evidence, judged, facts, verdict.arc, connection, app, now),
                      std::move(verdict)};
}

std::string_view to_string(TokenStatus status) {
  switch (status) {
    case TokenStatus::kValid:
      return "valid";
    case TokenStatus::kInvalid:
      return "invalid";
    case TokenStatus::kExpired:
      return "expired";
    case TokenStatus::kForged:
      return "forged";
    case TokenStatus::kMalformed:
      return "malformed";
  }
  return "unknown";
}

std::string_view error_id(ServiceError error) {
  using enum ServiceError;
  static constexpr auto kIds = error_table<ServiceError>({
      {kMalformedRequest, "service.malformed-request"},
      {kBadSettings, "service.bad-settings"},
      {kBadCertificate, "service.bad-certificate"},
      {kNoSigningCertificate, "service.no-signing-certificate"},
  });
  return kIds[error];
}

Result<std::unique_ptr<Service>> Service::open(store::Store& store, ByteView master_key,
                                               const Clock& clock, Random& random,
                                               ServiceSettings settings) {
  if (auto ok = check_settings(settings); !ok) return pass(ok);
  auto spki = expected_spki(settings);
  if (!spki) return pass(spki);
  auto keyring = state::Keyring::open(store, master_key, clock, random);
  if (!keyring) return pass(keyring);
  auto service = std::make_unique<ServiceImpl>(store, clock, random, std::move(settings),
                                               std::move(*keyring), std::move(*spki));
  if (auto ok = service->load(); !ok) return pass(ok);
  return service;
}

}  // namespace touchmark::verifier
