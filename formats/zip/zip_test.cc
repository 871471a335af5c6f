// What the container reader accepts, and one crafted archive for every refusal.
#include "formats/zip/zip.h"

#include <gtest/gtest.h>

#include "formats/testing/bytes_writer.h"
#include "formats/testing/zip_builder.h"

namespace touchmark::zip {
namespace {

using package::testing::deflated;
using package::testing::stored;
using package::testing::u16;
using package::testing::u32;
using package::testing::with_descriptor;
using package::testing::ZipFile;

std::string compressible() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + ' ';
  return text;
}

ZipFile sample() {
  return {.entries = {stored("AndroidManifest.xml", "manifest"),
                      deflated("classes.dex", compressible()), stored("res/", "")}};
}

// The id of the refusal on opening or on reading any entry, "" for none.
std::string refusal(const std::string& file) {
  const auto source = from_memory(to_bytes(file));
  const auto archive = ZipArchive::open(*source);
  if (!archive) return archive.error().id();
  for (const ZipEntry& entry : archive->entries()) {
    const auto read = archive->read(entry, std::size_t{1} << 24);
    if (!read) return read.error().id();
  }
  return "";
}

TEST(Zip, ReadsStoredAndDeflatedEntries) {
  const auto source = from_memory(to_bytes(sample().build()));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive) << archive.error().text();
  ASSERT_EQ(archive->entries().size(), 3u);
  EXPECT_EQ(archive->entries()[1].name, "classes.dex");
  const ZipEntry* dex = archive->find("classes.dex");
  ASSERT_NE(dex, nullptr);
  EXPECT_LT(dex->compressed_size, dex->size);
  const auto content = archive->read(*dex, 1 << 20);
  ASSERT_TRUE(content) << content.error().text();
  EXPECT_EQ(as_text(*content), compressible());
  const auto manifest = archive->read(*archive->find("AndroidManifest.xml"), 100);
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(as_text(*manifest), "manifest");
  EXPECT_EQ(archive->find("classes2.dex"), nullptr);
  EXPECT_EQ(archive->find("classes"), nullptr);
}

TEST(Zip, StreamsInPiecesOfBoundedSize) {
  const std::string content(std::size_t{5} << 20, 'x');
  const auto source = from_memory(to_bytes(ZipFile{.entries = {stored("a", content)}}.build()));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  std::size_t largest = 0;
  std::size_t total = 0;
  const auto sink = [&](ByteView piece) -> Result<void> {
    largest = std::max(largest, piece.size());
    total += piece.size();
    return {};
  };
  ASSERT_TRUE(archive->stream(archive->entries()[0], sink));
  EXPECT_EQ(total, content.size());
  EXPECT_LE(largest, std::size_t{64} << 10);
}

TEST(Zip, PassesTheSinksErrorOn) {
  const auto source = from_memory(to_bytes(sample().build()));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  int calls = 0;
  const auto result = archive->stream(*archive->find("classes.dex"), [&](ByteView) -> Result<void> {
    ++calls;
    return fail(SourceError::kIo, "disk full");
  });
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(SourceError::kIo));
  EXPECT_EQ(calls, 1);
}

TEST(Zip, ReadsSeveralRangesOfOneEntry) {
  const std::string content = compressible();
  for (const bool compressed : {false, true}) {
    const ZipFile zip{.entries = {compressed ? deflated("a", content) : stored("a", content)}};
    const auto source = from_memory(to_bytes(zip.build()));
    const auto archive = ZipArchive::open(*source);
    ASSERT_TRUE(archive);
    const std::vector<ZipRange> ranges = {
        {70'000, 5},  {0, 10}, {65'530, 20}, {5, 10}, {content.size() - 3, 10},
        {1 << 30, 4}, {9, 0}};
    const auto read = archive->read_ranges(archive->entries()[0], ranges);
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->size(), ranges.size());
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const std::size_t at = std::min<std::size_t>(ranges[i].offset, content.size());
      EXPECT_EQ(as_text((*read)[i]), content.substr(at, ranges[i].length)) << i;
    }
    EXPECT_TRUE(archive->read_ranges(archive->entries()[0], {})->empty());
  }
}

TEST(Zip, CountsWhatItReadsOnTheBudget) {
  const std::string zeros(std::size_t{10} << 20, '\0');
  const auto source = from_memory(to_bytes(ZipFile{.entries = {deflated("a", zeros)}}.build()));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  const ZipEntry& entry = archive->entries()[0];
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(archive->read(entry, zeros.size()));
  EXPECT_EQ(archive->read(entry, zeros.size()).error().id(), "budget.bytes");
  const std::vector<ZipRange> ranges = {{0, 1 << 20}, {0, 1 << 20}};
  EXPECT_EQ(archive->read_ranges(entry, ranges).error().id(), "budget.bytes");
  // A part at a time, as for range proofs and digests, costs nothing that stays.
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(archive->read_range(entry, 0, 1 << 20));
  EXPECT_TRUE(archive->stream(entry, [](ByteView) -> Result<void> { return {}; }));
}

TEST(Zip, NamesInTheMetadataMayDifferInCase) {
  EXPECT_EQ(
      refusal(ZipFile{
          .entries = {stored("META-INF/LICENSE.txt", "a"), stored("META-INF/license.txt", "b"),
                      stored("META-INF/services/a.B", "c"), stored("META-INF/services/A.b", "d"),
                      stored("META-INF/sub/a.SF", "e"), stored("META-INF/sub/A.sf", "f")}}
                  .build()),
      "");
}

TEST(Zip, RefusesToReadPastTheCallersBound) {
  const auto source = from_memory(to_bytes(sample().build()));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  const auto read = archive->read(*archive->find("classes.dex"), 100);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().is(ZipError::kTooLarge));
}

TEST(Zip, AcceptsWhatRealToolsWrite) {
  const std::string text = compressible();
  // Descriptors with and without signature, for both methods.
  for (const bool signature : {true, false}) {
    EXPECT_EQ(refusal(ZipFile{.entries = {with_descriptor(deflated("a", text), signature),
                                          with_descriptor(stored("b", text), signature)}}
                          .build()),
              "");
  }
  // Sizes in the local header as well as in the descriptor.
  ZipFile zip{.entries = {with_descriptor(deflated("a", text), true)}};
  zip.entries[0].local.compressed_size = zip.entries[0].central.compressed_size;
  zip.entries[0].local.size = zip.entries[0].central.size;
  zip.entries[0].local.crc32 = zip.entries[0].central.crc32;
  EXPECT_EQ(refusal(zip.build()), "");
  // Alignment: zeros or a 0xd935 field in the local header only, zeros between entries.
  zip = sample();
  zip.entries[0].local.extra = std::string(3, '\0');
  zip.entries[1].local.extra = u16(0xd935) + u16(4) + u16(4) + u16(0);
  zip.entries[2].gap = std::string(4096, '\0');
  EXPECT_EQ(refusal(zip.build()), "");
  // Java's jar marker, comments, the UTF-8 flag in one header only, deflate options.
  zip = sample();
  zip.entries[0].central.extra = u16(0xcafe) + u16(0);
  zip.entries[1].comment = "a comment";
  zip.entries[1].central.flags = 0x0800;
  zip.entries[1].local.flags = 0x0006;
  zip.comment = "another";
  EXPECT_EQ(refusal(zip.build()), "");
  // The other of the two methods in the local header: AOSP takes the central directory's.
  zip = sample();
  zip.entries[1].local.method = 0;
  EXPECT_EQ(refusal(zip.build()), "");
  // Any method but stored for a file of the v1 signature: the platform's verifier takes it for
  // deflated.
  zip = sample();
  zip.entries.push_back(deflated("META-INF/CERT.RSA", text));
  zip.entries.back().central.method = zip.entries.back().local.method = 21;
  EXPECT_EQ(refusal(zip.build()), "");
  // Names that differ in case where shrinkers make them so, and names in any script.
  EXPECT_EQ(refusal(ZipFile{.entries = {stored("res/a.xml", "1"), stored("res/A.xml", "2"),
                                        stored("assets/\xe2\x82\xac.txt", "3")}}
                        .build()),
            "");
  // The longest comment, and an archive that is nothing but entries in another order on disk.
  zip = sample();
  zip.comment = std::string(65535, 'c');
  EXPECT_EQ(refusal(zip.build()), "");
}

TEST(Zip, FindsTheSectionsAroundASigningBlock) {
  ZipFile zip = sample();
  zip.before_directory = std::string(100, 'B');
  zip.comment = "comment";
  const std::string file = zip.build();
  const auto source = from_memory(to_bytes(file));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  const ZipSections& sections = archive->sections();
  EXPECT_EQ(file.substr(sections.central_directory_offset - 100, 100), zip.before_directory);
  EXPECT_EQ(sections.central_directory_offset + sections.central_directory_size,
            sections.end_record_offset);
  EXPECT_EQ(as_text(sections.end_record), file.substr(sections.end_record_offset));
}

struct Refusal {
  const char* id;
  const char* what;
  std::string file;
};

template <class Change>
std::string changed(Change change) {
  ZipFile zip = sample();
  change(zip);
  return zip.build();
}

std::vector<Refusal> end_record_refusals() {
  const std::string good = sample().build();
  return {
      {"zip.no-end-record", "nothing", ""},
      {"zip.no-end-record", "text", "This is not an archive, but it is long enough to be one."},
      {"zip.no-end-record", "cut", good.substr(0, good.size() - 23)},
      {"zip.no-end-record", "hidden by a long tail", good + std::string(70000, ' ')},
      {"zip.end-record-length", "a byte after the end", good + "x"},
      {"zip.end-record-length", "comment longer than the file",
       changed([](ZipFile& zip) { zip.comment_size = 5; })},
      {"zip.second-end-record", "two readings of the comment", changed([](ZipFile& zip) {
         zip.comment = "PK\5\6" + std::string(16, '\0') + u16(0);
         zip.entries = {stored("a", "PK\5\6")};
         const std::string inner = zip.build();
         ZipFile outer = sample();
         outer.comment = inner;
         zip = outer;
         zip.directory_offset = 0;
       })},
      {"zip.multi-disk", "disk 1", changed([](ZipFile& zip) { zip.disk = 1; })},
      {"zip.multi-disk", "counts differ",
       changed([](ZipFile& zip) { zip.entry_count_on_disk = 1; })},
      {"zip.multi-disk", "entry on disk 2", changed([](ZipFile& zip) { zip.entries[1].disk = 2; })},
      {"zip.zip64", "sentinel", changed([](ZipFile& zip) { zip.directory_offset = 0xffffffff; })},
      {"zip.zip64", "sentinel count", changed([](ZipFile& zip) { zip.entry_count = 0xffff; })},
      {"zip.zip64", "locator",
       changed([](ZipFile& zip) { zip.after_directory = "PK\6\7" + std::string(16, '\0'); })},
      {"zip.zip64", "entry sizes", changed([](ZipFile& zip) {
         zip.entries[1].central.size = 0xffffffff;
         zip.entries[1].central.compressed_size = 0xffffffff;
       })},
      {"zip.directory-bounds", "bytes between",
       changed([](ZipFile& zip) { zip.after_directory = "garbage"; })},
      {"zip.directory-bounds", "offset too small",
       changed([](ZipFile& zip) { zip.directory_offset = 10; })},
      {"zip.directory-bounds", "larger than the file",
       changed([](ZipFile& zip) { zip.directory_size = 0xfffffff0; })},
      {"zip.empty", "no entries", ZipFile{}.build()},
      {"zip.prepended", "a dex file before the archive",
       changed([](ZipFile& zip) { zip.entries[0].gap = "dex\n035"; })},
  };
}

std::vector<Refusal> directory_refusals() {
  const auto entry = [](auto change) {
    return changed([&](ZipFile& zip) { change(zip.entries[1]); });
  };
  return {
      {"zip.directory-signature", "zeros",
       [] {
         std::string file = sample().build();
         file[file.rfind("PK\1\2")] = 'X';
         return file;
       }()},
      {"zip.directory-truncated", "a name past the end",
       [] {
         ZipFile zip = sample();
         std::string file = zip.build();
         package::testing::patch(file, file.rfind("PK\1\2") + 28, u16(5000));
         return file;
       }()},
      {"zip.directory-truncated", "half a record", changed([](ZipFile& zip) {
         zip.after_directory = "PK\1\2";
         zip.entry_count = 4;
         zip.directory_size = [] {
           const std::string file = sample().build();
           return static_cast<std::uint32_t>(file.size() - 22 - file.find("PK\1\2") + 4);
         }();
       })},
      {"zip.entry-count", "fewer", changed([](ZipFile& zip) { zip.entry_count = 4; })},
      {"zip.entry-count", "more", changed([](ZipFile& zip) { zip.entry_count = 2; })},
      {"zip.field-too-long", "extra field negative to old readers",
       entry([](auto& e) { e.local.extra = std::string(0x8000, '\0'); })},
      {"zip.field-too-long", "the same in the directory",
       entry([](auto& e) { e.central.extra = std::string(0xfffd, '\0'); })},
      {"zip.unknown-flags", "encrypted", entry([](auto& e) { e.central.flags = 1; })},
      {"zip.unknown-flags", "encrypted, local", entry([](auto& e) { e.local.flags = 1; })},
      {"zip.unknown-flags", "masked headers", entry([](auto& e) { e.central.flags = 1 << 13; })},
      {"zip.unknown-method", "bzip2", entry([](auto& e) { e.central.method = 12; })},
      {"zip.unknown-method", "taken for stored by some",
       entry([](auto& e) { e.central.method = e.local.method = 0x2a2a; })},
      {"zip.stored-size", "two sizes",
       changed([](ZipFile& zip) { zip.entries[0].central.size = 3; })},
      {"zip.bomb", "2 GiB in a few bytes",
       entry([](auto& e) { e.central.size = e.local.size = 0x7fffffff; })},
  };
}

std::string with_names(std::initializer_list<std::string_view> names) {
  ZipFile zip;
  for (const std::string_view name : names) zip.entries.push_back(stored(name, "x"));
  return zip.build();
}

std::vector<Refusal> name_refusals() {
  return {
      {"zip.empty-name", "", with_names({"a", ""})},
      {"zip.name-encoding", "Latin-1", with_names({"caf\xe9"})},
      {"zip.name-encoding", "overlong slash",
       with_names({"..\xc0\xaf"
                   "a"})},
      {"zip.name-encoding", "surrogate", with_names({"a\xed\xa0\x80"})},
      {"zip.name-traversal", "up", with_names({"assets/../../etc/hosts"})},
      {"zip.name-traversal", "up only", with_names({".."})},
      {"zip.name-traversal", "backslashes", with_names({"lib\\..\\..\\x"})},
      {"zip.name-traversal", "absolute", with_names({"/classes.dex"})},
      {"zip.name-traversal", "nothing left", with_names({"./"})},
      {"zip.duplicate-name", "Master Key", with_names({"classes.dex", "a", "classes.dex"})},
      {"zip.confusable-name", "manifest",
       with_names({"AndroidManifest.xml", "androidmanifest.xml"})},
      {"zip.confusable-name", "dex", with_names({"classes2.dex", "Classes2.dex"})},
      {"zip.confusable-name", "library", with_names({"lib/x86/a.so", "lib/x86/A.so"})},
      {"zip.confusable-name", "signature", with_names({"META-INF/CERT.SF", "meta-inf/cert.sf"})},
      {"zip.confusable-name", "manifest of the signature",
       with_names({"META-INF/MANIFEST.MF", "META-INF/Manifest.mf"})},
      {"zip.confusable-name", "separators", with_names({"assets/a/b", "assets\\a/b"})},
      {"zip.confusable-name", "empty segment", with_names({"assets/a", "assets//a"})},
      {"zip.confusable-name", "dot segment", with_names({"./classes.dex", "classes.dex"})},
      {"zip.confusable-name", "file and folder",
       [] {
         ZipFile zip{.entries = {stored("res/a", "x"), stored("res/a/", "")}};
         return zip.build();
       }()},
      {"zip.directory-with-data", "", with_names({"res/"})},
  };
}

std::vector<Refusal> local_header_refusals() {
  const auto entry = [](auto change) {
    return changed([&](ZipFile& zip) { change(zip.entries[1]); });
  };
  const auto described = [](auto change) {
    return changed([&](ZipFile& zip) {
      zip.entries[1] = with_descriptor(zip.entries[1], true);
      change(zip.entries[1]);
    });
  };
  return {
      {"zip.local-bounds", "past the end", entry([](auto& e) { e.header_offset = 0x7ffffff0; })},
      {"zip.local-bounds", "data into the directory",
       entry([](auto& e) { e.central.compressed_size = e.local.compressed_size = 1 << 20; })},
      {"zip.local-bounds", "extra field into the directory",
       [] {
         std::string file = sample().build();
         package::testing::patch(file, file.rfind("PK\3\4") + 28, u16(200));
         return file;
       }()},
      {"zip.local-signature", "into the data", entry([](auto& e) { e.header_offset = 7; })},
      {"zip.local-name", "another name", entry([](auto& e) { e.local.name = "classes.dey"; })},
      {"zip.local-name", "shorter", entry([](auto& e) { e.local.name = "classes.de"; })},
      {"zip.local-name", "longer", entry([](auto& e) { e.local.name = "classes.dexx"; })},
      {"zip.local-flags", "descriptor or not", entry([](auto& e) { e.local.flags = 8; })},
      {"zip.local-method", "bogus", entry([](auto& e) { e.local.method = 0x1234; })},
      {"zip.local-sizes", "CRC-32", entry([](auto& e) { e.local.crc32 ^= 1; })},
      {"zip.local-sizes", "size", entry([](auto& e) { e.local.size ^= 1; })},
      {"zip.local-sizes", "compressed size", entry([](auto& e) { e.local.compressed_size = 0; })},
      {"zip.local-sizes", "wrong beside a descriptor",
       described([](auto& e) { e.local.size = 5; })},
      {"zip.descriptor", "other size", described([](auto& e) { e.descriptor[12] ^= 1; })},
      {"zip.descriptor", "missing", described([](auto& e) { e.descriptor.clear(); })},
      {"zip.overlap", "one entry inside another",
       [] {
         // The second entry's header and data are the first's content.
         const std::string inner = ZipFile{.entries = {stored("b", "inner")}}.build();
         ZipFile zip{.entries = {stored("a", inner), stored("b", "inner")}};
         zip.entries[1].header_offset = 31;
         return zip.build();
       }()},
  };
}

std::vector<Refusal> content_refusals() {
  const auto entry = [](auto change) {
    return changed([&](ZipFile& zip) { change(zip.entries[1]); });
  };
  return {
      {"zip.bad-deflate", "reserved block type", entry([](auto& e) { e.data[0] = '\7'; })},
      {"zip.bad-deflate", "cut", entry([](auto& e) {
         e.data.resize(e.data.size() - 1);
         e.local.compressed_size = e.central.compressed_size -= 1;
       })},
      {"zip.trailing-data", "after the stream", entry([](auto& e) {
         e.data += "hidden";
         e.local.compressed_size = e.central.compressed_size += 6;
       })},
      {"zip.size-mismatch", "larger", entry([](auto& e) { e.local.size = e.central.size -= 1; })},
      {"zip.size-mismatch", "smaller", entry([](auto& e) { e.local.size = e.central.size += 1; })},
      {"zip.crc-mismatch", "stored", changed([](ZipFile& zip) { zip.entries[0].data[0] ^= 1; })},
  };
}

class ZipRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(ZipRefusal, HasItsId) { EXPECT_EQ(refusal(GetParam().file), GetParam().id); }

std::string test_name(const ::testing::TestParamInfo<Refusal>& info) {
  std::string name = std::to_string(info.index) + "_" + info.param.id + "_" + info.param.what;
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(EndRecord, ZipRefusal, ::testing::ValuesIn(end_record_refusals()),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Directory, ZipRefusal, ::testing::ValuesIn(directory_refusals()),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Names, ZipRefusal, ::testing::ValuesIn(name_refusals()), test_name);
INSTANTIATE_TEST_SUITE_P(LocalHeaders, ZipRefusal, ::testing::ValuesIn(local_header_refusals()),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Content, ZipRefusal, ::testing::ValuesIn(content_refusals()), test_name);

// The deflate stream of a gigabyte of zeros is about a megabyte; the limit is on what it declares,
// and what it does not declare it cannot deliver.
TEST(Zip, StopsAtTheDeclaredSize) {
  ZipFile zip{.entries = {deflated("a", std::string(std::size_t{64} << 20, '\0'))}};
  zip.entries[0].local.size = zip.entries[0].central.size = 1000;
  const auto source = from_memory(to_bytes(zip.build()));
  const auto archive = ZipArchive::open(*source);
  ASSERT_TRUE(archive) << archive.error().text();
  std::size_t delivered = 0;
  const auto result = archive->stream(archive->entries()[0], [&](ByteView piece) -> Result<void> {
    delivered += piece.size();
    return {};
  });
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(ZipError::kSizeMismatch));
  EXPECT_LE(delivered, 1000u);
}

TEST(Zip, EveryTruncationIsRefused) {
  const std::string file =
      ZipFile{.entries = {stored("a", "one"), deflated("b", "two"), stored("c/", "")}}.build();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(refusal(file.substr(0, size)), "") << size;
  }
}

}  // namespace
}  // namespace touchmark::zip
