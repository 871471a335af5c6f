// Measuring whole packages: AOSP's golden test packages, and what may and may not change a
// measurement.
#include "package/package.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "crypto/digest.h"
#include "formats/testing/zip_builder.h"
#include "package/inspection.h"
#include "package/model/parts.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/vectors.h"

namespace touchmark::package {
namespace {

Result<Measurement> measure_vector(const std::string& name) {
  return measure(*from_memory(touchmark::testing::read_vector("apksig/" + name)));
}

const Part* find_part(const Measurement& m, std::string_view name) {
  const auto at = std::ranges::find(m.parts, name, &Part::name);
  return at == m.parts.end() ? nullptr : &*at;
}

TEST(Measure, ReadsAGoldenPackage) {
  const auto m = measure_vector("golden-aligned-v1v2v3-lineage-out.apk");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->platform, "Android");
  EXPECT_EQ(m->package_name, "android.appsecurity.cts.tinyapp");
  EXPECT_EQ(m->version_name, "1.0");
  EXPECT_EQ(m->version_code, 10u);
  EXPECT_EQ(m->label, "Tiny App for CTS");
  EXPECT_EQ(m->min_sdk, 23u);
  EXPECT_EQ(m->signers.size(), 1u);
  EXPECT_TRUE(m->sdk_version.empty());
  EXPECT_TRUE(std::ranges::is_sorted(m->parts, {}, &Part::name));
  const Part* manifest = find_part(*m, "AndroidManifest.xml");
  ASSERT_NE(manifest, nullptr);
  EXPECT_EQ(manifest->kind, PartKind::kManifest);
  const Part* dex = find_part(*m, "classes.dex");
  ASSERT_NE(dex, nullptr);
  EXPECT_TRUE(dex->code_bearing());
  EXPECT_EQ(find_part(*m, "META-INF/MANIFEST.MF"), nullptr);
}

// The same app, packed and signed in other ways by the same key: alignment, schemes and the files
// of v1 signatures differ, what the phone runs does not.
TEST(Measure, IsIndependentOfPackingAndSchemes) {
  const auto all = measure_vector("golden-aligned-out.apk");
  ASSERT_TRUE(all) << all.error().text();
  for (const char* name : {"golden-legacy-aligned-v1-out.apk", "golden-legacy-aligned-out.apk",
                           "golden-legacy-aligned-v1v2v3-out.apk"}) {
    const auto other = measure_vector(name);
    ASSERT_TRUE(other) << name << ": " << other.error().text();
    EXPECT_EQ(*other, *all) << name;
  }
}

TEST(Measure, RefusesWithTheReadersReason) {
  EXPECT_EQ(measure_vector("empty-unsigned.apk").error().id(), "zip.empty");
  EXPECT_EQ(measure(*from_memory(to_bytes("junk"))).error().id(), "zip.no-end-record");
  EXPECT_EQ(measure_vector("golden-aligned-in.apk").error().id(), "signature.v1.no-signatures");
}

// Parts are digested whatever the signatures say, so that this can be tested without a key.
std::vector<Part> parts_of(const testing::ZipFile& zip) {
  const auto source = from_memory(to_bytes(zip.build()));
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) {
    ADD_FAILURE() << archive.error().text();
    return {};
  }
  auto parts = digest_parts(*archive);
  if (!parts) ADD_FAILURE() << parts.error().text();
  return parts.value_or(std::vector<Part>{});
}

TEST(Parts, AreIndependentOfCompressionAndOrder) {
  using testing::deflated;
  using testing::stored;
  const auto a = parts_of(
      {.entries = {stored("classes.dex", "code"), stored("res/x", "picture"), stored("res/", "")}});
  const auto b = parts_of({.entries = {testing::with_descriptor(deflated("res/x", "picture"), true),
                                       deflated("classes.dex", "code")}});
  ASSERT_EQ(a.size(), 2u);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a[0].sha256, crypto::sha256(as_bytes("code")));
  EXPECT_EQ(a[0].size, 4u);
}

// AOSP's verifier reads an archive with such a name, so that has to open.
TEST(Parts, HaveNoNulInTheirNames) {
  const auto source = from_memory(to_bytes(
      testing::ZipFile{.entries = {testing::stored(std::string_view("a\0b", 3), "x")}}.build()));
  const auto archive = zip::ZipArchive::open(*source);
  ASSERT_TRUE(archive) << archive.error().text();
  const auto parts = digest_parts(*archive);
  ASSERT_FALSE(parts);
  EXPECT_TRUE(parts.error().is(zip::ZipError::kNameEncoding));
}

TEST(Parts, AreDigestedInParallelAsOneByOne) {
  testing::ZipFile zip;
  for (int i = 0; i < 40; ++i) {
    const std::string content(static_cast<std::size_t>(i) * 10000, static_cast<char>('a' + i % 26));
    zip.entries.push_back(testing::deflated("assets/" + std::to_string(i), content));
  }
  const auto parts = parts_of(zip);
  ASSERT_EQ(parts.size(), 40u);
  for (const Part& part : parts) {
    const int i = std::stoi(part.name.substr(7));
    const std::string content(static_cast<std::size_t>(i) * 10000, static_cast<char>('a' + i % 26));
    EXPECT_EQ(part.sha256, crypto::sha256(as_bytes(content))) << part.name;
  }
}

TEST(Parts, HaveTheKindThatThePlatformGivesThem) {
  EXPECT_EQ(kind_of("AndroidManifest.xml"), PartKind::kManifest);
  EXPECT_EQ(kind_of("classes.dex"), PartKind::kDex);
  EXPECT_EQ(kind_of("classes12.dex"), PartKind::kDex);
  EXPECT_EQ(kind_of("classes-x.dex"), PartKind::kOther);
  EXPECT_EQ(kind_of("assets/classes.dex"), PartKind::kAsset);
  EXPECT_EQ(kind_of("lib/arm64-v8a/libc++_shared.so"), PartKind::kNativeLibrary);
  EXPECT_EQ(kind_of("lib/readme.txt"), PartKind::kOther);
  EXPECT_EQ(kind_of("resources.arsc"), PartKind::kResources);
  EXPECT_EQ(kind_of("res/layout/a.xml"), PartKind::kResources);
  EXPECT_EQ(kind_of("kotlin/kotlin.kotlin_builtins"), PartKind::kOther);
}

TEST(Parts, LeaveTheV1SignatureOut) {
  for (const char* name : {"META-INF/MANIFEST.MF", "META-INF/CERT.SF", "META-INF/CERT.RSA",
                           "META-INF/a.dsa", "meta-inf/A.EC"}) {
    EXPECT_TRUE(zip::is_v1_signature_file(name)) << name;
  }
  for (const char* name : {"META-INF/services/x.SF", "META-INF/x.version", "META-INF/CERT.SFX",
                           "MANIFEST.MF", "assets/META-INF/CERT.RSA"}) {
    EXPECT_FALSE(zip::is_v1_signature_file(name)) << name;
  }
}

testing::ZipFile archive_with_dex() {
  std::string dex;
  for (int i = 0; i < 100000; ++i) dex += static_cast<char>(i * 7 % 251);
  return {.entries = {testing::deflated("classes.dex", dex)}};
}

TEST(ReadPart, GivesRangesClippedToThePart) {
  const testing::ZipFile zip = archive_with_dex();
  std::string dex;
  for (int i = 0; i < 100000; ++i) dex += static_cast<char>(i * 7 % 251);
  const auto source = from_memory(to_bytes(zip.build()));
  const auto range = [&](std::string_view name, std::uint64_t offset, std::uint64_t length) {
    const auto bytes = read_part_range(*source, name, offset, length);
    return bytes ? std::string(as_text(*bytes)) : bytes.error().id();
  };
  EXPECT_EQ(range("classes.dex", 0, 10), dex.substr(0, 10));
  EXPECT_EQ(range("classes.dex", 65530, 20), dex.substr(65530, 20));  // over a buffer's border
  EXPECT_EQ(range("classes.dex", 99990, 4096), dex.substr(99990));
  EXPECT_EQ(range("classes.dex", 100000, 1), "");
  EXPECT_EQ(range("classes.dex", ~std::uint64_t{0}, 4096), "");
  EXPECT_EQ(range("classes.dex", 5, 0), "");
  EXPECT_EQ(range("classes2.dex", 0, 10), "");
  EXPECT_EQ(range("classes.dex", 0, kMaxRangeBytes + 1), "package.range-too-large");
}

TEST(ReadPart, StreamsAPartOrSaysThatThereIsNone) {
  const auto source = from_memory(to_bytes(archive_with_dex().build()));
  std::size_t size = 0;
  const auto count = [&](ByteView piece) -> Result<void> {
    size += piece.size();
    return {};
  };
  ASSERT_TRUE(read_part(*source, "classes.dex", count));
  EXPECT_EQ(size, 100000u);
  EXPECT_TRUE(read_part(*source, "x", count).error().is(PackageError::kNoSuchPart));
}

TEST(Source, ReadsFilesAndMemoryAlike) {
  const touchmark::testing::TemporaryFolder folder;
  const std::filesystem::path path = folder / "source";
  std::ofstream(path, std::ios::binary) << "0123456789";
  const auto file = open_file(path);
  ASSERT_TRUE(file) << file.error().text();
  const auto memory = from_memory(to_bytes("0123456789"));
  for (const Source* source : {file->get(), memory.get()}) {
    EXPECT_EQ(source->size(), 10u);
    Bytes piece(4);
    ASSERT_TRUE(source->read_at(6, piece));
    EXPECT_EQ(as_text(piece), "6789");
    EXPECT_TRUE(source->read_at(7, piece).error().is(SourceError::kPastEnd));
    EXPECT_TRUE(source->read_at(~std::uint64_t{0}, piece).error().is(SourceError::kPastEnd));
    EXPECT_TRUE(source->read_at(10, {}));
  }
  // A file that is cut while it is open.
  std::filesystem::resize_file(path, 5);
  Bytes piece(4);
  EXPECT_TRUE((*file)->read_at(4, piece).error().is(SourceError::kPastEnd));
  std::filesystem::remove(path);
  EXPECT_TRUE(open_file(path).error().is(SourceError::kNotFound));
  EXPECT_TRUE(open_file(".").error().is(SourceError::kNotAFile));
}

TEST(UploadCertificates, AreThoseOfABundlesOwnSignature) {
  using testing::stored;
  const std::string path = "apksig/golden-aligned-v1-out.apk";
  const auto apk = from_memory(touchmark::testing::read_vector(path));
  const auto archive = zip::ZipArchive::open(*apk);
  ASSERT_TRUE(archive);
  const auto entry =
      std::ranges::find(archive->entries(), "META-INF/RSA-2048.RSA", &zip::ZipEntry::name);
  ASSERT_NE(entry, archive->entries().end());
  const Bytes read = archive->read(*entry, 1U << 20).value();
  const std::string block(as_text(read));
  const auto certificates = [](const std::string& name, std::string_view content, bool is_bundle) {
    testing::ZipFile file;
    if (is_bundle) file.entries.push_back(stored("BundleConfig.pb", ""));
    file.entries.push_back(stored(name, content));
    const std::string bytes = file.build();
    return upload_certificates(*from_memory(to_bytes(bytes)));
  };
  EXPECT_EQ(certificates("META-INF/UPLOAD.RSA", block, true),
            measure_vector(path.substr(7))->signers);
  EXPECT_TRUE(certificates("META-INF/UPLOAD.RSA", block, false).empty());
  EXPECT_TRUE(certificates("META-INF/UPLOAD.SF", block, true).empty());
  for (std::size_t size = 0; size < block.size(); ++size) {
    EXPECT_TRUE(certificates("META-INF/UPLOAD.RSA", block.substr(0, size), true).empty());
  }
}

}  // namespace
}  // namespace touchmark::package
