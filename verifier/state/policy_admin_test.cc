// Policies, canaries and forced devices through the real service and its store.
#include "verifier/state/policy_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "protocol/device_id.h"
#include "verifier/policy/document.h"
#include "verifier/state/policy_keeper.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::state {
namespace {

using ::testing::HasSubstr;
using testing::MemoryApp;
using testing::SoftAttester;

const std::string kNoOldPhones = "version = 1\n[android]\nmin_os_version = 14\n";

class PolicyAdminTest : public ::testing::Test {
 protected:
  PolicyAdminTest() {
    store_ = std::move(store::open_sqlite(":memory:").value());
    settings_.public_urls = {"https://localhost:8443"};
    settings_.tls_spki_sha256.fill(std::byte{0x22});
    const SoftAttester attester(app_, "");
    EXPECT_TRUE(
        store_->put_registration(app_.registration(clock_.now() - Seconds(3600)), app_.reader()));
    reopen();
  }
  void reopen() {
    service_.reset();
    auto service = Service::open(*store_, Bytes(32), clock_, random_, settings_);
    ASSERT_TRUE(service) << service.error().text();
    service_ = std::move(*service);
  }
  PolicyAdmin& policies() { return service_->policies(); }
  std::int64_t revision() { return policies().show()["revision"].get<std::int64_t>(); }
  void set(const std::string& text, std::optional<unsigned> canary = {}) {
    auto done = policies().put(text, revision(), canary, "admin");
    ASSERT_TRUE(done) << done.error().text();
  }
  SoftAttester phone() { return {app_, service_->account()}; }
  // One attestation by a phone with this Android.
  Verdict attest(const SoftAttester& phone, const std::string& os_version = "13",
                 const Json& changes = Json::object()) {
    auto challenge = service_->challenge(phone.challenge_request());
    EXPECT_TRUE(challenge);
    Json claims = phone.claims(Json::parse(*challenge));
    claims["platform"]["os_version"] = os_version;
    claims.merge_patch(changes);
    last_request_ = phone.attest_request(claims);
    auto answer = service_->attest(last_request_, {"192.0.2.1", phone.exporter});
    EXPECT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(service_->check_token(Json::parse(answer->body)["token"].get<std::string>()).status,
              answer->verdict.passed ? TokenStatus::kValid : TokenStatus::kInvalid);
    return answer->verdict;
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  ServiceSettings settings_;
  MemoryApp app_ = MemoryApp::make();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Service> service_;
  std::string last_request_;
};

TEST_F(PolicyAdminTest, StartsWithTheDefaultDocument) {
  const Json shown = policies().show();
  EXPECT_EQ(shown["text"], policy::default_document());
  EXPECT_EQ(shown["revision"], 1);
  EXPECT_EQ(shown["canary"], nullptr);
  EXPECT_TRUE(attest(phone()).passed);
}

TEST_F(PolicyAdminTest, ANewPolicyActsAtOnceAndAfterARestart) {
  set(kNoOldPhones);
  EXPECT_FALSE(attest(phone(), "13").passed);
  EXPECT_TRUE(attest(phone(), "14").passed);
  reopen();
  EXPECT_FALSE(attest(phone(), "13").passed);
  EXPECT_EQ(policies().show()["text"], kNoOldPhones);
  EXPECT_EQ(policies().show()["actor"], "admin");
  const Json entry = service_->audit_log(1).value()["entries"][0];
  EXPECT_EQ(entry["action"], "policy.set");
  EXPECT_EQ(entry["actor"], "admin");
}

TEST_F(PolicyAdminTest, ABadPolicyNeverReplacesTheOneInForce) {
  set(kNoOldPhones);
  const Json before = policies().show();
  const Json audit = service_->audit_log(100).value();
  for (const char* bad : {"", "version = 2", "version = 1\nfindigs = 1", "not toml",
                          "version = 1\n[android]\nmin_os_version = \"x\""}) {
    for (const std::optional<unsigned> canary : {std::optional<unsigned>(), {10U}}) {
      auto done = policies().put(bad, revision(), canary, "admin");
      ASSERT_FALSE(done) << bad;
      EXPECT_TRUE(done.error().is(policy::DocumentError::kInvalid)) << done.error().text();
    }
  }
  EXPECT_EQ(policies().show(), before);
  EXPECT_EQ(service_->audit_log(100).value(), audit);
  EXPECT_FALSE(attest(phone(), "13").passed);
  reopen();
  EXPECT_EQ(policies().show()["text"], kNoOldPhones);
  EXPECT_FALSE(attest(phone(), "13").passed);
}

TEST_F(PolicyAdminTest, TwoAdminsDoNotOverwriteEachOther) {
  const std::int64_t seen = revision();
  set(kNoOldPhones);
  auto late = policies().put("version = 1", seen, {}, "other");
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is(PolicyError::kConflict));
  EXPECT_EQ(policies().show()["text"], kNoOldPhones);
}

TEST_F(PolicyAdminTest, TheCommandLinesAllowanceHoldsUnderEveryPolicy) {
  const Json host{{"sdk", {{"build", "host"}}}};
  EXPECT_FALSE(attest(phone(), "14", host).passed);
  settings_.allow_host_builds = true;
  reopen();
  EXPECT_TRUE(attest(phone(), "14", host).passed);
  set(kNoOldPhones);
  EXPECT_TRUE(attest(phone(), "14", host).passed);
}

TEST_F(PolicyAdminTest, ACanaryHoldsForItsShareOfTheDevices) {
  set(kNoOldPhones, 30);
  EXPECT_EQ(policies().show()["text"], policy::default_document());
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
  const Json canary = policies().show()["canary"];
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

TEST_F(PolicyAdminTest, ACanaryIsPromotedOrAborted) {
  const auto end = [&](PolicyAdmin::CanaryEnd how) {
    return policies().end_canary(how, revision(), "admin");
  };
  EXPECT_TRUE(end(PolicyAdmin::CanaryEnd::kAbort).error().is(PolicyError::kNoCanary));
  set(kNoOldPhones, 99);
  auto stale = policies().end_canary(PolicyAdmin::CanaryEnd::kPromote, 1, "admin");
  EXPECT_TRUE(stale.error().is(PolicyError::kConflict));
  ASSERT_TRUE(end(PolicyAdmin::CanaryEnd::kAbort));
  EXPECT_TRUE(attest(phone()).passed);
  set(kNoOldPhones, 1);
  ASSERT_TRUE(end(PolicyAdmin::CanaryEnd::kPromote));
  EXPECT_EQ(policies().show()["text"], kNoOldPhones);
  EXPECT_EQ(policies().show()["canary"], nullptr);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(attest(phone()).passed);
  for (const unsigned percent : {0U, 100U}) {
    auto bad = policies().put(kNoOldPhones, revision(), percent, "admin");
    EXPECT_TRUE(bad.error().is(PolicyError::kBadPercent));
  }
}

TEST_F(PolicyAdminTest, ReplayTellsWhoWouldNewlyFailOrPass) {
  const SoftAttester old_phone = phone();
  const SoftAttester new_phone = phone();
  const SoftAttester rooted = phone();
  attest(old_phone, "13");
  attest(old_phone, "13");
  attest(new_phone, "14");
  const Json finding{{"findings", {{{"id", "root.su"}, {"detail", "su"}}}}};
  const Verdict refused = attest(rooted, "14", finding);
  EXPECT_FALSE(refused.passed);
  const Json replayed =
      policies().replay(kNoOldPhones + "[findings]\n\"root.su\" = \"annotate\"", 100).value();
  EXPECT_EQ(replayed["appraisals"], 4);
  EXPECT_EQ(replayed["newly_failing"], (Json{{"appraisals", 2}, {"devices", 1}}));
  EXPECT_EQ(replayed["newly_passing"], (Json{{"appraisals", 1}, {"devices", 1}}));
  EXPECT_EQ(replayed["reasons"], (Json{{"device.os-version", 2}, {"root.su", 1}}));
  ASSERT_EQ(replayed["devices"].size(), 2U);
  EXPECT_EQ(replayed["devices"][0]["did"], refused.did);
  EXPECT_EQ(replayed["devices"][0]["passes"], true);
  EXPECT_EQ(replayed["devices"][0]["reasons"], Json::array({"root.su"}));
  EXPECT_EQ(replayed["devices"][1]["passes"], false);
  EXPECT_EQ(policies().replay(kNoOldPhones, 1).value()["appraisals"], 1);
  EXPECT_TRUE(policies().replay("version = 3", 1).error().is(policy::DocumentError::kInvalid));
  EXPECT_EQ(policies().show()["text"], policy::default_document()) << "it only looks";
}

TEST_F(PolicyAdminTest, KeepsNoAddressAndABoundedNumberOfAppraisals) {
  attest(phone());
  ASSERT_TRUE(service_->flush());
  const auto records = store_->appraisals(10, std::nullopt).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].content.find("192.0.2.1"), std::string::npos) << records[0].content;
  const std::vector<store::AppraisalRecord> many(static_cast<std::size_t>(store::kKeptAppraisals),
                                                 records[0]);
  ASSERT_TRUE(store_->put_appraisals(many));
  ASSERT_TRUE(store_->put_appraisals({records[0]}));
  EXPECT_EQ(store_->appraisals(1'000'000, std::nullopt)->size(),
            static_cast<std::size_t>(store::kKeptAppraisals));
}

TEST_F(PolicyAdminTest, ForcesOneDevice) {
  const SoftAttester mine = phone();
  const SoftAttester other = phone();
  const Json hook{{"findings", {{{"id", "hook.framework"}, {"detail", "frida"}}}}};
  EXPECT_FALSE(attest(mine, "14", hook).passed);
  auto forced = policies().force("latest", policy::Force::kPass, "admin");
  ASSERT_TRUE(forced) << forced.error().text();
  EXPECT_EQ((*forced)["did"], protocol::device_id(mine.key));
  EXPECT_TRUE(attest(other).passed);
  EXPECT_TRUE(attest(mine, "14", hook).passed) << "latest was resolved when it was said";
  EXPECT_FALSE(attest(other, "14", hook).passed);
  reopen();
  EXPECT_TRUE(attest(mine, "14", hook).passed);
  ASSERT_TRUE(policies().force(protocol::device_id(mine.key), policy::Force::kFail, "admin"));
  EXPECT_FALSE(attest(mine).passed);
  ASSERT_TRUE(policies().force(protocol::device_id(mine.key), policy::Force::kNone, "admin"));
  EXPECT_TRUE(attest(mine).passed);
  auto again = policies().force(protocol::device_id(mine.key), policy::Force::kNone, "admin");
  EXPECT_TRUE(again.error().is(store::StoreError::kNotFound));
}

// A forced pass is for the device, not for who recorded its evidence.
TEST_F(PolicyAdminTest, AForcedPassDoesNotLetEvidencePassTwice) {
  const SoftAttester mine = phone();
  attest(mine);
  ASSERT_TRUE(policies().force("latest", policy::Force::kPass, "admin"));
  EXPECT_TRUE(attest(mine).passed);
  auto replayed = service_->attest(last_request_, {"192.0.2.1", mine.exporter});
  EXPECT_FALSE(replayed->verdict.passed);
  auto relayed = service_->attest(last_request_, {"192.0.2.1", Bytes(32, std::byte{9})});
  EXPECT_FALSE(relayed->verdict.passed);
}

TEST_F(PolicyAdminTest, ShowsADeviceWithItsVerdictExplained) {
  EXPECT_TRUE(policies().device("latest").error().is(PolicyError::kNoDevice));
  EXPECT_TRUE(
      policies().force("latest", policy::Force::kPass, "admin").error().is(PolicyError::kNoDevice));
  set(kNoOldPhones);
  const Verdict verdict = attest(phone(), "13");
  const Json device = policies().device("latest").value();
  EXPECT_EQ(device["did"], verdict.did);
  EXPECT_EQ(device["passed"], false);
  EXPECT_EQ(device["force"], "none");
  EXPECT_EQ(device["appraisal"]["facts"]["os_version"], "13");
  const Json finding = device["appraisal"]["findings"][0];
  EXPECT_EQ(finding["id"], "device.os-version");
  EXPECT_EQ(finding["requirement"], (Json{{"key", "android.min_os_version"}, {"line", 3}}));
  EXPECT_EQ(finding["would_pass"], "Android 14 or later");
  EXPECT_EQ(policies().device(verdict.did).value(), device);
  EXPECT_EQ(policies().devices(10).value()["devices"].size(), 1U);
  EXPECT_TRUE(policies().device("me").error().is(PolicyError::kBadDevice));
  EXPECT_TRUE(policies().device(base64_encode(Bytes(16))).error().is(PolicyError::kNoDevice));
}

// Each platform has its own assurance, so a release of one must not speak for the other.
TEST_F(PolicyAdminTest, AReleaseForOnePlatformCannotClaimTheOther) {
  set("version = 1\n[assurance]\nandroid = \"tee\"\nios = \"software\"\n");
  const Verdict verdict = attest(phone(), "17", {{"sdk", {{"build", "ios"}}}});
  EXPECT_FALSE(verdict.passed);
  ASSERT_EQ(verdict.findings.size(), 1U);
  EXPECT_EQ(verdict.findings[0].id, protocol::FindingId::kAppClaimsMismatch);
  EXPECT_THAT(verdict.findings[0].detail, HasSubstr("platform"));
}

}  // namespace
}  // namespace touchmark::verifier::state
