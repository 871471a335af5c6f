// Policies, canaries and forced devices through the real service and its store.
#include "verifier/state/policy_rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "protocol/device_id.h"
#include "verifier/policy/document.h"
#include "verifier/routes/json.h"
#include "verifier/testing/fixtures.h"
#include "verifier/verifier.h"

namespace touchmark::verifier::state {
namespace {

using ::testing::HasSubstr;
using testing::MemoryApp;
using testing::SoftAttester;

const std::string kNoOldPhones = "version = 1\n[android]\nmin_os_version = 14\n";

class PolicyRolloutTest : public ::testing::Test {
 protected:
  PolicyRolloutTest() {
    store_ = std::move(store::open_sqlite(":memory:").value());
    settings_.public_urls = {"https://verifier.example:8443"};
    settings_.tls_spki_sha256.fill(std::byte{0x22});
    testing::put_policy(*store_);
    const SoftAttester attester(app_, "");
    EXPECT_TRUE(testing::put_registration(*store_, app_.registration(clock_.now() - Seconds(3600)),
                                          app_.reader()));
    reopen();
  }
  void reopen() {
    verifier_.reset();
    auto service = Verifier::open(*store_, Bytes(32), clock_, random_, settings_);
    ASSERT_TRUE(service) << service.error().text();
    verifier_ = std::move(*service);
  }
  PolicyRollout& policies() { return verifier_->policy(); }
  Json shown() { return routes::to_json(*policies().show()); }
  Json replay(const std::string& text, std::size_t last) {
    const auto policy = policies().compile(text).value();
    return routes::to_json(verifier_->journal().replay(policy, last).value());
  }
  // As the route shows it.
  Json device(const std::string& name) {
    const Device device = verifier_->devices().find(name).value();
    const auto appraisal = verifier_->journal().newest(device.record.device_id).value();
    Json out = routes::to_json(device);
    out["appraisal"] =
        routes::explained(appraisal.value(), policies().show()->current.policy, device.force());
    return out;
  }
  std::int64_t revision() { return policies().show()->revision; }
  void set(const std::string& text, std::optional<unsigned> canary = {}) {
    auto done = policies().put(text, revision(), canary, "admin");
    ASSERT_TRUE(done) << done.error().text();
  }
  SoftAttester phone() { return {app_, verifier_->account()}; }
  // One attestation by a phone with this Android.
  AttestationRecord attest(const SoftAttester& phone, const std::string& os_version = "13",
                           const Json& changes = Json::object()) {
    auto challenge = verifier_->attestation().challenge(phone.challenge_request());
    EXPECT_TRUE(challenge);
    Json claims = phone.claims(Json::parse(*challenge));
    claims["platform"]["os_version"] = os_version;
    claims.merge_patch(changes);
    last_request_ = phone.attest_request(claims);
    auto answer = verifier_->attestation().attest(last_request_, {"192.0.2.1", phone.exporter});
    EXPECT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(
        verifier_->key_sets()
            .check_token(Json::parse(answer->body)["token"].get<std::string>())
            .status,
        answer->record.passed ? appraisal::TokenStatus::kValid : appraisal::TokenStatus::kInvalid);
    return answer->record;
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  ServiceSettings settings_;
  MemoryApp app_ = MemoryApp::make();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Verifier> verifier_;
  std::string last_request_;
};

TEST_F(PolicyRolloutTest, StartsWithTheDefaultDocument) {
  verifier_.reset();
  store_ = std::move(store::open_sqlite(":memory:").value());
  EXPECT_TRUE(testing::put_registration(*store_, app_.registration(clock_.now() - Seconds(3600)),
                                        app_.reader()));
  reopen();
  const Json first = shown();
  EXPECT_EQ(first["text"], policy::default_document());
  EXPECT_EQ(first["revision"], 1);
  EXPECT_EQ(first["canary"], nullptr);
  EXPECT_FALSE(attest(phone()).passed) << "a script is refused";
}

TEST_F(PolicyRolloutTest, ANewPolicyActsAtOnceAndAfterARestart) {
  set(kNoOldPhones);
  EXPECT_FALSE(attest(phone(), "13").passed);
  EXPECT_TRUE(attest(phone(), "14").passed);
  reopen();
  EXPECT_FALSE(attest(phone(), "13").passed);
  EXPECT_EQ(shown()["text"], kNoOldPhones);
  EXPECT_EQ(shown()["actor"], "admin");
  const Json entry = routes::to_json(verifier_->operators().audit_log(1).value())["entries"][0];
  EXPECT_EQ(entry["action"], "policy.set");
  EXPECT_EQ(entry["actor"], "admin");
}

TEST_F(PolicyRolloutTest, ABadPolicyNeverReplacesTheOneInForce) {
  set(kNoOldPhones);
  const Json before = shown();
  const Json audit = routes::to_json(verifier_->operators().audit_log(100).value());
  for (const char* bad : {"", "version = 2", "version = 1\nfindigs = 1", "not toml",
                          "version = 1\n[android]\nmin_os_version = \"x\""}) {
    for (const std::optional<unsigned> canary : {std::optional<unsigned>(), {10U}}) {
      auto done = policies().put(bad, revision(), canary, "admin");
      ASSERT_FALSE(done) << bad;
      EXPECT_TRUE(done.error().is(policy::DocumentError::kInvalid)) << done.error().text();
    }
  }
  EXPECT_EQ(shown(), before);
  EXPECT_EQ(routes::to_json(verifier_->operators().audit_log(100).value()), audit);
  EXPECT_FALSE(attest(phone(), "13").passed);
  reopen();
  EXPECT_EQ(shown()["text"], kNoOldPhones);
  EXPECT_FALSE(attest(phone(), "13").passed);
}

TEST_F(PolicyRolloutTest, TwoAdminsDoNotOverwriteEachOther) {
  const std::int64_t seen = revision();
  set(kNoOldPhones);
  auto late = policies().put("version = 1", seen, {}, "other");
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is(PolicyError::kConflict));
  EXPECT_EQ(shown()["text"], kNoOldPhones);
}

TEST_F(PolicyRolloutTest, TheCommandLinesAllowanceHoldsUnderEveryPolicy) {
  const Json host{{"sdk", {{"build", "host"}}}};
  EXPECT_FALSE(attest(phone(), "14", host).passed);
  settings_.allow_host_builds = true;
  reopen();
  EXPECT_TRUE(attest(phone(), "14", host).passed);
  set(kNoOldPhones);
  EXPECT_TRUE(attest(phone(), "14", host).passed);
}

TEST_F(PolicyRolloutTest, ACanaryHoldsForItsShareOfTheDevices) {
  set(kNoOldPhones, 30);
  EXPECT_EQ(shown()["text"], testing::kSoftwarePasses);
  std::vector<SoftAttester> phones;
  std::vector<bool> failed;
  std::size_t failures = 0;
  for (int i = 0; i < 100; ++i) {
    phones.push_back(phone());
    failed.push_back(!attest(phones.back()).passed);
    failures += failed.back() ? 1 : 0;
  }
  // Binomial with p = 0.3: out of these bounds once in a hundred million runs.
  EXPECT_GT(failures, 6U);
  EXPECT_LT(failures, 58U);
  const Json canary = shown()["canary"];
  EXPECT_EQ(canary["percent"], 30);
  EXPECT_EQ(canary["appraisals"], failures);
  EXPECT_EQ(canary["newly_failing"], failures);
  EXPECT_EQ(canary["newly_passing"], 0);
  reopen();
  for (std::size_t i = 0; i < phones.size(); ++i) {
    EXPECT_EQ(!attest(phones[i]).passed, failed[i]) << "a device stays where it is";
  }
  set(kNoOldPhones, 60);
  for (std::size_t i = 0; i < phones.size(); ++i) {
    const bool fails = !attest(phones[i]).passed;
    EXPECT_TRUE(fails || !failed[i]) << "a larger share only adds devices";
  }
}

TEST_F(PolicyRolloutTest, ACanaryIsPromotedOrAborted) {
  const auto end = [&](PolicyRollout::CanaryEnd how) {
    return policies().end_canary(how, revision(), "admin");
  };
  EXPECT_TRUE(end(PolicyRollout::CanaryEnd::kAbort).error().is(PolicyError::kNoCanary));
  set(kNoOldPhones, 99);
  auto stale = policies().end_canary(PolicyRollout::CanaryEnd::kPromote, 1, "admin");
  EXPECT_TRUE(stale.error().is(PolicyError::kConflict));
  ASSERT_TRUE(end(PolicyRollout::CanaryEnd::kAbort));
  EXPECT_TRUE(attest(phone()).passed);
  set(kNoOldPhones, 1);
  ASSERT_TRUE(end(PolicyRollout::CanaryEnd::kPromote));
  EXPECT_EQ(shown()["text"], kNoOldPhones);
  EXPECT_EQ(shown()["canary"], nullptr);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(attest(phone()).passed);
  for (const unsigned percent : {0U, 100U}) {
    auto bad = policies().put(kNoOldPhones, revision(), percent, "admin");
    EXPECT_TRUE(bad.error().is(PolicyError::kBadPercent));
  }
}

TEST_F(PolicyRolloutTest, ReplayTellsWhoWouldNewlyFailOrPass) {
  const SoftAttester old_phone = phone();
  const SoftAttester new_phone = phone();
  const SoftAttester rooted = phone();
  attest(old_phone, "13");
  attest(old_phone, "13");
  attest(new_phone, "14");
  const Json finding{{"findings", {{{"id", "root.su"}, {"detail", "su"}}}}};
  const AttestationRecord refused = attest(rooted, "14", finding);
  EXPECT_FALSE(refused.passed);
  const Json replayed = replay(kNoOldPhones + "[findings]\n\"root.su\" = \"annotate\"", 100);
  EXPECT_EQ(replayed["appraisals"], 4);
  EXPECT_EQ(replayed["newly_failing"], (Json{{"appraisals", 2}, {"devices", 1}}));
  EXPECT_EQ(replayed["newly_passing"], (Json{{"appraisals", 1}, {"devices", 1}}));
  EXPECT_EQ(replayed["reasons"], (Json{{"device.os-version", 2}, {"root.su", 1}}));
  ASSERT_EQ(replayed["devices"].size(), 2U);
  EXPECT_EQ(replayed["devices"][0]["did"], refused.device_id);
  EXPECT_EQ(replayed["devices"][0]["passes"], true);
  EXPECT_EQ(replayed["devices"][0]["reasons"], Json::array({"root.su"}));
  EXPECT_EQ(replayed["devices"][1]["passes"], false);
  EXPECT_EQ(replay(kNoOldPhones, 1)["appraisals"], 1);
  EXPECT_TRUE(policies().compile("version = 3").error().is(policy::DocumentError::kInvalid));
  EXPECT_EQ(shown()["text"], testing::kSoftwarePasses) << "it only looks";
}

TEST_F(PolicyRolloutTest, KeepsNoAddressAndABoundedNumberOfAppraisals) {
  attest(phone());
  ASSERT_TRUE(verifier_->housekeep());
  const auto records = store_->appraisals(10, std::nullopt, INT64_MAX).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].content.find("192.0.2.1"), std::string::npos) << records[0].content;
  const std::vector<model::AppraisalRecord> many(static_cast<std::size_t>(model::kKeptAppraisals),
                                                 records[0]);
  ASSERT_TRUE(testing::write(*store_, &store::Transaction::put_appraisals, many));
  ASSERT_TRUE(testing::write(*store_, &store::Transaction::put_appraisals, {records[0]}));
  EXPECT_EQ(store_->appraisals(1'000'000, std::nullopt, INT64_MAX)->size(),
            static_cast<std::size_t>(model::kKeptAppraisals));
}

TEST_F(PolicyRolloutTest, ForcesOneDevice) {
  const SoftAttester mine = phone();
  const SoftAttester other = phone();
  const Json hook{{"findings", {{{"id", "hook.framework"}, {"detail", "frida"}}}}};
  EXPECT_FALSE(attest(mine, "14", hook).passed);
  const std::string latest = verifier_->devices().find("latest").value().record.device_id;
  EXPECT_TRUE(attest(other).passed);
  auto forced = verifier_->devices().force(latest, policy::Force::kPass, "admin");
  ASSERT_TRUE(forced) << forced.error().text();
  EXPECT_EQ(forced->device_id, protocol::device_id(mine.key));
  EXPECT_TRUE(attest(other).passed);
  EXPECT_TRUE(attest(mine, "14", hook).passed) << "whoever attests meanwhile";
  EXPECT_FALSE(attest(other, "14", hook).passed);
  reopen();
  EXPECT_TRUE(attest(mine, "14", hook).passed);
  ASSERT_TRUE(
      verifier_->devices().force(protocol::device_id(mine.key), policy::Force::kFail, "admin"));
  EXPECT_FALSE(attest(mine).passed);
  ASSERT_TRUE(
      verifier_->devices().force(protocol::device_id(mine.key), policy::Force::kNone, "admin"));
  EXPECT_TRUE(attest(mine).passed);
  auto again =
      verifier_->devices().force(protocol::device_id(mine.key), policy::Force::kNone, "admin");
  EXPECT_TRUE(again.error().is(store::StoreError::kNotFound));
}

TEST_F(PolicyRolloutTest, ListsEveryForcedDeviceSeenOrNot) {
  const SoftAttester seen = phone();
  const SoftAttester older = phone();
  const std::string never = base64_encode(Bytes(16, std::byte{7}));
  attest(older);
  ASSERT_TRUE(verifier_->devices().flush());
  clock_.advance(Seconds(10));
  attest(seen);
  Devices& devices = verifier_->devices();
  ASSERT_TRUE(devices.find(never).error().is(DeviceError::kNoDevice));
  ASSERT_TRUE(devices.force(never, policy::Force::kFail, "helen"));
  ASSERT_TRUE(devices.force(protocol::device_id(older.key), policy::Force::kPass, "admin"));
  const auto listed = [&](std::size_t limit) {
    std::vector<std::string> out;
    const auto devices_now = verifier_->devices().list(limit).value();
    for (const Device& device : devices_now) {
      out.push_back(device.record.device_id);
    }
    std::ranges::sort(out);
    return out;
  };
  std::vector<std::string> all{never, protocol::device_id(older.key),
                               protocol::device_id(seen.key)};
  std::ranges::sort(all);
  EXPECT_EQ(listed(100), all);
  EXPECT_EQ(listed(1), all) << "the one seen last, and those that are forced";
  reopen();
  EXPECT_EQ(listed(1), all);
  const Json shown = routes::to_json(verifier_->devices().find(never).value());
  EXPECT_EQ(shown, (Json{{"did", never},
                         {"last_seen", nullptr},
                         {"passed", nullptr},
                         {"arc", ""},
                         {"package", ""},
                         {"force", "fail"},
                         {"forced_by", "helen"},
                         {"forced_at", to_unix(clock_.now())},
                         {"address", nullptr}}));
  ASSERT_TRUE(verifier_->devices().force(never, policy::Force::kNone, "helen"));
  EXPECT_EQ(listed(100).size(), 2U);
}

// A forced pass is for the device, not for who recorded its evidence.
TEST_F(PolicyRolloutTest, AForcedPassDoesNotLetEvidencePassTwice) {
  const SoftAttester mine = phone();
  attest(mine);
  ASSERT_TRUE(
      verifier_->devices().force(protocol::device_id(mine.key), policy::Force::kPass, "admin"));
  EXPECT_TRUE(attest(mine).passed);
  auto replayed = verifier_->attestation().attest(last_request_, {"192.0.2.1", mine.exporter});
  EXPECT_FALSE(replayed->record.passed);
  auto relayed =
      verifier_->attestation().attest(last_request_, {"192.0.2.1", Bytes(32, std::byte{9})});
  EXPECT_FALSE(relayed->record.passed);
}

TEST_F(PolicyRolloutTest, ShowsADeviceWithItsVerdictExplained) {
  EXPECT_TRUE(verifier_->devices().find("latest").error().is(DeviceError::kNoDevice));
  EXPECT_TRUE(verifier_->devices()
                  .force("latest", policy::Force::kPass, "admin")
                  .error()
                  .is(DeviceError::kBadDevice));
  set(kNoOldPhones);
  const AttestationRecord verdict = attest(phone(), "13");
  const Json seen = device("latest");
  EXPECT_EQ(seen["did"], verdict.device_id);
  EXPECT_EQ(seen["passed"], false);
  EXPECT_EQ(seen["force"], "none");
  EXPECT_EQ(seen["appraisal"]["facts"]["os_version"], "13");
  const Json finding = seen["appraisal"]["findings"][0];
  EXPECT_EQ(finding["id"], "device.os-version");
  EXPECT_EQ(finding["requirement"], (Json{{"key", "android.min_os_version"}, {"line", 3}}));
  EXPECT_EQ(finding["would_pass"], "Android 14 or later");
  EXPECT_EQ(device(verdict.device_id), seen);
  EXPECT_EQ(verifier_->devices().list(10)->size(), 1U);
  EXPECT_TRUE(verifier_->devices().find("me").error().is(DeviceError::kBadDevice));
  EXPECT_TRUE(
      verifier_->devices().find(base64_encode(Bytes(16))).error().is(DeviceError::kNoDevice));
}

// Each platform has its own assurance, so a release of one must not speak for the other.
TEST_F(PolicyRolloutTest, AReleaseForOnePlatformCannotClaimTheOther) {
  set("version = 1\n[assurance]\nandroid = \"tee\"\nios = \"software\"\n");
  const AttestationRecord verdict = attest(phone(), "17", {{"sdk", {{"build", "ios"}}}});
  EXPECT_FALSE(verdict.passed);
  ASSERT_EQ(verdict.findings.size(), 2U);
  EXPECT_EQ(verdict.findings[0].id, protocol::FindingId::kAppClaimsMismatch);
  EXPECT_THAT(verdict.findings[0].detail, HasSubstr("platform"));
  // It is judged as what is registered, even where the policy does not reject the claim.
  EXPECT_EQ(verdict.findings[1].id, protocol::FindingId::kHardwareAssurance);
}

}  // namespace
}  // namespace touchmark::verifier::state
