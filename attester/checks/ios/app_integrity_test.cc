#include "attester/checks/ios/app_integrity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attester/checks/ios/loaded_image.h"
#include "attester/testing/played_iphone.h"
#include "base/source.h"
#include "crypto/crypto.h"
#include "formats/testing/bytes_writer.h"
#include "package/content.h"
#include "package/model/match.h"
#include "package/package.h"
#include "package/testing/ios_builder.h"
#include "protocol/check_groups.h"

namespace touchmark::attester::checks::ios {
namespace {

using package::Part;
using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PlayedIphone;

class IphoneTest : public ::testing::Test {
 protected:
  IphoneTest() {
    package::testing::CodeSpec spec;
    const auto registered = build(spec);
    source_ = from_memory(to_bytes(registered));
    registered_ = package::measure(*source_, {.ios_roots = {to_bytes(pki_.root_der())}}).value();
    // The store has encrypted it, and signed it again.
    spec.image.encrypted = true;
    spec.signer = &store_;
    installed_ = build(spec);
    EXPECT_TRUE(iphone_.install(installed_));
  }
  Bytes build(const package::testing::CodeSpec& spec) const {
    return to_bytes(package::testing::signed_ipa(pki_, spec).build());
  }

  Inspection inspect() const { return make_app_integrity(iphone_)->inspect(); }
  std::vector<FindingId> found() const {
    std::vector<FindingId> out;
    for (const Finding& finding : inspect().findings) out.push_back(finding.id);
    return out;
  }
  std::string detail() const {
    const auto findings = inspect().findings;
    return findings.empty() ? "" : findings.front().detail;
  }
  // The registered parts that differ in memory.
  std::vector<std::string> changed() const {
    std::vector<std::string> out;
    const Inspection inspection = inspect();
    if (!inspection.measurement) return {"unreadable"};
    for (const Part& part : registered_.parts) {
      if (!part.code_bearing()) continue;
      const auto& parts = inspection.measurement->parts;
      const auto same = std::ranges::find(parts, part.name, &Part::name);
      if (same == parts.end() || *same != part) out.push_back(part.name);
    }
    return out;
  }
  void flip(std::uint64_t address) {
    Bytes byte = iphone_.read(address, 1);
    ASSERT_EQ(byte.size(), 1u);
    byte[0] ^= std::byte{1};
    iphone_.write(address, byte);
  }

  package::testing::IosPki pki_;
  package::testing::IosPki store_;
  std::unique_ptr<Source> source_;
  package::Measurement registered_;
  Bytes installed_;
  PlayedIphone iphone_;
};

TEST_F(IphoneTest, TheGenuineAppIsWhatWasRegistered) {
  const Inspection inspection = inspect();
  EXPECT_THAT(inspection.findings, IsEmpty());
  EXPECT_THAT(inspection.groups, ElementsAreArray(protocol::kCheckGroups));
  ASSERT_TRUE(inspection.measurement);
  EXPECT_EQ(inspection.measurement->package_name, registered_.package_name);
  EXPECT_EQ(inspection.measurement->version_name, registered_.version_name);
  EXPECT_EQ(inspection.measurement->version_code, registered_.version_code);
  EXPECT_EQ(inspection.measurement->team, "TESTTEAM01");
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_TRUE(package::match(registered_, *inspection.measurement, true));
}

TEST_F(IphoneTest, EachChangedByteIsNamedByItsPartAndItsPage) {
  const LoadedImages images = list_images(iphone_);
  int tried = 0;
  for (const LoadedImage& loaded : images.images) {
    if (loaded.name.empty()) continue;
    for (const package::ios::ImagePart& part : loaded.image.parts) {
      if (part.name == "commands") continue;
      for (const package::ios::Extent& extent : part.extents) {
        for (const std::uint64_t at : {extent.address, extent.address + extent.size - 1}) {
          flip(loaded.header + at);
          EXPECT_THAT(changed(), ElementsAre(package::ios::image_part_name(
                                     loaded.name, loaded.image, part.name)));
          EXPECT_THAT(found(), ElementsAre(FindingId::kHookTextModified));
          EXPECT_THAT(detail(), HasSubstr(loaded.name + ": page "));
          flip(loaded.header + at);
          ++tried;
        }
      }
    }
  }
  EXPECT_EQ(tried, 16);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(IphoneTest, ALibraryThatWasAddedToTheCommandsIsSeen) {
  // "/usr/lib/libSystem.B.dylib" becomes another.
  const LoadedImages images = list_images(iphone_);
  const std::string_view head = as_text(images.main()->head);
  flip(images.main()->header + head.find("libSystem"));
  EXPECT_THAT(changed(), ElementsAre("Example#arm64/commands"));
}

TEST_F(IphoneTest, TheRangeProofIsOverTheRegisteredBytes) {
  const auto content = package::AppContent::open(*source_).value();
  const Bytes nonce(40, std::byte{3});
  std::vector<protocol::Range> ranges;
  crypto::Sha256 expected;
  expected.update(nonce);
  for (const Part& part : registered_.parts) {
    if (!part.code_bearing()) continue;
    Bytes whole;
    ASSERT_TRUE(content.read(part.name, [&](ByteView bytes) -> Result<void> {
      append(whole, bytes);
      return {};
    }));
    const std::size_t middle = whole.size() / 2;
    ranges.push_back({part.name, 0, 10});
    expected.update(ByteView(whole).first(std::min<std::size_t>(10, whole.size())));
    ranges.push_back({part.name, middle, 4096});  // past its end, for the small ones
    expected.update(
        ByteView(whole).subspan(middle, std::min<std::size_t>(4096, whole.size() - middle)));
  }
  ranges.push_back({"Absent#arm64/constants", 0, 10});
  ranges.push_back({"Example#arm64/__TEXT.__absent", 0, 10});
  ranges.push_back({"Info.plist", 0, 10});
  EXPECT_EQ(make_app_integrity(iphone_)->range_proof(nonce, ranges), expected.finish());
}

TEST_F(IphoneTest, ReboundPointersAreNamed) {
  const LoadedImages images = list_images(iphone_);
  const auto pointer = [&](const char* name) {
    const auto& sections = images.main()->image.sections;
    return images.main()->address_of(
        *std::ranges::find(sections, name, &package::ios::ImageSection::name));
  };
  const auto put = [&](std::uint64_t at, std::uint64_t value) {
    iphone_.write(at, as_bytes(package::testing::u64(value)));
  };
  const Bytes before = iphone_.read(pointer("__got"), 8);
  put(pointer("__got"), 0x7000000);
  EXPECT_THAT(found(), ElementsAre(FindingId::kHookImportRedirected));
  EXPECT_EQ(detail(), "Example: _malloc leads out of every image");
  // One library may be missing; a pointer may lead into the app's own framework.
  put(pointer("__got"), 0);
  EXPECT_THAT(found(), IsEmpty());
  put(pointer("__got"), iphone_.header_of("Frameworks/Kit.framework/Kit") + 0x900);
  EXPECT_THAT(found(), IsEmpty());
  iphone_.write(pointer("__got"), before);
  const auto evil =
      iphone_.load("/private/var/tmp/x.dylib", as_bytes(package::testing::kit_image()));
  ASSERT_TRUE(evil);
  put(pointer("__la_symbol_ptr") + 8, *evil + 0x900);
  EXPECT_THAT(found(), ElementsAre(FindingId::kHookImportRedirected, FindingId::kHookUnknownCode));
  EXPECT_EQ(detail(), "Example: _ptrace leads into /private/var/tmp/x.dylib");
}

TEST_F(IphoneTest, ImagesOfNobodyAreNamed) {
  const std::pair<const char*, FindingId> cases[] = {
      {"/usr/lib/TweakInject.dylib", FindingId::kHookFramework},
      {"/var/jb/usr/lib/ellekit/libinjector.dylib", FindingId::kHookUnknownCode},
      {"/var/jb/usr/lib/libellekit.dylib", FindingId::kHookFramework},
      {"/usr/lib/libsubstrate.dylib", FindingId::kHookFramework},
      {"/private/var/containers/Bundle/Application/AAAA/Other.app/FridaGadget.dylib",
       FindingId::kHookFramework},
      {"/usr/lib/libnew.dylib", FindingId::kHookUnknownCode},
      {"/private/var/mobile/x.dylib", FindingId::kHookUnknownCode}};
  for (const auto& [path, id] : cases) {
    PlayedIphone phone;
    ASSERT_TRUE(phone.install(installed_));
    ASSERT_TRUE(phone.load(path, as_bytes(package::testing::kit_image())));
    const auto findings = make_app_integrity(phone)->inspect().findings;
    ASSERT_EQ(findings.size(), 1u) << path;
    EXPECT_EQ(findings[0].id, id) << path;
    EXPECT_EQ(findings[0].detail, path);
  }
  ASSERT_TRUE(iphone_.load("/System/Library/A.bundle/A", as_bytes(package::testing::kit_image())));
  EXPECT_THAT(found(), IsEmpty());
  // A library in the app's own folder is measured, and the service knows no such part.
  ASSERT_TRUE(iphone_.load(iphone_.bundle + "Frameworks/Evil.dylib",
                           as_bytes(package::testing::kit_image())));
  const auto app = inspect().measurement;
  ASSERT_TRUE(app);
  EXPECT_EQ(package::match(registered_, *app, true).error().id(), "match.part-unknown");
}

TEST_F(IphoneTest, WhatIsAroundIsReported) {
  EXPECT_THAT(found(), IsEmpty());
  iphone_.traced = true;
  EXPECT_THAT(found(), ElementsAre(FindingId::kDebugAttached));
  iphone_.traced = std::nullopt;
  EXPECT_THAT(found(), IsEmpty());
  iphone_.variables["DYLD_INSERT_LIBRARIES"] = "/x.dylib";
  EXPECT_THAT(found(), ElementsAre(FindingId::kHookPreload));
  iphone_.variables.clear();
  for (const char* file : {"/var/jb", "/Applications/Cydia.app", "/usr/lib/libellekit.dylib",
                           "/var/containers/Bundle/Application/6F1C/_TrollStore"}) {
    iphone_.files = {file};
    EXPECT_THAT(found(), ElementsAre(FindingId::kRootJailbreak)) << file;
    EXPECT_EQ(detail(), file);
  }
  iphone_.simulator = true;  // whose files are a Mac's
  EXPECT_THAT(found(), ElementsAre(FindingId::kDeviceEmulator));
}

TEST_F(IphoneTest, TheKernelKnowsWhatItStarted) {
  iphone_.started[3] ^= std::byte{1};
  EXPECT_THAT(found(), ElementsAre(FindingId::kAppCodeNotFromPackage));
  EXPECT_THAT(detail(), HasSubstr("the kernel started other code"));
  iphone_.started.clear();
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(IphoneTest, MemoryThatIsNotThereIsReported) {
  PlayedIphone nothing;
  Inspection inspection = make_app_integrity(nothing)->inspect();
  EXPECT_FALSE(inspection.measurement);
  EXPECT_EQ(inspection.findings.front().id, FindingId::kAppUnreadable);
  // A header that somebody has overwritten.
  iphone_.write(iphone_.header_of("Frameworks/Kit.framework/Kit"), Bytes(32));
  inspection = make_app_integrity(iphone_)->inspect();
  ASSERT_EQ(inspection.findings.size(), 1u);
  EXPECT_EQ(inspection.findings[0].id, FindingId::kHookUnknownCode);
  EXPECT_THAT(inspection.findings[0].detail, HasSubstr("Kit: image.not-64-bit"));
}

}  // namespace
}  // namespace touchmark::attester::checks::ios
