#include "package/ios/ipa.h"
#include "formats/testing/plist_writer.h"
#include "package/package.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "formats/testing/bytes_writer.h"
#include "package/ios/code_signature.h"
#include "package/ios/mach_o.h"
#include "package/ios/resource_rules.h"
#include "package/testing/ios_builder.h"
#include "tests/support/vectors.h"

namespace touchmark::package::ios {
namespace {

using testing::CodeSpec;
using testing::DirectoryHash;
using testing::IosPki;
using testing::ZipFile;
using testing::ZipFileEntry;

const std::string kFolder = "Payload/Example.app/";

ReadRanges ranges_of(const std::string& file) {
  return [&file](std::span<const zip::ZipRange> ranges) -> Result<std::vector<Bytes>> {
    std::vector<Bytes> out;
    for (const zip::ZipRange& range : ranges) {
      out.push_back(range.offset >= file.size()
                        ? Bytes()
                        : to_bytes(std::string_view(file).substr(range.offset, range.length)));
    }
    return out;
  };
}

std::string slices_of(const std::string& file) {
  const auto slices = read_mach_o(file.size(), ranges_of(file));
  return slices ? std::to_string(slices->size()) : slices.error().id();
}

// The id of the refusal of an image's own signature, "" for none.
std::string check_image(const std::string& file) {
  const auto slices = read_mach_o(file.size(), ranges_of(file));
  if (!slices) return slices.error().id();
  for (const MachSlice& slice : *slices) {
    const std::string_view image = std::string_view(file).substr(slice.offset, slice.size);
    const auto signature = parse_code_signature(as_bytes(image.substr(slice.signature_offset)));
    if (!signature) return signature.error().id();
    if (auto ok = check_blob_slots(*signature); !ok) return ok.error().id();
    PageChecker pages(*signature);
    // In odd pieces, so that pages and pieces do not meet.
    for (std::size_t at = 0; at < image.size(); at += 1000) {
      if (auto ok = pages.update(as_bytes(image.substr(at, 1000))); !ok) return ok.error().id();
    }
    if (auto ok = pages.finish(); !ok) return ok.error().id();
  }
  return "";
}

TEST(MachO, ReadsThinAndUniversalFiles) {
  const std::string image = testing::signed_image({});
  EXPECT_EQ(slices_of(image), "1");
  EXPECT_EQ(slices_of(testing::universal({image, image})), "2");
  EXPECT_EQ(check_image(image), "");
  EXPECT_EQ(check_image(testing::universal({image, image})), "");
}

// Not made by our own builder: clang and lld linked it, and lld signed it ad hoc.
TEST(MachO, ReadsWhatALinkerWrites) {
  const std::string file(as_text(touchmark::testing::read_vector("ios/linked-by-lld")));
  EXPECT_EQ(check_image(file), "");
  const auto slices = read_mach_o(file.size(), ranges_of(file));
  ASSERT_TRUE(slices);
  EXPECT_EQ(slices->front().cpu_type, 0x0100000cu);  // arm64
  for (const std::size_t at : {std::size_t{100}, std::size_t{5000}, file.size() / 2}) {
    std::string changed = file;
    changed[at] ^= 1;
    EXPECT_NE(check_image(changed), "") << at;
  }
}

TEST(MachO, RefusesMalformedFiles) {
  const std::string good = testing::signed_image({});
  const auto patched = [&](std::size_t at, std::string_view bytes) {
    std::string file = good;
    testing::patch(file, at, bytes);
    return slices_of(file);
  };
  EXPECT_EQ(slices_of(""), "macho.not-mach-o");
  EXPECT_EQ(slices_of("\x7f"
                      "ELF" +
                      std::string(100, '\0')),
            "macho.not-mach-o");
  EXPECT_EQ(slices_of(good.substr(0, 20)), "macho.truncated");
  EXPECT_EQ(patched(20, testing::u32(0x7fffffff)), "macho.truncated");  // size of commands
  EXPECT_EQ(patched(16, testing::u32(99)), "macho.truncated");          // their number
  EXPECT_EQ(patched(36, testing::u32(4)), "macho.bad-command");         // size of one
  EXPECT_EQ(patched(36, testing::u32(4000)), "macho.bad-command");
  EXPECT_EQ(patched(32, testing::u32(0x99)), "macho.no-signature");
  EXPECT_EQ(patched(48, testing::u32(0x1d) + testing::u32(24)), "macho.bad-command");
  EXPECT_EQ(patched(44, testing::u32(100)), "macho.signature-bounds");
  EXPECT_EQ(patched(40, testing::u32(0x7fffffff)), "macho.signature-bounds");
  EXPECT_EQ(slices_of(good + "x"), "macho.signature-bounds");

  std::string fat = testing::universal({good, good});
  const auto fat_patched = [&](std::size_t at, std::string_view bytes) {
    std::string file = fat;
    testing::patch(file, at, bytes);
    return slices_of(file);
  };
  EXPECT_EQ(fat_patched(4, std::string_view("\0\0\0\0", 4)), "macho.too-many-slices");
  EXPECT_EQ(fat_patched(4, std::string_view("\0\0\1\0", 4)), "macho.too-many-slices");
  EXPECT_EQ(fat_patched(16, std::string_view("\x7f\0\0\0", 4)), "macho.slice-bounds");
  EXPECT_EQ(fat_patched(36, std::string_view("\0\0\x40\0", 4)), "macho.slice-bounds");
  EXPECT_EQ(fat_patched(16, std::string_view("\0\0\0\4", 4)), "macho.slice-bounds");
}

TEST(CodeSignature, EveryChangedPageIsSeen) {
  for (const auto& hashes : {std::vector{DirectoryHash::kSha256},
                             std::vector{DirectoryHash::kSha1, DirectoryHash::kSha256},
                             std::vector{DirectoryHash::kSha256, DirectoryHash::kSha384}}) {
    CodeSpec spec;
    spec.hashes = hashes;
    const std::string good = testing::signed_image(spec);
    EXPECT_EQ(check_image(good), "");
    for (const std::size_t at : {std::size_t{200}, std::size_t{4096}, std::size_t{12187}}) {
      std::string changed = good;
      changed[at] ^= 1;
      EXPECT_EQ(check_image(changed), "codesign.page-mismatch") << at;
    }
  }
  CodeSpec weak;
  weak.hashes = {DirectoryHash::kSha1};
  EXPECT_EQ(check_image(testing::signed_image(weak)), "codesign.no-strong-directory");
}

// The super blob of one image, and what becomes of it after a change at an offset.
class SuperBlob : public ::testing::Test {
 protected:
  std::string code_ = std::string(10000, 'c');
  std::string blob_ = testing::code_signature({}, code_);

  static std::string parse(std::string_view blob) {
    const auto signature = parse_code_signature(as_bytes(blob));
    if (!signature) return signature.error().id();
    const auto ok = check_blob_slots(*signature);
    return ok ? "" : ok.error().id();
  }
  std::string patched(std::size_t at, std::string_view bytes) const {
    std::string changed = blob_;
    testing::patch(changed, at, bytes);
    return parse(changed);
  }
  // Where the code directory begins: after the index of three blobs.
  static constexpr std::size_t kDirectory = 12 + 3 * 8;
};

TEST_F(SuperBlob, ReadsACorrectOne) {
  EXPECT_EQ(parse(blob_), "");
  const auto signature = parse_code_signature(as_bytes(blob_));
  ASSERT_TRUE(signature);
  const CodeDirectory& directory = signature->strongest();
  EXPECT_EQ(directory.identifier, "org.example.iosapp");
  EXPECT_EQ(directory.team, "TESTTEAM01");
  EXPECT_EQ(directory.code_limit, 10000u);
  EXPECT_EQ(directory.code_slots, 3u);
  EXPECT_EQ(directory.cdhash().size(), 20u);
  EXPECT_TRUE(signature->cms.empty());
}

TEST_F(SuperBlob, RefusesMalformedOnes) {
  const std::string_view huge("\x7f\xff\xff\xff", 4);
  const std::string_view zero("\0\0\0\0", 4);
  EXPECT_EQ(parse(""), "codesign.malformed");
  EXPECT_EQ(parse(blob_.substr(0, blob_.size() - 1)), "codesign.malformed");
  EXPECT_EQ(patched(0, huge), "codesign.malformed");
  EXPECT_EQ(patched(8, huge), "codesign.malformed");
  EXPECT_EQ(patched(16, huge), "codesign.malformed");
  EXPECT_EQ(patched(20, zero), "codesign.duplicate-slot");
  EXPECT_EQ(patched(12, std::string_view("\0\0\0\x09", 4)), "codesign.no-directory");
  EXPECT_EQ(patched(kDirectory, zero), "codesign.malformed");
  EXPECT_EQ(patched(kDirectory + 4, huge), "codesign.malformed");
  EXPECT_EQ(patched(kDirectory + 16, huge), "codesign.bad-directory");  // where hashes are
  EXPECT_EQ(patched(kDirectory + 20, huge), "codesign.bad-directory");  // identifier
  EXPECT_EQ(patched(kDirectory + 24, huge), "codesign.bad-directory");  // special slots
  EXPECT_EQ(patched(kDirectory + 28, huge), "codesign.bad-directory");  // code slots
  EXPECT_EQ(patched(kDirectory + 32, huge), "codesign.bad-directory");  // code limit
  EXPECT_EQ(patched(kDirectory + 36, "\x14"), "codesign.unknown-hash");
  EXPECT_EQ(patched(kDirectory + 37, "\x09"), "codesign.unknown-hash");
  EXPECT_EQ(patched(kDirectory + 39, std::string_view("\0", 1)), "codesign.bad-directory");
  EXPECT_EQ(patched(kDirectory + 44, huge), "codesign.bad-directory");  // scatter
  EXPECT_EQ(patched(kDirectory + 48, huge), "codesign.bad-directory");  // team
}

TEST_F(SuperBlob, ComparesItsOwnBlobs) {
  CodeSpec spec;
  blob_ = testing::code_signature(spec, code_);
  const std::size_t entitlements = blob_.find("<plist");
  ASSERT_NE(entitlements, std::string::npos);
  EXPECT_EQ(patched(entitlements + 1, "P"), "codesign.slot-mismatch");
  // The entitlements' slot in the index renamed: signed, but not there.
  EXPECT_EQ(patched(28, std::string_view("\0\0\0\x63", 4)), "codesign.slot-missing");
}

class Ipa : public ::testing::Test {
 protected:
  Result<Measurement> measure_zip(const ZipFile& zip) const {
    return measure(*from_memory(to_bytes(zip.build())), {.ios_roots = {to_bytes(pki_.root_der())}});
  }
  std::string refusal(const ZipFile& zip) const {
    const auto m = measure_zip(zip);
    return m ? "" : m.error().id();
  }
  // After a change of the app that its signature does not know.
  template <class Change>
  std::string after(Change change) const {
    ZipFile zip = testing::signed_ipa(pki_);
    change(zip);
    return refusal(zip);
  }
  static ZipFileEntry& entry(ZipFile& zip, const std::string& name) {
    return *std::ranges::find_if(zip.entries, [&](const ZipFileEntry& candidate) {
      return candidate.central.name == kFolder + name;
    });
  }
  static void replace(ZipFile& zip, const std::string& name, std::string_view content) {
    entry(zip, name) = testing::deflated(kFolder + name, content);
  }
  static void remove(ZipFile& zip, const std::string& name) {
    std::erase_if(zip.entries, [&](const ZipFileEntry& candidate) {
      return candidate.central.name == kFolder + name;
    });
  }
  // Files and the code that seals them, all made again.
  std::string sealed(std::map<std::string, std::string> files, CodeSpec spec = {}) const {
    ZipFile zip;
    if (spec.info.empty()) spec.info = testing::info_plist();
    if (spec.resources.empty()) spec.resources = testing::code_resources(files);
    if (spec.signer == nullptr) spec.signer = &pki_;
    files["Info.plist"] = spec.info;
    files["_CodeSignature/CodeResources"] = spec.resources;
    files["Example"] = testing::signed_image(spec);
    for (const auto& [name, content] : files) {
      zip.entries.push_back(testing::deflated(kFolder + name, content));
    }
    return refusal(zip);
  }

  IosPki pki_;
};

TEST_F(Ipa, IsMeasured) {
  const auto m = measure_zip(testing::signed_ipa(pki_));
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->form, Form::kIpa);
  EXPECT_EQ(m->platform, "iOS");
  EXPECT_EQ(m->package_name, "org.example.iosapp");
  EXPECT_EQ(m->version_name, "1.2");
  EXPECT_EQ(m->version_code, 34u);
  EXPECT_EQ(m->label, "Example & Co");
  EXPECT_EQ(m->min_sdk, 14u);
  EXPECT_EQ(m->sdk_version, "0.1.0");
  EXPECT_EQ(m->signers, std::vector{crypto::sha256(as_bytes(pki_.leaf_der()))});
  EXPECT_EQ(m->team, "TESTTEAM01");
  std::vector<std::string> names;
  for (const Part& part : m->parts) names.push_back(part.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "Example", "Example#arm64/__TEXT.__stubs", "Example#arm64/__TEXT.__text",
                "Example#arm64/commands", "Example#arm64/constants", "Frameworks/Kit.framework/Kit",
                "Frameworks/Kit.framework/Kit#arm64/__TEXT.__stubs",
                "Frameworks/Kit.framework/Kit#arm64/__TEXT.__text",
                "Frameworks/Kit.framework/Kit#arm64/commands",
                "Frameworks/Kit.framework/Kit#arm64/constants", "Info.plist",
                "_CodeSignature/CodeResources", "data.bin", "embedded.mobileprovision",
                "en.lproj/Localizable.strings", "touchmark-sdk.json"}));
  ASSERT_EQ(m->images.size(), 2u);
  EXPECT_EQ(m->images[0].name, "Example#arm64");
  EXPECT_EQ(m->images[0].uuid, "01010101010101010101010101010101");
  EXPECT_EQ(m->images[0].code_directory.size(), 40u);
  EXPECT_EQ(m->images[1].name, "Frameworks/Kit.framework/Kit#arm64");
  // The store keeps all of it.
  EXPECT_EQ(from_json(to_json(*m)), *m);
  const auto kind = [&](std::string_view name) {
    const auto at = std::ranges::find(m->parts, name, &Part::name);
    return at == m->parts.end() ? "none" : to_string(at->kind);
  };
  EXPECT_EQ(kind("Example"), "image");
  EXPECT_EQ(kind("Example#arm64/__TEXT.__text"), "native-library");
  EXPECT_EQ(kind("Frameworks/Kit.framework/Kit"), "image");
  EXPECT_EQ(kind("Info.plist"), "manifest");
  EXPECT_EQ(kind("data.bin"), "other");
}

TEST_F(Ipa, HasTheSdkWhereXcodeAndCocoaPodsPutIt) {
  const auto version = [&](std::string asset) {
    CodeSpec spec;
    spec.sdk_asset = std::move(asset);
    const auto m = measure_zip(testing::signed_ipa(pki_, spec));
    return m ? m->sdk_version : m.error().text();
  };
  const std::string bundle = "Touchmark_Touchmark.bundle/touchmark-sdk.json";
  EXPECT_EQ(version(bundle), "0.1.0");
  EXPECT_EQ(version("Frameworks/Touchmark.framework/" + bundle), "0.1.0");
  EXPECT_EQ(version("touchmark-sdk.json"), "0.1.0");
  EXPECT_EQ(version(""), "");
  EXPECT_EQ(version("Other.bundle/touchmark-sdk.json"), "");
}

TEST_F(Ipa, MayBeUniversalAndHaveTwoDirectories) {
  CodeSpec spec;
  spec.hashes = {DirectoryHash::kSha1, DirectoryHash::kSha256};
  EXPECT_EQ(refusal(testing::signed_ipa(pki_, spec)), "");
}

TEST_F(Ipa, EveryChangedFileIsRefused) {
  for (const char* name :
       {"data.bin", "en.lproj/Localizable.strings", "Frameworks/Kit.framework/Kit",
        "embedded.mobileprovision", "touchmark-sdk.json"}) {
    EXPECT_EQ(after([&](ZipFile& zip) { replace(zip, name, "changed"); }), "ipa.seal-mismatch");
    EXPECT_EQ(after([&](ZipFile& zip) { remove(zip, name); }), "ipa.seal-missing");
  }
  EXPECT_EQ(after([](ZipFile& zip) {
              zip.entries.push_back(testing::stored(kFolder + "Frameworks/evil.dylib", "code"));
            }),
            "ipa.unsealed");
  EXPECT_EQ(after([](ZipFile& zip) { replace(zip, "Info.plist", testing::info_plist() + " "); }),
            "codesign.slot-mismatch");
  EXPECT_EQ(after([](ZipFile& zip) {
              replace(zip, "_CodeSignature/CodeResources", testing::code_resources({}));
            }),
            "codesign.slot-mismatch");
  // Outside the app's folder nothing is installed.
  EXPECT_EQ(after([](ZipFile& zip) {
              zip.entries.push_back(testing::stored("iTunesMetadata.plist", "x"));
            }),
            "");
}

TEST_F(Ipa, RefusesWhatIsNotOneWholeApp) {
  EXPECT_EQ(after([](ZipFile& zip) {
              zip.entries.push_back(testing::stored("Payload/Other.app/Info.plist", "x"));
            }),
            "ipa.several-apps");
  EXPECT_EQ(after([](ZipFile& zip) { remove(zip, "Info.plist"); }), "ipa.no-info");
  EXPECT_EQ(after([](ZipFile& zip) {
              replace(zip, "Info.plist", touchmark::testing::xml_plist("<dict/>"));
            }),
            "ipa.info");
  EXPECT_EQ(after([](ZipFile& zip) { remove(zip, "Example"); }), "ipa.no-executable");
  EXPECT_EQ(after([](ZipFile& zip) { remove(zip, "_CodeSignature/CodeResources"); }),
            "ipa.no-resources");
}

TEST_F(Ipa, RefusesOtherSigners) {
  const IosPki other;
  CodeSpec spec;
  spec.signer = &other;
  EXPECT_EQ(refusal(testing::signed_ipa(pki_, spec)), "cms.untrusted");
  // Apple's root is the default.
  EXPECT_EQ(measure(*from_memory(to_bytes(testing::signed_ipa(pki_).build()))).error().id(),
            "cms.untrusted");
  const std::string ad_hoc = testing::signed_image(
      {.info = testing::info_plist(), .resources = testing::code_resources({})});
  ZipFile zip{.entries = {testing::stored(kFolder + "Info.plist", testing::info_plist()),
                          testing::stored(kFolder + "_CodeSignature/CodeResources",
                                          testing::code_resources({})),
                          testing::stored(kFolder + "Example", ad_hoc)}};
  EXPECT_EQ(refusal(zip), "codesign.no-cms");
}

TEST_F(Ipa, RefusesACertificateThatIsNotForCode) {
  const IosPki server("TESTTEAM01", false);
  CodeSpec spec;
  spec.signer = &server;
  const auto m = measure(*from_memory(to_bytes(testing::signed_ipa(pki_, spec).build())),
                         {.ios_roots = {to_bytes(server.root_der())}});
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().id(), "cms.not-for-code");
}

TEST_F(Ipa, RefusesNamesThatDiffer) {
  CodeSpec spec;
  spec.identifier = "org.example.other";
  EXPECT_EQ(sealed({}, spec), "ipa.identifier-mismatch");
  spec = {};
  spec.team = "OTHERTEAM1";
  EXPECT_EQ(sealed({}, spec), "ipa.team-mismatch");
}

TEST_F(Ipa, ChecksTheProfile) {
  const auto with_profile = [&](const std::string& profile) {
    return sealed({{"embedded.mobileprovision", profile}});
  };
  EXPECT_EQ(sealed({}), "");  // as from the App Store
  EXPECT_EQ(with_profile(pki_.wrap(testing::profile_plist(pki_))), "");
  EXPECT_EQ(with_profile(pki_.wrap(testing::profile_plist(pki_, "TESTTEAM01", "TESTTEAM01.*"))),
            "");
  EXPECT_EQ(with_profile(pki_.wrap(testing::profile_plist(pki_, "TESTTEAM01", "TESTTEAM01.x"))),
            "ipa.profile");
  EXPECT_EQ(with_profile(pki_.wrap(testing::profile_plist(pki_, "OTHERTEAM1"))),
            "ipa.team-mismatch");
  const IosPki other;
  EXPECT_EQ(with_profile(pki_.wrap(testing::profile_plist(other))), "ipa.profile-signer");
  EXPECT_EQ(with_profile(other.wrap(testing::profile_plist(pki_))), "cms.untrusted");
  EXPECT_EQ(with_profile("junk"), "cms.malformed");
  EXPECT_EQ(with_profile(pki_.wrap(touchmark::testing::xml_plist("<dict/>"))), "ipa.profile");
}

TEST_F(Ipa, RefusesWeakAndBrokenSeals) {
  CodeSpec spec;
  spec.resources = touchmark::testing::xml_plist("<dict><key>files</key><dict/></dict>");
  EXPECT_EQ(sealed({}, spec), "ipa.bad-resources");
  spec.resources = touchmark::testing::xml_plist(
      "<dict><key>files2</key><dict><key>a</key><dict><key>hash</key><data>AAAA</data></dict>"
      "</dict></dict>");
  EXPECT_EQ(sealed({{"a", "x"}}, spec), "ipa.weak-seal");
  spec.resources = touchmark::testing::xml_plist(
      "<dict><key>files2</key><dict><key>a</key><dict><key>hash2</key><data>AAAA</data>"
      "<key>optional</key><true/></dict></dict></dict>");
  EXPECT_EQ(sealed({}, spec), "");
  EXPECT_EQ(sealed({{"a", "x"}}, spec), "ipa.seal-mismatch");
}

TEST_F(Ipa, FilesThatTheRulesOmitAreNotUnsealed) {
  const auto with_rules = [&](const std::string& rules, const std::string& file) {
    CodeSpec spec;
    spec.resources =
        touchmark::testing::xml_plist("<dict><key>files2</key><dict/>" + rules + "</dict>");
    return sealed({{file, "x"}}, spec);
  };
  // As codesign writes them.
  const std::string rules =
      "<key>rules2</key><dict><key>.*\\.dSYM($|/)</key><dict><key>weight</key><real>11</real></"
      "dict>"
      "<key>^(.*/)?\\.DS_Store$</key><dict><key>omit</key><true/><key>weight</key><real>2000</real>"
      "</dict><key>^.*</key><true/><key>^.*\\.lproj/</key><dict><key>optional</key><true/>"
      "<key>weight</key><real>1000</real></dict><key>^.*\\.lproj/locversion.plist$</key><dict>"
      "<key>omit</key><true/><key>weight</key><real>1100</real></dict><key>^Base\\.lproj/</"
      "key><dict>"
      "<key>weight</key><real>1010</real></dict><key>^version\\.plist$</key><dict><key>omit</key>"
      "<true/><key>weight</key><real>20</real></dict></dict>";
  EXPECT_EQ(with_rules(rules, "en.lproj/locversion.plist"), "");
  EXPECT_EQ(with_rules(rules, "Base.lproj/locversion.plist"), "");
  EXPECT_EQ(with_rules(rules, "version.plist"), "");
  EXPECT_EQ(with_rules(rules, "en.lproj/.DS_Store"), "");
  EXPECT_EQ(with_rules(rules, "sub/version.plist"), "ipa.unsealed");
  EXPECT_EQ(with_rules(rules, "en.lproj/Localizable.strings"), "ipa.unsealed");
  EXPECT_EQ(with_rules(rules, "Frameworks/evil.dylib"), "ipa.unsealed");
  // No rules, rules that are none, and rules that nobody understands omit nothing.
  EXPECT_EQ(with_rules("", "version.plist"), "ipa.unsealed");
  EXPECT_EQ(with_rules("<key>rules2</key><true/>", "version.plist"), "ipa.unsealed");
  EXPECT_EQ(with_rules("<key>rules2</key><dict><key>^ver[[:alpha:]]</key><false/></dict>",
                       "version.plist"),
            "ipa.unsealed");
  EXPECT_EQ(with_rules("<key>rules2</key><dict><key>^ver</key><false/></dict>", "version.plist"),
            "");
}

TEST(RulePattern, MatchesLikeAPosixExtendedExpression) {
  const auto matches = [](std::string_view pattern, std::string_view text) -> std::string {
    const auto compiled = RulePattern::compile(pattern);
    if (!compiled) return "none";
    Budget budget(0);
    const auto matched = compiled->matches(text, budget);
    return !matched ? matched.error().id() : *matched ? "yes" : "no";
  };
  const struct {
    std::string_view pattern, text, expected;
  } kCases[] = {
      {"", "", "yes"},
      {"", "abc", "yes"},
      {"b", "abc", "yes"},
      {"d", "abc", "no"},
      {"^b", "abc", "no"},
      {"^a", "abc", "yes"},
      {"c$", "abc", "yes"},
      {"b$", "abc", "no"},
      {"^abc$", "abc", "yes"},
      {"^$", "", "yes"},
      {"^$", "a", "no"},
      {"a.c", "abc", "yes"},
      {"a\\.c", "abc", "no"},
      {"a\\.c", "a.c", "yes"},
      {"^a*$", "", "yes"},
      {"^a*$", "aaa", "yes"},
      {"^a*$", "aab", "no"},
      {"^a+$", "", "no"},
      {"^a+$", "aa", "yes"},
      {"^a?b$", "b", "yes"},
      {"^a?b$", "aab", "no"},
      {"^(a|bc)$", "bc", "yes"},
      {"^(a|bc)$", "b", "no"},
      {"^(a|b|cd|)x$", "x", "yes"},
      {"^(a|b|cd|)x$", "cdx", "yes"},
      {"^(a|b|cd|)x$", "abx", "no"},
      {"^(ab)*$", "abab", "yes"},
      {"^(ab)*$", "aba", "no"},
      {"^(ab|c)+d$", "abcabd", "yes"},
      {"^[abc]+$", "cab", "yes"},
      {"^[^abc]+$", "xyz", "yes"},
      {"^[^abc]+$", "xbz", "no"},
      {"^[a-c]$", "b", "yes"},
      {"^[]a]$", "]", "yes"},
      {"^[a-]$", "-", "yes"},
      {"^a{2}$", "aa", "yes"},
      {"^a{2}$", "aaa", "no"},
      {"^a{2,}$", "aaaa", "yes"},
      {"^a{2,}$", "a", "no"},
      {"^a{1,3}$", "aaa", "yes"},
      {"^a{1,3}$", "aaaa", "no"},
      {"^(a{2}){2}$", "aaaa", "yes"},
      {"^(a*)*$", "aaa", "yes"},
      {"^(|a)+$", "aa", "yes"},
      {"x|^a", "ab", "yes"},
      {"x|^a", "ba", "no"},
      {".*\\.dSYM($|/)", "a.dSYM", "yes"},
      {".*\\.dSYM($|/)", "a.dSYM/b", "yes"},
      {".*\\.dSYM($|/)", "a.dSYMb", "no"},
      // What is no such expression, or means different things to different readers.
      {"*a", "", "none"},
      {"a{", "", "none"},
      {"a{2,1}", "", "none"},
      {"(a", "", "none"},
      {"a)", "", "none"},
      {"[a", "", "none"},
      {"\\", "", "none"},
      {"\\d", "", "none"},
      {"[[:digit:]]", "", "none"},
      {"[b-a]", "", "none"},
      {"a{65}", "", "none"},
  };
  for (const auto& [pattern, text, expected] : kCases) {
    EXPECT_EQ(matches(pattern, text), expected) << pattern << " on " << text;
  }
  EXPECT_FALSE(RulePattern::compile(std::string(1025, 'a')));
  EXPECT_FALSE(RulePattern::compile("((a{64}){64}){64}"));
  EXPECT_FALSE(RulePattern::compile(std::string(40, '(') + "a" + std::string(40, ')')));
}

TEST_F(Ipa, IsCalledOneEvenWithoutAnApp) {
  const auto alone = [&](const std::string& name) {
    return refusal(ZipFile{.entries = {testing::stored(name, "x")}});
  };
  EXPECT_EQ(alone("Payload/readme.txt"), "ipa.no-app");
  EXPECT_EQ(alone("Payload/Example/Info.plist"), "ipa.no-app");
  EXPECT_EQ(alone("iTunesMetadata.plist"), "ipa.no-app");
  EXPECT_EQ(alone("Example.app/Info.plist"), "ipa.no-app");
  EXPECT_EQ(alone("other.txt"), "manifest.missing");
  EXPECT_EQ(alone("Payload.txt"), "manifest.missing");
}

TEST_F(Ipa, SaysWhetherDebuggersAreLetIn) {
  const auto debuggable = [&](const std::string& entitlements) {
    CodeSpec spec;
    spec.entitlements = entitlements;
    const auto m = measure_zip(testing::signed_ipa(pki_, spec));
    EXPECT_TRUE(m) << m.error().text();
    return m && m->debuggable;
  };
  const auto allow = [](const std::string& value) {
    return "<plist version=\"1.0\"><dict><key>get-task-allow</key>" + value + "</dict></plist>";
  };
  EXPECT_TRUE(debuggable(allow("<true/>")));
  EXPECT_FALSE(debuggable(allow("<false/>")));
  EXPECT_FALSE(debuggable(allow("<string>true</string>")));
  EXPECT_FALSE(debuggable("<plist version=\"1.0\"><dict></dict></plist>"));
}

TEST_F(Ipa, RefusesEncryptedCode) {
  CodeSpec spec;
  spec.info = testing::info_plist();
  spec.resources = testing::code_resources({});
  spec.signer = &pki_;
  spec.image.encrypted = true;
  ZipFile zip{.entries = {testing::stored(kFolder + "Info.plist", spec.info),
                          testing::stored(kFolder + "_CodeSignature/CodeResources", spec.resources),
                          testing::stored(kFolder + "Example", testing::signed_image(spec))}};
  EXPECT_EQ(refusal(zip), "ipa.encrypted");
  EXPECT_EQ(sealed({{"Frameworks/Kit.framework/Kit", testing::kit_image(true)}}), "ipa.encrypted");
}

TEST_F(Ipa, SlicesMustAgree) {
  CodeSpec spec;
  spec.info = testing::info_plist();
  spec.resources = testing::code_resources({});
  spec.signer = &pki_;
  const auto with_code = [&](const std::string& code) {
    return refusal(ZipFile{
        .entries = {testing::stored(kFolder + "Info.plist", spec.info),
                    testing::stored(kFolder + "_CodeSignature/CodeResources", spec.resources),
                    testing::deflated(kFolder + "Example", code)}});
  };
  const std::string image = testing::signed_image(spec);
  CodeSpec authenticated = spec;
  authenticated.image.cpu_subtype = 2;
  const std::string both = testing::universal({image, testing::signed_image(authenticated)});
  EXPECT_EQ(with_code(both), "");
  EXPECT_EQ(with_code(testing::universal({image, image})), "ipa.part-name");
  std::string changed = both;
  changed[16384 + image.size() + 16384] ^= 1;
  EXPECT_NE(with_code(changed), "");
  CodeSpec other = spec;
  other.identifier = "org.example.other";
  EXPECT_EQ(with_code(testing::universal({image, testing::signed_image(other)})),
            "ipa.identifier-mismatch");
}

}  // namespace
}  // namespace touchmark::package::ios
