// JAR signatures that are made to be expensive. package/hostile_test.cc has the other formats.
#include <gtest/gtest.h>

#include "package/android/signature/jar_algorithm.h"
#include "package/android/signature/testing/jar_builder.h"
#include "tests/support/cost.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;
using touchmark::testing::Cost;
using touchmark::testing::cost_of;

constexpr std::size_t kMiB = std::size_t{1} << 20;

void expect_cheap(const Cost& cost, std::string_view outcome) {
  std::cout << static_cast<int>(cost.memory_mib) << " MiB, "
            << static_cast<int>(cost.seconds * 1000) << " ms, " << cost.outcome << '\n';
  EXPECT_EQ(cost.outcome, outcome);
  if (!touchmark::testing::kCostsAreTrue) return;
  EXPECT_LT(cost.memory_mib, 64);
  EXPECT_LT(cost.seconds, 10);
}

// The files of a signature with its texts deflated, which makes megabytes of a few kilobytes.
std::string deflated_archive(const JarSpec& spec) {
  ZipFile zip = jar_signed(spec);
  for (ZipFileEntry& entry : zip.entries) entry = deflated(entry.local.name, entry.data);
  const std::string file = zip.build();
  EXPECT_LT(file.size(), 1'000'000U);
  return file;
}
Cost cost_of_verdict(const std::string& file, const SignatureOptions& options) {
  return cost_of([&] { return verdict(to_bytes(file), options); });
}

// Until Android 4.2 a section named its algorithms, and each is looked for among all attributes.
TEST(HostileJar, ALongListOfAlgorithmsAndManyAttributes) {
  std::string list;
  while (list.size() < 4 * kMiB) list += "X ";
  std::string attributes;
  for (int i = 0; i < 20'000; ++i) attributes += "A" + std::to_string(i) + ": \r\n";
  const std::string text = attributes + "Digest-Algorithms: " + list + "\r\n";
  expect_cheap(
      cost_of([&] {
        Budget budget(100'000);
        const auto sections = parse_jar_manifest(as_bytes(text), budget);
        if (!sections) return sections.error().id();
        const auto found = jar_digests_to_verify(sections->front(), "-Digest", {9, 17}, budget);
        return found ? std::string("read") : found.error().id();
      }),
      "budget.steps");
}

// All signers of a block are tried, and each wants a digest of the file.
TEST(HostileJar, ManySignersOfALongFile) {
  const auto wrong = [](Bytes& signature) { signature.back() ^= std::byte{1}; };
  const std::string extra = "X: " + std::string(10 * kMiB, 'x') + "\r\n";
  const std::string file = deflated_archive(
      {.signers = {{.edit_signature = wrong, .signers = 250}}, .signature_file_extra = extra});
  const Cost cost = cost_of_verdict(file, {24, 28, nullptr});
  expect_cheap(cost, "budget.steps");
}

TEST(HostileJar, UnknownSchemesAreCountedAndNotAllTold) {
  std::string list;
  for (int i = 4; list.size() < 5 * kMiB; ++i) list += std::to_string(i % 1000 + 4) + ",";
  const std::string file =
      deflated_archive({.signature_file_extra = "X-Android-APK-Signed: " + list + "\r\n"});
  expect_cheap(cost_of_verdict(file, {18, 28, nullptr}), "verified");
}

TEST(HostileJar, ManySections) {
  std::string sections;
  for (int i = 0; sections.size() < 5 * kMiB; ++i) {
    sections += "Name: " + std::to_string(i) + "\r\n\r\n";
  }
  const std::string file =
      deflated_archive({.edit_signature_file = [&](std::string& text) { text += sections; }});
  expect_cheap(cost_of_verdict(file, {18, 28, nullptr}), "budget.bytes");
}

}  // namespace
}  // namespace touchmark::package::signature
