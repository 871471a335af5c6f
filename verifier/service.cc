#include "verifier/service.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/encoding.h"
#include "package/package.h"
#include "protocol/arc.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/appraisal/configuration.h"
#include "verifier/appraisal/policy.h"
#include "verifier/appraisal/token.h"
#include "verifier/device_queue.h"
#include "verifier/keyring.h"
#include "verifier/snapshot.h"

namespace touchmark::verifier {
namespace {

constexpr std::size_t kMaxChallengeBody = 4096;
constexpr std::size_t kMaxSpentChallenges = 1'000'000;
constexpr const char* kConfigurationName = "configuration";

tl::unexpected<Error> malformed(const Error& error) {
  return fail(ServiceError::kMalformedRequest, error.text());
}

Policy policy_of(const ServiceSettings& settings) {
  Policy policy;
  if (settings.allow_host_builds) {
    policy.set(protocol::FindingId::kDeviceHostBuild, Action::kIgnore);
  }
  return policy;
}

Result<void> check_settings(const ServiceSettings& settings) {
  const auto bad = [](const std::string& message) {
    return fail(ServiceError::kBadSettings, message);
  };
  if (settings.public_urls.empty()) return bad("no public URL");
  if (settings.token_lifetime < Seconds(5) || settings.token_lifetime > Seconds(86400)) {
    return bad("the token lifetime is not between 5 seconds and a day");
  }
  if (settings.challenge_lifetime < Seconds(5) || settings.challenge_lifetime > Seconds(3600)) {
    return bad("the challenge lifetime is not between 5 seconds and an hour");
  }
  for (const std::string& claim : settings.extra_claims) {
    if (!is_extra_claim(claim)) return bad("\"" + claim + "\" is not a claim that can be added");
    if ((claim == "arc" || claim == "anno") && !settings.reveal_reasons) {
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

class ServiceImpl final : public Service {
 public:
  ServiceImpl(Store& store, const Clock& clock, Random& random, ServiceSettings settings,
              Keyring keyring, std::vector<Sha256Digest> spki)
      : store_(store),
        clock_(clock),
        random_(random),
        settings_(std::move(settings)),
        keyring_(std::move(keyring)),
        expected_spki_(std::move(spki)),
        policy_(policy_of(settings_)),
        mint_(keyring_.token_secret, {settings_.token_lifetime, settings_.extra_claims,
                                      settings_.issuer, settings_.audience}),
        challenges_(keyring_.challenge_key),
        replays_(kMaxSpentChallenges),
        appraiser_({keyring_.account, settings_.challenge_lifetime}, challenges_, replays_,
                   [this](const Sha256Digest& part, std::uint64_t offset, std::uint64_t length) {
                     return store_.part_range(part, offset, length);
                   }),
        references_(ReferenceValues::of({})),
        configuration_(std::make_shared<Configuration>()),
        operators_(std::make_shared<std::vector<OperatorToken>>()) {}

  Result<void> load();

  Result<std::string> challenge(std::string_view body) override;
  Result<AttestAnswer> attest(std::string_view body, const ConnectionFacts& connection) override;

  Result<Registration> register_package(const std::string& path,
                                        std::optional<Seconds> expire_after,
                                        const std::string& actor) override;
  Result<std::vector<Registration>> registrations() override;
  Result<void> remove_registration(const std::string& id, const std::string& actor) override;

  Result<ApiDomain> put_api(const ApiDomain& api, const std::string& actor) override;
  Result<std::vector<ApiDomain>> apis() override { return store_.apis(); }
  Result<void> remove_api(const std::string& domain, const std::string& actor) override;
  std::string configuration() override { return configuration_.get()->jws; }

  Result<TokenSecrets> token_secrets(const std::string& actor) override;
  TokenReport check_token(std::string_view token) override {
    return mint_.check(token, clock_.now());
  }
  Result<std::string> example_token(bool valid, const std::string& ip,
                                    const std::string& actor) override;
  Json policy() override;
  Json status() override;
  Result<Json> audit_log(std::size_t limit) override;
  Result<void> ready() override { return store_.ping(); }

  Result<std::string> make_operator_token(const std::string& name, Role role) override;
  std::optional<OperatorToken> authenticate(std::string_view bearer) override;
  bool first_start() const override { return first_start_; }
  std::string account() const override { return keyring_.account; }
  Result<void> flush() override;

 private:
  Json new_challenge(const Sha256Digest& measurement, const ReferenceValues& references,
                     UnixTime now);
  std::string answer_body(const Evidence& evidence, const Decision& decision,
                          const std::string& arc, const ConnectionFacts& connection,
                          const ReferenceValues& references, UnixTime now);
  Result<void> audited(const std::string& actor, const std::string& action,
                       const std::string& detail, const std::function<Result<void>()>& change);
  Result<void> change_apis(const std::string& actor, const std::string& action,
                           const std::string& domain, const std::function<Result<void>()>& change);
  Result<Configuration> renew_configuration();
  Result<void> reload_operators();

  Store& store_;
  const Clock& clock_;
  Random& random_;
  const ServiceSettings settings_;
  const Keyring keyring_;
  const std::vector<Sha256Digest> expected_spki_;
  const Policy policy_;
  const TokenMint mint_;
  const ChallengeMaker challenges_;
  ReplayCache replays_;
  const Appraiser appraiser_;
  DeviceQueue devices_;
  bool first_start_ = false;

  // Held while a change goes to the store and into a snapshot, so that both see the same order.
  std::mutex changes_;
  Snapshot<ReferenceValues> references_;
  Snapshot<Configuration> configuration_;
  Snapshot<std::vector<OperatorToken>> operators_;
};

// --- Start ---------------------------------------------------------------------------------------

Result<void> ServiceImpl::load() {
  auto registrations = store_.registrations();
  if (!registrations) return pass(registrations);
  references_.set(ReferenceValues::of(std::move(*registrations)));

  auto stored = store_.get(kConfigurationName);
  if (!stored) return pass(stored);
  if (*stored) {
    auto parsed = parse_configuration(as_text(**stored), keyring_.config_key);
    if (!parsed) return pass(parsed);
    configuration_.set(std::make_shared<Configuration>(std::move(*parsed)));
  }
  // The settings may say something else than at the last start.
  auto renewed = renew_configuration();
  if (!renewed) return pass(renewed);
  configuration_.set(std::make_shared<Configuration>(std::move(*renewed)));

  if (auto ok = reload_operators(); !ok) return ok;
  first_start_ = operators_.get()->empty();
  return {};
}

// --- The hot path --------------------------------------------------------------------------------

Json ServiceImpl::new_challenge(const Sha256Digest& measurement, const ReferenceValues& references,
                                UnixTime now) {
  const Bytes nonce = challenges_.make(now + settings_.challenge_lifetime, random_);
  const Reference* reference = references.find(measurement);
  const bool known = reference != nullptr && !reference->code.empty();
  const auto ranges = challenges_.ranges(nonce, known ? reference->code : assumed_code());
  return {{"nonce", base64url_encode(nonce)},
          {"expires_in", settings_.challenge_lifetime.count()},
          {"ranges", protocol::to_json(ranges)},
          {"time", to_unix(now)}};
}

Result<std::string> ServiceImpl::challenge(std::string_view body) {
  auto request = parse_json(body, {.max_bytes = kMaxChallengeBody, .max_depth = 4});
  if (!request) return malformed(request.error());
  if (auto account = get_string(*request, "account", 256); !account) {
    return malformed(account.error());
  }
  auto bytes = get_base64url(*request, "measurement");
  if (!bytes) return malformed(bytes.error());
  Sha256Digest measurement;
  if (bytes->size() != measurement.size()) {
    return fail(ServiceError::kMalformedRequest, "measurement is not 32 bytes");
  }
  std::ranges::copy(*bytes, measurement.begin());
  return dump_json(new_challenge(measurement, *references_.get(), clock_.now()));
}

std::string ServiceImpl::answer_body(const Evidence& evidence, const Decision& decision,
                                     const std::string& arc, const ConnectionFacts& connection,
                                     const ReferenceValues& references, UnixTime now) {
  TokenFacts facts{evidence.did, connection.remote_ip,     evidence.pay, arc,
                   {},           evidence.key.public_der()};
  for (const protocol::Finding& finding : decision.annotating) {
    facts.annotations.emplace_back(protocol::to_string(finding.id));
  }
  Json answer{{"token", mint_.mint(decision.passed, facts, now, random_)},
              {"expires_in", settings_.token_lifetime.count()},
              {"challenge", new_challenge(evidence.measurement, references, now)}};
  const auto configuration = configuration_.get();
  if (evidence.config_version < configuration->version) answer["config"] = configuration->jws;
  if (settings_.reveal_reasons) {
    answer["arc"] = arc;
    answer["reasons"] = Json::array();
    for (const protocol::Finding& finding : decision.rejecting) {
      answer["reasons"].push_back(protocol::to_string(finding.id));
    }
  }
  std::string body = dump_json(answer);
  body.resize((body.size() + kAnswerQuantum - 1) / kAnswerQuantum * kAnswerQuantum, ' ');
  return body;
}

Result<AttestAnswer> ServiceImpl::attest(std::string_view body, const ConnectionFacts& connection) {
  auto request = parse_json(body, {.max_bytes = kMaxAttestBody, .max_depth = 4});
  if (!request) return malformed(request.error());
  auto compact = get_string(*request, "evidence", kMaxAttestBody);
  if (!compact) return malformed(compact.error());
  auto evidence = parse_evidence(*compact);
  if (!evidence) return malformed(evidence.error());

  const UnixTime now = clock_.now();
  const auto references = references_.get();
  ExpectedConnection expected{settings_.tls_ended_by_proxy ? std::nullopt : connection.exporter,
                              expected_spki_};
  // Without its exporter value a connection cannot be told from a relayed one.
  if (!settings_.tls_ended_by_proxy && !expected.exporter) expected.exporter = Bytes{};
  auto findings = appraiser_.appraise(*evidence, *references, expected, now);
  if (!findings) return pass(findings);

  const Decision decision = policy_.decide(*findings);
  Verdict verdict{decision.passed, evidence->did, evidence->package_name, decision.rejecting, {}};
  verdict.findings.insert(verdict.findings.end(), decision.annotating.begin(),
                          decision.annotating.end());
  std::ranges::stable_sort(verdict.findings, {}, &protocol::Finding::id);
  verdict.arc = protocol::encode_arc(verdict.findings);
  devices_.add({verdict.did, now, verdict.passed, verdict.arc, verdict.package_name});
  return AttestAnswer{answer_body(*evidence, decision, verdict.arc, connection, *references, now),
                      std::move(verdict)};
}

// --- What an operator changes --------------------------------------------------------------------

Result<void> ServiceImpl::audited(const std::string& actor, const std::string& action,
                                  const std::string& detail,
                                  const std::function<Result<void>()>& change) {
  return store_.atomically([&]() -> Result<void> {
    if (auto ok = change(); !ok) return ok;
    return store_.audit({clock_.now(), actor, action, detail, {}});
  });
}

Result<Registration> ServiceImpl::register_package(const std::string& path,
                                                   std::optional<Seconds> expire_after,
                                                   const std::string& actor) {
  auto source = package::open_file(path);
  if (!source) return pass(source);
  auto measurement = package::measure(**source);
  if (!measurement) return pass(measurement);

  const Sha256Digest digest = package::digest(*measurement);
  Registration registration{hex_encode(ByteView(digest).first(8)), std::move(*measurement),
                            clock_.now(), std::nullopt, actor};
  if (expire_after) registration.expires = registration.created + *expire_after;
  const PartReader read = [&](const package::Part& part, const auto& sink) {
    return package::read_part(**source, part.name, sink);
  };
  const std::lock_guard lock(changes_);
  auto stored = audited(actor, "registration.add", package::one_line(registration.measurement),
                        [&] { return store_.put_registration(registration, read); });
  if (!stored) return pass(stored);
  references_.set(references_.get()->with(registration));
  return registration;
}

Result<std::vector<Registration>> ServiceImpl::registrations() {
  return references_.get()->registrations();
}

Result<void> ServiceImpl::remove_registration(const std::string& id, const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto removed =
      audited(actor, "registration.remove", id, [&] { return store_.remove_registration(id); });
  if (!removed) return removed;
  references_.set(references_.get()->without(id));
  return {};
}

Result<ApiDomain> ServiceImpl::put_api(const ApiDomain& api, const std::string& actor) {
  auto normal = normalize_api(api);
  if (!normal) return pass(normal);
  auto changed =
      change_apis(actor, "api.put", normal->domain, [&] { return store_.put_api(*normal); });
  if (!changed) return pass(changed);
  return normal;
}

Result<void> ServiceImpl::remove_api(const std::string& domain, const std::string& actor) {
  auto normal = normalize_api({domain, {}});
  if (!normal) return pass(normal);
  return change_apis(actor, "api.remove", normal->domain,
                     [&] { return store_.remove_api(normal->domain); });
}

Result<void> ServiceImpl::change_apis(const std::string& actor, const std::string& action,
                                      const std::string& domain,
                                      const std::function<Result<void>()>& change) {
  const std::lock_guard lock(changes_);
  Configuration renewed;
  auto changed = audited(actor, action, domain, [&]() -> Result<void> {
    if (auto ok = change(); !ok) return ok;
    auto configuration = renew_configuration();
    if (!configuration) return pass(configuration);
    renewed = std::move(*configuration);
    return {};
  });
  if (!changed) return changed;
  configuration_.set(std::make_shared<Configuration>(std::move(renewed)));
  return {};
}

// Signs what the store and the settings say, and puts it into the store when it says something new.
Result<Configuration> ServiceImpl::renew_configuration() {
  auto apis = store_.apis();
  if (!apis) return pass(apis);
  const auto before = configuration_.get();
  Configuration next = next_configuration(
      *before, configuration_content(keyring_.account, settings_, *apis, keyring_.config_key),
      keyring_.config_key, clock_.now());
  if (next.version == before->version) return next;
  if (auto ok = store_.put(kConfigurationName, as_bytes(next.jws)); !ok) return pass(ok);
  return next;
}

// --- What an operator reads ----------------------------------------------------------------------

Result<TokenSecrets> ServiceImpl::token_secrets(const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto noted = audited(actor, "secret.read", "token secret", [] { return Result<void>(); });
  if (!noted) return pass(noted);
  return TokenSecrets{mint_.secret(), mint_.decoy_secret()};
}

Result<std::string> ServiceImpl::example_token(bool valid, const std::string& ip,
                                               const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto noted =
      audited(actor, "token.example", valid ? "valid" : "invalid", [] { return Result<void>(); });
  if (!noted) return pass(noted);
  const EcKey key = EcKey::generate();
  const TokenFacts facts{device_id(key),           ip, std::nullopt,
                         protocol::encode_arc({}), {}, key.public_der()};
  return mint_.mint(valid, facts, clock_.now(), random_);
}

Json ServiceImpl::policy() {
  return {{"findings", policy_.to_json()},
          {"allow_host_builds", settings_.allow_host_builds},
          {"reveal_reasons", settings_.reveal_reasons},
          {"channel_binding", settings_.tls_ended_by_proxy ? "proxy" : "tls"},
          {"token",
           {{"alg", "HS256"},
            {"lifetime", settings_.token_lifetime.count()},
            {"header", settings_.token_header},
            {"prefix", settings_.token_prefix},
            {"extra_claims", settings_.extra_claims}}},
          {"challenge_lifetime", settings_.challenge_lifetime.count()}};
}

Json ServiceImpl::status() {
  return {{"version", TOUCHMARK_VERSION},
          {"account", keyring_.account},
          {"first_start", to_unix(keyring_.first_start)},
          {"time", to_unix(clock_.now())},
          {"config_version", configuration_.get()->version},
          {"registrations", references_.get()->size()}};
}

Result<Json> ServiceImpl::audit_log(std::size_t limit) {
  auto entries = store_.audit_log(limit);
  if (!entries) return pass(entries);
  auto verified = store_.verify_audit();
  if (!verified && !verified.error().is(StoreError::kCorrupt)) return pass(verified);
  Json out{{"entries", Json::array()}, {"intact", verified.has_value()}};
  for (const AuditEntry& entry : *entries) {
    out["entries"].push_back({{"time", to_unix(entry.time)},
                              {"actor", entry.actor},
                              {"action", entry.action},
                              {"detail", entry.detail},
                              {"hash", hex_encode(entry.hash)}});
  }
  return out;
}

// --- Operators -----------------------------------------------------------------------------------

Result<std::string> ServiceImpl::make_operator_token(const std::string& name, Role role) {
  const std::string token =
      "tmk_" + std::string(to_string(role)) + "_" + base64url_encode(random_.bytes(32));
  const std::lock_guard lock(changes_);
  auto stored = audited("touchmark serve", "operator-token.make", name, [&] {
    return store_.put_operator_token({name, role, sha256(as_bytes(token))});
  });
  if (!stored) return pass(stored);
  if (auto ok = reload_operators(); !ok) return pass(ok);
  return token;
}

Result<void> ServiceImpl::reload_operators() {
  auto tokens = store_.operator_tokens();
  if (!tokens) return pass(tokens);
  operators_.set(std::make_shared<std::vector<OperatorToken>>(std::move(*tokens)));
  return {};
}

std::optional<OperatorToken> ServiceImpl::authenticate(std::string_view bearer) {
  // 256 random bits: their hash needs no salt, and no stretching.
  const Sha256Digest hash = sha256(as_bytes(bearer));
  std::optional<OperatorToken> found;
  for (const OperatorToken& token : *operators_.get()) {
    if (constant_time_equal(token.token_sha256, hash)) found = token;
  }
  return found;
}

Result<void> ServiceImpl::flush() {
  const auto records = devices_.take();
  return records.empty() ? Result<void>() : store_.put_devices(records);
}

}  // namespace

std::string_view error_id(ServiceError error) {
  switch (error) {
    case ServiceError::kMalformedRequest:
      return "service.malformed-request";
    case ServiceError::kBadSettings:
      return "service.bad-settings";
  }
  return "service.unknown";
}

Result<std::unique_ptr<Service>> Service::open(Store& store, ByteView master_key,
                                               const Clock& clock, Random& random,
                                               ServiceSettings settings) {
  if (auto ok = check_settings(settings); !ok) return pass(ok);
  auto spki = expected_spki(settings);
  if (!spki) return pass(spki);
  auto keyring = Keyring::open(store, master_key, clock, random);
  if (!keyring) return pass(keyring);
  auto service = std::make_unique<ServiceImpl>(store, clock, random, std::move(settings),
                                               std::move(*keyring), std::move(*spki));
  if (auto ok = service->load(); !ok) return pass(ok);
  return service;
}

}  // namespace touchmark::verifier
