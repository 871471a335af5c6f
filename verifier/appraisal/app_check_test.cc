#include "verifier/appraisal/app_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "base/encoding.h"
#include "verifier/appraisal/device_evidence.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

using package::Form;
using package::PartKind;
using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryApp;
using ::testing::Not;

const UnixTime kNow = from_unix(1'790'000'000);

package::Part part(const std::string& name, PartKind kind, const std::string& content) {
  return {name, kind, content.size(), crypto::sha256(as_bytes(content))};
}

// What a genuine attester says of an installed app.
Evidence evidence_of(const package::Measurement& installed) {
  Evidence out(crypto::EcKey::generate());
  out.os = "android";
  out.package_name = installed.package_name;
  out.version_name = installed.version_name;
  out.version_code = installed.version_code;
  out.measurement = package::digest(installed);
  out.signers.insert(installed.signers.begin(), installed.signers.end());
  for (const package::Part& one : installed.parts) {
    if (one.code_bearing()) out.parts.emplace(one.name, one.sha256);
  }
  out.splits = package::split_digests(installed);
  return out;
}

model::Registration registration_of(const package::Measurement& measurement,
                                    std::optional<UnixTime> expires = {}) {
  return {"0123456789abcdef", measurement, kNow - Seconds(60), expires, "admin"};
}

model::SigningCertificate certificate(const Sha256Digest& signer, const std::string& package = "",
                                      bool development = false) {
  return {"cert-" + package, signer, "/CN=signer", package, development, kNow, {}, "admin"};
}

// With a range proof that matches.
std::vector<Finding> check(const Evidence& evidence, const ReferenceValues& references,
                           bool signers_proven = false) {
  return check_app(evidence, references, recognise(evidence, references),
                   {.range_proof = true, .signers = signers_proven}, kNow);
}

std::vector<FindingId> ids(const std::vector<Finding>& findings) {
  std::vector<FindingId> out;
  for (const Finding& finding : findings) out.push_back(finding.id);
  return out;
}

class CertificateTest : public ::testing::Test {
 protected:
  std::vector<FindingId> found(std::vector<model::SigningCertificate> certificates) const {
    const auto references = ReferenceValues::of({}, std::move(certificates));
    return ids(check(evidence_of(app_), *references));
  }
  package::Measurement app_ = MemoryApp::make().measurement;
  Sha256Digest signer_ = app_.signers.front();
};

TEST_F(CertificateTest, VouchesForAnAppThatNoRegistrationKnows) {
  EXPECT_THAT(found({}), ElementsAre(FindingId::kAppNotRegistered));
  EXPECT_THAT(found({certificate(signer_)}), ElementsAre(FindingId::kAppByCertificate));
  EXPECT_THAT(found({certificate(crypto::sha256(as_bytes("another")))}),
              ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(CertificateTest, MayCountForOneAppOnly) {
  EXPECT_THAT(found({certificate(signer_, app_.package_name)}),
              ElementsAre(FindingId::kAppByCertificate));
  EXPECT_THAT(found({certificate(signer_, "com.example.other")}),
              ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(CertificateTest, MustBeThereForEverySigner) {
  const Sha256Digest second = crypto::sha256(as_bytes("second signer"));
  app_.signers.push_back(second);
  EXPECT_THAT(found({certificate(signer_)}), ElementsAre(FindingId::kAppNotRegistered));
  EXPECT_THAT(found({certificate(signer_), certificate(second)}),
              ElementsAre(FindingId::kAppByCertificate));
  app_.signers.clear();
  EXPECT_THAT(found({certificate(signer_)}), ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(CertificateTest, EndsWithItsTime) {
  model::SigningCertificate over = certificate(signer_);
  over.expires = kNow;
  EXPECT_THAT(found({over}), ElementsAre(FindingId::kAppRegistrationExpired));
  model::SigningCertificate still = certificate(signer_, app_.package_name);
  still.expires = kNow + Seconds(1);
  EXPECT_THAT(found({over, still}), ElementsAre(FindingId::kAppByCertificate));
  EXPECT_THAT(found({still, over}), ElementsAre(FindingId::kAppByCertificate));
}

TEST_F(CertificateTest, IsEnoughWhereHardwareNamesTheSigner) {
  const auto references = ReferenceValues::of({}, {certificate(signer_)});
  const auto found_with = [&](const DeviceAppraisal& device) {
    return ids(check(evidence_of(app_), *references, device.names_signers()));
  };
  DeviceAppraisal device;
  const auto kept = ElementsAre(FindingId::kAppByCertificate);
  EXPECT_THAT(found_with(device), kept);
  device.assurance = policy::Assurance::kSecureChip;  // of App Attest, which names no signer
  EXPECT_THAT(found_with(device), kept);
  device.android.emplace();
  EXPECT_THAT(found_with(device), IsEmpty());
  device.assurance = policy::Assurance::kSoftware;  // a key that the phone's software keeps
  EXPECT_THAT(found_with(device), kept);
  device.play.emplace();
  EXPECT_THAT(found_with(device), kept);
  device.play->app_recognition = "PLAY_RECOGNIZED";
  EXPECT_THAT(found_with(device), IsEmpty());
  // Proven signers are not enough without a certificate that vouches for them.
  const auto nothing = ReferenceValues::of({});
  EXPECT_THAT(ids(check(evidence_of(app_), *nothing, true)),
              ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(CertificateTest, MarksWhatTheDevelopmentTeamSigned) {
  const model::SigningCertificate development = certificate(signer_, "", true);
  EXPECT_THAT(found({development}), ElementsAre(FindingId::kAppByCertificate));
  EXPECT_TRUE(signed_for_development(evidence_of(app_), *ReferenceValues::of({}, {development})));
  // A registered release, too.
  const auto references = ReferenceValues::of({registration_of(app_)}, {development});
  EXPECT_THAT(ids(check(evidence_of(app_), *references)), IsEmpty());
  EXPECT_TRUE(signed_for_development(evidence_of(app_), *references));
  EXPECT_FALSE(signed_for_development(evidence_of(app_), *references->with_certificates({})));
}

TEST(AppCheck, NamesWhatAnUnknownAppChanged) {
  package::Measurement app = MemoryApp::make().measurement;
  const auto references = ReferenceValues::of({registration_of(app)});
  package::Measurement changed = app;
  changed.parts.at(1).sha256[0] ^= std::byte{1};
  changed.parts.push_back(part("classes2.dex", PartKind::kDex, "added"));
  const auto code = check(evidence_of(changed), *references);
  EXPECT_THAT(ids(code), ElementsAre(FindingId::kAppNotRegistered));
  EXPECT_THAT(code.front().detail, HasSubstr("nearest is 0123456789abcdef"));
  EXPECT_THAT(code.front().detail, HasSubstr("\"classes.dex\" \"classes2.dex\""));
  EXPECT_THAT(code.front().detail, Not(HasSubstr("signers")));

  changed = app;
  changed.parts.front().sha256[0] ^= std::byte{1};  // the manifest
  EXPECT_THAT(check(evidence_of(changed), *references).front().detail,
              HasSubstr("differ: manifest, resources or assets"));
  changed.signers = {crypto::sha256(as_bytes("another"))};
  EXPECT_THAT(check(evidence_of(changed), *references).front().detail, HasSubstr("signers"));
  changed.package_name = "com.example.other";
  EXPECT_THAT(check(evidence_of(changed), *references).front().detail,
              HasSubstr("no release of \"com.example.other\""));
}

TEST(AppCheck, NamesTheRegistrationThatIsMostAlike) {
  package::Measurement old = MemoryApp::make().measurement;
  package::Measurement current = MemoryApp::make("com.example.app", "next").measurement;
  current.version_code = 8;
  model::Registration first = registration_of(old);
  first.id = "aaaaaaaaaaaaaaaa";
  model::Registration second = registration_of(current);
  second.id = "bbbbbbbbbbbbbbbb";
  second.created = kNow;
  const auto references = ReferenceValues::of({first, second});
  for (auto [app, id] : {std::pair{&old, &first.id}, std::pair{&current, &second.id}}) {
    package::Measurement changed = *app;
    changed.parts.back().sha256[0] ^= std::byte{1};
    const auto findings = check(evidence_of(changed), *references);
    EXPECT_THAT(findings.front().detail, HasSubstr("nearest is " + *id));
    EXPECT_THAT(findings.front().detail, HasSubstr("differ: \"lib/arm64-v8a/libapp.so\""));
  }
}

TEST(AppCheck, ComparesTheClaimsOfARegisteredApp) {
  const package::Measurement app = MemoryApp::make().measurement;
  const auto references = ReferenceValues::of({registration_of(app)});
  Evidence liar = evidence_of(app);
  liar.version_name = "2.0";
  liar.parts.at("classes.dex")[0] ^= std::byte{1};
  const auto findings = check(liar, *references);
  EXPECT_THAT(ids(findings), ElementsAre(FindingId::kAppClaimsMismatch));
  EXPECT_THAT(findings.front().detail, HasSubstr("version \"classes.dex\""));
}

// A base, a split for each of two processors, and one for a language.
class SplitsTest : public ::testing::Test {
 protected:
  SplitsTest() {
    release_ = MemoryApp::make().measurement;
    release_.form = Form::kSplits;
    release_.parts = {part("AndroidManifest.xml", PartKind::kManifest, "manifest"),
                      part("assets/a", PartKind::kAsset, "asset"),
                      part("classes.dex", PartKind::kDex, "dex"),
                      part("config.arm!/lib/armeabi-v7a/a.so", PartKind::kNativeLibrary, "arm"),
                      part("config.de!/resources.arsc", PartKind::kResources, "Guten Tag"),
                      part("config.x86!/lib/x86/a.so", PartKind::kNativeLibrary, "x86")};
    references_ = ReferenceValues::of({registration_of(release_)});
  }
  // The release with only these splits.
  package::Measurement installed(const std::set<std::string>& splits) const {
    package::Measurement out = release_;
    std::erase_if(out.parts, [&](const package::Part& one) {
      return !splits.contains(std::string(package::split_of(one.name)));
    });
    return out;
  }
  std::vector<FindingId> found(const Evidence& evidence) const {
    return ids(check(evidence, *references_));
  }

  package::Measurement release_;
  ReferenceValues::Shared references_;
};

TEST_F(SplitsTest, RecognisesWhatADeviceHasOfThem) {
  for (const std::set<std::string>& splits :
       {std::set<std::string>{""}, {"", "config.arm"}, {"", "config.x86", "config.de"}}) {
    const Evidence evidence = evidence_of(installed(splits));
    const Recognition app = recognise(evidence, *references_);
    ASSERT_NE(app.reference, nullptr);
    EXPECT_TRUE(app.in_part);
    EXPECT_EQ(app.code.size(), evidence.parts.size());
    EXPECT_THAT(found(evidence), IsEmpty());
  }
  // All of them is the release itself.
  EXPECT_FALSE(recognise(evidence_of(release_), *references_).in_part);
}

TEST_F(SplitsTest, FindsAnOldReleaseAmongManyNewOnes) {
  std::vector<model::Registration> registrations{registration_of(release_)};
  for (std::uint64_t version = 100; version < 150; ++version) {
    package::Measurement newer = release_;
    newer.version_code = version;
    registrations.push_back(registration_of(newer));
    registrations.back().created = kNow + Seconds(60);
  }
  references_ = ReferenceValues::of(std::move(registrations));
  EXPECT_THAT(found(evidence_of(installed({"", "config.arm"}))), IsEmpty());
  package::Measurement changed = installed({"", "config.arm"});
  changed.parts.at(2).sha256[0] ^= std::byte{1};
  const auto findings = check(evidence_of(changed), *references_);
  EXPECT_THAT(findings.front().detail, HasSubstr("differ: \"classes.dex\""));
  EXPECT_THAT(findings.front().detail, Not(HasSubstr("x86")));
}

TEST_F(SplitsTest, RefusesOnesThatAreNotWhollyTheRegisteredOnes) {
  const auto unknown = ElementsAre(FindingId::kAppNotRegistered);
  package::Measurement changed = installed({"", "config.arm"});
  changed.parts.at(1).sha256[0] ^= std::byte{1};  // an asset, which is no code
  EXPECT_THAT(found(evidence_of(changed)), unknown);
  changed = installed({"", "config.de"});
  changed.parts.pop_back();
  changed.parts.push_back(part("config.de!/classes.dex", PartKind::kDex, "more"));
  EXPECT_THAT(found(evidence_of(changed)), unknown);
  EXPECT_THAT(found(evidence_of(installed({"config.arm"}))), unknown);  // without the base

  Evidence hidden = evidence_of(installed({""}));
  hidden.parts.emplace("config.arm!/lib/armeabi-v7a/a.so", crypto::sha256(as_bytes("arm")));
  EXPECT_THAT(found(hidden), unknown);  // code from a split that is not named
  Evidence silent = evidence_of(installed({"", "config.arm"}));
  silent.splits.clear();
  EXPECT_THAT(found(silent), unknown);
  Evidence other = evidence_of(installed({""}));
  other.signers = {crypto::sha256(as_bytes("another"))};
  EXPECT_THAT(found(other), unknown);
}

// --- What one attestation may cost ---------------------------------------------------------------

// A release with many parts, of which the seed decides the last.
package::Measurement large_release(Form form, const std::string& seed) {
  package::Measurement out;
  out.form = form;
  out.package_name = "com.example.app";
  out.version_code = 7;
  out.signers = {crypto::sha256(as_bytes("signer"))};
  for (int i = 0; i < 3200; ++i) {
    const std::string name = "lib/arm64-v8a/lib" + std::to_string(10'000 + i) + ".so";
    out.parts.push_back(part(name, PartKind::kNativeLibrary, i == 3199 ? seed : name));
  }
  return out;
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Costs {
  double few = 1e9;
  double many = 1e9;
};

// The least of ten each, in turns, since others run on the same processor.
Costs costs_of(const Evidence& evidence, const ReferenceValues& few, const ReferenceValues& many) {
  const auto cost = [&](const ReferenceValues& references) {
    const double before = cpu_seconds();
    check(evidence, references);
    return cpu_seconds() - before;
  };
  Costs least;
  for (int i = 0; i < 10; ++i) {
    least.few = std::min(least.few, cost(few));
    least.many = std::min(least.many, cost(many));
  }
  return least;
}

ReferenceValues::Shared large_releases(Form form, int count) {
  std::vector<model::Registration> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(registration_of(large_release(form, "release " + std::to_string(i))));
    out.back().id += std::to_string(i);
  }
  return ReferenceValues::of(std::move(out));
}

class CostTest : public ::testing::TestWithParam<Form> {};
class InPartTest : public ::testing::TestWithParam<Form> {};

// Against many large releases that are like it in all but a part, evidence costs about what it
// costs against six, which use up the bound on comparisons.
TEST_P(CostTest, DoesNotGrowWithTheReleases) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "TSan multiplies what is measured here";
#endif
  const auto few = large_releases(GetParam(), 6);
  const auto many = large_releases(GetParam(), 40);
  Evidence unknown = evidence_of(large_release(GetParam(), "nobody's"));
  Evidence changed = unknown;
  changed.version_code = 8;
  // Parts of each release, so that none is refused at its first part.
  Evidence subset = unknown;
  subset.parts.erase(std::prev(subset.parts.end()));
  for (const Evidence& evidence : {unknown, changed, subset}) {
    const Costs costs = costs_of(evidence, *few, *many);
    RecordProperty("few_us", static_cast<int>(costs.few * 1e6));
    RecordProperty("many_us", static_cast<int>(costs.many * 1e6));
    EXPECT_LE(costs.many, 2 * costs.few + 0.0002) << costs.few << " s with six releases";
  }
}

// The bound on comparisons does not keep a genuine app from being recognised. (An app of one APK is
// known by its measurement alone.)
TEST_P(InPartTest, IsTheOldestOfManyBuildsOfAVersion) {
  const auto many = large_releases(GetParam(), 16);
  const auto& oldest = many->of_package("com.example.app").back()->registration.measurement;
  Evidence evidence = evidence_of(oldest);
  if (GetParam() == Form::kBundle) evidence.splits.clear();
  evidence.measurement = {};  // a store made it
  const Recognition app = recognise(evidence, *many);
  ASSERT_NE(app.reference, nullptr);
  EXPECT_EQ(app.reference->registration.measurement, oldest);
}

INSTANTIATE_TEST_SUITE_P(Forms, CostTest,
                         ::testing::Values(Form::kApk, Form::kSplits, Form::kBundle));
INSTANTIATE_TEST_SUITE_P(Forms, InPartTest, ::testing::Values(Form::kSplits, Form::kBundle));

TEST(AppCheck, RecognisesWhatAStoreMadeOfABundle) {
  package::Measurement bundle = MemoryApp::make().measurement;
  bundle.form = Form::kBundle;
  bundle.parts = {part("AndroidManifest.xml", PartKind::kManifest, "protobuf"),
                  part("classes.dex", PartKind::kDex, "dex"),
                  part("lib/arm64-v8a/a.so", PartKind::kNativeLibrary, "arm64"),
                  part("lib/x86_64/a.so", PartKind::kNativeLibrary, "x86")};
  const auto references = ReferenceValues::of({registration_of(bundle)});
  package::Measurement installed = bundle;
  installed.form = Form::kSplits;
  installed.parts = {
      part("AndroidManifest.xml", PartKind::kManifest, "binary"),
      part("classes.dex", PartKind::kDex, "dex"),
      part("config.arm64_v8a!/lib/arm64-v8a/a.so", PartKind::kNativeLibrary, "arm64")};
  EXPECT_THAT(ids(check(evidence_of(installed), *references)), IsEmpty());
  EXPECT_TRUE(recognise(evidence_of(installed), *references).in_part);
  installed.parts.at(1) = part("classes.dex", PartKind::kDex, "changed");
  EXPECT_THAT(ids(check(evidence_of(installed), *references)),
              ElementsAre(FindingId::kAppNotRegistered));
}

class IosAppTest : public ::testing::Test {
 protected:
  IosAppTest() {
    app_.form = Form::kIpa;
    app_.platform = "iOS";
    app_.team = "TESTTEAM01";
    app_.images = {{"Example#arm64", "", ""}, {"Frameworks/Kit#arm64", "", ""}};
    const auto add = [&](const std::string& name) {
      app_.parts.push_back(part(name, PartKind::kNativeLibrary, name));
    };
    app_.parts = {part("Example", PartKind::kImage, "file")};
    add("Example#arm64/__TEXT.__text");
    add("Example#arm64/commands");
    app_.parts.push_back(part("Frameworks/Kit", PartKind::kImage, "file"));
    add("Frameworks/Kit#arm64/__TEXT.__text");
    add("Frameworks/Kit#arm64/constants");
  }
  // What an iPhone has of it, where a store signed the app again.
  Evidence installed() const {
    package::Measurement app = app_;
    app.signers.clear();
    std::erase_if(app.parts, [](const package::Part& one) { return !one.code_bearing(); });
    Evidence out = evidence_of(app);
    out.os = "ios";
    out.team = app_.team;
    return out;
  }
  std::vector<Finding> found(const Evidence& evidence) const {
    return check(evidence, *ReferenceValues::of({registration_of(app_)}));
  }

  package::Measurement app_ = MemoryApp::make().measurement;
};

TEST_F(IosAppTest, IsRecognisedByWhatIsInMemory) {
  EXPECT_THAT(found(installed()), IsEmpty());
  // A framework that is not loaded yet.
  Evidence less = installed();
  std::erase_if(less.parts, [](const auto& one) { return one.first.starts_with("Frameworks/"); });
  EXPECT_THAT(found(less), IsEmpty());
  const auto references = ReferenceValues::of({registration_of(app_)});
  const Recognition app = recognise(installed(), *references);
  ASSERT_TRUE(app.in_part);
  EXPECT_EQ(app.code.size(), 4u);
  EXPECT_EQ(ExpectedApp::of(installed(), app.reference).team, "TESTTEAM01");
}

TEST_F(IosAppTest, NamesWhatIsChanged) {
  for (const auto& [name, sha256] : installed().parts) {
    Evidence changed = installed();
    changed.parts[name][0] ^= std::byte{1};
    const auto findings = found(changed);
    ASSERT_THAT(ids(findings), ElementsAre(FindingId::kAppNotRegistered));
    EXPECT_THAT(findings.front().detail, HasSubstr("differ: \"" + name + "\""));
  }
  Evidence more = installed();
  more.parts["Frameworks/Evil#arm64/__TEXT.__text"] = {};
  EXPECT_THAT(found(more).front().detail,
              HasSubstr("differ: \"Frameworks/Evil#arm64/__TEXT.__text\""));
  // Half an image, and an app without its main executable.
  for (const char* name : {"Frameworks/Kit#arm64/constants", "Example#arm64/commands"}) {
    Evidence half = installed();
    half.parts.erase(name);
    EXPECT_THAT(ids(found(half)), ElementsAre(FindingId::kAppNotRegistered));
    EXPECT_THAT(found(half).front().detail, HasSubstr(name));
  }
  Evidence other = installed();
  other.team = "EVILTEAM01";
  EXPECT_THAT(found(other).front().detail, HasSubstr("differ: team"));
  other = installed();
  other.sdk_build = std::string(protocol::kAndroidBuild);
  EXPECT_THAT(ids(found(other)), ElementsAre(FindingId::kAppClaimsMismatch));
}

TEST_F(IosAppTest, MustBeRegisteredAgainWhereImagesWereNotMeasured) {
  const Evidence evidence = installed();
  app_.images.clear();
  app_.team.clear();
  app_.parts = {part("Example", PartKind::kNativeLibrary, "file")};
  EXPECT_THAT(found(evidence).front().detail, HasSubstr("register its IPA again"));
}

TEST_F(IosAppTest, IsOfTheDevelopmentTeamByItsRegisteredSigner) {
  const auto references =
      ReferenceValues::of({registration_of(app_)}, {certificate(app_.signers.front(), "", true)});
  const Evidence evidence = installed();
  EXPECT_TRUE(
      signed_for_development(evidence, *references, recognise(evidence, *references).reference));
  EXPECT_FALSE(signed_for_development(evidence, *references));
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
