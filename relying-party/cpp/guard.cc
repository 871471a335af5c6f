#include "relying-party/cpp/guard.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "relying-party/cpp/token_json.h"

namespace touchmark::relying {
namespace {

constexpr std::size_t kMaxToken = 4096;
constexpr std::size_t kMaxTriedKeys = 16;
constexpr std::size_t kMacBytes = 32;
// For a reading that was under way, and for another that has the key that one had not.
constexpr unsigned kMostWaits = 2;
constexpr std::string_view kApproovHeader = "Approov-Token";
constexpr std::string_view kFirebaseHeader = "X-Firebase-AppCheck";
constexpr std::string_view kFirebaseIssuer = "https://firebaseappcheck.googleapis.com/";
constexpr std::string_view kFirebaseAudience = "projects/";
constexpr std::string_view kShareInfo = "touchmark share v1";
// {"alg":"HS256","typ":"JWT"}: the header that the service writes where a secret has no kid.
constexpr std::string_view kUsualHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// A header of a request: how often it stands there, and its first value.
struct Found {
  std::size_t lines = 0;
  std::string_view value;  // trimmed
  bool is_empty = true;    // in every line
};

Found find_header(const Request& request, std::string_view name) {
  Found out;
  for (const Header& header : request.headers) {
    if (header.name.size() != name.size() || !same_word(header.name, name)) continue;
    const std::string_view value = trimmed(header.value);
    if (out.lines++ == 0) out.value = value;
    out.is_empty = out.is_empty && value.empty();
  }
  return out;
}

// A browser's question before a request to another origin (Fetch standard, CORS-preflight request).
// A browser sends it by itself, and it can carry no token.
bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && !find_header(request, "Origin").value.empty() &&
         is_http_token(find_header(request, "Access-Control-Request-Method").value);
}

// An `aud` that neither is `wanted` nor has it in its array.
bool is_for(const Claims& claims, std::string_view wanted) {
  return claims.aud == wanted ||
         std::ranges::find(claims.audiences, wanted) != claims.audiences.end();
}

}  // namespace

std::string token_digest(std::string_view token) {
  return hex_encode(crypto::sha256(as_bytes(token))).substr(0, 12);
}

bool is_in_share(std::string_view device, unsigned percent) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kShareInfo));
  hash.update(as_bytes(device));
  return big_endian(ByteView(hash.finish()).first(4)) % 100 < percent;
}

struct Guard::Checked {
  std::string pattern;
  Mode mode;
  unsigned percent;
  std::optional<Level> level;
  std::vector<std::string> binding_headers;
  bool single_use;
  std::array<std::atomic<std::uint64_t>, kMakers * kReasons * 2> counts{};

  static std::size_t place(Maker maker, Reason reason, bool enforced) {
    return (static_cast<std::size_t>(maker) * kReasons + static_cast<std::size_t>(reason)) * 2 +
           (enforced ? 1 : 0);
  }
};

// The checks of one request, in the contract's order: the first that fails decides.
class Guard::Judge {
 public:
  Judge(Guard& guard, const Request& request, RouteId route, unsigned waited)
      : guard_(guard),
        request_(request),
        route_(*guard.routes_[route]),
        may_wait_(waited < kMostWaits) {
    out_.decision.route = route;
  }

  Attempt judge() {
    Decision& decision = out_.decision;
    decision.reason = find_reason();
    decision.enforced = is_enforced();
    return std::move(out_);
  }

 private:
  using enum Reason;
  const Settings& settings() const { return guard_.settings_; }

  Reason find_reason() {
    if (route_.mode == Mode::kOff) return kOff;
    if (is_preflight(request_)) return Reason::kPreflight;
    std::string_view token;
    const Reason found = find_token(token);
    if (found != kOk) return found;
    return judge_token(token);
  }

  Reason find_token(std::string_view& token) {
    Found header = find_header(request_, settings().token_header);
    if (header.is_empty && !settings().approov_secrets.empty()) {
      take_other(kApproovHeader, Maker::kApproov, header);
    }
    if (header.is_empty && guard_.firebase_keys_ != nullptr) {
      take_other(kFirebaseHeader, Maker::kFirebase, header);
    }
    if (header.is_empty) return kNoToken;
    out_.decision.token = header.value;
    if (header.lines > 1 || header.value.find(',') != std::string_view::npos) return kTwoTokens;
    token = header.value;
    if (maker() == Maker::kTouchmark && !take_prefix(token)) return kWrongPrefix;
    out_.decision.token = token;
    return token.size() > kMaxToken ? kTooLong : kOk;
  }

  void take_other(std::string_view name, Maker maker, Found& header) {
    const Found other = find_header(request_, name);
    if (other.is_empty) return;
    header = other;
    out_.decision.maker = maker;
  }

  Maker maker() const { return out_.decision.maker; }

  // RFC 9110, sections 11.1 and 11.4: a scheme is compared without regard to case, and one or more
  // spaces follow it.
  bool take_prefix(std::string_view& token) const {
    const auto& words = guard_.prefix_words_;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (!same_word(token.substr(0, words[i].size()), words[i])) return false;
      token.remove_prefix(words[i].size());
      const bool needs_gap = i + 1 < words.size() || guard_.prefix_ends_in_gap_;
      if (needs_gap && (token.empty() || !is_blank(token.front()))) return false;
      while (!token.empty() && is_blank(token.front())) token.remove_prefix(1);
    }
    return !token.empty();
  }

  Reason judge_token(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos || first == 0 || second == first + 1 ||
        token.find('.', second + 1) != token.npos) {
      return kNotCompact;
    }
    // What the three parts decode to, one after the other. Never read where it was not written.
    std::array<std::byte, kMaxToken> memory;
    std::span<std::byte> room(memory);
    const auto decode = [&room](std::string_view part) {
      const auto bytes = base64url_decode_into(part, room);
      if (bytes) room = room.subspan(bytes->size());
      return bytes;
    };
    const std::string_view header_part = token.substr(0, first);
    const auto header_bytes = decode(header_part);
    const auto payload_bytes = decode(token.substr(first + 1, second - first - 1));
    const auto signature = decode(token.substr(second + 1));
    if (!header_bytes || !payload_bytes || !signature) return kNotCompact;
    signed_ = as_bytes(token.substr(0, second));
    signature_ = *signature;
    if (header_part == kUsualHeader) {
      const JoseHeader usual{.alg = "HS256", .kid = std::nullopt, .typ = "JWT"};
      return judge_payload(usual, as_text(*payload_bytes));
    }
    FlatObject flat;
    if (flat.scan(as_text(*header_bytes))) {
      return judge_header(jose_header(flat), as_text(*payload_bytes));
    }
    const auto json = read_object(as_text(*header_bytes));
    if (!json) return kBadHeader;
    return judge_header(jose_header(*json), as_text(*payload_bytes));
  }

  Reason judge_header(const JoseHeader& header, std::string_view payload) {
    if (maker() == Maker::kFirebase && header.typ != "JWT") return kBadHeader;
    if (header.has_extension) return kUnknownExtension;
    if (header.kid_is_no_text) return kBadKid;
    return judge_payload(header, payload);
  }

  Reason judge_payload(const JoseHeader& header, std::string_view payload) {
    FlatObject flat;
    if (flat.scan(payload)) return judge_signed(header, claims_of(flat));
    const auto json = read_object(payload);
    if (!json) return kBadPayload;
    return judge_signed(header, claims_of(*json));
  }

  Reason judge_signed(const JoseHeader& header, const Claims& claims) {
    const Reason signature = judge_signature(header);
    if (signature == kOk || signature == kDecoy) {
      if (claims.did) {
        out_.decision.device.assign(*claims.did);
        device_ = is_share_known(*claims.did);
      }
    }
    return signature == kOk ? judge_claims(claims) : signature;
  }

  // --- The signature -----------------------------------------------------------------------------

  Reason judge_signature(const JoseHeader& header) {
    const auto algorithm = algorithm_named(header.alg);
    if (!algorithm) return kWrongAlgorithm;
    const bool by_secret = *algorithm == Algorithm::kHs256;
    switch (maker()) {
      case Maker::kTouchmark:
        return by_secret ? judge_mac(header, guard_.secrets_)
                         : judge_public(*algorithm, header, guard_.keys_.get());
      case Maker::kApproov:
        return by_secret ? judge_mac({}, guard_.approov_secrets_) : kWrongAlgorithm;
      case Maker::kFirebase:
        break;
    }
    if (*algorithm != Algorithm::kRs256) return kWrongAlgorithm;
    return judge_public(*algorithm, header, guard_.firebase_keys_.get());
  }

  // Whether a key goes with the token's kid: it has that kid, or none has it and it has none.
  template <class Key>
  static bool goes_with(const Key& key, const JoseHeader& header, bool is_named) {
    if (!header.kid) return true;
    return is_named ? key.kid() == *header.kid : !key.kid().has_value();
  }

  Reason judge_mac(const JoseHeader& header, const std::vector<Secret>& secrets) const {
    if (secrets.empty()) return kWrongAlgorithm;
    const bool is_named = header.kid && std::ranges::any_of(secrets, [&](const Secret& secret) {
                            return secret.kid() == *header.kid;
                          });
    std::size_t tried = 0;
    bool is_decoy = false;
    for (const Secret& secret : secrets) {
      if (!goes_with(secret, header, is_named)) continue;
      if (++tried > kMaxTriedKeys) break;
      if (signature_.size() != kMacBytes) continue;
      if (secret.signed_it(signed_, signature_)) return kOk;
      is_decoy = is_decoy || secret.signed_as_decoy(signed_, signature_);
    }
    if (tried == 0) return kUnknownKey;
    return is_decoy ? kDecoy : kBadSignature;
  }

  Reason judge_public(Algorithm algorithm, const JoseHeader& header, KeySource* source) {
    if (source == nullptr) return kWrongAlgorithm;
    const auto [keys, is_over] = source->known();
    const auto wait = [&](Reason reason) {
      out_.wait = Wait::kKeys;
      out_.keys = source;
      return reason;
    };
    const auto without_key = [&](Reason reason) {
      return may_wait_ && source->read_again() ? wait(reason) : reason;
    };
    if (keys == nullptr) return without_key(kNoKeys);
    if (is_over && may_wait_) return wait(kUnknownKey);
    const auto is_of = [algorithm](const PublicKey& key) { return key.algorithm() == algorithm; };
    if (std::ranges::none_of(*keys, is_of)) return without_key(kWrongAlgorithm);
    const bool is_named = header.kid && std::ranges::any_of(*keys, [&](const PublicKey& key) {
                            return is_of(key) && key.kid() == *header.kid;
                          });
    std::size_t tried = 0;
    for (const PublicKey& key : *keys) {
      if (!is_of(key) || !goes_with(key, header, is_named)) continue;
      if (++tried > kMaxTriedKeys) break;
      if (key.signed_it(signed_, signature_)) return kOk;
    }
    return tried == 0 ? without_key(kUnknownKey) : kBadSignature;
  }

  // --- The claims --------------------------------------------------------------------------------

  Reason judge_claims(const Claims& claims) {
    const double now = guard_.now();
    const double leeway = settings().leeway;
    if (!claims.exp.seconds) return kNoExp;
    if (now >= *claims.exp.seconds + leeway) return kExpired;
    if (claims.nbf.is_there) {
      if (!claims.nbf.seconds) return kBadNbf;
      if (now + leeway < *claims.nbf.seconds) return kNotYetValid;
    }
    if (const Reason reason = judge_parties(claims); reason != kOk) return reason;
    if (const Reason reason = judge_binding(claims); reason != kOk) return reason;
    if (maker() != Maker::kTouchmark || !route_.single_use) return kOk;
    if (!claims.jti || claims.jti->empty()) return kNoJti;
    out_.wait = Wait::kStore;
    out_.spent_token = crypto::sha256(as_bytes(*claims.jti));
    out_.spent_until = *claims.exp.seconds + leeway;
    return kOk;
  }

  Reason judge_parties(const Claims& claims) {
    if (maker() == Maker::kApproov) return kOk;
    if (maker() == Maker::kFirebase) {
      const std::string& project = settings().firebase_project;
      if (claims.iss != std::string(kFirebaseIssuer) + project) return kWrongIssuer;
      const std::string audience = std::string(kFirebaseAudience) + project;
      return is_for(claims, audience) ? kOk : kWrongAudience;
    }
    if (settings().issuer && claims.iss != *settings().issuer) return kWrongIssuer;
    if (settings().audience && !is_for(claims, *settings().audience)) return kWrongAudience;
    const auto level = claims.lvl ? level_named(*claims.lvl) : std::nullopt;
    if (route_.level && (!level || *level < *route_.level)) return kLowLevel;
    out_.decision.level = level;
    return kOk;
  }

  Reason judge_binding(const Claims& claims) const {
    if (maker() == Maker::kFirebase) return kOk;
    const bool is_ours = maker() == Maker::kTouchmark;
    const std::vector<std::string>& names =
        is_ours ? route_.binding_headers : settings().approov_binding_headers;
    if (names.empty()) return kOk;
    crypto::Sha256 hash;
    bool is_single = true;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Found header = find_header(request_, names[i]);
      // A value with a line feed is no header, though a server let it through.
      if (header.lines < 2 &&
          (header.is_empty || header.value.find('\n') != std::string_view::npos)) {
        return kNoBoundHeader;
      }
      // One that stands twice is joined with a comma, and a token is bound to one value.
      is_single = is_single && header.lines == 1;
      if (i > 0 && is_ours) hash.update(as_bytes("\n"));
      hash.update(as_bytes(header.value));
    }
    const auto bound = claims.pay ? base64_digest(*claims.pay) : std::nullopt;
    return is_single && bound && crypto::constant_time_equal(*bound, hash.finish()) ? kOk
                                                                                    : kWrongPay;
  }

  // --- The mode ----------------------------------------------------------------------------------

  // Of the whole `did`, which may be longer than what is kept of it.
  std::optional<bool> is_share_known(std::string_view device) const {
    if (route_.percent == 100 || device.empty()) return std::nullopt;
    return is_in_share(device, route_.percent);
  }

  bool is_enforced() const {
    if (route_.mode != Mode::kEnforce || route_.percent == 0) return false;
    if (route_.percent == 100) return true;
    if (device_) return *device_;
    return request_.client.empty() || is_in_share(request_.client, route_.percent);
  }

  Guard& guard_;
  const Request& request_;
  const Checked& route_;
  const bool may_wait_;
  Attempt out_;
  ByteView signed_;
  ByteView signature_;
  std::optional<bool> device_;  // whether the token's device is in the share
};

Guard::Guard(Settings settings, Surroundings surroundings)
    : settings_(std::move(settings)), surroundings_(std::move(surroundings)) {
  for (const SecretSetting& one : settings_.secrets) {
    secrets_.emplace_back(one.kid, one.secret, ByteView(one.decoy_secret));
  }
  for (const Bytes& one : settings_.approov_secrets) {
    approov_secrets_.emplace_back(std::nullopt, one, std::nullopt);
  }
  std::string_view rest = settings_.token_prefix;
  prefix_ends_in_gap_ = !rest.empty() && is_blank(rest.back());
  while (!(rest = trimmed(rest)).empty()) {
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    prefix_words_.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (!surroundings_.clock) surroundings_.clock = std::make_shared<SystemClock>();
  if (!surroundings_.steady_now) surroundings_.steady_now = std::chrono::steady_clock::now;
  if (!surroundings_.spent) {
    if (settings_.redis) {
      surroundings_.spent = spent_in_redis(*settings_.redis, surroundings_.said);
    } else {
      surroundings_.spent = std::make_unique<SpentInMemory>();
    }
  }
  add_route({.pattern = "*"});
}

Guard::~Guard() = default;

Result<void> Guard::open_sources() {
  const auto open = [this](const char* setting, const std::string& address,
                           std::unique_ptr<KeySource>& out) -> Result<void> {
    if (address.empty()) return {};
    auto reader = reader_of(address);
    if (!reader) {
      return tl::unexpected<Error>(
          reader.error().reworded(std::string(setting) + " " + reader.error().message()));
    }
    out = std::make_unique<KeySource>(std::move(*reader), surroundings_.said,
                                      surroundings_.steady_now);
    return {};
  };
  if (auto ok = open("TOUCHMARK_JWKS", settings_.jwks, keys_); !ok) return ok;
  return open("TOUCHMARK_FIREBASE_JWKS", settings_.firebase_jwks, firebase_keys_);
}

Result<std::unique_ptr<Guard>> Guard::make(Settings settings, Surroundings surroundings) {
  std::unique_ptr<Guard> out(new Guard(std::move(settings), std::move(surroundings)));
  if (auto ok = out->open_sources(); !ok) return pass(ok);
  return out;
}

RouteId Guard::add_route(Route route) {
  auto checked = std::make_unique<Checked>();
  checked->pattern = std::move(route.pattern);
  checked->mode = route.mode.value_or(settings_.mode);
  checked->percent = route.percent.value_or(settings_.percent);
  checked->level = route.level ? route.level : settings_.level;
  checked->binding_headers = route.binding_headers.value_or(settings_.binding_headers);
  checked->single_use = route.single_use.value_or(settings_.single_use);
  routes_.push_back(std::move(checked));
  return routes_.size() - 1;
}

double Guard::now() const { return static_cast<double>(to_unix(surroundings_.clock->now())); }

Guard::Attempt Guard::begin(const Request& request, RouteId route, unsigned waited) {
  Attempt attempt = Judge(*this, request, route, waited).judge();
  if (attempt.wait == Wait::kStore && !surroundings_.spent->may_wait()) spend(attempt);
  return attempt;
}

void Guard::spend(Attempt& attempt) {
  switch (surroundings_.spent->spend(attempt.spent_token, attempt.spent_until, now())) {
    case Spending::kFirst:
      break;
    case Spending::kAgain:
      attempt.decision.reason = Reason::kReplayed;
      break;
    case Spending::kNoAnswer:
      if (!settings_.replay_failure_is_open) attempt.decision.reason = Reason::kNoReplayStore;
      break;
  }
  attempt.wait = Wait::kNothing;
}

Decision Guard::finish(Attempt& attempt, const Request& request) {
  Decision& decision = attempt.decision;
  const bool is_served = decision.reason == Reason::kOk || decision.reason == Reason::kPreflight ||
                         decision.reason == Reason::kOff;
  decision.allowed = is_served || !decision.enforced;
  count(decision);
  if (surroundings_.decided) surroundings_.decided(decision, request);
  return decision;
}

Decision Guard::check(const Request& request, RouteId route) {
  Attempt attempt = begin(request, route);
  for (unsigned waited = 1; attempt.wait == Wait::kKeys; ++waited) {
    attempt.keys->wait();
    attempt = begin(request, route, waited);
  }
  if (attempt.wait == Wait::kStore) spend(attempt);
  return finish(attempt, request);
}

void Guard::count(const Decision& decision) {
  Checked& route = *routes_[decision.route];
  route.counts[Checked::place(decision.maker, decision.reason, decision.enforced)].fetch_add(
      1, std::memory_order_relaxed);
}

std::string_view Guard::pattern(RouteId route) const { return routes_[route]->pattern; }
Mode Guard::mode(RouteId route) const { return routes_[route]->mode; }

std::vector<Guard::Count> Guard::counts() const {
  std::vector<Count> out;
  for (RouteId route = 0; route < routes_.size(); ++route) {
    const auto& counts = routes_[route]->counts;
    for (std::size_t place = 0; place < counts.size(); ++place) {
      const std::uint64_t count = counts[place].load(std::memory_order_relaxed);
      if (count == 0) continue;
      out.push_back({static_cast<Maker>(place / 2 / kReasons),
                     static_cast<Reason>(place / 2 % kReasons), place % 2 == 1, route, count});
    }
  }
  return out;
}

std::string Guard::metrics() const {
  // Two routes may have one pattern: a line each would be two values of one series.
  std::map<std::string, std::uint64_t> series;
  for (const Count& one : counts()) {
    std::string route;
    for (const char c : pattern(one.route)) {
      if (c == '"' || c == '\\') route += '\\';
      route += c;
    }
    series[std::string("touchmark_requests_total{maker=\"")
               .append(to_string(one.maker))
               .append("\",status=\"")
               .append(to_string(status_of(one.reason)))
               .append("\",reason=\"")
               .append(to_string(one.reason))
               .append("\",enforced=\"")
               .append(one.enforced ? "true" : "false")
               .append("\",route=\"")
               .append(route)
               .append("\"} ")] += one.count;
  }
  std::string out =
      "# HELP touchmark_requests_total Requests, by what the check of their token found.\n"
      "# TYPE touchmark_requests_total counter\n";
  for (const auto& [name, count] : series) out += name + std::to_string(count) + "\n";
  return out;
}

std::string Guard::summary() const {
  std::map<std::string_view, std::uint64_t> others;
  std::uint64_t valid = 0;
  std::uint64_t refused = 0;
  bool is_report = false;
  for (const Count& one : counts()) {
    const Status status = status_of(one.reason);
    if (status == Status::kPreflight || status == Status::kUnchecked) continue;
    if (status == Status::kValid) {
      valid += one.count;
      continue;
    }
    others[to_string(status)] += one.count;
    refused += one.count;
    is_report = is_report || !one.enforced;
  }
  std::string kinds;
  for (const auto& [name, count] : others) {
    kinds += (kinds.empty() ? ": " : ", ") + std::to_string(count) + " " + std::string(name);
  }
  const char* were = is_report ? "would be" : refused == 1 ? "was" : "were";
  return "of " + std::to_string(valid + refused) +
         (valid + refused == 1 ? " request " : " requests ") + std::to_string(valid) +
         " had a valid token, and " + std::to_string(refused) + " " + were + " refused" + kinds;
}

}  // namespace touchmark::relying
