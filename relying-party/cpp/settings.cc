#include "relying-party/cpp/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "base/text.h"
#include "base/utf.h"
#include "protocol/decoy.h"

// POSIX; a process's environment.
extern "C" char** environ;  // NOLINT(readability-redundant-declaration)

namespace touchmark::relying {
namespace {

constexpr std::string_view kBegin = "TOUCHMARK_";
constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518, section 3.2
constexpr std::size_t kMaxKid = 64;
constexpr std::size_t kTypingError = 2;  // so few letters apart, whatever was meant
constexpr std::size_t kLongestName = 64;
// More than this is no difference between clocks, and keeps stolen tokens alive.
constexpr double kMaxLeeway = 300;
constexpr unsigned kMaxDatabase = 65535;

constexpr const char* kSecret = "TOUCHMARK_SECRET";
constexpr const char* kDecoySecret = "TOUCHMARK_DECOY_SECRET";
constexpr const char* kJwks = "TOUCHMARK_JWKS";
constexpr const char* kMode = "TOUCHMARK_MODE";
constexpr const char* kPercent = "TOUCHMARK_PERCENT";
constexpr const char* kTokenHeader = "TOUCHMARK_TOKEN_HEADER";
constexpr const char* kTokenPrefix = "TOUCHMARK_TOKEN_PREFIX";
constexpr const char* kBindingHeaders = "TOUCHMARK_BINDING_HEADERS";
constexpr const char* kAudience = "TOUCHMARK_AUDIENCE";
constexpr const char* kIssuer = "TOUCHMARK_ISSUER";
constexpr const char* kLevel = "TOUCHMARK_LEVEL";
constexpr const char* kLeeway = "TOUCHMARK_LEEWAY";
constexpr const char* kSingleUse = "TOUCHMARK_SINGLE_USE";
constexpr const char* kReplayFailure = "TOUCHMARK_REPLAY_FAILURE";
constexpr const char* kApproovSecret = "TOUCHMARK_APPROOV_SECRET";
constexpr const char* kApproovBindingHeaders = "TOUCHMARK_APPROOV_BINDING_HEADERS";
constexpr const char* kFirebaseProject = "TOUCHMARK_FIREBASE_PROJECT";
constexpr const char* kFirebaseJwks = "TOUCHMARK_FIREBASE_JWKS";
constexpr const char* kGoogleKeys = "https://firebaseappcheck.googleapis.com/v1/jwks";

// What the command and the service read, and may well stand in the same environment.
constexpr auto kOthers = std::to_array<std::string_view>(
    {"TOUCHMARK_BIN", "TOUCHMARK_CONFIG", "TOUCHMARK_DATA", "TOUCHMARK_HOME", "TOUCHMARK_LISTEN",
     "TOUCHMARK_PIN", "TOUCHMARK_PROFILE", "TOUCHMARK_PUBLIC_URL", "TOUCHMARK_TOKEN",
     "TOUCHMARK_URL"});

// A line's end around a value comes with secrets that stand in files.
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> listed(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t comma = text.find(',');
    out.push_back(stripped(text.substr(0, comma)));
    if (comma == text.npos) return out;
    text.remove_prefix(comma + 1);
  }
}

tl::unexpected<Error> bad(std::string_view name, const std::string& problem) {
  return fail(SettingError::kBadValue, std::string(name) + " " + problem);
}

std::string upper_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

bool is_kid(std::string_view kid) {
  return !kid.empty() && kid.size() <= kMaxKid && std::ranges::all_of(kid, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._~-").find(c) != std::string_view::npos;
  });
}

struct NamedSecret {
  std::optional<std::string> kid{};
  Bytes secret;
};

Result<Bytes> long_enough(std::string_view name, Result<Bytes> secret) {
  if (!secret) {
    return bad(name, "is not base64: copy it as 'touchmark secret get' prints it, with every '='");
  }
  if (secret->size() < kMinSecretBytes) {
    return bad(name, "holds a secret of " + std::to_string(secret->size()) +
                         " bytes: " + std::to_string(kMinSecretBytes) + " are needed at least");
  }
  return secret;
}

Result<std::vector<NamedSecret>> read_secrets(std::string_view name, std::string_view text) {
  std::vector<NamedSecret> out;
  for (std::string_view one : listed(text)) {
    if (one.empty()) return bad(name, "names an empty secret: take out the comma beside it");
    NamedSecret secret;
    const std::size_t colon = one.rfind(':');
    if (colon != one.npos) {
      secret.kid = std::string(one.substr(0, colon));
      if (!is_kid(*secret.kid)) {
        return bad(name, "has a kid that is none: 1 to 64 of A-Z a-z 0-9 . _ ~ - before the colon");
      }
      one.remove_prefix(colon + 1);
    }
    auto bytes = long_enough(name, base64_decode(one));
    if (!bytes) return pass(bytes);
    secret.secret = std::move(*bytes);
    out.push_back(std::move(secret));
  }
  return out;
}

class Reader {
 public:
  Reader(const SettingsText& source, const std::function<void(const std::string&)>& warn,
         const std::vector<std::string>& also_known)
      : source_(source), warn_(warn), also_known_(also_known) {}

  Result<Settings> read() {
    using Step = Result<void> (Reader::*)();
    constexpr auto kSteps = std::to_array<Step>(
        {&Reader::refuse_typing_errors, &Reader::read_mode, &Reader::read_percent,
         &Reader::read_token_header, &Reader::read_binding, &Reader::read_claims,
         &Reader::read_leeway, &Reader::read_single_use, &Reader::read_keys, &Reader::read_approov,
         &Reader::read_firebase});
    for (const Step step : kSteps) {
      if (auto ok = (this->*step)(); !ok) return pass(ok);
    }
    return std::move(out_);
  }

 private:
  // nullopt: not set. An empty value most often comes from a variable that was meant to be set, and
  // would turn a check off.
  Result<std::optional<std::string_view>> given(const char* name) const {
    const auto at = source_.find(std::string_view(name));
    if (at == source_.end()) return std::optional<std::string_view>();
    if (stripped(at->second).empty()) {
      return fail(SettingError::kEmpty,
                  std::string(name) + " is empty: leave it out, or give it a value");
    }
    return std::optional<std::string_view>(at->second);
  }

  // `TOUCHMARK_MOD=report` must not be taken for no mode.
  Result<void> refuse_typing_errors() {
    for (const auto& [name, value] : source_) {
      const auto is_it = [&name = name](std::string_view known) { return known == name; };
      if (std::ranges::any_of(setting_names(), is_it) || std::ranges::any_of(kOthers, is_it) ||
          std::ranges::any_of(also_known_, is_it)) {
        continue;
      }
      const std::string folded = upper_name(std::string_view(name).substr(0, kLongestName));
      const std::string* nearest = nullptr;
      std::size_t apart = SIZE_MAX;
      for (const std::string& known : setting_names()) {
        const std::size_t distance = edit_distance(folded, known);
        if (distance < apart) {
          apart = distance;
          nearest = &known;
        }
      }
      if (apart <= kTypingError) {
        return fail(SettingError::kUnknown,
                    shortened(name) + " is not a setting: did you mean " + *nearest + "?");
      }
      if (warn_ && folded.starts_with(kBegin)) {
        warn_(shortened(name) + " is not a setting of the token check, and nothing reads it; the " +
              "nearest is " + *nearest);
      }
    }
    return {};
  }

  Result<void> read_mode() {
    const auto text = given(kMode);
    if (!text) return pass(text);
    if (!*text) return {};
    const auto mode = mode_named(**text);
    // A typing error must not turn the check off.
    if (!mode) return bad(kMode, "is " + shown(**text) + ": use 'enforce', 'report' or 'off'");
    out_.mode = *mode;
    return {};
  }

  Result<void> read_percent() {
    const auto text = given(kPercent);
    if (!text) return pass(text);
    if (!*text) return {};
    const auto percent = parse_percent(kPercent, **text);
    if (!percent) return pass(percent);
    out_.percent = *percent;
    return {};
  }

  Result<void> read_token_header() {
    const auto name = given(kTokenHeader);
    if (!name) return pass(name);
    if (*name) {
      if (!is_http_token(**name)) {
        return bad(kTokenHeader, "is " + shown(**name) +
                                     ", which cannot be the name of a header: use letters, digits "
                                     "and '-'");
      }
      out_.token_header = std::string(**name);
    }
    const auto prefix = given(kTokenPrefix);
    if (!prefix) return pass(prefix);
    if (!*prefix) return {};
    const auto printable = [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); };
    if (!std::ranges::all_of(**prefix, printable)) {
      return bad(kTokenPrefix,
                 "is " + shown(**prefix) + ", which cannot stand in a header: use printable ASCII");
    }
    out_.token_prefix = std::string(**prefix);
    return {};
  }

  Result<void> read_binding() {
    const auto text = given(kBindingHeaders);
    if (!text) return pass(text);
    if (!*text) return {};
    auto names = parse_header_names(kBindingHeaders, **text);
    if (!names) return pass(names);
    for (const std::string& name : *names) {
      if (same_word(name, out_.token_header)) {
        return bad(kBindingHeaders,
                   "names the header of the token, and no token is bound to itself: name another");
      }
    }
    out_.binding_headers = std::move(*names);
    return {};
  }

  Result<void> read_claim(const char* name, std::optional<std::string>& out) {
    const auto text = given(name);
    if (!text) return pass(text);
    if (!*text) return {};
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    if (std::ranges::any_of(**text, is_control) || !is_utf8(**text)) {
      return bad(name, "is " + shown(**text) + ": take out what is not printable");
    }
    out = std::string(**text);
    return {};
  }

  Result<void> read_claims() {
    if (auto ok = read_claim(kAudience, out_.audience); !ok) return ok;
    if (auto ok = read_claim(kIssuer, out_.issuer); !ok) return ok;
    const auto level = given(kLevel);
    if (!level) return pass(level);
    if (!*level) return {};
    out_.level = level_named(**level);
    if (!out_.level) {
      return bad(kLevel,
                 "is " + shown(**level) + ": use 'software', 'platform', 'tee' or 'secure-chip'");
    }
    return {};
  }

  Result<void> read_leeway() {
    const auto text = given(kLeeway);
    if (!text) return pass(text);
    if (!*text) return {};
    const std::string_view digits = stripped(**text);
    const std::size_t point = digits.find('.');
    const auto is_number = [](std::string_view part) {
      return !part.empty() && part.size() <= 18 &&
             std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    };
    const bool good = is_number(digits.substr(0, point)) &&
                      (point == digits.npos || is_number(digits.substr(point + 1)));
    double seconds = -1;
    if (good) std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (!(seconds >= 0 && seconds <= kMaxLeeway)) {
      return bad(kLeeway,
                 "is " + shown(**text) + ": a leeway is a number of seconds from 0 to 300");
    }
    out_.leeway = seconds;
    return {};
  }

  Result<void> read_single_use() {
    const auto failure = given(kReplayFailure);
    if (!failure) return pass(failure);
    if (*failure && **failure != "closed" && **failure != "open") {
      return bad(kReplayFailure, "is " + shown(**failure) + ": use 'closed' or 'open'");
    }
    out_.replay_failure_is_open = *failure == "open";
    const auto text = given(kSingleUse);
    if (!text) return pass(text);
    if (!*text) return {};
    out_.single_use = true;
    if (**text == "memory") return {};
    out_.redis = parse_redis(**text);
    if (!out_.redis) {
      return bad(kSingleUse, "is neither 'memory' nor redis://HOST[:PORT][/DB]");
    }
    return {};
  }

  static std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > most ||
        (text.size() > 1 && text.front() == '0')) {
      return std::nullopt;
    }
    return number;
  }

  // Without a user or a password: neither may stand in a message, and the contract has none.
  static std::optional<RedisAddress> parse_redis(std::string_view url) {
    constexpr std::string_view kScheme = "redis://";
    if (!url.starts_with(kScheme)) return std::nullopt;
    url.remove_prefix(kScheme.size());
    RedisAddress out;
    if (const std::size_t slash = url.find('/'); slash != url.npos) {
      const std::string_view database = url.substr(slash + 1);
      const auto number = parse_number(database, kMaxDatabase);
      if (!number && !database.empty()) return std::nullopt;
      out.database = number.value_or(0);
      url = url.substr(0, slash);
    }
    std::string_view port;
    if (url.starts_with('[')) {
      const std::size_t end = url.find(']');
      if (end == url.npos) return std::nullopt;
      out.host = std::string(url.substr(1, end - 1));
      port = url.substr(end + 1);
    } else {
      const std::size_t colon = url.find(':');
      out.host = std::string(url.substr(0, colon));
      port = colon == url.npos ? std::string_view() : url.substr(colon);
    }
    if (!port.empty()) {
      const auto number = port.front() == ':' ? parse_number(port.substr(1), 65535) : std::nullopt;
      if (!number || *number == 0) return std::nullopt;
      out.port = static_cast<std::uint16_t>(*number);
    }
    const auto is_host = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-._:").find(c) != std::string_view::npos;
    };
    if (out.host.empty() || !std::ranges::all_of(out.host, is_host)) return std::nullopt;
    return out;
  }

  Result<void> read_keys() {
    const auto jwks = given(kJwks);
    if (!jwks) return pass(jwks);
    if (*jwks) out_.jwks = std::string(stripped(**jwks));
    const auto secrets = given(kSecret);
    if (!secrets) return pass(secrets);
    const auto decoys = given(kDecoySecret);
    if (!decoys) return pass(decoys);
    if (!*secrets) {
      if (*decoys) {
        return fail(SettingError::kMissing,
                    std::string(kSecret) + " is not set, and " + kDecoySecret + " goes with it");
      }
      if (out_.jwks.empty() && out_.mode != Mode::kOff) {
        return fail(SettingError::kMissing,
                    std::string(kSecret) +
                        " is not set, and neither is TOUCHMARK_JWKS: an operator gets a secret "
                        "with 'touchmark secret get --format env'");
      }
      return {};
    }
    auto read = read_secrets(kSecret, **secrets);
    if (!read) return pass(read);
    std::vector<NamedSecret> decoy_secrets;
    if (*decoys) {
      auto others = read_secrets(kDecoySecret, **decoys);
      if (!others) return pass(others);
      decoy_secrets = std::move(*others);
      if (decoy_secrets.size() != read->size()) {
        return bad(kDecoySecret, "holds " + std::to_string(decoy_secrets.size()) + ", and " +
                                     kSecret + " " + std::to_string(read->size()) +
                                     ": give one for each, in the same order");
      }
    }
    return pair_up(std::move(*read), std::move(decoy_secrets));
  }

  Result<void> pair_up(std::vector<NamedSecret> secrets, std::vector<NamedSecret> decoys) {
    for (std::size_t i = 0; i < secrets.size(); ++i) {
      SecretSetting one{secrets[i].kid, std::move(secrets[i].secret), {}};
      if (decoys.empty()) {
        one.decoy_secret = protocol::derive_decoy_secret(one.secret);
      } else if (decoys[i].kid && decoys[i].kid != one.kid) {
        return bad(kDecoySecret, "names another kid than " + std::string(kSecret) +
                                     " in its place: give them in the same order");
      } else {
        one.decoy_secret = std::move(decoys[i].secret);
      }
      out_.secrets.push_back(std::move(one));
    }
    for (const SecretSetting& one : out_.secrets) {
      const auto is_decoy = [&](const SecretSetting& other) {
        return other.secret == one.decoy_secret;
      };
      if (!std::ranges::any_of(out_.secrets, is_decoy)) continue;
      if (decoys.empty()) {
        return bad(kSecret, "holds the decoy secret of another one: leave the decoy secret out");
      }
      return bad(kDecoySecret, "is one of the token secrets: a decoy needs a secret of its own");
    }
    return {};
  }

  Result<void> read_approov() {
    const auto headers = given(kApproovBindingHeaders);
    if (!headers) return pass(headers);
    if (*headers) {
      auto names = parse_header_names(kApproovBindingHeaders, **headers);
      if (!names) return pass(names);
      out_.approov_binding_headers = std::move(*names);
    }
    const auto text = given(kApproovSecret);
    if (!text) return pass(text);
    if (!*text) {
      if (!*headers) return {};
      return fail(SettingError::kMissing, std::string(kApproovSecret) + " is not set, and " +
                                              kApproovBindingHeaders + " goes with it");
    }
    for (const std::string_view one : listed(**text)) {
      if (one.empty()) {
        return bad(kApproovSecret, "names an empty secret: take out the comma beside it");
      }
      auto bytes = base64_any_decode(one);
      if (!bytes) return bad(kApproovSecret, "is neither base64 nor base64url");
      auto secret = long_enough(kApproovSecret, std::move(bytes));
      if (!secret) return pass(secret);
      out_.approov_secrets.push_back(std::move(*secret));
    }
    return {};
  }

  Result<void> read_firebase() {
    const auto project = given(kFirebaseProject);
    if (!project) return pass(project);
    const auto jwks = given(kFirebaseJwks);
    if (!jwks) return pass(jwks);
    if (!*project) {
      if (!*jwks) return {};
      return fail(SettingError::kMissing, std::string(kFirebaseProject) + " is not set, and " +
                                              kFirebaseJwks + " goes with it");
    }
    const std::string_view number = stripped(**project);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (number.size() > 20 || !std::ranges::all_of(number, is_digit)) {
      return bad(kFirebaseProject,
                 "is " + shown(number) + ": give the project's number, not its name");
    }
    out_.firebase_project = std::string(number);
    out_.firebase_jwks = *jwks ? std::string(stripped(**jwks)) : kGoogleKeys;
    return {};
  }

  const SettingsText& source_;
  const std::function<void(const std::string&)>& warn_;
  const std::vector<std::string>& also_known_;
  Settings out_;
};

}  // namespace

std::string_view error_id(SettingError error) {
  using enum SettingError;
  static constexpr auto kIds = error_table<SettingError>({
      {kBadValue, "check-setting.bad-value"},
      {kEmpty, "check-setting.empty"},
      {kMissing, "check-setting.missing"},
      {kUnknown, "check-setting.unknown"},
  });
  return kIds[error];
}

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::kEnforce:
      return "enforce";
    case Mode::kReport:
      return "report";
    case Mode::kOff:
      break;
  }
  return "off";
}

std::optional<Mode> mode_named(std::string_view text) {
  for (const Mode mode : {Mode::kEnforce, Mode::kReport, Mode::kOff}) {
    if (to_string(mode) == text) return mode;
  }
  return std::nullopt;
}

Result<Settings> read_settings(const SettingsText& source,
                               const std::function<void(const std::string&)>& warn,
                               const std::vector<std::string>& also_known) {
  return Reader(source, warn, also_known).read();
}

SettingsText settings_of_environment() {
  SettingsText out;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const std::size_t equals = entry.find('=');
    if (equals == entry.npos) continue;
    const std::string_view name = entry.substr(0, equals);
    if (upper_name(name).starts_with(kBegin)) {
      out.emplace(std::string(name), std::string(entry.substr(equals + 1)));
    }
  }
  return out;
}

const std::vector<std::string>& setting_names() {
  static const std::vector<std::string> names{
      kSecret,          kDecoySecret,   kJwks,          kMode,
      kPercent,         kTokenHeader,   kTokenPrefix,   kBindingHeaders,
      kAudience,        kIssuer,        kLevel,         kLeeway,
      kSingleUse,       kReplayFailure, kApproovSecret, kApproovBindingHeaders,
      kFirebaseProject, kFirebaseJwks};
  return names;
}

Result<unsigned> parse_percent(std::string_view name, std::string_view text) {
  unsigned percent = 0;
  const std::string_view digits = stripped(text);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), percent);
  if (error != std::errc() || end != digits.data() + digits.size() || percent > 100) {
    return bad(name, "is " + shown(text) + ": use a whole number from 0 to 100");
  }
  return percent;
}

Result<std::vector<std::string>> parse_header_names(std::string_view name, std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view one : listed(text)) {
    if (!is_http_token(one)) {
      return bad(name, "is " + shown(one) +
                           ", which cannot be the name of a header: use letters, digits and '-'");
    }
    const auto is_same = [&](const std::string& other) { return same_word(one, other); };
    if (std::ranges::any_of(out, is_same)) {
      return bad(name, "names " + shown(one) + " twice: name it once");
    }
    out.emplace_back(one);
  }
  return out;
}

bool is_http_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace touchmark::relying
