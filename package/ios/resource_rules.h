// The rules of _CodeSignature/CodeResources ("rules2"): regular expressions over the paths of an
// app's files that say which files the signature seals, and which it leaves out (".DS_Store",
// "locversion.plist"). As ResourceBuilder of Apple's Security framework reads them: of the rules
// that match a path the one of the highest weight counts.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/error.h"
#include "formats/plist/plist.h"

namespace touchmark::package::ios {

// A POSIX extended regular expression, without classes by name ("[[:alpha:]]"). Matching takes at
// most its size times the text's steps, and no stack: an expression comes from the file that is
// judged.
class RulePattern {
 public:
  // Nothing for what is no such expression, or is too large.
  static std::optional<RulePattern> compile(std::string_view pattern);

  // Whether it matches any piece of the text. BudgetError.
  Result<bool> matches(std::string_view text, Budget& budget) const;
  // Instructions of the compiled form.
  std::size_t size() const { return program_.size(); }

 private:
  friend class PatternCompiler;
  struct Instruction {
    enum Kind : std::uint8_t { kClass, kSplit, kStart, kEnd, kMatch } kind = kMatch;
    // Of kSplit, where the two ways lead, relative to this one; of the others to the next.
    std::int16_t one = 1;
    std::int16_t other = 1;
    std::uint16_t set = 0;  // of kClass, index into sets_
  };
  std::vector<Instruction> program_;
  std::vector<std::bitset<256>> sets_;
};

class ResourceRules {
 public:
  // `rules`: the dictionary "rules2"; nullptr, or rules that are not understood, omit nothing.
  explicit ResourceRules(const plist::PlistValue* rules);

  // Whether the signature leaves the file at this path out. BudgetError.
  Result<bool> omits(std::string_view path, Budget& budget) const;

 private:
  struct Rule {
    RulePattern pattern;
    double weight = 1;
    bool omit = false;
  };
  std::vector<Rule> rules_;
};

}  // namespace touchmark::package::ios
