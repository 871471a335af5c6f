// What becomes of a request: the check of its token, the mode, the counts. One for all threads of a
// server. The contract is protocol/token-check.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "relying-party/cpp/key_source.h"
#include "relying-party/cpp/settings.h"
#include "relying-party/cpp/spent_tokens.h"
#include "relying-party/cpp/verdict.h"

namespace touchmark::relying {

struct Header {
  std::string_view name;
  std::string_view value;
};

// One request, as a server has it. The views must outlive the check.
struct Request {
  std::string_view method;
  std::span<const Header> headers;
  std::string_view client{};  // the client's address as text; empty: unknown
};

// What a route asks for beyond the settings; nullopt: as they say.
struct Route {
  std::string pattern{};  // of its path, for the counts; never a path
  std::optional<Mode> mode{};
  std::optional<unsigned> percent{};
  std::optional<Level> level{};
  std::optional<std::vector<std::string>> binding_headers{};
  std::optional<bool> single_use{};
};
using RouteId = std::size_t;

// Text of somebody else's that is kept without an allocation: cut to its bound.
class ShortText {
 public:
  static constexpr std::size_t kMost = 128;
  void assign(std::string_view text) {
    size_ = std::min(text.size(), kMost);
    std::copy_n(text.data(), size_, text_.data());
  }
  std::string_view view() const { return {text_.data(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  std::array<char, kMost> text_;
  std::size_t size_ = 0;
};

struct Decision {
  Reason reason = Reason::kOff;
  Maker maker = Maker::kTouchmark;
  bool allowed = true;    // serve it; else answer with refusal()
  bool enforced = false;  // whether the mode, and the share, refuse what is not valid
  RouteId route = 0;
  std::string_view token{};      // the request's, when there is one; for token_digest()
  ShortText device{};            // the claim `did` of a token that the service signed
  std::optional<Level> level{};  // the claim `lvl` of a valid one

  Status status() const { return status_of(reason); }
};

// The answer that every refused request gets: it does not say what was wrong.
struct Refusal {
  unsigned status = 401;
  std::array<Header, 3> headers{{{"Content-Type", "application/json"},
                                 {"WWW-Authenticate", "Touchmark"},
                                 {"Cache-Control", "no-store"}}};
  std::string_view body = "{}";
};
inline constexpr Refusal kRefusal{};

// The first 12 hexadecimal digits of a token's SHA-256, which a log may name.
std::string token_digest(std::string_view token);
// Whether a device is in the share of `percent`.
bool is_in_share(std::string_view device, unsigned percent);

class Guard {
 public:
  // What comes in from outside; tests set it.
  struct Surroundings {
    std::shared_ptr<const Clock> clock{};      // the system's
    KeySource::SteadyNow steady_now{};         // the system's
    std::unique_ptr<SpentTokens> spent{};      // as the settings say
    std::function<void(const Error&)> said{};  // of sources and stores that fail; any thread
    std::function<void(const Decision&, const Request&)> decided{};  // of each; any thread
  };
  // KeySetError::kBadAddress; a source that cannot be read is no error.
  static Result<std::unique_ptr<Guard>> make(Settings settings, Surroundings surroundings);
  static Result<std::unique_ptr<Guard>> make(Settings settings) {
    return make(std::move(settings), Surroundings());
  }
  ~Guard();

  // Before the first request. Route 0 is there: the settings as they are, with the pattern "*".
  RouteId add_route(Route route);

  // Decides, and counts. May wait for a JWKS, five seconds at the most, and for Redis. From any
  // thread.
  Decision check(const Request& request, RouteId route = 0);

  // The same in steps, for who must not wait: begin() says what there is to wait for. For keys,
  // wait until a reading of attempt.keys has ended (KeySource::after_reading()), and begin() again
  // with one more of `waited`, for as long as it says so. For the store, call spend(), which may
  // wait, where that is allowed. Then finish().
  enum class Wait : std::uint8_t { kNothing, kKeys, kStore };
  struct Attempt {
    Wait wait = Wait::kNothing;
    KeySource* keys = nullptr;
    Decision decision;
    Sha256Digest spent_token{};
    double spent_until = 0;
  };
  Attempt begin(const Request& request, RouteId route = 0, unsigned waited = 0);
  void spend(Attempt& attempt);
  Decision finish(Attempt& attempt, const Request& request);

  const Settings& settings() const { return settings_; }
  // Of a route, with what it does not say itself taken from the settings.
  std::string_view pattern(RouteId route) const;
  Mode mode(RouteId route) const;

  struct Count {
    Maker maker;
    Reason reason;
    bool enforced;
    RouteId route;
    std::uint64_t count;
  };
  // Those that are not 0.
  std::vector<Count> counts() const;
  // touchmark_requests_total in Prometheus's text form.
  std::string metrics() const;
  // "of 12 requests 9 had a valid token, and 3 were refused: 2 missing, 1 expired".
  std::string summary() const;

 private:
  struct Checked;  // a route as it is in force
  class Judge;     // of one request

  Guard(Settings settings, Surroundings surroundings);
  Result<void> open_sources();
  double now() const;
  void count(const Decision& decision);

  const Settings settings_;
  Surroundings surroundings_;
  std::vector<std::unique_ptr<Checked>> routes_;
  std::vector<Secret> secrets_;
  std::vector<Secret> approov_secrets_;
  std::vector<std::string> prefix_words_;
  bool prefix_ends_in_gap_ = false;
  std::unique_ptr<KeySource> keys_;
  std::unique_ptr<KeySource> firebase_keys_;
};

}  // namespace touchmark::relying
