// The service's one implementation, split over service.cc (start, and what apps ask),
// service_operator.cc and service_registrations.cc (what operators ask).
#pragma once

#include <mutex>

#include "protocol/messages/challenge.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/appraisal/device_evidence.h"
#include "verifier/appraisal/token.h"
#include "verifier/service.h"
#include "verifier/state/configuration.h"
#include "verifier/state/device_queue.h"
#include "verifier/state/keyring.h"
#include "verifier/state/policy_keeper.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier {

class ServiceImpl final : public Service {
 public:
  ServiceImpl(store::Store& store, const Clock& clock, Random& random, ServiceSettings settings,
              state::Keyring keyring, std::vector<Sha256Digest> expected_spki);

  // Reads what the store knows into the snapshots.
  Result<void> load();

  Result<std::string> challenge(std::string_view body) override;
  Result<AttestAnswer> attest(std::string_view body, const ConnectionFacts& connection) override;

  Result<store::Registration> register_package(const std::string& path,
                                               std::optional<Seconds> expire_after,
                                               const std::vector<Sha256Digest>& bundle_signers,
                                               const std::string& actor) override;
  Result<std::vector<store::Registration>> registrations() override;
  Result<store::Registration> registration(const std::string& id) override;
  Result<store::Registration> set_registration_expiry(const std::string& id,
                                                      std::optional<Seconds> expire_after,
                                                      const std::string& actor) override;
  Result<void> remove_registration(const std::string& id, const std::string& actor) override;

  Result<store::SigningCertificate> register_certificate(ByteView der, const std::string& package,
                                                         bool development,
                                                         std::optional<Seconds> expire_after,
                                                         const std::string& actor) override;
  std::vector<store::SigningCertificate> certificates() override;
  Result<store::SigningCertificate> set_certificate_expiry(const std::string& id,
                                                           std::optional<Seconds> expire_after,
                                                           const std::string& actor) override;
  Result<void> remove_certificate(const std::string& id, const std::string& actor) override;

  Result<store::ApiDomain> put_api(const store::ApiDomain& api, const std::string& actor) override;
  Result<std::vector<store::ApiDomain>> apis() override { return store_.apis(); }
  Result<void> remove_api(const std::string& domain, const std::string& actor) override;
  std::string configuration() override { return configuration_.get()->jws; }

  Result<TokenSecrets> token_secrets(const std::string& actor) override;
  TokenReport check_token(std::string_view token) override {
    return mint_.check(token, clock_.now());
  }
  Result<std::string> example_token(bool valid, const std::string& ip,
                                    const std::string& actor) override;
  Json policy_settings() override;
  state::PolicyAdmin& policies() override { return policies_; }
  Json status() override;
  Result<Json> audit_log(std::size_t limit) override;
  Result<void> ready() override { return store_.ping(); }

  Result<std::string> make_operator_token(const std::string& name, store::Role role) override;
  std::optional<store::OperatorToken> authenticate(std::string_view bearer) override;
  bool first_start() const override { return first_start_; }
  std::string account() const override { return keyring_.account; }
  Result<void> flush() override;

 private:
  // `code`: what the ranges are drawn over; assumed code where it is empty.
  protocol::Challenge new_challenge(const std::vector<package::Part>& code, UnixTime now);
  std::string answer_body(const appraisal::Evidence& evidence, const policy::Verdict& verdict,
                          const policy::Facts& judged, const std::string& arc,
                          const ConnectionFacts& connection, const appraisal::Recognition& app,
                          UnixTime now);
  std::optional<UnixTime> expiry(std::optional<Seconds> expire_after) const;
  // Runs `change` and then has the certificates that the store says. Both under changes_.
  Result<void> change_certificates(const std::string& actor, const std::string& action,
                                   const std::string& detail,
                                   const std::function<Result<void>()>& change);
  Result<void> audited(const std::string& actor, const std::string& action,
                       const std::string& detail, const std::function<Result<void>()>& change);
  Result<void> change_apis(const std::string& actor, const std::string& action,
                           const std::string& domain, const std::function<Result<void>()>& change);
  Result<state::Configuration> renew_configuration();
  Result<void> reload_operators();

  static constexpr const char* kConfigurationName = "configuration";  // in the store

  store::Store& store_;
  const Clock& clock_;
  Random& random_;
  const ServiceSettings settings_;
  const state::Keyring keyring_;
  const std::vector<Sha256Digest> expected_spki_;
  const appraisal::TokenMint mint_;
  const appraisal::ChallengeMaker challenges_;
  appraisal::ReplayCache replays_;
  const appraisal::Appraiser appraiser_;
  const appraisal::HardwareAppraiser hardware_;
  state::DeviceQueue devices_;
  state::PolicyKeeper policies_;
  bool first_start_ = false;

  // Held while a change goes to the store and into a snapshot, so that both see the same order.
  std::mutex changes_;
  state::Snapshot<appraisal::ReferenceValues> references_;
  state::Snapshot<state::Configuration> configuration_;
  state::Snapshot<std::vector<store::OperatorToken>> operators_;
};

}  // namespace touchmark::verifier
