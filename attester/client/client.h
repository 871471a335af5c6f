// The SDK's core: tokens for URLs, pins for hosts, the configuration in force.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "attester/client/session.h"
#include "attester/keys/storage.h"
#include "base/mutex.h"

namespace touchmark::attester::client {

// What a client stands on; tests put their own in.
struct ClientParts {
  Config initial;
  keys::Storage storage;
  std::unique_ptr<Integrity> integrity;
  SdkFacts sdk;
  std::unique_ptr<keys::KeyProvider> platform_keys = nullptr;  // null: the software key
  std::unique_ptr<Clock> clock = std::make_unique<SystemClock>();
  std::unique_ptr<BootClock> boot_clock = std::make_unique<SystemBootClock>();
  std::unique_ptr<Random> random = std::make_unique<SystemRandom>();
  // Made with the client's cancel flag; empty: libcurl.
  std::function<std::unique_ptr<net::Transport>(const std::atomic<bool>&)> make_transport =
      net::make_curl_transport;
};

struct Token {
  std::string token;
  std::string header;
  std::string prefix;
  std::string arc;
  std::string note = {};  // for logs; "" when nothing is worth one
  bool config_changed = false;
  std::chrono::seconds expires_in{};
};

// Thread-safe. Destruction ends running fetches with kClosed and waits for them; it must not happen
// on the client's own thread, that is, inside a callback.
class Client {
 public:
  // Reads the stored configuration, and waits for nothing else: the installation's key is looked
  // for, or made and written, when the first token or device_id() needs it.
  static std::unique_ptr<Client> open(ClientParts parts);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A token from the cache while it is usable; one that ages is renewed in the background. Calls
  // for the same binding and keyset at the same time share one attestation and its outcome, which
  // is ClientError::kInternal where an exception ended it. Empty binding: none.
  Result<Token> fetch(const std::string& url, const std::string& binding);
  using Done = std::function<void(Result<Token>)>;
  // `done` runs exactly once, on the client's own thread; what it throws is dropped. False, and no
  // call, when the client is being closed; an exception, and no call, without memory or a thread.
  bool fetch_async(std::string url, std::string binding, Done done);
  void discard_tokens();
  // Where the platform says that the app's package is now: an app is moved when a split of it is
  // installed.
  void set_package_path(const std::string& path) { parts_.integrity->set_package_path(path); }

  bool pin_allows(std::string_view host, std::span<const Sha256Digest> chain) const;
  bool is_protected(std::string_view host) const;
  // "" before the platform has made its key, which needs a challenge, and where a software key
  // cannot be kept. May wait for the platform and the disk.
  const std::string& device_id() { return keys_.device_id(); }
  std::shared_ptr<const Config> config() const;

 private:
  // An attestation under way; whoever asks for the same meanwhile waits for it.
  struct Flight {
    bool done = false;
    // Until it is done: an error, for an attestation that throws.
    Result<Token> outcome;
  };

  Client(ClientParts parts, Config config);
  // Without the lock while the attestation is under way.
  Result<Token> fly(const TokenRequest& request) REQUIRES(mutex_);
  Result<Token> attest(const TokenRequest& request) EXCLUDES(session_mutex_, mutex_);
  void renew_later(const TokenRequest& request) REQUIRES(mutex_);
  std::string take_update(const std::string& compact, bool& changed) EXCLUDES(mutex_);
  void enqueue(std::function<void()> job) REQUIRES(mutex_);
  void work();

  ClientParts parts_;
  keys::KeyRing keys_;
  Cancel cancel_;
  std::unique_ptr<net::Transport> transport_;

  Mutex session_mutex_;  // taken before mutex_, never while it is held
  Session session_ GUARDED_BY(session_mutex_);

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const Config> config_ GUARDED_BY(mutex_);
  TokenCache cache_ GUARDED_BY(mutex_);
  // What is in a flight is guarded as well.
  std::map<TokenRequest, std::shared_ptr<Flight>> flights_ GUARDED_BY(mutex_);
  // Those with a background renewal queued or running.
  std::set<TokenRequest> renewals_ GUARDED_BY(mutex_);
  // A token asked for before a discard must not enter the cache after it.
  std::uint64_t discards_ GUARDED_BY(mutex_) = 0;
  int running_ GUARDED_BY(mutex_) = 0;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::deque<std::function<void()>> jobs_ GUARDED_BY(mutex_);
  std::thread worker_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::attester::client
