#include "package/android/splits.h"
#include "package/package.h"

#include <gtest/gtest.h>

#include "formats/testing/zip_builder.h"
#include "package/model/match.h"
#include "tests/support/vectors.h"

namespace touchmark::package::android {
namespace {

constexpr std::string_view kBase = "splits/base-master.apk";

Bytes archive_bytes() { return touchmark::testing::read_vector("bundle/app.apks"); }

// The package of that name in the archive.
Bytes package_bytes(std::string_view name) {
  const auto source = from_memory(archive_bytes());
  const auto archive = zip::ZipArchive::open(*source);
  const zip::ZipEntry* entry = archive ? archive->find(name) : nullptr;
  if (entry == nullptr) {
    ADD_FAILURE() << name;
    return {};
  }
  return archive->read(*entry, 1 << 20).value_or(Bytes());
}

Result<Measurement> measure_packages(std::initializer_list<std::string_view> names) {
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<const Source*> views;
  for (const std::string_view name : names) {
    sources.push_back(from_memory(package_bytes(name)));
    views.push_back(sources.back().get());
  }
  return measure_splits(views);
}

Measurement whole() {
  auto m = measure(*from_memory(archive_bytes()));
  EXPECT_TRUE(m) << m.error().text();
  return m.value_or(Measurement());
}

bool has_part(const Measurement& m, std::string_view name) {
  return std::ranges::find(m.parts, name, &Part::name) != m.parts.end();
}

TEST(Splits, AreMeasuredFromAnArchive) {
  const Measurement m = whole();
  EXPECT_EQ(m.form, Form::kSplits);
  EXPECT_EQ(m.package_name, "org.example.bundle");
  EXPECT_EQ(m.version_name, "2.5");
  EXPECT_EQ(m.sdk_version, "0.1.0");
  EXPECT_EQ(m.signers.size(), 1u);
  EXPECT_TRUE(has_part(m, "classes.dex"));
  EXPECT_TRUE(has_part(m, "config.arm64_v8a!/lib/arm64-v8a/libanswer.so"));
  EXPECT_TRUE(has_part(m, "photo!/classes.dex"));
  EXPECT_TRUE(std::ranges::is_sorted(m.parts, {}, &Part::name));
}

TEST(Splits, AreTheSameAsFilesInAnyOrderOrCompressed) {
  const auto files = measure_packages({"splits/photo-de.apk", "splits/base-arm64_v8a.apk", kBase,
                                       "splits/photo-master.apk", "splits/base-de.apk"});
  ASSERT_TRUE(files) << files.error().text();
  EXPECT_EQ(*files, whole());

  testing::ZipFile zip;
  for (const std::string_view name : {"splits/base-de.apk", "splits/base-arm64_v8a.apk",
                                      "splits/photo-master.apk", "splits/photo-de.apk"}) {
    zip.entries.push_back(testing::deflated(name, as_text(package_bytes(name))));
  }
  zip.entries.push_back(testing::deflated("base.apk", as_text(package_bytes(kBase))));
  zip.entries.push_back(testing::stored("manifest.json", "{}"));
  const auto archive = measure(*from_memory(to_bytes(zip.build())));
  ASSERT_TRUE(archive) << archive.error().text();
  EXPECT_EQ(*archive, whole());
}

// "__MACOSX/._base.apk" and "._base.apk": AppleDouble files, which are no packages.
TEST(Splits, CompanionsOfAMacArePassedOver) {
  testing::ZipFile zip;
  const auto source = from_memory(archive_bytes());
  const auto archive = zip::ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  for (const zip::ZipEntry& entry : archive->entries()) {
    if (!entry.name.ends_with(".apk")) continue;
    const std::string file = entry.name.substr(entry.name.rfind('/') + 1);
    zip.entries.push_back(testing::stored("__MACOSX/splits/._" + file, "\5\x16\7"));
    zip.entries.push_back(testing::stored("splits/._" + file, "\5\x16\7"));
    zip.entries.push_back(testing::stored(entry.name, as_text(package_bytes(entry.name))));
  }
  const auto m = measure(*from_memory(to_bytes(zip.build())));
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(*m, whole());
  EXPECT_TRUE(is_companion("__MACOSX/a.apk"));
  EXPECT_TRUE(is_companion("._a.apk"));
  EXPECT_FALSE(is_companion("a._b.apk"));
  EXPECT_FALSE(is_companion("MACOSX/a.apk"));
  // Companions alone are no archive of packages.
  testing::ZipFile alone{.entries = {testing::stored("__MACOSX/._a.apk", "x")}};
  EXPECT_EQ(measure(*from_memory(to_bytes(alone.build()))).error().id(), "manifest.missing");
}

TEST(Splits, AnErrorNamesThePackage) {
  const auto message = [](std::string_view broken, auto change) {
    testing::ZipFile zip;
    for (const std::string_view name : {kBase, std::string_view("splits/base-de.apk")}) {
      Bytes bytes = package_bytes(name);
      if (name == broken) change(bytes);
      zip.entries.push_back(testing::deflated(name, as_text(bytes)));
    }
    const auto m = measure(*from_memory(to_bytes(zip.build())));
    return m ? "" : m.error().message();
  };
  const auto cut = [](Bytes& bytes) { bytes.resize(bytes.size() - 30); };
  const auto change = [](Bytes& bytes) {
    bytes[as_text(bytes).find("resources.arsc") + 100] ^= std::byte{1};
  };
  for (const std::string_view name : {kBase, std::string_view("splits/base-de.apk")}) {
    EXPECT_TRUE(message(name, cut).starts_with(std::string(name) + ": ")) << message(name, cut);
    EXPECT_TRUE(message(name, change).starts_with(std::string(name) + ": "))
        << message(name, change);
  }
}

TEST(Splits, OneBaseAloneIsAnApk) {
  const auto base = measure_packages({kBase});
  ASSERT_TRUE(base) << base.error().text();
  EXPECT_EQ(base->form, Form::kApk);
  EXPECT_EQ(*base, measure(*from_memory(package_bytes(kBase))).value());
}

TEST(Splits, RefusesWhatDoesNotBelongTogether) {
  const auto refusal = [](std::initializer_list<std::string_view> names) {
    const auto m = measure_packages(names);
    return m ? "" : m.error().id();
  };
  EXPECT_EQ(refusal({"splits/base-de.apk"}), "splits.no-base");
  EXPECT_EQ(refusal({}), "splits.no-base");
  EXPECT_EQ(refusal({kBase, kBase}), "splits.several-bases");
  EXPECT_EQ(refusal({kBase, "splits/base-de.apk", "splits/base-de.apk"}), "splits.duplicate-split");
  EXPECT_EQ(measure(*from_memory(package_bytes("splits/base-de.apk"))).error().id(),
            "splits.split-alone");

  const auto other =
      from_memory(touchmark::testing::read_vector("apksig/golden-aligned-v1v2v3-lineage-out.apk"));
  const auto split = from_memory(package_bytes("splits/base-de.apk"));
  const std::vector<const Source*> mixed{other.get(), split.get()};
  EXPECT_EQ(measure_splits(mixed).error().id(), "splits.other-app");
  const std::vector<const Source*> many(501, split.get());
  EXPECT_EQ(measure_splits(many).error().id(), "splits.too-many");
}

TEST(Splits, EveryPackageIsVerified) {
  Bytes changed = package_bytes("splits/base-de.apk");
  const std::size_t at = as_text(changed).find("resources.arsc");
  ASSERT_NE(at, std::string_view::npos);
  changed[at + 100] ^= std::byte{1};
  const auto base = from_memory(package_bytes(kBase));
  const auto split = from_memory(changed);
  const std::vector<const Source*> packages{base.get(), split.get()};
  EXPECT_FALSE(measure_splits(packages));
}

TEST(Match, ADeviceHasTheBaseAndSomeSplits) {
  const Measurement registered = whole();
  EXPECT_TRUE(match(registered, registered));
  for (const auto& installed :
       {measure_packages({kBase, "splits/base-arm64_v8a.apk"}),
        measure_packages({kBase, "splits/base-de.apk", "splits/photo-master.apk"}),
        measure_packages({kBase})}) {
    ASSERT_TRUE(installed) << installed.error().text();
    const auto matched = match(registered, *installed);
    EXPECT_TRUE(matched) << matched.error().text();
  }
}

std::string mismatch(const Measurement& registered, const Measurement& installed,
                     bool code_only = false) {
  const auto matched = match(registered, installed, code_only);
  return matched ? "" : matched.error().id();
}

Part& part(Measurement& m, std::string_view name) {
  return *std::ranges::find(m.parts, name, &Part::name);
}

TEST(Match, EveryDifferenceIsFound) {
  const Measurement registered = whole();
  const auto after = [&](auto change) {
    Measurement installed = registered;
    change(installed);
    return mismatch(registered, installed);
  };
  EXPECT_EQ(after([](auto& m) { m.platform = "iOS"; }), "match.other-app");
  EXPECT_EQ(after([](auto& m) { m.package_name += "x"; }), "match.other-app");
  EXPECT_EQ(after([](auto& m) { m.version_code += 1; }), "match.other-version");
  EXPECT_EQ(after([](auto& m) { m.version_name += "x"; }), "match.other-version");
  EXPECT_EQ(after([](auto& m) { m.signers.clear(); }), "match.other-signers");
  EXPECT_EQ(after([](auto& m) { m.signers[0][0] ^= std::byte{1}; }), "match.other-signers");
  for (const Part& p : registered.parts) {
    EXPECT_EQ(after([&](auto& m) { part(m, p.name).sha256[0] ^= std::byte{1}; }),
              "match.part-changed")
        << p.name;
    EXPECT_EQ(after([&](auto& m) { part(m, p.name).name += "x"; }), "match.part-unknown") << p.name;
  }
  EXPECT_EQ(after([](auto& m) {
              std::erase_if(m.parts, [](const Part& p) { return p.name == "classes.dex"; });
            }),
            "match.part-missing");
  // A split of which one part is missing.
  EXPECT_EQ(after([](auto& m) {
              std::erase_if(m.parts, [](const Part& p) { return p.name == "photo!/classes.dex"; });
            }),
            "match.part-missing");
}

TEST(Match, OneApkMatchesOnlyItself) {
  auto registered = measure_packages({kBase});
  ASSERT_TRUE(registered);
  EXPECT_EQ(mismatch(*registered, *registered), "");
  Measurement unsigned_app = *registered;
  unsigned_app.signers.clear();
  EXPECT_EQ(mismatch(unsigned_app, unsigned_app), "match.other-signers");
  EXPECT_EQ(mismatch(*registered, whole()), "match.part-unknown");
}

class MatchBundle : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto bundle = measure(*from_memory(touchmark::testing::read_vector("bundle/app.aab")),
                                {.bundle_signers = installed_.signers});
    ASSERT_TRUE(bundle) << bundle.error().text();
    registered_ = *bundle;
  }
  Measurement installed_ = whole();
  Measurement registered_;
};

TEST_F(MatchBundle, AStoresPackagesMatchTheBundleTheyWereMadeOf) {
  EXPECT_EQ(mismatch(registered_, installed_), "");
  EXPECT_EQ(mismatch(registered_, installed_, true), "");
  const auto base = measure_packages({kBase});
  ASSERT_TRUE(base);
  EXPECT_EQ(mismatch(registered_, *base), "");
}

TEST_F(MatchBundle, MovedDexFilesAreKnownByTheirContent) {
  std::erase_if(installed_.parts, [](const Part& p) { return p.name.starts_with("photo"); });
  Part moved = part(installed_, "classes.dex");
  moved.name = "classes2.dex";
  installed_.parts.push_back(moved);
  EXPECT_EQ(mismatch(registered_, installed_), "");
}

TEST_F(MatchBundle, CodeAndAssetsAreCompared) {
  for (const char* name :
       {"classes.dex", "assets/a.txt", "config.arm64_v8a!/lib/arm64-v8a/libanswer.so"}) {
    Measurement changed = installed_;
    part(changed, name).sha256[5] ^= std::byte{1};
    EXPECT_NE(mismatch(registered_, changed), "") << name;
  }
  Measurement added = installed_;
  added.parts.push_back({"config.x86!/lib/x86/libanswer.so", PartKind::kNativeLibrary, 1, {}});
  EXPECT_EQ(mismatch(registered_, added), "match.part-unknown");
  Measurement cut = installed_;
  std::erase_if(cut.parts, [](const Part& p) { return p.kind == PartKind::kDex; });
  EXPECT_EQ(mismatch(registered_, cut), "match.part-missing");
  EXPECT_EQ(mismatch(registered_, cut, true), "match.part-missing");
}

TEST_F(MatchBundle, NeedsTheAppSigningCertificate) {
  registered_.signers.clear();
  EXPECT_EQ(mismatch(registered_, installed_), "match.other-signers");
}

}  // namespace
}  // namespace touchmark::package::android
