// Where Google's revocation list comes from: its HTTPS address, or a file that somebody else keeps
// fresh. The list in force is always in memory; getting a newer one happens beside the requests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "net/http_client.h"
#include "pki/revocation_list.h"

namespace touchmark::verifier::state {

inline constexpr std::string_view kGoogleRevocationUrl =
    "https://android.googleapis.com/attestation/status";

enum class RevocationSourceError {
  kMissing,  // no list was ever there, and one is required
  kTooOld,   // the list is older than allowed, and a fresh one is required
  kStatus,   // the server answered with another status than 200 or 304
  kFailed,   // an exception, such as of no memory
};
std::string_view error_id(RevocationSourceError error);

struct RevocationSettings {
  std::string location;  // "https://..." or a file's path
  // How long a list counts after the server last confirmed it, or after the file was last written.
  Seconds max_age{24 * 3600};
  Seconds refresh_interval{3600};
  // How soon a refresh that failed is tried again, twice as long after each further failure, up to
  // the interval above: a network that was not up yet is soon.
  Seconds retry_interval{60};
  // Without a list that is fresh enough: true gives an error, false the last list there was.
  bool fail_closed = false;
  // Keeps what was fetched over a restart; empty for none. Files need none.
  std::filesystem::path cache{};
  net::RetryRules retries{};
  // Called after each refresh, from the thread that did it.
  std::function<void(const Result<void>&)> on_refresh{};
};

// Thread-safe. Client and clock must outlive it; the client is not used for a file.
class RevocationSource {
 public:
  using List = std::shared_ptr<const pki::RevocationList>;

  RevocationSource(RevocationSettings settings, net::HttpClient& client, const Clock& clock);
  ~RevocationSource();
  RevocationSource(const RevocationSource&) = delete;
  RevocationSource& operator=(const RevocationSource&) = delete;

  // The list in force; nullptr when there is none and none is required. Never waits for a network.
  Result<List> current() const;

  // Gets the list once more; a failure leaves the one in force as it is. Errors: http.*, file.*,
  // revocation.*.
  Result<void> refresh();
  // Refreshes now and from then on, until this is destroyed.
  void start();

  struct Status {
    std::string location;
    bool there = false;  // a list is in force
    bool fresh = false;  // and it is not older than allowed
    std::size_t entries = 0;
    std::optional<UnixTime> confirmed;   // when the source last said that the list is current
    std::optional<std::string> problem;  // why the last refresh failed
  };
  Status status() const;

 private:
  struct State {
    List list;
    std::string etag;
    std::optional<UnixTime> confirmed;
    std::optional<std::string> problem;
  };

  Result<void> take() REQUIRES(refresh_mutex_);
  Result<void> fetch() REQUIRES(refresh_mutex_);
  Result<void> load_file();
  void load_cache();
  void save_cache(const std::string& body, const std::string& etag, UnixTime confirmed) const;
  void run();
  // Whether a refresh succeeded.
  bool refreshes() noexcept;
  // Whether it was told to stop within `time`.
  bool stops_within(Seconds time);

  const RevocationSettings settings_;
  net::HttpClient& client_;
  const Clock& clock_;
  Mutex refresh_mutex_;  // one refresh at a time
  mutable Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::condition_variable_any stopped_;
  std::thread thread_;
};

}  // namespace touchmark::verifier::state
