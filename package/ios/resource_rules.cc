#include "package/ios/resource_rules.h"

#include <algorithm>
#include <array>

namespace touchmark::package::ios {

namespace {

// Far above what codesign writes: ten rules of some twenty characters.
constexpr std::size_t kMaxRules = 256;
constexpr std::size_t kMaxPattern = 1024;    // characters of one
constexpr std::size_t kMaxProgram = 4096;    // instructions of one, repetitions written out
constexpr std::size_t kMaxPrograms = 16384;  // of all
constexpr std::size_t kMaxNesting = 32;
constexpr unsigned kMaxRepetitions = 64;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

// Thompson's construction. A fragment begins with its first instruction and leaves behind its last;
// where an instruction leads to is relative to itself, so that fragments are joined as they are.
class PatternCompiler {
 public:
  explicit PatternCompiler(std::string_view pattern) : rest_(pattern) {
    if (pattern.size() > kMaxPattern) good_ = false;
  }

  std::optional<RulePattern> compile() {
    Fragment all = alternatives(0);
    if (!rest_.empty()) good_ = false;
    all.push_back({Instruction::kMatch});
    if (!good_) return std::nullopt;
    out_.program_ = std::move(all);
    return std::move(out_);
  }

 private:
  using Instruction = RulePattern::Instruction;
  using Fragment = std::vector<Instruction>;

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Fragment bad() {
    good_ = false;
    return {};
  }

  static Instruction fork(std::size_t one, std::size_t other) {
    return {Instruction::kSplit, static_cast<std::int16_t>(one), static_cast<std::int16_t>(other)};
  }
  static Instruction back(std::size_t count, std::size_t other) {
    return {Instruction::kSplit, static_cast<std::int16_t>(-static_cast<int>(count)),
            static_cast<std::int16_t>(other)};
  }
  void add(Fragment& fragment, const Fragment& more) {
    if (fragment.size() + more.size() > kMaxProgram) good_ = false;
    if (good_) fragment.insert(fragment.end(), more.begin(), more.end());
  }
  Fragment set_of(const std::bitset<256>& set) {
    Instruction instruction{Instruction::kClass};
    instruction.set = static_cast<std::uint16_t>(out_.sets_.size());
    out_.sets_.push_back(set);
    return {instruction};
  }
  Fragment character(char c) {
    std::bitset<256> set;
    set.set(static_cast<unsigned char>(c));
    return set_of(set);
  }

  // a|b|c
  Fragment alternatives(std::size_t depth) {
    if (depth > kMaxNesting) good_ = false;
    if (!good_) return {};
    std::vector<Fragment> branches{sequence(depth)};
    while (good_ && take('|')) branches.push_back(sequence(depth));
    // From the last to the first: a choice between the branch and the rest.
    Fragment all = std::move(branches.back());
    for (std::size_t i = branches.size() - 1; good_ && i-- > 0;) {
      const Fragment& branch = branches[i];
      Fragment joined{fork(1, branch.size() + 2)};
      add(joined, branch);
      joined.push_back(fork(all.size() + 1, all.size() + 1));
      add(joined, all);
      all = std::move(joined);
    }
    return all;
  }

  Fragment sequence(std::size_t depth) {
    Fragment all;
    while (good_ && !rest_.empty() && rest_.front() != '|' &&
           !(depth > 0 && rest_.front() == ')')) {
      add(all, repeated(atom(depth)));
    }
    return all;
  }

  Fragment atom(std::size_t depth) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case '(': {
        Fragment inner = alternatives(depth + 1);
        return take(')') ? inner : bad();
      }
      case '^':
        return {{Instruction::kStart}};
      case '$':
        return {{Instruction::kEnd}};
      case '.':
        return set_of(std::bitset<256>().set());
      case '[':
        return bracket();
      case '\\': {
        if (rest_.empty() || is_letter_or_digit(rest_.front())) return bad();
        Fragment escaped = character(rest_.front());
        rest_.remove_prefix(1);
        return escaped;
      }
      default:
        // Elsewhere than behind something these mean nothing, or not the same to every reader.
        return std::string_view("*+?{)").find(c) == std::string_view::npos ? character(c) : bad();
    }
  }

  // [abc], [^a-z], []a]
  Fragment bracket() {
    std::bitset<256> set;
    const bool negated = take('^');
    for (bool first = true; first || !take(']'); first = false) {
      if (rest_.empty()) return bad();
      const auto from = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (from == '[' && !rest_.empty() &&
          std::string_view(":.=").find(rest_.front()) != std::string_view::npos) {
        return bad();  // a class by name
      }
      unsigned char to = from;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        to = static_cast<unsigned char>(rest_[1]);
        rest_.remove_prefix(2);
      }
      if (to < from) return bad();
      for (unsigned c = from; c <= to; ++c) set.set(c);
    }
    return set_of(negated ? ~set : set);
  }

  Fragment repeated(Fragment one) {
    while (good_ && !rest_.empty()) {
      if (take('*')) {
        one = star(one);
      } else if (take('+')) {
        one.push_back(back(one.size(), 1));
      } else if (take('?')) {
        one = optional(one);
      } else if (take('{')) {
        one = counted(one);
      } else {
        break;
      }
    }
    return one;
  }

  Fragment optional(const Fragment& one) {
    Fragment all{fork(1, one.size() + 1)};
    add(all, one);
    return all;
  }
  Fragment star(const Fragment& one) {
    Fragment all{fork(1, one.size() + 2)};
    add(all, one);
    all.push_back(back(one.size() + 1, 1));
    return all;
  }

  std::optional<unsigned> number() {
    std::optional<unsigned> value;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value = value.value_or(0) * 10 + static_cast<unsigned>(rest_.front() - '0');
      if (*value > kMaxRepetitions) good_ = false;
      if (!good_) return std::nullopt;
      rest_.remove_prefix(1);
    }
    return value;
  }

  // {2}, {2,}, {2,5}: written out.
  Fragment counted(const Fragment& one) {
    const auto least = number();
    std::optional<unsigned> most = least;
    const bool open = take(',');
    if (open) most = number();
    if (!take('}') || !least || (most && *most < *least)) return bad();
    Fragment all;
    for (unsigned i = 0; good_ && i < *least; ++i) add(all, one);
    if (!most) add(all, star(one));
    for (unsigned i = *least; good_ && most && i < *most; ++i) add(all, optional(one));
    return all;
  }

  std::string_view rest_;
  RulePattern out_;
  bool good_ = true;
};

std::optional<RulePattern> RulePattern::compile(std::string_view pattern) {
  return PatternCompiler(pattern).compile();
}

// Follows all ways through the program at once, one character after the other.
Result<bool> RulePattern::matches(std::string_view text, Budget& budget) const {
  if (auto ok = budget.take_steps((text.size() + 1) * program_.size()); !ok) return pass(ok);
  std::vector<std::size_t> now;
  std::vector<std::size_t> later;
  std::vector<std::size_t> to_follow;
  std::vector<std::size_t> reached(program_.size(), text.size() + 1);  // at which character
  bool matched = false;
  const auto follow = [&](std::size_t from, std::size_t at, std::vector<std::size_t>& out) {
    to_follow.push_back(from);
    while (!to_follow.empty()) {
      const std::size_t index = to_follow.back();
      to_follow.pop_back();
      if (reached[index] == at) continue;
      reached[index] = at;
      const Instruction& instruction = program_[index];
      const auto target = [&](std::int16_t distance) {
        return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(index) + distance);
      };
      switch (instruction.kind) {
        case Instruction::kClass:
          out.push_back(index);
          break;
        case Instruction::kSplit:
          to_follow.push_back(target(instruction.one));
          to_follow.push_back(target(instruction.other));
          break;
        case Instruction::kStart:
          if (at == 0) to_follow.push_back(index + 1);
          break;
        case Instruction::kEnd:
          if (at == text.size()) to_follow.push_back(index + 1);
          break;
        case Instruction::kMatch:
          matched = true;
          break;
      }
    }
  };
  for (std::size_t at = 0; !matched; ++at) {
    follow(0, at, now);  // a match may begin anywhere
    if (matched || at == text.size()) break;
    later.clear();
    for (const std::size_t index : now) {
      const Instruction& instruction = program_[index];
      if (sets_[instruction.set].test(static_cast<unsigned char>(text[at]))) {
        follow(index + 1, at + 1, later);
      }
    }
    std::swap(now, later);
  }
  return matched;
}

ResourceRules::ResourceRules(const plist::PlistValue* rules) {
  const auto* entries = rules == nullptr ? nullptr : rules->as<plist::PlistValue::Dict>();
  if (entries == nullptr || entries->size() > kMaxRules) return;
  std::size_t programs = 0;
  for (const plist::PlistEntry& entry : *entries) {
    auto pattern = RulePattern::compile(entry.key);
    if (pattern) programs += pattern->size();
    if (!pattern || programs > kMaxPrograms) {
      rules_.clear();
      return;
    }
    Rule rule{*std::move(pattern)};
    if (const bool* included = entry.value.as<bool>()) rule.omit = !*included;
    if (const plist::PlistValue* omit = entry.value.find("omit")) {
      const bool* value = omit->as<bool>();
      rule.omit = value != nullptr && *value;
    }
    if (const plist::PlistValue* weight = entry.value.find("weight")) {
      if (const auto* whole = weight->as<std::int64_t>()) rule.weight = static_cast<double>(*whole);
      if (const auto* real = weight->as<double>()) rule.weight = *real;
    }
    rules_.push_back(std::move(rule));
  }
  // The highest weight first; of several of one weight, one that seals counts.
  std::ranges::stable_sort(rules_, [](const Rule& a, const Rule& b) {
    return a.weight != b.weight ? a.weight > b.weight : !a.omit && b.omit;
  });
}

Result<bool> ResourceRules::omits(std::string_view path, Budget& budget) const {
  for (const Rule& rule : rules_) {
    const auto matched = rule.pattern.matches(path, budget);
    if (!matched) return pass(matched);
    if (*matched) return rule.omit;
  }
  return !rules_.empty();  // what no rule speaks of is not sealed
}

}  // namespace touchmark::package::ios
