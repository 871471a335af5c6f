// Files under a megabyte that are made to be expensive: each format's amplification (a little that
// stands for much) and its quadratic loop (much to do for each of many). None may take more than
// 64 MiB or 10 seconds, whatever the verdict on it.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "formats/testing/bytes_writer.h"
#include "formats/testing/plist_writer.h"
#include "formats/testing/proto_builder.h"
#include "formats/testing/zip_builder.h"
#include "package/inspection.h"
#include "package/package.h"
#include "package/testing/ios_builder.h"
#include "package/testing/resource_builder.h"
#include "tests/support/cost.h"
#include "tests/support/vectors.h"

namespace touchmark::package {
namespace {

using namespace testing;
using touchmark::testing::Cost;
using touchmark::testing::cost_of;
using touchmark::testing::xml_plist;
using namespace std::string_view_literals;

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Everything that the service and the command do with a file.
std::string read_all(const std::string& file) {
  const auto source = from_memory(to_bytes(file));
  const auto measured = measure(*source, {.bundle_signers = {Sha256Digest{}}});
  std::string outcome = measured ? "measured" : measured.error().id();
  const auto inspected = inspect(*source, {.bundle_signers = {Sha256Digest{}}});
  outcome += inspected ? ", inspected" : ", " + inspected.error().id();
  return outcome;
}

void expect_cheap(const char* what, const std::string& file, std::string_view outcome = "") {
  ASSERT_LT(file.size(), 1'000'000U) << what;
  const Cost cost = cost_of([&] { return read_all(file); });
  std::cout << what << ": " << file.size() / 1000 << " KB, " << static_cast<int>(cost.memory_mib)
            << " MiB, " << static_cast<int>(cost.seconds * 1000) << " ms, " << cost.outcome << '\n';
  EXPECT_NE(cost.outcome, "did not end") << what;
  EXPECT_FALSE(cost.outcome.starts_with("signal")) << what << ": " << cost.outcome;
  EXPECT_TRUE(cost.outcome.starts_with(outcome)) << what << ": " << cost.outcome;
  if (!touchmark::testing::kCostsAreTrue) return;
  EXPECT_LT(cost.memory_mib, 64) << what;
  EXPECT_LT(cost.seconds, 10) << what;
}

// An archive of these files, deflated.
std::string archive(const std::vector<std::pair<std::string, std::string>>& files) {
  ZipFile zip;
  for (const auto& [name, content] : files) zip.entries.push_back(deflated(name, content));
  return zip.build();
}

std::string repeated(std::string_view piece, std::size_t count) {
  std::string out;
  out.reserve(piece.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += piece;
  return out;
}

// --- APK -----------------------------------------------------------------------------------------

constexpr std::uint32_t kNone = 0xffffffff;

// A pool of UTF-16 with these offsets into `texts`.
std::string utf16_pool(const std::vector<std::uint32_t>& offsets, const std::string& texts) {
  std::string table;
  for (const std::uint32_t offset : offsets) table += u32(offset);
  const std::string header =
      u32(offsets.size()) + u32(0) + u32(0) + u32(28 + table.size()) + u32(0);
  return chunk(0x0001, header, table + texts);
}
std::string utf16_text(std::size_t length) {
  return u16(0x8000 | length >> 16) + u16(length) + repeated("a\0"sv, length) + u16(0);
}
std::string start_tag(std::uint32_t name, const std::string& attributes) {
  return chunk(0x0102, u32(1) + u32(kNone),
               u32(kNone) + u32(name) + u16(20) + u16(20) + u16(attributes.size() / 20) + u16(0) +
                   u32(0) + attributes);
}
std::string end_tag(std::uint32_t name) {
  return chunk(0x0103, u32(1) + u32(kNone), u32(kNone) + u32(name));
}
std::string attribute(std::uint32_t name, std::uint32_t text = kNone, std::uint32_t data = 0) {
  return u32(kNone) + u32(name) + u32(text) + u16(8) + u8(0) + u8(text == kNone ? 0x10 : 0x03) +
         u32(data);
}

TEST(HostileApk, ANameThatManyAttributesHave) {
  const std::string pool = utf16_pool({0}, utf16_text(3 * kMiB));
  const std::string tag = start_tag(0, repeated(attribute(0), 65535));
  expect_cheap("one name, 65,535 attributes",
               archive({{"AndroidManifest.xml", chunk(0x0003, "", pool + tag)}}), "budget.bytes");
}

// Lengths that are characters of the texts before them, all up to one zero.
TEST(HostileApk, TextsThatLieInEachOther) {
  constexpr std::uint32_t kTexts = 12'000;
  std::string texts;
  std::vector<std::uint32_t> offsets;
  for (std::uint32_t i = 0; i < kTexts; ++i) {
    offsets.push_back(4 * i);
    texts += u16(0x8000) + u16(2 * (kTexts - 1 - i) + 10);
  }
  texts += repeated("a\0"sv, 10) + u16(0);
  std::string attributes;
  for (std::uint32_t i = 0; i < kTexts; ++i) attributes += attribute(i, i, i);
  const std::string tag = start_tag(0, attributes);
  expect_cheap("texts in each other",
               archive({{"AndroidManifest.xml",
                         chunk(0x0003, "", utf16_pool(offsets, texts) + repeated(tag, 8))}}),
               "budget.bytes");
}

TEST(HostileApk, LongTextsThatAreComparedAgainAndAgain) {
  const std::string text = utf16_text(kMiB);
  const std::string pool = utf16_pool({0, static_cast<std::uint32_t>(text.size())}, text + text);
  std::string nodes;
  for (int i = 0; i < 50; ++i) nodes += start_tag(0, "");
  for (int i = 0; i < 50; ++i) nodes += end_tag(1);
  expect_cheap("end tags of another index",
               archive({{"AndroidManifest.xml", chunk(0x0003, "", pool + nodes)}}));
  const std::string two = start_tag(0, repeated(attribute(0, 0, 1), 60000));
  expect_cheap("values of another index",
               archive({{"AndroidManifest.xml", chunk(0x0003, "", pool + two)}}));
}

TEST(HostileApk, ManyElementsAndChunks) {
  const std::string pool = string_pool({"manifest", "a"});
  const std::string pair = start_tag(1, "") + end_tag(1);
  expect_cheap("small elements",
               archive({{"AndroidManifest.xml",
                         chunk(0x0003, "",
                               pool + start_tag(0, "") + repeated(pair, 7 * kMiB / pair.size()) +
                                   end_tag(0))}}));
  expect_cheap("unknown chunks",
               archive({{"AndroidManifest.xml",
                         chunk(0x0003, "",
                               repeated(chunk(0x7777, "", ""), 7 * kMiB / 8) + pool +
                                   repeated(chunk(0x7777, u32(0) + u32(0), ""), 10000))}}));
}

std::string manifest_with_references() {
  XmlTestElement manifest = sample_manifest();
  for (std::size_t i = 0; i < 2; ++i) {
    manifest.attributes[i].text.reset();
    manifest.attributes[i].type = 0x01;
    manifest.attributes[i].data = 0x7f010014;
  }
  manifest.children[1].attributes[0].text.reset();
  manifest.children[1].attributes[0].type = 0x01;
  manifest.children[1].attributes[0].data = 0x7f010014;
  return xml_document(manifest).build();
}

TEST(HostileApk, ResourcesThatAreSearchedForEachReference) {
  std::vector<TableEntry> chain = {{.index = 0, .type = 0x10, .data = 1}};
  for (std::uint16_t i = 1; i < 21; ++i) {
    chain.push_back({.index = i, .type = 0x01, .data = 0x7f010000u + i - 1});
  }
  const std::string types = type_chunk(1, chain);
  // Types of one entry, without one, and of all entries but sorted the wrong way round.
  const std::string empty = type_chunk(1, {}, TypeLayout::kPlain, "de");
  const auto apk = [](const std::string& all) {
    return archive({{"AndroidManifest.xml", manifest_with_references()},
                    {"resources.arsc", resource_table({"1"}, all)}});
  };
  expect_cheap("90,000 types", apk(repeated(empty, 90'000) + types));
  expect_cheap("300,000 types", apk(repeated(empty, 300'000) + types));
  expect_cheap("90,000 values of one entry",
               apk(repeated(type_chunk(1, chain, TypeLayout::kPlain, "en"), 20'000)));
  std::vector<TableEntry> many;
  for (std::uint32_t i = 0; i < 20'000; ++i)
    many.push_back({.index = static_cast<std::uint16_t>(i), .type = 0x10});
  expect_cheap("sparse types",
               apk(repeated(type_chunk(1, many, TypeLayout::kSparse, "de"), 3) + types));
}

TEST(HostileApk, ResourcesThatInflate) {
  const std::string long_text = utf16_text(10 * kMiB);
  std::string table = resource_table({"x"}, type_chunk(1, {{.index = 20}}));
  const std::string pool = utf16_pool({0}, long_text);
  table.replace(12, string_pool({"x"}).size(), pool);
  patch(table, 4, u32(table.size()));
  expect_cheap("a label of 30 MB", archive({{"AndroidManifest.xml", manifest_with_references()},
                                            {"resources.arsc", table}}));
  expect_cheap("a table of 47 MiB", archive({{"AndroidManifest.xml", manifest_with_references()},
                                             {"resources.arsc", std::string(47 * kMiB, '\0')}}));
}

TEST(HostileApk, ContentThatInflates) {
  const std::string zeros(60 * kMiB, '\0');
  expect_cheap("240 MiB of zeros",
               archive({{"AndroidManifest.xml", xml_document(sample_manifest()).build()},
                        {"a", zeros},
                        {"b", zeros},
                        {"c", zeros},
                        {"d", zeros}}));
}

TEST(HostileApk, SignatureFilesOfShortLines) {
  const std::string manifest = xml_document(sample_manifest()).build();
  const auto apk = [&](const std::string& jar_manifest) {
    return archive({{"AndroidManifest.xml", manifest}, {"META-INF/MANIFEST.MF", jar_manifest}});
  };
  expect_cheap("sections of one letter", apk(repeated("a\n\n", 5 * kMiB)));
  expect_cheap("attributes of one letter", apk(repeated("a\n", 8 * kMiB)));
  expect_cheap("continuation lines", apk("a: b\n" + repeated(" c\n", 5 * kMiB)));
  expect_cheap("one long name", apk("a\n\nName: " + std::string(15 * kMiB, 'x')));
}

TEST(HostileApk, DirectoriesOfManyEntries) {
  ZipFile zip;
  zip.entries.push_back(stored("AndroidManifest.xml", xml_document(sample_manifest()).build()));
  for (unsigned i = 0; i < 10'000; ++i) {
    std::string name(3, ' ');
    for (std::size_t at = 0, rest = i; at < 3; ++at, rest /= 26) {
      name[at] = static_cast<char>('a' + rest % 26);
    }
    zip.entries.push_back(stored(name, ""));
  }
  expect_cheap("10,000 entries", zip.build());
  // Few entries with the longest names, extra fields and comments.
  ZipFile long_names;
  for (char c = 'a'; c < 'a' + 4; ++c) {
    ZipFileEntry entry = stored(std::string(32'000, c), "");
    entry.central.extra = entry.local.extra = std::string(32'767, '\0');
    entry.comment = std::string(32'767, '\0');
    long_names.entries.push_back(entry);
  }
  expect_cheap("long names", long_names.build());
}

// A megabyte of archive that is forty-eight of another, that is four thousand of content.
TEST(HostileApk, ArchivesWithinAnArchive) {
  const std::string zeros(100 * kMiB, '\0');
  const std::string manifest = xml_document(sample_manifest()).build();
  const std::string inner_file =
      archive({{"AndroidManifest.xml", manifest}, {"a", zeros}, {"b", zeros}});
  ZipFile zip;
  for (char c = 'a'; c < 'a' + 20; ++c) {
    zip.entries.push_back(deflated(std::string(1, c) + ".apk", inner_file));
  }
  expect_cheap("archives of archives", zip.build());
  // Compressed packages, which are taken into memory.
  ZipFile many;
  ZipFile stored_zeros;
  stored_zeros.entries.push_back(stored("AndroidManifest.xml", manifest));
  stored_zeros.entries.push_back(stored("zeros", std::string(20 * kMiB, '\0')));
  const std::string large = stored_zeros.build();
  for (char c = 'a'; c < 'a' + 12; ++c) {
    many.entries.push_back(deflated(std::string(1, c) + ".apk", large));
  }
  expect_cheap("packages in memory", many.build());
}

// --- App bundle ----------------------------------------------------------------------------------

std::string bundle(const std::string& manifest, const std::string& table = "") {
  return archive({{"BundleConfig.pb", ""},
                  {"base/manifest/AndroidManifest.xml", manifest},
                  {"base/resources.pb", table}});
}

TEST(HostileBundle, ManyAttributes) {
  std::string attributes;
  for (std::uint32_t i = 1; i <= 200'000; ++i) {
    attributes += proto_bytes(4, proto_number(5, i));
  }
  expect_cheap("200,000 ids", bundle(proto_element("manifest", attributes)));
  expect_cheap("empty attributes",
               bundle(proto_element("manifest", repeated(proto_bytes(4, ""), 4 * kMiB - 100))));
  expect_cheap(
      "names of a megabyte",
      bundle(proto_element("manifest",
                           repeated(proto_bytes(4, proto_bytes(2, std::string(kMiB, 'n'))), 7))));
}

TEST(HostileBundle, ManyElements) {
  const std::string package = proto_bytes(4, proto_attribute("package", 0, "a.b"));
  expect_cheap(
      "empty children",
      bundle(proto_element("manifest", package, repeated(proto_bytes(5, ""), 4 * kMiB - 100))));
  expect_cheap("small children",
               bundle(proto_element("manifest", package,
                                    repeated(proto_bytes(5, proto_element("a", "")), kMiB))));
  std::string wide = repeated(proto_bytes(5, proto_element("b", "")), 200'000);
  for (int i = 0; i < 90; ++i)
    wide = proto_element("a", "", proto_bytes(5, wide) + proto_bytes(5, ""));
  expect_cheap("deep children", bundle(proto_element("manifest", package, proto_bytes(5, wide))));
}

TEST(HostileBundle, ResourcesThatAreSearchedForEachReference) {
  std::string manifest;
  for (const std::uint32_t id : {0x0101021bU, 0x0101021cU}) {
    manifest += proto_bytes(4, proto_attribute("x", id, "", proto_reference_item(0x7f010014)));
  }
  manifest += proto_bytes(4, proto_attribute("package", 0, "a.b"));
  std::string entries = proto_entry(0, proto_int_item(1));
  for (std::uint32_t i = 1; i < 21; ++i)
    entries += proto_entry(i, proto_reference_item(0x7f010000 + i - 1));
  const std::string filler =
      repeated(proto_bytes(3, proto_bytes(1, proto_number(1, 99))), 3 * kMiB);
  expect_cheap("3 million entries",
               bundle(proto_element("manifest", manifest), proto_table(filler + entries)),
               "budget.steps");
  expect_cheap("300,000 entries",
               bundle(proto_element("manifest", manifest),
                      proto_table(filler.substr(0, filler.size() / 10) + entries)));
  const std::string values =
      repeated(proto_bytes(6, proto_bytes(1, proto_bytes(3, "en")) +
                                  proto_bytes(2, proto_bytes(4, proto_reference_item(0x7f010014)))),
               kMiB);
  expect_cheap("a million values",
               bundle(proto_element("manifest", manifest),
                      proto_table(proto_bytes(3, proto_bytes(1, proto_number(1, 20)) + values))));
  expect_cheap(
      "a text of 25 MB",
      bundle(proto_element("manifest", manifest),
             proto_table(proto_entry(20, proto_string_item(std::string(25 * kMiB, 'x'))))));
}

// --- IPA -----------------------------------------------------------------------------------------

const std::string kFolder = "Payload/Example.app/";

std::string ipa(std::map<std::string, std::string> files) {
  files.try_emplace("Info.plist", info_plist());
  files.try_emplace("_CodeSignature/CodeResources", code_resources({}));
  ZipFile zip;
  for (const auto& [name, content] : files)
    zip.entries.push_back(deflated(kFolder + name, content));
  return zip.build();
}

std::string be(std::uint64_t value, int size) {
  std::string out;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out += u8(value >> shift);
  return out;
}
// Objects by their offsets, references of three bytes; object 0 is the top.
std::string binary_plist(const std::vector<std::string>& objects) {
  std::string file = "bplist00";
  std::string offsets;
  for (const std::string& object : objects) {
    offsets += be(file.size(), 4);
    file += object;
  }
  const std::size_t table = file.size();
  return file + offsets + std::string(6, '\0') + u8(4) + u8(3) + be(objects.size(), 8) + be(0, 8) +
         be(table, 8);
}
std::string counted(unsigned char type, std::size_t count) {
  return u8(type | 0xf) + u8(0x12) + be(count, 4);
}

TEST(HostileIpa, ListsThatReferToOneValue) {
  const auto info = [](const std::string& plist) { return ipa({{"Info.plist", plist}}); };
  const std::string text = counted(0x50, 15 * kMiB) + std::string(15 * kMiB, 'x');
  const std::string wide = counted(0x60, 7 * kMiB) + repeated(u8(0x4e) + u8(0x2d), 7 * kMiB);
  const std::string data = counted(0x40, 15 * kMiB) + std::string(15 * kMiB, 'x');
  for (const std::string& value : {text, wide, data}) {
    expect_cheap("references to one value",
                 info(binary_plist({counted(0xa0, 99'000) + repeated(be(1, 3), 99'000), value})));
    expect_cheap("keys that are one text",
                 info(binary_plist({counted(0xd0, 49'000) + repeated(be(1, 3), 98'000), value})));
  }
  std::vector<std::string> bomb;
  for (unsigned i = 0; i < 30; ++i)
    bomb.push_back(counted(0xa0, 3000) + repeated(be(i + 1, 3), 3000));
  bomb.push_back(u8(0x51) + "x");
  expect_cheap("lists of lists", info(binary_plist(bomb)));
  expect_cheap(
      "99,000 numbers",
      info(binary_plist({counted(0xa0, 99'000) + repeated(be(1, 3), 99'000), u8(0x10) + u8(1)})));
}

TEST(HostileIpa, ListsInXml) {
  const auto info = [](const std::string& plist) { return ipa({{"Info.plist", plist}}); };
  expect_cheap("one text", info(xml_plist("<string>" + std::string(15 * kMiB, 'x') + "</string>")));
  expect_cheap("data", info(xml_plist("<data>" + std::string(15 * kMiB, 'A') + "</data>")));
  expect_cheap("white space as data",
               info(xml_plist("<data>" + std::string(15 * kMiB, ' ') + "</data>")));
  expect_cheap("99,000 values",
               info(xml_plist("<array>" + repeated("<dict/>", 99'000) + "</array>")));
  std::string keys;
  for (int i = 0; i < 90'000; ++i) keys += "<key>" + std::to_string(i) + "</key><true/>";
  expect_cheap("90,000 keys", info(xml_plist("<dict>" + keys + "</dict>")));
  expect_cheap("comments", info(repeated("<!-- -->", kMiB) + xml_plist("<true/>")));
  expect_cheap("a tag of 15 MiB", info(xml_plist("<" + std::string(15 * kMiB, 'x') + ">")));
  expect_cheap("a number of 15 MiB",
               info(xml_plist("<real>" + std::string(15 * kMiB, '1') + "</real>")));
}

std::string mach_header(std::size_t signature_at, std::size_t signature_size,
                        std::size_t commands = 1) {
  const std::string command = u32(0x1d) + u32(16) + u32(signature_at) + u32(signature_size);
  const std::string filler = repeated(u32(0x99) + u32(8), commands - 1);
  return u32(0xfeedfacf) + u32(0x0100000c) + u32(0) + u32(2) + u32(commands) +
         u32(command.size() + filler.size()) + u32(0) + u32(0) + command + filler;
}

TEST(HostileIpa, CodeForManyProcessors) {
  // Sixteen images at the end of a file of 220 MiB: each was looked for from the start.
  constexpr std::size_t kSize = 220 * kMiB;
  constexpr std::size_t kImage = 65536;
  std::string code = be(0xcafebabe, 4) + be(16, 4);
  for (std::size_t i = 0; i < 16; ++i) {
    code +=
        be(0x0100000c, 4) + be(i, 4) + be(kSize - (16 - i) * kImage, 4) + be(kImage, 4) + be(14, 4);
  }
  code.resize(kSize, '\0');
  CodeSpec spec{.info = info_plist(), .resources = code_resources({})};
  const std::string image = signed_image(spec, 12);
  for (std::size_t i = 0; i < 16; ++i) {
    std::string slice = image;
    slice.resize(kImage, '\0');
    // The signature is all that follows.
    patch(slice, 32 + 12, u32(kImage - (12 * 4096 - 100)));
    code.replace(kSize - (16 - i) * kImage, kImage, slice);
  }
  expect_cheap("16 images", ipa({{"Example", code}}));
  const std::string commands = mach_header(4 * kMiB, 100, 500'000);
  expect_cheap("500,000 load commands", ipa({{"Example", commands + std::string(kMiB, '\0')}}));
}

TEST(HostileIpa, SignaturesOfBlobsThatLieInEachOther) {
  constexpr std::size_t kBlob = 20 * kMiB;
  // Code directories of 20 MiB for each of their slots, in the same bytes.
  const std::string directory = be(0xfade0c02, 4) + be(kBlob, 4) + be(0x20400, 4) + be(0, 4) +
                                be(100, 4) + be(88, 4) + be(0, 4) + be(1, 4) + be(80, 4) + u8(32) +
                                u8(2) + u8(0) + u8(12) + be(0, 4) + std::string(40, '\0') + "id" +
                                u8(0);
  std::string index;
  const std::uint32_t slots[] = {0, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 2, 5, 7, 0x10000};
  const std::size_t start = 12 + 8 * std::size(slots);
  for (const std::uint32_t slot : slots) index += be(slot, 4) + be(start, 4);
  std::string signature =
      be(0xfade0cc0, 4) + be(start + kBlob, 4) + be(std::size(slots), 4) + index + directory;
  signature.resize(start + kBlob, 'x');
  std::string code = mach_header(80, signature.size());
  code.resize(80, '\0');
  expect_cheap("blobs in each other", ipa({{"Example", code + signature}}));
}

// A regular expression that a backtracking matcher would not come to an end with, and long paths.
TEST(HostileIpa, RulesThatAreHardToMatch) {
  std::string rules;
  for (int i = 0; i < 30; ++i) {
    rules += "<key>^(((a*)*)*|(a|aa)+|[a-z]*){1,20}" + std::to_string(i) +
             "$</key><dict><key>omit</key><true/></dict>";
  }
  const IosPki pki;
  CodeSpec spec;
  spec.info = info_plist();
  spec.resources =
      xml_plist("<dict><key>files2</key><dict/><key>rules2</key><dict>" + rules + "</dict></dict>");
  spec.signer = &pki;
  std::map<std::string, std::string> files = {{"Info.plist", spec.info},
                                              {"_CodeSignature/CodeResources", spec.resources},
                                              {"Example", signed_image(spec)}};
  for (char c = 'a'; c < 'a' + 20; ++c) files[std::string(16'000, 'a') + c] = "";
  const std::string file = ipa(files);
  ASSERT_LT(file.size(), 1'000'000U);
  const Cost cost = cost_of([&] {
    const auto measured =
        measure(*from_memory(to_bytes(file)), {.ios_roots = {to_bytes(pki.root_der())}});
    return measured ? std::string("measured") : measured.error().id();
  });
  std::cout << "rules: " << cost.memory_mib << " MiB, " << cost.seconds << " s, " << cost.outcome
            << '\n';
  EXPECT_TRUE(cost.outcome == "budget.steps" || cost.outcome == "ipa.unsealed") << cost.outcome;
  if (touchmark::testing::kCostsAreTrue) {
    EXPECT_LT(cost.memory_mib, 64);
    EXPECT_LT(cost.seconds, 10);
  }
}

// The budget grows with the file: what is expensive in a small one is a genuine large one.
TEST(Hostile, GenuineFilesAreFarFromTheirBudget) {
  for (const char* name :
       {"bundle/app.aab", "bundle/app.apks", "apksig/golden-aligned-v1v2v3-lineage-out.apk"}) {
    const std::string file = touchmark::to_string(touchmark::testing::read_vector(name));
    const Cost cost = cost_of([&] { return read_all(file); });
    EXPECT_EQ(cost.outcome, "measured, inspected") << name;
  }
}

}  // namespace
}  // namespace touchmark::package
