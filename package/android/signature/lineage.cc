#include "package/android/signature/lineage.h"

#include <algorithm>
#include <optional>

#include "crypto/digest.h"
#include "package/android/signature/block_algorithm.h"
#include "package/android/signature/byte_reader.h"
#include "package/android/signature/signer_certificate.h"

namespace touchmark::package::signature {
namespace {

using Lineage = std::vector<LineageCertificate>;
constexpr std::uint32_t kVersion = 1;

struct Node {
  ByteView signed_data;
  ByteView certificate;
  std::uint32_t parent_algorithm;  // signed: what the parent signed this node with
  std::uint32_t capabilities;
  std::uint32_t child_algorithm;  // what this node's key signs the next node with
  ByteView signature;             // by the parent's key over signed_data
};

std::optional<Node> read_node(ByteReader& reader) {
  const auto record = reader.prefixed();
  if (!record) return std::nullopt;
  ByteReader fields(*record);
  const auto signed_data = fields.prefixed();
  const auto capabilities = fields.u32();
  const auto child_algorithm = fields.u32();
  const auto signature = fields.prefixed();
  if (!signed_data || !capabilities || !child_algorithm || !signature) return std::nullopt;
  ByteReader signed_fields(*signed_data);
  const auto certificate = signed_fields.prefixed();
  const auto parent_algorithm = signed_fields.u32();
  if (!certificate || !parent_algorithm) return std::nullopt;
  return Node{*signed_data,  *certificate,     *parent_algorithm,
              *capabilities, *child_algorithm, *signature};
}

// Whether `parent` signed `node` with the algorithm that both of them name.
Result<void> verify_link(const SignerCertificate& parent, std::uint32_t algorithm_id,
                         const Node& node, std::size_t number) {
  const std::string what = "certificate " + std::to_string(number) + " of the lineage";
  const BlockAlgorithm* algorithm = find_block_algorithm(algorithm_id);
  if (algorithm == nullptr) {
    return fail(SignatureError::kV3MalformedLineage, what + " has an unknown algorithm");
  }
  const auto& key = parent.public_key;
  if (!key || key->type() != algorithm->scheme.key_type ||
      key->check(algorithm->scheme, node.signed_data, node.signature) !=
          pki::SignatureCheck::kGood ||
      node.parent_algorithm != algorithm_id) {
    return fail(SignatureError::kV3LineageBadSignature,
                what + " is not signed by the one before it");
  }
  return {};
}

auto find_certificate(const Lineage& lineage, const Bytes& certificate) {
  return std::find_if(lineage.begin(), lineage.end(), [&](const LineageCertificate& entry) {
    return entry.certificate == certificate;
  });
}

Result<Lineage> merge(const Lineage& a, const Lineage& b) {
  const bool a_descends = find_certificate(b, a.front().certificate) != b.end();
  const Lineage& older = a_descends ? b : a;
  const Lineage& newer = a_descends ? a : b;
  const auto meeting = find_certificate(older, newer.front().certificate);
  const auto shared = std::min(older.end() - meeting, static_cast<std::ptrdiff_t>(newer.size()));
  const bool same =
      shared > 0 && std::equal(meeting, meeting + shared, newer.begin(),
                               [](const LineageCertificate& x, const LineageCertificate& y) {
                                 return x.certificate == y.certificate;
                               });
  if (!same) {
    return fail(SignatureError::kV3InconsistentLineages,
                "the signers' lineages are not pieces of one line of descent");
  }
  Lineage merged(older.begin(), meeting);
  merged.insert(merged.end(), newer.begin(), newer.begin() + shared);
  merged.insert(merged.end(), meeting + shared, older.end());
  merged.insert(merged.end(), newer.begin() + shared, newer.end());
  return merged;
}

}  // namespace

Result<Lineage> read_lineage(ByteView attribute) {
  ByteReader reader(attribute);
  const auto version = reader.u32();
  if (!version || *version != kVersion) {
    return fail(SignatureError::kV3MalformedLineage, "the lineage is not of version 1");
  }
  Lineage lineage;
  std::optional<SignerCertificate> parent;
  std::uint32_t algorithm = 0;
  while (!reader.empty()) {
    const std::size_t number = lineage.size() + 1;
    const auto node = read_node(reader);
    if (!node || number > kMaxLineageCertificates) {
      return fail(SignatureError::kV3MalformedLineage,
                  "certificate " + std::to_string(number) + " of the lineage is cut off");
    }
    if (parent) {
      if (auto r = verify_link(*parent, algorithm, *node, number); !r) return pass(r);
    }
    parent = read_signer_certificate(node->certificate);
    if (!parent) {
      return fail(SignatureError::kV3LineageBadSignature,
                  "certificate " + std::to_string(number) + " of the lineage is not X.509");
    }
    if (find_certificate(lineage, parent->der) != lineage.end()) {
      return fail(SignatureError::kV3LineageBadSignature,
                  "certificate " + std::to_string(number) + " of the lineage stands in it twice");
    }
    algorithm = node->child_algorithm;
    lineage.push_back({parent->der, node->capabilities, crypto::sha256(parent->der)});
  }
  return lineage;
}

Result<Lineage> merge_lineages(const std::vector<Lineage>& lineages) {
  Lineage merged;
  for (const Lineage& lineage : lineages) {
    auto next = merged.empty() ? Result<Lineage>(lineage) : merge(merged, lineage);
    if (!next) return pass(next);
    merged = std::move(*next);
  }
  return merged;
}

}  // namespace touchmark::package::signature
