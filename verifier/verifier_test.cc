#include "verifier/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "package/inspection.h"
#include "package/package.h"
#include "protocol/arc.h"
#include "tests/support/short_memory.h"
#include "tests/support/temporary_folder.h"
#include "verifier/appraisal/challenge.h"
#include "verifier/routes/json.h"
#include "verifier/state/configuration.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier {
namespace {

using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MemoryApp;
using testing::SoftAttester;

const std::string kPackage = "tests/vectors/apksig/golden-aligned-out.apk";

class VerifierTest : public ::testing::Test {
 protected:
  VerifierTest() {
    store_ = std::move(store::open_sqlite(":memory:").value());
    testing::put_policy(*store_);
    settings_.public_urls = {"https://verifier.example:8443"};
    settings_.service_pins = {base64_encode(Bytes(32, std::byte{0x22}))};
    settings_.tls_spki_sha256.fill(std::byte{0x22});
    reopen();
  }
  void reopen() {
    verifier_.reset();
    auto service = Verifier::open(*store_, master_key_, clock_, random_, settings_);
    ASSERT_TRUE(service) << service.error().text();
    verifier_ = std::move(*service);
    attester_.account = verifier_->account();
    connection_ = {"192.0.2.1", attester_.exporter};
  }
  // As if the app had been uploaded a while ago.
  void register_app() {
    auto ok = testing::put_registration(
        *store_, attester_.app.registration(clock_.now() - Seconds(3600)), attester_.app.reader());
    ASSERT_TRUE(ok);
    reopen();
  }
  Json challenge() {
    auto answer = verifier_->attestation().challenge(attester_.challenge_request());
    EXPECT_TRUE(answer) << answer.error().text();
    return Json::parse(*answer);
  }
  AttestationAnswer attest(const Json& changes = Json::object()) {
    Json claims = attester_.claims(challenge());
    claims.merge_patch(changes);
    auto answer = verifier_->attestation().attest(attester_.attest_request(claims), connection_);
    EXPECT_TRUE(answer) << answer.error().text();
    return *answer;
  }
  static std::vector<FindingId> ids(const AttestationAnswer& answer) {
    std::vector<FindingId> out;
    for (const auto& finding : answer.record.findings) out.push_back(finding.id);
    return out;
  }
  Bytes first_secret() {
    return verifier_->key_sets().secrets("default", "admin")->front().secrets()->secret;
  }
  appraisal::TokenStatus status(const AttestationAnswer& answer) {
    return verifier_->key_sets()
        .check_token(Json::parse(answer.body)["token"].get<std::string>())
        .status;
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  Bytes master_key_ = Bytes(32, std::byte{0x4d});
  state::ServiceSettings settings_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Verifier> verifier_;
  SoftAttester attester_{MemoryApp::make(), ""};
  model::Connection connection_;
};

TEST_F(VerifierTest, GivesAValidTokenToARegisteredApp) {
  register_app();
  const AttestationAnswer answer = attest();
  EXPECT_TRUE(answer.record.passed);
  EXPECT_THAT(ids(answer), IsEmpty());
  EXPECT_EQ(answer.record.arc, protocol::encode_arc({}));
  const Json body = Json::parse(answer.body);
  EXPECT_EQ(body["expires_in"], 300);
  const appraisal::TokenReport report =
      verifier_->key_sets().check_token(body["token"].get<std::string>());
  EXPECT_EQ(report.status, appraisal::TokenStatus::kValid);
  EXPECT_EQ(report.claims["ip"], "192.0.2.1");
  EXPECT_EQ(report.claims["did"], answer.record.device_id);
}

TEST_F(VerifierTest, GivesADecoyToAnythingElse) {
  const AttestationAnswer answer = attest();
  EXPECT_FALSE(answer.record.passed);
  EXPECT_THAT(ids(answer), ElementsAre(FindingId::kAppNotRegistered));
  EXPECT_EQ(status(answer), appraisal::TokenStatus::kInvalid);
}

// All that a client can see of an answer, except the random and the signed bytes.
std::string shape(const AttestationAnswer& answer) {
  const Json body = Json::parse(answer.body);
  std::string out = std::to_string(answer.body.size());
  for (const auto& [name, value] : body.items()) out += " " + name;
  const auto jws = crypto::parse_jws(body["token"].get<std::string>());
  out += " " + jws->header.dump();
  for (const auto& [name, value] : jws->payload.items()) {
    out += " " + name + ":" + std::to_string(value.dump().size());
  }
  return out + " " + std::to_string(body["token"].get<std::string>().size());
}

TEST_F(VerifierTest, ValidAndDecoyAnswersHaveOneShape) {
  register_app();
  std::set<std::string> shapes;
  for (int i = 0; i < 50; ++i) {
    shapes.insert(shape(attest()));
    shapes.insert(shape(attest({{"findings", {{{"id", "hook.framework"}, {"detail", "frida"}}}}})));
    shapes.insert(shape(attest({{"sdk", {{"build", "host"}}}})));
    shapes.insert(shape(attest({{"tls", {{"spki", base64url_encode(Bytes(32))}}}})));
  }
  EXPECT_THAT(shapes, ::testing::SizeIs(1));
}

// Evidence of one shape, of which the policy lets one pass: what is done for both is the same, down
// to the memory that it takes.
TEST_F(VerifierTest, ADecoyTakesTheStepsOfAValidToken) {
  testing::put_policy(*store_, R"(version = 1
[findings]
"debug.attached" = "annotate"
[assurance]
android = "software")");
  register_app();
  const auto finding = [](const char* id) {
    return Json{{"findings", {{{"id", id}, {"detail", "a detail that is longer than a word"}}}}};
  };
  const auto work = [&](const Json& changes, bool passes) {
    Json claims = attester_.claims(challenge());
    claims.merge_patch(changes);
    const std::string request = attester_.attest_request(claims);
    const touchmark::testing::CountedMemory memory;
    const auto answer = verifier_->attestation().attest(request, connection_);
    EXPECT_TRUE(answer && answer->record.passed == passes);
    return std::pair(memory.allocations(), memory.bytes());
  };
  const auto valid = [&] { return work(finding("debug.attached"), true); };
  const auto decoy = [&] { return work(finding("hook.framework"), false); };
  // What grows now and then, such as the lists of what is to be written, grows for both.
  std::vector<std::pair<std::size_t, std::size_t>> of_valid;
  std::vector<std::pair<std::size_t, std::size_t>> of_decoy;
  for (int i = 0; i < 41; ++i) {
    of_valid.push_back(valid());
    of_decoy.push_back(decoy());
  }
  std::ranges::sort(of_valid);
  std::ranges::sort(of_decoy);
  const auto [allocations, bytes] = of_valid[20];
  EXPECT_GT(allocations, 20U);
  // The one keeps the ids of what is noted, the other those of what rejects.
  EXPECT_NEAR(static_cast<double>(of_decoy[20].first), static_cast<double>(allocations), 1);
  EXPECT_NEAR(static_cast<double>(of_decoy[20].second), static_cast<double>(bytes), 64);
}

TEST_F(VerifierTest, PadsEveryAnswer) {
  const std::string body = attest().body;
  EXPECT_EQ(body.size() % protocol::kAnswerQuantum, 0U);
  EXPECT_EQ(body.back(), ' ');
}

TEST_F(VerifierTest, SendsTheNextChallengeAlong) {
  register_app();
  const Json next = Json::parse(attest().body)["challenge"];
  auto again = verifier_->attestation().attest(attester_.attest_request(attester_.claims(next)),
                                               connection_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->record.passed);
}

TEST_F(VerifierTest, RegistersARealPackageThatActsAtOnce) {
  auto source = open_file(kPackage);
  ASSERT_TRUE(source) << source.error().text();
  attester_.app.measurement = package::measure(**source).value();
  attester_.app.contents.clear();
  for (const package::Part& part : attester_.app.measurement.parts) {
    attester_.app.contents[part.name] =
        package::read_part_range(**source, part.name, 0, part.size).value();
  }
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppNotRegistered));
  // A challenge from before the registration is answered after it.
  const Json early = challenge();
  auto registered =
      verifier_->registry().register_package(kPackage, {.expire_after = Seconds(600)}, "developer");
  ASSERT_TRUE(registered) << registered.error().text();
  EXPECT_EQ(registered->registration.expires, clock_.now() + Seconds(600));
  EXPECT_EQ(registered->registration.created_by, "developer");
  auto answer = verifier_->attestation().attest(attester_.attest_request(attester_.claims(early)),
                                                connection_);
  EXPECT_THAT(ids(*answer), IsEmpty());
  EXPECT_THAT(ids(attest()), IsEmpty());
  clock_.advance(Seconds(600));
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppRegistrationExpired));
  ASSERT_TRUE(verifier_->registry().remove_registration(registered->registration.id, "developer"));
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(VerifierTest, ProvesTheInstalledSplitsOfARelease) {
  package::Measurement& release = attester_.app.measurement;
  release.form = package::Form::kSplits;
  release.parts[2].name = "config.arm64_v8a!/lib/arm64-v8a/libapp.so";
  attester_.app.contents["config.arm64_v8a!/lib/arm64-v8a/libapp.so"] =
      attester_.app.contents["lib/arm64-v8a/libapp.so"];
  std::ranges::sort(release.parts, {}, &package::Part::name);
  register_app();
  std::erase_if(release.parts,
                [](const package::Part& part) { return part.name.starts_with("config."); });
  EXPECT_THAT(ids(attest()), IsEmpty());
  // Its ranges are drawn over what is installed, in the first challenge and in the next one.
  const Json first = challenge();
  auto answer = verifier_->attestation().attest(attester_.attest_request(attester_.claims(first)),
                                                connection_);
  ASSERT_TRUE(answer) << answer.error().text();
  for (const Json& one : {first, Json::parse(answer->body)["challenge"]}) {
    for (const Json& range : one["ranges"]) {
      EXPECT_EQ(range[0], "classes.dex");
      EXPECT_LT(range[1].get<std::size_t>(), 200'000U);
    }
  }
  attester_.app.contents["classes.dex"][100] ^= std::byte{1};
  for (std::size_t i = 0; i < 200'000; ++i) attester_.app.contents["classes.dex"][i] = {};
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppRangeProof));
}

TEST_F(VerifierTest, DrawsRangesOverWhatAnUnknownAppSaysItHas) {
  const Json answer = challenge();
  std::set<std::string> parts;
  for (const Json& range : answer["ranges"]) parts.insert(range[0].get<std::string>());
  EXPECT_TRUE(parts.contains("classes.dex"));
  for (const char* code : {R"({})", R"([["a"]])", R"([["a",0]])", R"([["a",-1]])", R"([[1,1]])",
                           R"([["a",2000000000000]])", R"("a")"}) {
    Json request = Json::parse(attester_.challenge_request());
    request["code"] = Json::parse(code);
    const auto refused = verifier_->attestation().challenge(request.dump());
    ASSERT_FALSE(refused) << code;
    EXPECT_TRUE(refused.error().is(AttestationError::kMalformedRequest));
  }
}

TEST_F(VerifierTest, KeepsWithWhatARotationBegan) {
  const auto archive = open_file(kPackage);
  const Bytes der = package::verify(**archive).value().signers.front().certificate;
  // Any other certificate.
  const auto another = open_file("tests/vectors/apksig/golden-aligned-v1v2v3-lineage-out.apk");
  const Bytes first = package::verify(**another).value().lineage.back().certificate;
  ASSERT_NE(first, der);
  state::Registry& registry = verifier_->registry();
  ASSERT_FALSE(registry.register_certificate(der, "a", false, {}, "alice", as_bytes("no")));
  const auto rotated = registry.register_certificate(der, "a", false, {}, "alice", first);
  ASSERT_TRUE(rotated);
  EXPECT_EQ(rotated->first, crypto::sha256(first));
  const auto itself = registry.register_certificate(der, "b", false, {}, "alice", der);
  ASSERT_TRUE(itself);
  EXPECT_FALSE(itself->first);
  reopen();
  const auto kept = verifier_->registry().certificates();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].first.has_value() + kept[1].first.has_value(), 1);
  // It changes with the mark and the expiry.
  ASSERT_TRUE(verifier_->registry().register_certificate(der, "a", false, {}, "alice"));
  for (const model::SigningCertificate& one : verifier_->registry().certificates()) {
    EXPECT_FALSE(one.first);
  }
}

TEST_F(VerifierTest, RegistersSigningCertificates) {
  const auto archive = open_file(kPackage);
  const Bytes der = package::verify(**archive).value().signers.front().certificate;
  auto added = verifier_->registry().register_certificate(der, "com.example.app", true, Seconds(60),
                                                          "alice");
  ASSERT_TRUE(added) << added.error().text();
  EXPECT_THAT(added->id, ::testing::StartsWith("cert-"));
  EXPECT_EQ(added->sha256, crypto::sha256(der));
  attester_.app.measurement.signers = {added->sha256};
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppDevelopment, FindingId::kAppByCertificate));
  reopen();  // it is in the store
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppDevelopment, FindingId::kAppByCertificate));

  // The same again takes the place of the first; for another app it is another one.
  ASSERT_TRUE(
      verifier_->registry().register_certificate(der, "com.example.app", false, {}, "alice"));
  ASSERT_TRUE(verifier_->registry().register_certificate(der, "", false, {}, "alice"));
  EXPECT_EQ(verifier_->registry().certificates().size(), 2U);
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppByCertificate));

  for (const model::SigningCertificate& one : verifier_->registry().certificates()) {
    ASSERT_TRUE(verifier_->registry().set_certificate_expiry(one.id, Seconds(5), "bob"));
  }
  clock_.advance(Seconds(5));
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppRegistrationExpired));
  for (const model::SigningCertificate& one : verifier_->registry().certificates()) {
    ASSERT_TRUE(verifier_->registry().remove_certificate(one.id, "bob"));
    EXPECT_TRUE(verifier_->registry()
                    .remove_certificate(one.id, "bob")
                    .error()
                    .is(store::StoreError::kNotFound));
  }
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppNotRegistered));
  EXPECT_TRUE(verifier_->registry()
                  .register_certificate(as_bytes("no"), "", false, {}, "alice")
                  .error()
                  .is(state::RegistryError::kBadCertificate));
}

TEST_F(VerifierTest, ChangesWhenARegistrationEnds) {
  register_app();
  const std::string id = verifier_->registry().registrations().front().id;
  ASSERT_TRUE(verifier_->registry().set_registration_expiry(id, Seconds(60), "alice"));
  EXPECT_THAT(ids(attest()), IsEmpty());
  clock_.advance(Seconds(60));
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppRegistrationExpired));
  reopen();
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kAppRegistrationExpired));
  ASSERT_TRUE(verifier_->registry().set_registration_expiry(id, std::nullopt, "alice"));
  EXPECT_THAT(ids(attest()), IsEmpty());
  EXPECT_TRUE(verifier_->registry()
                  .set_registration_expiry("00", {}, "a")
                  .error()
                  .is(store::StoreError::kNotFound));
}

TEST_F(VerifierTest, ARepeatedRegistrationChangesNothingThatWasNotAsked) {
  using enum state::PackageChange;
  state::Registry& registry = verifier_->registry();
  const auto add = [&](const state::PackageOptions& options, const std::string& actor) {
    return registry.register_package(kPackage, options, actor);
  };
  // A dry run does all checks, and leaves nothing.
  const auto before = verifier_->operators().audit_log(100)->entries.size();
  const auto dry = add({.expire_after = Seconds(60), .dry_run = true}, "alice");
  ASSERT_TRUE(dry) << dry.error().text();
  EXPECT_EQ(dry->change, kAdded);
  EXPECT_FALSE(registry.registration(dry->registration.id));
  EXPECT_EQ(verifier_->operators().audit_log(100)->entries.size(), before);

  const auto lasting = add({}, "alice");
  ASSERT_TRUE(lasting);
  EXPECT_EQ(lasting->change, kAdded);
  clock_.advance(Seconds(10));
  const auto noted = verifier_->operators().audit_log(100)->entries.size();
  EXPECT_EQ(add({}, "bob")->change, kUnchanged);
  EXPECT_EQ(verifier_->operators().audit_log(100)->entries.size(), noted);
  const auto refused = add({.expire_after = Seconds(60)}, "bob");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(state::RegistryError::kOtherLifetime));
  const std::string id = lasting->registration.id;
  EXPECT_FALSE(registry.registration(id)->expires);
  EXPECT_EQ(registry.registration(id)->created_by, "alice");

  const auto replaced = add({.expire_after = Seconds(60), .replace = true}, "bob");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->change, kReplaced);
  EXPECT_EQ(registry.registration(id)->expires, clock_.now() + Seconds(60));
  EXPECT_EQ(registry.registration(id)->created, lasting->registration.created);
  EXPECT_EQ(registry.registration(id)->created_by, "alice");
  EXPECT_EQ(add({.expire_after = Seconds(90), .dry_run = true}, "bob")->change, kRenewed);
  EXPECT_EQ(registry.registration(id)->expires, clock_.now() + Seconds(60));
  EXPECT_EQ(add({.expire_after = Seconds(90)}, "bob")->change, kRenewed);
  EXPECT_EQ(registry.registration(id)->expires, clock_.now() + Seconds(90));
  // Not even when its time is over: a repeated job would make a test build last.
  clock_.advance(Seconds(100));
  EXPECT_TRUE(add({}, "bob").error().is(state::RegistryError::kOtherLifetime));
}

TEST_F(VerifierTest, RegistersABundleWithTheCertificateOfItsStore) {
  const std::string bundle = "tests/vectors/bundle/app.aab";
  const auto alone = verifier_->registry().register_package(bundle, {}, "alice");
  ASSERT_FALSE(alone);
  EXPECT_TRUE(alone.error().is(state::RegistryError::kNoSigningCertificate));
  const auto registered = verifier_->registry().register_package(
      bundle, {.bundle_signers = {crypto::sha256(as_bytes("store"))}}, "alice");
  ASSERT_TRUE(registered) << registered.error().text();
  EXPECT_EQ(registered->registration.measurement.form, package::Form::kBundle);
  // The content of its code is kept, by the names of the installed app.
  for (const package::Part& part : registered->registration.measurement.parts) {
    if (!part.code_bearing()) continue;
    EXPECT_EQ(crypto::sha256(store_->part_range(part.sha256, 0, part.size).value()), part.sha256);
  }
}

TEST_F(VerifierTest, RegistersAnArchiveOfSplits) {
  const auto registered =
      verifier_->registry().register_package("tests/vectors/bundle/app.apks", {}, "alice");
  ASSERT_TRUE(registered) << registered.error().text();
  EXPECT_EQ(registered->registration.measurement.form, package::Form::kSplits);
  int code = 0;
  for (const package::Part& part : registered->registration.measurement.parts) {
    if (!part.code_bearing()) continue;
    ++code;
    EXPECT_EQ(crypto::sha256(store_->part_range(part.sha256, 0, part.size).value()), part.sha256);
  }
  EXPECT_GT(code, 1);
}

TEST_F(VerifierTest, RefusesWhatIsNoPackage) {
  auto registered = verifier_->registry().register_package("CMakeLists.txt", {}, "developer");
  ASSERT_FALSE(registered);
  EXPECT_TRUE(registered.error().id().starts_with("zip.")) << registered.error().id();
  EXPECT_TRUE(verifier_->registry().registrations().empty());
  EXPECT_EQ(routes::to_json(verifier_->operators().audit_log(100).value())["entries"].size(), 0U);
}

TEST_F(VerifierTest, KnowsEverythingAgainAfterARestart) {
  register_app();
  const auto api = verifier_->api_domains().put({"api.example", {}}, "admin");
  ASSERT_TRUE(api);
  const auto token = verifier_->operators().make_token("admin", model::Role::kAdmin);
  ASSERT_TRUE(token);
  const std::string account = verifier_->account();
  const std::string configuration = verifier_->api_domains().configuration()->jws;
  const Bytes secret = first_secret();
  const AttestationAnswer before = attest();
  reopen();
  EXPECT_EQ(verifier_->account(), account);
  EXPECT_EQ(verifier_->api_domains().configuration()->jws, configuration);
  EXPECT_EQ(first_secret(), secret);
  EXPECT_TRUE(verifier_->operators().authenticate(*token));
  EXPECT_FALSE(verifier_->operators().first_start());
  EXPECT_EQ(status(before), appraisal::TokenStatus::kValid);
  EXPECT_TRUE(attest().record.passed);
}

TEST_F(VerifierTest, KeepsSecretsSealed) {
  const Bytes secret = first_secret();
  for (const char* name : {"secret.token", "secret.challenge", "secret.config-key"}) {
    const Bytes stored = store_->get(name).value().value();
    EXPECT_EQ(as_text(stored).find(as_text(secret)), std::string_view::npos) << name;
  }
  auto opened = Verifier::open(*store_, Bytes(32), clock_, random_, settings_);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().is(crypto::CryptoError::kSealBroken));
  auto short_key = Verifier::open(*store_, Bytes(31), clock_, random_, settings_);
  EXPECT_TRUE(short_key.error().is(state::SettingsError::kBadSettings));
}

TEST_F(VerifierTest, NewConfigurationReachesOlderClients) {
  attester_.config_version = 1;
  EXPECT_FALSE(Json::parse(attest().body).contains("config"));
  ASSERT_TRUE(
      verifier_->api_domains().put({"API.example:8443", {base64_encode(Bytes(32))}}, "admin"));
  const Json body = Json::parse(attest().body);
  ASSERT_TRUE(body.contains("config"));
  EXPECT_EQ(body["config"], verifier_->api_domains().configuration()->jws);
  const Json payload = crypto::parse_jws(verifier_->api_domains().configuration()->jws)->payload;
  EXPECT_EQ(payload["version"], 2);
  EXPECT_EQ(payload["api"][0]["domain"], "api.example:8443");
  attester_.config_version = 2;
  EXPECT_FALSE(Json::parse(attest().body).contains("config"));
  ASSERT_TRUE(verifier_->api_domains().remove("api.EXAMPLE:8443", "admin"));
  EXPECT_EQ(verifier_->status().config_version, 3);
}

TEST_F(VerifierTest, RefusesAnApiThatNoAppWouldTake) {
  const std::string pin = base64_encode(Bytes(32));
  const std::string before = verifier_->api_domains().configuration()->jws;
  const auto too_many_pins =
      verifier_->api_domains().put({"api.example", std::vector<std::string>(17, pin)}, "admin");
  ASSERT_FALSE(too_many_pins);
  EXPECT_TRUE(too_many_pins.error().is(state::ApiError::kBadPin)) << too_many_pins.error().text();
  EXPECT_EQ(verifier_->api_domains().configuration()->jws, before);
  EXPECT_TRUE(store_->apis({})->empty());

  for (int i = 0; i < 255; ++i) {
    ASSERT_TRUE(store_->write([&](store::Transaction& transaction) {
      return transaction.put_api({"api" + std::to_string(i) + ".example", {}});
    }));
  }
  ASSERT_TRUE(verifier_->api_domains().put({"the-256th.example", {}}, "admin"));
  const std::string full = verifier_->api_domains().configuration()->jws;
  EXPECT_TRUE(protocol::decode_configuration(full));
  const auto one_more = verifier_->api_domains().put({"one-more.example", {}}, "admin");
  ASSERT_FALSE(one_more);
  EXPECT_TRUE(one_more.error().is(state::ApiError::kTooMany)) << one_more.error().text();
  EXPECT_NE(one_more.error().message().find("256"), std::string::npos) << one_more.error().text();
  EXPECT_EQ(verifier_->api_domains().configuration()->jws, full);
  EXPECT_EQ(store_->apis({})->size(), 256U);
  const auto audit = verifier_->operators().audit_log(10).value();
  EXPECT_EQ(audit.entries.front().detail, "the-256th.example");
  EXPECT_TRUE(audit.intact);
  // One that is there already may get other pins.
  EXPECT_TRUE(verifier_->api_domains().put({"the-256th.example", {pin}}, "admin"));
}

// --- A store that cannot be read whole -----------------------------------------------------------

class DamagedStoreTest : public VerifierTest {
 protected:
  Result<void> put(const std::string& name, const std::string& value) {
    return testing::write(*store_, &store::Transaction::put, name, as_bytes(value));
  }
  std::string noted() const {
    std::string out;
    for (const state::LoadNote& note : verifier_->load_notes()) {
      out += note.what + ": " + note.error + "; " + note.advice + "\n";
    }
    return out;
  }
  // As an earlier service took them.
  Result<void> put_apis(int count, std::size_t pins) {
    return store_->write([&](store::Transaction& transaction) -> Result<void> {
      const std::vector<std::string> all(pins, base64_encode(Bytes(32)));
      for (int i = 0; i < count; ++i) {
        auto ok = transaction.put_api({"api" + std::to_string(i) + ".example", all});
        if (!ok) return ok;
      }
      return {};
    });
  }
};

TEST_F(DamagedStoreTest, AConfigurationThatCannotBeReadIsMadeAgain) {
  ASSERT_TRUE(verifier_->api_domains().put({"api.example", {}}, "admin"));
  const auto before = verifier_->api_domains().configuration();
  for (const std::string& damaged : {std::string("x"), std::string(), before->jws + "A",
                                     before->jws.substr(0, before->jws.size() / 2)}) {
    ASSERT_TRUE(put("configuration", damaged));
    reopen();
    EXPECT_THAT(noted(), ::testing::HasSubstr("configuration: configuration.malformed"));
    const auto made = verifier_->api_domains().configuration();
    EXPECT_GT(made->version, before->version) << "so that apps take it";
    const auto decoded = protocol::decode_configuration(made->jws);
    ASSERT_TRUE(decoded) << decoded.error().text();
    EXPECT_EQ(decoded->apis.size(), 1U);
    reopen();
    EXPECT_EQ(noted(), "") << "and is stored";
    EXPECT_EQ(verifier_->api_domains().configuration()->jws, made->jws);
  }
}

TEST_F(DamagedStoreTest, AConfigurationLargerThanAnAppTakesDoesNotStopTheService) {
  ASSERT_TRUE(put_apis(120, 32));
  // More than any reader of a JWS takes: what such a service stored.
  ASSERT_TRUE(put("configuration", std::string(280'799, 'A')));
  reopen();
  EXPECT_THAT(noted(), ::testing::HasSubstr("touchmark api remove"));
  EXPECT_FALSE(Json::parse(attest().body).contains("config"));
  // The way out: fewer, one after the other.
  for (int i = 0; i < 119; ++i) {
    auto removed = verifier_->api_domains().remove("api" + std::to_string(i) + ".example", "admin");
    ASSERT_TRUE(removed) << i << ": " << removed.error().text();
  }
  const auto more = verifier_->api_domains().put({"more.example", {}}, "admin");
  ASSERT_FALSE(more) << "the last one has 32 pins";
  EXPECT_THAT(more.error().message(), ::testing::HasSubstr("api119.example has 32 pins"));
  const auto fewer =
      verifier_->api_domains().put({"api119.example", {base64_encode(Bytes(32))}}, "admin");
  ASSERT_TRUE(fewer) << fewer.error().text();
  EXPECT_EQ(fewer->not_renewed, "");
  EXPECT_TRUE(protocol::decode_configuration(verifier_->api_domains().configuration()->jws));
  reopen();
  EXPECT_EQ(noted(), "");
}

TEST_F(DamagedStoreTest, AnApiThatCannotBeReadIsTakenFromTheConfiguration) {
  const std::vector<std::string> pins{base64_encode(Bytes(32, std::byte{9}))};
  ASSERT_TRUE(verifier_->api_domains().put({"api.example", pins}, "admin"));
  const auto before = verifier_->api_domains().configuration();
  // A pin list that is no JSON cannot be put in by the store itself.
  const touchmark::testing::TemporaryFolder folder;
  const std::string path = (folder / "touchmark.db").string();
  store_.reset();
  verifier_.reset();
  store_ = store::open_sqlite(path).value();
  reopen();
  ASSERT_TRUE(verifier_->api_domains().put({"api.example", pins}, "admin"));
  const auto signed_before = verifier_->api_domains().configuration()->jws;
  verifier_.reset();
  store_.reset();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "UPDATE api SET pins = '['", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  store_ = store::open_sqlite(path).value();
  reopen();
  EXPECT_THAT(noted(), ::testing::HasSubstr("API api.example"));
  EXPECT_EQ(verifier_->api_domains().configuration()->jws, signed_before);
  const auto apis = verifier_->api_domains().list().value();
  ASSERT_EQ(apis.size(), 1U);
  EXPECT_EQ(apis[0].pins, pins);
  reopen();
  EXPECT_EQ(noted(), "");
  verifier_.reset();
  store_.reset();
  store_ = std::move(store::open_sqlite(":memory:").value());
  reopen();
}

TEST_F(DamagedStoreTest, APolicyThatCannotBeReadSaysWhatToDo) {
  ASSERT_TRUE(put("policy", "{}"));
  auto refused = Verifier::open(*store_, master_key_, clock_, random_, settings_);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(store::StoreError::kCorrupt));
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("--reset-policy"));
  auto reset = Verifier::open(*store_, master_key_, clock_, random_, settings_, true);
  ASSERT_TRUE(reset) << reset.error().text();
  EXPECT_EQ((*reset)->policy().show()->current.text, policy::default_document());
  EXPECT_EQ((*reset)->operators().audit_log(1)->entries.front().action, "policy.reset");
  reopen();
  EXPECT_TRUE(
      verifier_->policy().put("version = 1\n", verifier_->policy().show()->revision, {}, "admin"));
}

TEST_F(DamagedStoreTest, SaysWhichSecretIsWrong) {
  ASSERT_TRUE(put("first-start", "soon"));
  auto refused = Verifier::open(*store_, master_key_, clock_, random_, settings_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("first-start"));
}

TEST_F(VerifierTest, SealsTheAuditLogOfAFolderOfAnEarlierVersion) {
  ASSERT_TRUE(verifier_->api_domains().put({"api.example", {}}, "admin"));
  // As that version left it: the token secret alone, and no seal.
  const Bytes old_secret = first_secret();
  ASSERT_TRUE(testing::write(*store_, &store::Transaction::put, "secret.token",
                             crypto::seal(master_key_, "secret.token", old_secret, random_)));
  ASSERT_TRUE(testing::write(*store_, &store::Transaction::put, "audit.end", Bytes{}));
  reopen();
  EXPECT_EQ(first_secret(), old_secret);
  EXPECT_TRUE(verifier_->operators().audit_log(10)->intact);
  // From now on the seal is asked for, though it is taken out again.
  ASSERT_TRUE(testing::write(*store_, &store::Transaction::put, "audit.end", Bytes{}));
  reopen();
  const auto log = verifier_->operators().audit_log(10).value();
  EXPECT_FALSE(log.intact);
  EXPECT_THAT(log.problem, ::testing::HasSubstr("missing or forged"));
}

TEST_F(VerifierTest, RefusesMoreUrlsAndPinsThanAnAppTakes) {
  const auto refused = [&](const std::string& option) {
    auto verifier = Verifier::open(*store_, master_key_, clock_, random_, settings_);
    EXPECT_FALSE(verifier) << option;
    return !verifier && verifier.error().is(state::SettingsError::kBadSettings) &&
           verifier.error().message().find(option) != std::string::npos;
  };
  const auto before = settings_;
  settings_.service_pins.assign(17, base64_encode(Bytes(32)));
  EXPECT_TRUE(refused("--service-pin"));
  settings_ = before;
  settings_.public_urls.assign(17, "https://localhost");
  EXPECT_TRUE(refused("--public-url"));
  settings_ = before;
  settings_.token_prefix = std::string(129, 'x');
  EXPECT_TRUE(refused("--token-prefix"));
  settings_ = before;
}

// --- What a client writes ------------------------------------------------------------------------

TEST_F(VerifierTest, KeepsLittleOfWhateverAClientReports) {
  register_app();
  Json reported = Json::array();
  for (int i = 0; i < 256; ++i) {
    reported.push_back({{"id", i % 2 == 0 ? "root.su" : "no.such"},
                        {"detail", std::string(i % 3 == 0 ? 64 : 256, i % 3 == 0 ? '\x01' : '"')}});
  }
  const std::string text(256, '\x01');
  const Json changes{
      {"findings", reported},
      {"platform",
       {{"os_version", text}, {"manufacturer", text}, {"model", text}, {"installer", text}}}};
  const AttestationAnswer answer = attest(changes);
  std::size_t details = 0;
  for (const protocol::Finding& finding : answer.record.findings) details += finding.detail.size();
  EXPECT_LE(answer.record.findings.size(), appraisal::kMaxRepeatedFindings + 2);
  EXPECT_LE(details, appraisal::kMaxDetails + 100);
  EXPECT_THAT(ids(answer), ::testing::Contains(FindingId::kRootSu));
  EXPECT_THAT(ids(answer), ::testing::Contains(FindingId::kEvidenceUnknownFinding));
  EXPECT_THAT(answer.record.findings.front().detail + answer.record.findings.back().detail,
              ::testing::HasSubstr(" more)"));
  ASSERT_TRUE(verifier_->housekeep());
  const auto records = store_->appraisals(10, std::nullopt, INT64_MAX).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_LE(records[0].content.size(), state::kMaxRecordBytes);
  // And is judged again like any other.
  const auto again = state::from_record(records[0]);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_FALSE(policy::judge(verifier_->policy().show()->current.policy, again->facts,
                             again->findings, again->time)
                   .passed);
}

TEST_F(VerifierTest, RecordsABoundedNumberOfAppraisalsBetweenTwoWrites) {
  constexpr std::size_t kMost = state::AppraisalJournal::kCapacity;
  register_app();
  for (const std::size_t recorded : {kMost, 2 * kMost}) {
    for (std::size_t i = 0; i < kMost + 10; ++i) attest();
    ASSERT_TRUE(verifier_->housekeep());
    EXPECT_EQ(store_->appraisals(10'000, std::nullopt, INT64_MAX)->size(), recorded);
  }
}

TEST_F(VerifierTest, RecordsARefusedChallengeWithoutDetailsAndFewOfThem) {
  register_app();
  Json claims = attester_.claims(challenge());
  claims["findings"] = {{{"id", "root.su"}, {"detail", "/system/xbin/su"}}};
  const std::string request = attester_.attest_request(claims);
  const auto first = verifier_->attestation().attest(request, connection_);
  EXPECT_EQ(first->record.findings.front().detail, "/system/xbin/su");
  for (int i = 0; i < 1000; ++i) {
    const auto replayed = verifier_->attestation().attest(request, connection_);
    for (const protocol::Finding& finding : replayed->record.findings) {
      EXPECT_EQ(finding.detail, "");
    }
  }
  attest();
  ASSERT_TRUE(verifier_->housekeep());
  const auto records = store_->appraisals(10'000, std::nullopt, INT64_MAX).value();
  EXPECT_EQ(records.size(), state::AppraisalJournal::kRefusedCapacity + 2);
  EXPECT_EQ(records.front().content.find("xbin"), std::string::npos);
  EXPECT_TRUE(records.front().passed) << "the honest one after them is there";
  EXPECT_NE(records.back().content.find("xbin"), std::string::npos);
}

TEST_F(VerifierTest, DoesNotStartWithSettingsThatNoAppWouldTake) {
  settings_.public_urls = {"http://localhost"};
  auto verifier = Verifier::open(*store_, master_key_, clock_, random_, settings_);
  ASSERT_FALSE(verifier);
  EXPECT_TRUE(verifier.error().is(protocol::ConfigError::kBadUrl)) << verifier.error().text();
}

TEST_F(VerifierTest, NamesAnIpv6ApiAsItIsWritten) {
  const auto api = verifier_->api_domains().put({"[0::1]:5001", {}}, "admin");
  ASSERT_TRUE(api) << api.error().text();
  EXPECT_EQ(api->api.domain, "[::1]:5001");
  EXPECT_TRUE(verifier_->api_domains().remove("[::1]:5001", "admin"));
}

TEST_F(VerifierTest, RenewsTheConfigurationWhenSettingsChange) {
  EXPECT_EQ(verifier_->status().config_version, 1);
  reopen();
  EXPECT_EQ(verifier_->status().config_version, 1);
  settings_.public_urls.push_back("https://failover.example");
  reopen();
  EXPECT_EQ(verifier_->status().config_version, 2);
}

TEST_F(VerifierTest, RevealsReasonsOnlyWhereThePolicySaysSo) {
  EXPECT_FALSE(Json::parse(attest().body).contains("arc"));
  settings_.reveal_reasons = true;
  reopen();
  const Json body = Json::parse(attest().body);
  EXPECT_EQ(body["reasons"], Json::array({"app.not-registered"}));
  EXPECT_EQ(protocol::decode_arc(body["arc"].get<std::string>()), std::vector<std::uint8_t>{1});
}

TEST_F(VerifierTest, PutsTheVerdictInTheStandardsFormIntoTokensThatAskForIt) {
  settings_.reveal_reasons = true;
  settings_.extra_claims = {"ear"};
  reopen();
  const auto claim = [this] {
    const Json body = Json::parse(attest().body);
    return verifier_->key_sets().check_token(body["token"].get<std::string>()).claims["ear"];
  };
  const Json refused = claim();
  EXPECT_EQ(refused["submods"]["app"]["ear.status"], "contraindicated");
  EXPECT_EQ(base64url_decode(refused["eat_nonce"].get<std::string>())->size(),
            appraisal::kNonceBytes);
  register_app();
  EXPECT_NE(claim()["submods"]["app"]["ear.status"], "contraindicated");
}

TEST_F(VerifierTest, AllowsHostBuildsOnlyWhereToldTo) {
  register_app();
  const Json host{{"sdk", {{"build", "host"}}}};
  EXPECT_THAT(ids(attest(host)), ElementsAre(FindingId::kDeviceHostBuild));
  settings_.allow_host_builds = true;
  reopen();
  EXPECT_THAT(ids(attest(host)), IsEmpty());
  const Json rule = routes::to_json(*verifier_->policy().show())["findings"]["device.host-build"];
  EXPECT_EQ(rule["action"], "ignore");
  EXPECT_EQ(rule["rule"]["key"], "--allow-host-builds");
}

TEST_F(VerifierTest, NeedsTheExporterUnlessAProxyEndsTls) {
  register_app();
  connection_.exporter.reset();
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kNetworkMitm));
  attester_.exporter.clear();
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kNetworkMitm)) << "nothing equals nothing";
  settings_.tls_terminated_by_proxy = true;
  reopen();
  connection_.exporter.reset();
  EXPECT_THAT(ids(attest()), IsEmpty());
  EXPECT_EQ(routes::to_json(verifier_->settings())["channel_binding"], "proxy");
}

// A device that has just passed would be cut off like any other.
TEST_F(VerifierTest, CountsADeviceThatHasJustPassed) {
  register_app();
  EXPECT_THAT(ids(attest()), IsEmpty());
  const auto keys = verifier_->service_keys().show();
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->devices.seen, 1);
}

// The proxy is given the next key when apps know it, before anybody starts the service again.
TEST_F(VerifierTest, BehindAProxyTheNextKeyCountsOnceItIsAnnounced) {
  register_app();
  settings_.tls_terminated_by_proxy = true;
  reopen();
  connection_.exporter.reset();
  std::ranges::fill(attester_.spki, std::byte{0x33});
  const std::string next = base64_encode(Bytes(32, std::byte{0x33}));
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kNetworkMitm));
  ASSERT_TRUE(verifier_->service_keys().announce(next, "admin"));
  EXPECT_THAT(ids(attest()), IsEmpty());
  ASSERT_TRUE(verifier_->service_keys().cancel("admin"));
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kNetworkMitm));
}

TEST_F(VerifierTest, RefusesMalformedRequests) {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string("{\"account\":1}"),
        std::string(R"({"account":"a","measurement":"AAAA"})"),
        std::string(R"({"account":"a","measurement":"!"})"), std::string(5000, ' ')}) {
    auto answer = verifier_->attestation().challenge(body);
    ASSERT_FALSE(answer) << body.substr(0, 50);
    EXPECT_TRUE(answer.error().is(AttestationError::kMalformedRequest)) << answer.error().text();
  }
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string(R"({"evidence":1})"),
        std::string(R"({"evidence":"a.b.c"})")}) {
    auto answer = verifier_->attestation().attest(body, connection_);
    ASSERT_FALSE(answer) << body;
    EXPECT_TRUE(answer.error().is(AttestationError::kMalformedRequest)) << answer.error().text();
  }
}

// Everything that a challenge says of code, by how often it says it.
std::map<std::string, int> asked(Verifier& verifier, const Json& request) {
  std::map<std::string, int> out;
  for (int i = 0; i < 500; ++i) {
    const auto answer = verifier.attestation().challenge(request.dump());
    EXPECT_TRUE(answer);
    const Json challenge = Json::parse(*answer);
    for (const Json& range : challenge["ranges"]) {
      ++out[range[0].get<std::string>()];
      out["beyond 64 KiB"] += range[1].get<std::uint64_t>() >= appraisal::kAssumedBytes;
      out["beyond its end"] += range[1].get<std::uint64_t>() >= 200'000;
    }
  }
  return out;
}

void expect_alike(const std::map<std::string, int>& a, const std::map<std::string, int>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [what, count] : a) {
    ASSERT_TRUE(b.contains(what)) << what;
    EXPECT_NEAR(count, b.at(what), 250) << what;
  }
}

TEST_F(VerifierTest, ChallengesTellNothingOfWhatIsRegistered) {
  const Json with_sizes = Json::parse(attester_.challenge_request());
  Json without = with_sizes;
  without.erase("code");
  const auto before = asked(*verifier_, with_sizes);
  const auto before_without = asked(*verifier_, without);
  register_app();
  expect_alike(asked(*verifier_, with_sizes), before);
  expect_alike(asked(*verifier_, without), before_without);
  const auto count = [](const std::map<std::string, int>& of, const char* what) {
    const auto found = of.find(what);
    return found == of.end() ? -1 : found->second;
  };
  EXPECT_EQ(count(before, "beyond its end"), 0);
  EXPECT_GT(count(before, "beyond 64 KiB"), 0);
  EXPECT_EQ(count(before_without, "beyond 64 KiB"), 0);
}

// The SDK of a phone may be older than the service: it claims no sizes in its evidence, and some
// clients none at all. Their challenges can be answered, the first one and the next.
TEST_F(VerifierTest, TakesEvidenceThatClaimsNoSizes) {
  register_app();
  Json request = Json::parse(attester_.challenge_request());
  request.erase("code");
  Json next = Json::parse(*verifier_->attestation().challenge(request.dump()));
  for (int i = 0; i < 5; ++i) {
    Json claims = attester_.claims(next);
    claims["app"].erase("code");
    const auto answer =
        verifier_->attestation().attest(attester_.attest_request(claims), connection_);
    ASSERT_TRUE(answer);
    EXPECT_THAT(ids(*answer), IsEmpty()) << i;
    next = Json::parse(answer->body)["challenge"];
  }
  std::set<std::string> parts;
  for (const Json& range : next["ranges"]) parts.insert(range[0].get<std::string>());
  EXPECT_TRUE(parts.contains("classes.dex") || parts.contains("lib/arm64-v8a/libapp.so"));
}

TEST_F(VerifierTest, RefusesMalformedClaimsOfCodeInEvidence) {
  for (const char* code : {R"({})", R"([["a"]])", R"([["a",0]])", R"([[1,1]])", R"("a")"}) {
    Json claims = attester_.claims(challenge());
    claims["app"]["code"] = Json::parse(code);
    const auto answer =
        verifier_->attestation().attest(attester_.attest_request(claims), connection_);
    ASSERT_FALSE(answer) << code;
    EXPECT_TRUE(answer.error().is(AttestationError::kMalformedRequest));
  }
}

TEST_F(VerifierTest, WarnsOfAPublicUrlThatPhonesDoNotReach) {
  const auto warnings = [this](const char* url, bool was_said) {
    settings_.public_urls = {"https://a.example.com", url};
    settings_.public_url_was_said = was_said;
    verifier_.reset();
    reopen();
    EXPECT_THAT(verifier_->status().public_urls, ElementsAre("https://a.example.com", url));
    std::string out;
    for (const std::string& warning : verifier_->status().warnings) out += warning + "\n";
    return out;
  };
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  using ::testing::Not;
  EXPECT_THAT(warnings("https://b.example.com", true), Not(HasSubstr("--public-url")));
  EXPECT_THAT(warnings("https://192.168.1.9:8443", true),
              AllOf(HasSubstr("https://192.168.1.9:8443"), HasSubstr("private network"),
                    HasSubstr("--public-url"), Not(HasSubstr("a.example.com"))));
  EXPECT_THAT(warnings("https://b.example.com", false), HasSubstr("guess"));
}

TEST_F(VerifierTest, SaysWhatAValidTokenTakes) {
  EXPECT_THAT(verifier_->status().warnings, ::testing::SizeIs(1)) << "software evidence passes";
  settings_.allow_host_builds = true;
  settings_.revocation_status = [] {
    state::RevocationSource::Status list;
    list.problem = "unreachable";
    return list;
  };
  verifier_.reset();
  store_ = std::move(store::open_sqlite(":memory:").value());
  reopen();
  const Status status = verifier_->status();
  EXPECT_EQ(status.demand.takes,
            "a registered app with a key in the phone's hardware (Android: tee, iOS: secure-chip)");
  ASSERT_THAT(status.warnings, ::testing::SizeIs(2));
  EXPECT_THAT(status.warnings[0], ::testing::HasSubstr("--allow-host-builds"));
  EXPECT_THAT(status.warnings[1], ::testing::HasSubstr("unreachable"));
  register_app();
  EXPECT_THAT(ids(attest()), ElementsAre(FindingId::kHardwareAssurance));
}

TEST_F(VerifierTest, WritesDevicesInBatches) {
  register_app();
  attest();
  attest();
  EXPECT_TRUE(store_->devices(10)->empty()) << "the hot path writes nothing";
  ASSERT_TRUE(verifier_->housekeep());
  auto devices = store_->devices(10);
  ASSERT_EQ(devices->size(), 1U);
  EXPECT_TRUE(devices->front().passed);
  EXPECT_EQ(devices->front().package_name, "com.example.app");
}

TEST_F(VerifierTest, KnowsItsOperators) {
  EXPECT_TRUE(verifier_->operators().first_start());
  const auto admin = verifier_->operators().make_token("admin", model::Role::kAdmin);
  const auto developer = verifier_->operators().make_token("developer", model::Role::kDeveloper);
  EXPECT_TRUE(admin->starts_with("tmk_admin_"));
  EXPECT_TRUE(developer->starts_with("tmk_developer_"));
  EXPECT_EQ(verifier_->operators().authenticate(*admin)->role, model::Role::kAdmin);
  EXPECT_EQ(verifier_->operators().authenticate(*developer)->role, model::Role::kDeveloper);
  EXPECT_EQ(verifier_->operators().authenticate(*developer)->name, "developer");
  EXPECT_FALSE(verifier_->operators().authenticate(""));
  EXPECT_FALSE(verifier_->operators().authenticate(*admin + "x"));
  // A new token of the same name ends the old one.
  ASSERT_TRUE(verifier_->operators().make_token("admin", model::Role::kAdmin));
  EXPECT_FALSE(verifier_->operators().authenticate(*admin));
}

TEST_F(VerifierTest, NotesWhatOperatorsDo) {
  const auto registered = verifier_->registry().register_package(kPackage, {}, "alice");
  ASSERT_TRUE(registered);
  ASSERT_TRUE(verifier_->api_domains().put({"api.example", {}}, "bob"));
  ASSERT_TRUE(verifier_->key_sets().secrets("default", "carol"));
  ASSERT_TRUE(verifier_->key_sets().example_token(true, "default", "192.0.2.1", "dave"));
  ASSERT_TRUE(verifier_->api_domains().remove("api.example", "bob"));
  ASSERT_TRUE(verifier_->registry().remove_registration(registered->registration.id, "alice"));
  const Json log = routes::to_json(verifier_->operators().audit_log(100).value());
  EXPECT_EQ(log["intact"], true);
  std::vector<std::string> seen;
  for (const Json& entry : log["entries"]) {
    seen.push_back(entry["actor"].get<std::string>() + " " + entry["action"].get<std::string>());
  }
  EXPECT_THAT(seen, ElementsAre("alice registration.remove", "bob api.remove", "dave token.example",
                                "carol secret.read", "bob api.put", "alice registration.add"));
}

TEST_F(VerifierTest, RefusesSettingsThatCannotWork) {
  const auto refused = [&](auto change) {
    state::ServiceSettings settings = settings_;
    change(settings);
    auto service = Verifier::open(*store_, master_key_, clock_, random_, settings);
    return !service && service.error().is(state::SettingsError::kBadSettings);
  };
  EXPECT_FALSE(refused([](state::ServiceSettings&) {}));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.public_urls.clear(); }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.token_lifetime = Seconds(0); }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.challenge_lifetime = Seconds(86400); }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.extra_claims = {"role"}; }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.extra_claims = {"iss"}; }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.extra_claims = {"aud"}; }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.extra_claims = {"arc"}; }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) { s.extra_claims = {"ear"}; }));
  EXPECT_TRUE(refused([](state::ServiceSettings& s) {
    s.tls_terminated_by_proxy = true;
    s.service_pins = {"x"};
  }));
}

TEST_F(VerifierTest, MakesExampleTokens) {
  const auto valid = verifier_->key_sets().example_token(true, "default", "192.0.2.1", "admin");
  const auto decoy = verifier_->key_sets().example_token(false, "default", "192.0.2.1", "admin");
  EXPECT_EQ(verifier_->key_sets().check_token(*valid).status, appraisal::TokenStatus::kValid);
  EXPECT_EQ(verifier_->key_sets().check_token(*decoy).status, appraisal::TokenStatus::kInvalid);
}

}  // namespace
}  // namespace touchmark::verifier
