// The path of a request as rules compare it, so that no spelling of a path gets around a rule.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace touchmark::relying::gateway {

struct Target {
  std::string compared;  // decoded whole, without a slash at its end: "/v1/rates"; the root is "/"
  std::string sent;      // normalised (RFC 3986, section 6.2.2) with its query, for the upstream
};

// nullopt: no path that two servers would read in one way. Dot segments are resolved and slashes
// that follow each other are one. Refused are: what does not begin with a slash, a dot segment that
// leads above the root, a control character, a backslash, a semicolon (some servers cut a segment
// there), a fragment, what is no percent-encoding or no UTF-8, an encoded slash, and an encoded
// percent sign, which a second decoding would read again.
std::optional<Target> read_target(std::string_view target);

// What a rule says of paths: "/v1/rates" is that path; "/v1/*" is /v1 and all below it; "/v1*" is
// every path that begins so. A slash at the end does not count.
class PathRule {
 public:
  enum class Fit { kNo, kYes, kOtherCase };

  // nullopt: no path that a request could have after read_target().
  static std::optional<PathRule> parse(std::string_view text);
  // kOtherCase: it fits when ASCII letters in another case are the same. To a server that tells no
  // case apart the path is the rule's; to others it is not.
  Fit fit(std::string_view compared) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string path_;
  bool is_prefix_ = false;
  bool is_folder_ = false;  // what follows the prefix begins with a slash
};

}  // namespace touchmark::relying::gateway
