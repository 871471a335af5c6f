// Source stamps: one crafted stamp for every reason against it.
#include "package/android/signature/source_stamp.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "package/android/signature/testing/signing_builder.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;

constexpr std::uint32_t kLineage = 0x9d6303f7;
constexpr std::uint32_t kTime = 0xe43c5946;

struct StampSpec {
  const Identity* by = &ec_identity();
  std::uint32_t algorithm = 0x0201;
  std::optional<Bytes> certificate{};
  std::uint32_t scheme = 2;
  Bytes stamped = Bytes(40);  // what is signed for the scheme
  std::optional<Bytes> attributes{};
  std::function<void(Bytes&)> edit_signature{};
  std::function<void(Bytes&)> edit{};
};

Bytes signatures(const StampSpec& spec, const Bytes& data) {
  Bytes signature = spec.by->sign(data);
  if (spec.edit_signature) spec.edit_signature(signature);
  return prefixed(prefixed(concat({u32_bytes(spec.algorithm), prefixed(signature)})));
}

Bytes encode_stamp(const StampSpec& spec) {
  const Bytes scheme = prefixed(concat({u32_bytes(spec.scheme), signatures(spec, spec.stamped)}));
  Bytes stamp =
      concat({prefixed(spec.certificate.value_or(spec.by->certificate)), prefixed(scheme)});
  if (spec.attributes) {
    const Bytes data = prefixed(*spec.attributes);
    append(stamp, concat({prefixed(data), signatures(spec, data)}));
  }
  if (spec.edit) spec.edit(stamp);
  return prefixed(stamp);
}

Result<SourceStamp> check(const StampSpec& spec, SdkRange range = {30, kNewest}) {
  const Sha256Digest named = crypto::sha256(spec.certificate.value_or(spec.by->certificate));
  return verify_source_stamp(encode_stamp(spec), named, {{2, Bytes(40)}}, range);
}
std::string reason(const StampSpec& spec, SdkRange range = {30, kNewest}) {
  const auto stamp = check(spec, range);
  return stamp ? "verified" : stamp.error().id();
}

TEST(SourceStamp, SaysWhoAndWhen) {
  const auto plain = check({});
  ASSERT_TRUE(plain) << plain.error().text();
  EXPECT_EQ(plain->certificate, ec_identity().certificate);
  EXPECT_EQ(plain->time, 0);
  const auto timed =
      check({.attributes = attribute(kTime, concat({u32_bytes(1600000000), u32_bytes(0)}))});
  ASSERT_TRUE(timed) << timed.error().text();
  EXPECT_EQ(timed->time, 1600000000);
}

TEST(SourceStamp, FailsForOneReasonEach) {
  EXPECT_EQ(reason({.edit = [](Bytes& b) { b.resize(3); }}), "signature.stamp.malformed");
  EXPECT_EQ(reason({.edit = [](Bytes& b) { b.pop_back(); }}), "signature.stamp.malformed");
  EXPECT_EQ(reason({.edit = [](Bytes& b) { b.push_back({}); }}), "signature.stamp.malformed");
  EXPECT_EQ(reason({.certificate = Bytes(5)}), "signature.stamp.malformed-certificate");
  const auto other = verify_source_stamp(encode_stamp({}), Bytes(32), {}, {30, kNewest});
  EXPECT_EQ(other.error().id(), "signature.stamp.certificate-mismatch");
  EXPECT_EQ(reason({.scheme = 3}), "signature.stamp.no-signature");
  EXPECT_EQ(reason({.algorithm = 0x999}), "signature.stamp.no-signature");
  EXPECT_EQ(reason({}, {5, kNewest}), "signature.stamp.no-supported-signature");  // ECDSA: from 11
  EXPECT_EQ(reason({.algorithm = 0x0103}), "signature.stamp.unusable-signature");
  EXPECT_EQ(reason({.edit_signature = [](Bytes& b) { b.pop_back(); }}),
            "signature.stamp.unusable-signature");
  EXPECT_EQ(reason({.stamped = Bytes(41)}), "signature.stamp.bad-signature");
}

TEST(SourceStamp, AttributesAreReadAndSigned) {
  EXPECT_EQ(reason({.attributes = attribute(0x1234, Bytes(3))}), "verified");
  EXPECT_EQ(reason({.attributes = Bytes(3)}), "signature.stamp.malformed-attribute");
  EXPECT_EQ(reason({.attributes = attribute(kTime, Bytes(7))}),
            "signature.stamp.malformed-attribute");
  EXPECT_EQ(reason({.attributes = attribute(kTime, Bytes(8))}),
            "signature.stamp.invalid-timestamp");
  const auto with_lineage = [](const std::vector<LineageNode>& nodes) {
    return reason({.attributes = attribute(kLineage, encode_lineage(nodes))});
  };
  const Identity& own = ec_identity(0);
  const Identity& older = ec_identity(1);
  EXPECT_EQ(with_lineage({{&older}, {&own}}), "verified");
  EXPECT_EQ(with_lineage({{&own}, {&older}}), "signature.stamp.lineage-certificate-mismatch");
  EXPECT_EQ(with_lineage({}), "signature.stamp.lineage-certificate-mismatch");
  EXPECT_EQ(with_lineage({{&older}, {.identity = &own, .signature = Bytes(70)}}),
            "signature.stamp.lineage-bad-signature");
  EXPECT_EQ(reason({.attributes = attribute(kLineage, Bytes(2))}),
            "signature.stamp.malformed-lineage");
}

}  // namespace
}  // namespace touchmark::package::signature
