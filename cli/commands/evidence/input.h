// Evidence as it comes in files: the forms that tools, phones and test suites write it in.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::cli::commands {

inline constexpr std::size_t kMaxEvidenceBytes = 16 << 20;

// One piece of evidence and the file, folder or first file that it came from.
struct EvidenceObject {
  std::string source;
  Bytes bytes;
};
struct EvidenceChain {
  std::string source;
  Result<std::vector<Bytes>> certificates;  // DER, leaf first; an error is a reason to refuse
};

// What text stands for: base64 or base64url with or without padding and line breaks, or hex. Bytes
// that are no such text are given back as they are.
Bytes decode_evidence(Bytes file);

// Every file is one object; a folder stands for its files in the order of their names.
// Errors: cli.unreadable-file, file.*.
Result<std::vector<EvidenceObject>> read_evidence_objects(const std::vector<std::string>& paths);

// Files of one certificate each, in the order given, are one chain. A file of several (PEM, one DER
// after the other, base64 a line, a JSON array of base64) is a chain of its own, and a folder holds
// one chain or, told apart by what stands before the number in the names, several:
// cert-0.der cert-1.der, strongbox-cert-0.der strongbox-cert-1.der. Errors: as above.
Result<std::vector<EvidenceChain>> read_evidence_chains(const std::vector<std::string>& paths);

// The certificates of one file, in any of those forms. Errors: pem.*, cli.bad-certificate.
Result<std::vector<Bytes>> parse_evidence_chain(const Bytes& file);

}  // namespace touchmark::cli::commands
