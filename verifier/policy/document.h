// The policy document: TOML 1.0 in, a Policy out. docs/policy.md describes every key.
//
// A document is read whole: all that is wrong with it is reported at once, each with its place, its
// key and the nearest valid word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

inline constexpr std::size_t kMaxDocumentBytes = 256 * 1024;
inline constexpr std::size_t kMaxProblems = 50;

struct Problem {
  std::uint32_t line = 0;  // from 1
  std::uint32_t column = 0;
  std::string key;         // "android.min_os_version"; empty when it is not TOML at all
  std::string message;     // "is not a version such as \"12\" or \"8.1\""
  std::string suggestion;  // the nearest valid word; empty when nothing is near
  bool operator==(const Problem&) const = default;
};
// "12:5: android.min_os_verson: unknown key; did you mean min_os_version?"
std::string to_string(const Problem& problem);

enum class DocumentError {
  kInvalid,  // the message holds every problem, one a line
};
std::string_view error_id(DocumentError error);

struct Document {
  Policy policy;                  // the defaults where there are problems
  std::vector<Problem> problems;  // by place, at most kMaxProblems and one that counts the rest
  std::vector<Problem> warnings;  // what is valid, and yet hardly meant

  bool valid() const { return problems.empty(); }
};
// A key that an earlier version knew is a problem of a document that somebody writes now; in one
// that is in force already it is a warning, and does nothing, as before.
enum class DocumentAge { kNew, kStored };
// Never throws; bounded in the size of `text`.
Document parse_document(std::string_view text, DocumentAge age = DocumentAge::kNew);

// The policy of a document without problems; else kInvalid.
Result<Policy> parse_policy(std::string_view text, DocumentAge age = DocumentAge::kNew);

// What a new service starts with: the preset `strict` (presets.h). Stricter than Policy(), which a
// document that leaves its keys out means.
std::string_view default_document();

}  // namespace touchmark::verifier::policy
