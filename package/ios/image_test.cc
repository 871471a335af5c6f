#include "package/ios/image.h"

#include <gtest/gtest.h>

#include <map>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "formats/testing/bytes_writer.h"
#include "package/content.h"
#include "package/ios/app_images.h"
#include "package/model/match.h"
#include "package/package.h"
#include "package/testing/ios_builder.h"
#include "protocol/testing/vectors.h"
#include "tests/support/vectors.h"

namespace touchmark::package::ios {
namespace {

using testing::mach_o_image;
using testing::MachOSpec;
using testing::u32;
using testing::u64;

constexpr std::size_t kSize = 3 * testing::kMachOPage - 100;

Result<Image> parse(const std::string& file) { return parse_image(as_bytes(file), file.size()); }
std::string refusal(const std::string& file) {
  const auto image = parse(file);
  return image ? "" : image.error().id();
}

// Where the first command of `type` begins.
std::size_t command_at(const std::string& file, std::uint32_t type, std::size_t nth = 0) {
  std::size_t at = kImageHeaderBytes;
  for (;;) {
    const auto word = [&](std::size_t where) {
      std::uint32_t out = 0;
      for (int i = 3; i >= 0; --i) out = out << 8 | static_cast<unsigned char>(file[where + i]);
      return out;
    };
    if (word(at) == type && nth-- == 0) return at;
    at += word(at + 4);
  }
}

TEST(Image, ReadsWhatALinkerLaysOut) {
  const auto image = parse(mach_o_image({.has_signature = false}, kSize, 0));
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_EQ(image->architecture(), "arm64");
  EXPECT_TRUE(image->is_executable());
  EXPECT_EQ(image->base, testing::kMachOBase);
  EXPECT_EQ(image->libraries,
            (std::vector<std::string>{"/usr/lib/libSystem.B.dylib", "@rpath/Kit.framework/Kit"}));
  ASSERT_EQ(image->parts.size(), 4u);
  EXPECT_EQ(image->parts[0].name, "__TEXT.__stubs");
  EXPECT_EQ(image->parts[1].name, "__TEXT.__text");
  EXPECT_EQ(image->parts[1].extents.front().offset, 0x800u);
  EXPECT_EQ(image->parts[1].extents.front().address, 0x800u);
  // Two libraries, a search path, the entry point.
  EXPECT_EQ(image->parts[2].name, "commands");
  EXPECT_EQ(image->parts[2].extents.size(), 4u);
  EXPECT_EQ(image->parts[3].name, "constants");
  EXPECT_EQ(image->parts[3].extents.size(), 2u);
  EXPECT_EQ(image->parts[3].size(), 0xa0u + 0x1f0u);
  EXPECT_EQ(image->mapped(0x2000, 16), 0x2000u);
  EXPECT_FALSE(image->mapped(0x9000, 16));
}

// What another implementation has to find in an image, too.
TEST(Image, HasThePartsOfTheGoldenVector) {
  const Json vector = protocol::testing::read_vector("image.json");
  const Bytes file = base64_decode(vector["image"].get<std::string>()).value();
  const auto image = parse_image(file, file.size());
  ASSERT_TRUE(image);
  EXPECT_EQ(image->architecture(), vector["architecture"]);
  ASSERT_EQ(image->parts.size(), vector["parts"].size());
  for (std::size_t i = 0; i < image->parts.size(); ++i) {
    const Json& expected = vector["parts"][i];
    const ImagePart& part = image->parts[i];
    EXPECT_EQ(image_part_name(vector["path"].get<std::string>(), *image, part.name),
              expected["name"]);
    EXPECT_EQ(part.size(), expected["size"]);
    crypto::Sha256 sha;
    for (const Extent& extent : part.extents) {
      sha.update(ByteView(file).subspan(extent.offset, extent.size));
    }
    EXPECT_EQ(hex_encode(sha.finish()), expected["sha256"]);
  }
}

// clang and lld linked it.
TEST(Image, ReadsARealOne) {
  const std::string file(as_text(touchmark::testing::read_vector("ios/linked-by-lld")));
  const auto image = parse(file);
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_TRUE(image->uuid);
  std::string names;
  for (const ImagePart& part : image->parts) names += part.name + " ";
  EXPECT_NE(names.find("__TEXT.__text "), names.npos) << names;
}

TEST(Image, RefusesMalformedOnes) {
  const std::string good = mach_o_image({.has_signature = false}, kSize, 0);
  ASSERT_EQ(refusal(good), "");
  const auto patched = [&](std::size_t at, std::string_view bytes) {
    std::string file = good;
    testing::patch(file, at, bytes);
    return refusal(file);
  };
  const std::size_t text = command_at(good, 0x19, 1);
  EXPECT_EQ(refusal(good.substr(0, 31)), "image.truncated");
  EXPECT_EQ(refusal(good.substr(0, 600)), "image.truncated");
  EXPECT_EQ(patched(0, u32(0xfeedface)), "image.not-64-bit");
  EXPECT_EQ(patched(16, u32(99)), "image.truncated");
  EXPECT_EQ(patched(20, u32(0x7fffffff)), "image.truncated");
  EXPECT_EQ(patched(36, u32(4)), "image.bad-command");
  EXPECT_EQ(patched(text + 64, u32(1000)), "image.bad-command");            // sections
  EXPECT_EQ(patched(text + 8, "__TE/XT"), "image.bad-segment");             // name
  EXPECT_EQ(patched(text + 32, u64(1)), "image.bad-segment");               // size in memory
  EXPECT_EQ(patched(text + 24, u64(UINT64_MAX - 5)), "image.bad-segment");  // address
  EXPECT_EQ(patched(text + 48, u64(1 << 30)), "image.bad-segment");         // size in the file
  EXPECT_EQ(patched(text + 60, u32(7)), "image.bad-segment");               // protection
  const std::size_t section = text + 72;
  EXPECT_EQ(patched(section, "a#b"), "image.bad-section");
  EXPECT_EQ(patched(section, std::string("__stubs\0", 8)), "image.bad-section");  // twice
  EXPECT_EQ(patched(section + 32, u64(0)), "image.bad-section");                  // address
  EXPECT_EQ(patched(section + 40, u64(0x100000)), "image.bad-section");           // size
  EXPECT_EQ(patched(section + 40, u64(UINT64_MAX)), "image.bad-section");
  EXPECT_EQ(patched(section + 48, u32(0x900)), "image.bad-section");  // offset
  // The stubs begin within the text.
  EXPECT_EQ(patched(section + 80 + 32, u64(testing::kMachOBase + 0x900)), "image.bad-section");
  EXPECT_EQ(patched(command_at(good, 0xc) + 8, u32(4000)), "image.bad-command");  // path
  // In memory nobody knows the slice's size.
  EXPECT_TRUE(parse_image(as_bytes(good).first(0x800), std::nullopt));
}

// What Xcode 7 to 13 exported for the App Store with bitcode: a slice without its code.
TEST(Image, SaysThatBitcodeIsNoCode) {
  const std::string good = mach_o_image({.has_signature = false}, kSize, 0);
  const std::size_t text = command_at(good, 0x19, 1);
  std::string stripped = good;
  testing::patch(stripped, text + 24, std::string(32, '\0'));  // address, sizes, offset
  testing::patch(stripped, text + 64, u32(0));                 // sections
  auto image = parse(stripped);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().message(), "no segment holds the header");
  testing::patch(stripped, command_at(good, 0x19, 2) + 8, std::string("__LLVM\0", 7));
  image = parse(stripped);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().id(), "image.bad-segment");
  EXPECT_NE(image.error().message().find("export the app without bitcode"), std::string::npos);
}

// Real apps carry all of these.
TEST(Image, WhatDyldDoesNotLoadIsNoImage) {
  const std::string image = mach_o_image({.has_signature = false}, kSize, 0);
  std::string debug_symbols = mach_o_image({.file_type = 10, .has_signature = false}, kSize, 0);
  testing::patch(debug_symbols, command_at(debug_symbols, 0x19) + 40, std::string(16, '\0'));
  const std::string static_library = "!<arch>\n" + std::string(100, 'a');
  const std::string folder = "Payload/Example.app/";
  testing::ZipFile zip;
  for (const auto& [name, content] : std::map<std::string, std::string>{
           {"Example", image},
           {"Example.dSYM/Contents/Resources/DWARF/Example", debug_symbols},
           {"Frameworks/Mixed", testing::universal({static_library, image})},
           {"Frameworks/Static", testing::universal({static_library, static_library})},
           {"part.o", mach_o_image({.file_type = 1, .has_signature = false}, kSize, 0)},
           {"Watch/Other.app/Other", image}}) {
    zip.entries.push_back(testing::deflated(folder + name, content));
  }
  const auto source = from_memory(to_bytes(zip.build()));
  const auto archive = zip::ZipArchive::open(*source);
  ASSERT_TRUE(archive);
  const auto files = find_images(*archive, folder);
  ASSERT_TRUE(files) << files.error().text();
  std::vector<std::string> names;
  for (const ImageFile& file : *files) {
    names.push_back(file.path);
    EXPECT_EQ(file.slices.size(), 1u) << file.path;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Example", "Frameworks/Mixed"}));
}

TEST(Image, NamesItsParts) {
  const auto image =
      parse(mach_o_image({.cpu_subtype = 0x80000002, .has_signature = false}, kSize, 0));
  ASSERT_TRUE(image);
  const std::string name = image_part_name("Frameworks/A#b.framework/A#b", *image, "constants");
  EXPECT_EQ(name, "Frameworks/A#b.framework/A#b#arm64e/constants");
  EXPECT_EQ(image_of(name), "Frameworks/A#b.framework/A#b#arm64e");
  EXPECT_EQ(path_of_image(image_of(name)), "Frameworks/A#b.framework/A#b");
  EXPECT_EQ(image_of("data/a.bin"), "");
}

class AppImages : public ::testing::Test {
 protected:
  AppImages()
      : source_(from_memory(to_bytes(testing::signed_ipa(pki_).build()))),
        measured_(measure(*source_, {.ios_roots = {to_bytes(pki_.root_der())}}).value()) {}

  // What the app has in memory, where it has loaded the images that `loaded` takes.
  template <class Loaded>
  Measurement installed(const Loaded& loaded) const {
    Measurement out = measured_;
    out.signers.clear();
    std::erase_if(out.parts, [&](const Part& part) {
      return !part.code_bearing() || !loaded(image_of(part.name));
    });
    return out;
  }
  std::string match_id(const Measurement& app) const {
    const auto matched = match(measured_, app, /*code_only=*/true);
    return matched ? "" : matched.error().id();
  }

  testing::IosPki pki_;
  std::unique_ptr<Source> source_;
  Measurement measured_;
};

TEST_F(AppImages, ContentIsWhatWasMeasured) {
  const auto content = AppContent::open(*source_);
  ASSERT_TRUE(content);
  int parts = 0;
  for (const Part& part : measured_.parts) {
    crypto::Sha256 sha;
    std::uint64_t size = 0;
    ASSERT_TRUE(content->read(part.name, [&](ByteView bytes) -> Result<void> {
      sha.update(bytes);
      size += bytes.size();
      return {};
    })) << part.name;
    EXPECT_EQ(sha.finish(), part.sha256) << part.name;
    EXPECT_EQ(size, part.size) << part.name;
    parts += part.code_bearing() ? 1 : 0;
  }
  EXPECT_EQ(parts, 8);
}

TEST_F(AppImages, APhoneHasTheMainImageAndOthersWhole) {
  const auto all = [](std::string_view) { return true; };
  const auto main_only = [](std::string_view image) { return image == "Example#arm64"; };
  const auto kit_only = [](std::string_view image) { return image != "Example#arm64"; };
  EXPECT_EQ(match_id(installed(all)), "");
  EXPECT_EQ(match_id(installed(main_only)), "");
  EXPECT_EQ(match_id(installed(kit_only)), "match.part-missing");
  for (const Part& part : installed(all).parts) {
    Measurement app = installed(all);
    const auto same = std::ranges::find(app.parts, part.name, &Part::name);
    same->sha256[0] ^= std::byte{1};
    EXPECT_EQ(match_id(app), "match.part-changed") << part.name;
    same->sha256[0] ^= std::byte{1};
    app.parts.erase(same);
    EXPECT_EQ(match_id(app), "match.part-missing") << part.name;
  }
  Measurement more = installed(all);
  more.parts.push_back({"Frameworks/Evil#arm64/__TEXT.__text", PartKind::kNativeLibrary, 1, {}});
  EXPECT_EQ(match_id(more), "match.part-unknown");
  // What was registered before images were measured matches no phone.
  measured_.images.clear();
  EXPECT_EQ(match_id(installed(all)), "match.part-missing");
}

}  // namespace
}  // namespace touchmark::package::ios
