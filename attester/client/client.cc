#include "attester/client/client.h"

#include "attester/core/host.h"
#include "base/text.h"

namespace touchmark::attester::client {
namespace {

Token make_token(const CachedToken& cached, const Config& config, BootTime now) {
  return {.token = cached.token,
          .header = config.token_header,
          .prefix = config.token_prefix,
          .arc = cached.arc,
          .expires_in = cached.left(now)};
}

// An outcome for work that may throw instead of having one. Made before the work begins: when it
// throws for want of memory, there may be none for this either.
Result<Token> no_outcome() { return fail(ClientError::kInternal, "an exception, or no memory"); }

// Puts what `work` returns into `outcome`, or what it throws: somebody waits for one or the other.
template <class Work>
void run_into(Result<Token>& outcome, const Work& work) noexcept {
  try {
    try {
      outcome = work();
    } catch (const std::exception& thrown) {
      outcome = fail(ClientError::kInternal, thrown.what());
    }
  } catch (...) {
    // `outcome` stays as no_outcome() made it.
  }
}

// What a callback throws must not end the thread on which all others wait.
void run_job(std::function<void()>& job) noexcept {
  try {
    job();
  } catch (...) {
  }
  job = nullptr;
}

// Without its query, which is the app's own business.
std::string shown_url(std::string_view url) {
  return shown(url.substr(0, url.find_first_of("?#")));
}

}  // namespace

std::unique_ptr<Client> Client::open(ClientParts parts) {
  std::optional<Config> stored = parts.storage.load_config(parts.initial);
  Config config = stored ? std::move(*stored) : parts.initial;
  return std::unique_ptr<Client>(new Client(std::move(parts), std::move(config)));
}

Client::Client(ClientParts parts, Config config)
    : parts_(std::move(parts)),
      keys_(std::move(parts_.platform_keys),
            keys::make_software_keys(parts_.storage, *parts_.random), parts_.storage,
            *parts_.boot_clock),
      transport_(parts_.make_transport(cancel_.flag())),
      session_({*transport_, *parts_.integrity, keys_, *parts_.clock, *parts_.boot_clock,
                *parts_.random, cancel_},
               parts_.sdk),
      config_(std::make_shared<const Config>(std::move(config))) {}

Client::~Client() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  cancel_.set();
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
  const MutexLock lock(mutex_);
  while (running_ != 0) changed_.wait(mutex_);
}

Result<Token> Client::fetch(const std::string& url, const std::string& binding) {
  const std::optional<HostPort> host = parse_https_url(url);
  if (!host) {
    return fail(ClientError::kBadArgument,
                shown_url(url) + " is not an https URL with a host that every client reads alike");
  }
  const MutexLock lock(mutex_);
  if (closing_) return fail(ClientError::kClosed, "the client is being closed");
  if (!is_api(*config_, *host)) {
    return fail(ClientError::kUnknownUrl, "no configured API is " + protocol::to_string(*host));
  }
  const TokenRequest request{binding, key_set_of(*config_, *host)};
  const BootTime now = parts_.boot_clock->now();
  if (const std::optional<CachedToken> cached = cache_.find(request, now)) {
    if (cached->ageing(now)) renew_later(request);
    return make_token(*cached, *config_, now);
  }
  return fly(request);
}

// A failure is for the fetch after this token's end to tell.
void Client::renew_later(const TokenRequest& request) {
  try {
    if (!renewals_.insert(request).second) return;
    enqueue([this, request] {
      const MutexLock lock(mutex_);
      try {
        if (!closing_) fly(request);
      } catch (const std::exception&) {
      }
      renewals_.erase(request);
    });
  } catch (const std::exception&) {
    renewals_.erase(request);  // no memory, or no thread: the next fetch tries again
  }
}

// Joins the flight for `request`, or makes it.
Result<Token> Client::fly(const TokenRequest& request) {
  if (const auto found = flights_.find(request); found != flights_.end()) {
    const std::shared_ptr<const Flight> flight = found->second;
    ++running_;
    while (!flight->done) changed_.wait(mutex_);
    --running_;
    changed_.notify_all();
    return flight->outcome;
  }
  const auto flight = std::make_shared<Flight>(Flight{.outcome = no_outcome()});
  const auto place = flights_.emplace(request, flight).first;
  Result<Token> outcome = std::move(flight->outcome);
  // From here to the flight's end nothing may throw: others wait for it, and so does ~Client.
  ++running_;
  {
    const MutexUnlock unlocked(mutex_);
    run_into(outcome, [&] { return attest(request); });
  }
  flight->outcome = std::move(outcome);
  flight->done = true;
  flights_.erase(place);
  --running_;
  changed_.notify_all();
  return flight->outcome;
}

Result<Token> Client::attest(const TokenRequest& request) {
  const MutexLock session_lock(session_mutex_);
  std::shared_ptr<const Config> config;
  std::uint64_t discards = 0;
  {
    const MutexLock lock(mutex_);
    config = config_;
    discards = discards_;
  }
  Result<Attested> answer = session_.attest(*config, request);
  if (!answer) return pass(answer);
  bool changed = false;
  std::string note = answer->config.empty() ? keys_.note() : take_update(answer->config, changed);
  const MutexLock lock(mutex_);
  Token token = make_token(answer->token, *config_, parts_.boot_clock->now());
  token.config_changed = changed;
  token.note = std::move(note);
  if (discards == discards_) cache_.put(request, std::move(answer->token));
  return token;
}

// Returns what is worth a log line.
std::string Client::take_update(const std::string& compact, bool& changed) {
  Result<Config> update = parse_config_update(*config(), compact);
  if (!update) return "a configuration update was not taken: " + update.error().text();
  const Result<void> saved = parts_.storage.save_config(*update);
  const MutexLock lock(mutex_);
  config_ = std::make_shared<const Config>(std::move(*update));
  changed = true;
  return saved ? "" : "the new configuration could not be kept: " + saved.error().text();
}

bool Client::fetch_async(std::string url, std::string binding, Done done) {
  const MutexLock lock(mutex_);
  if (closing_) return false;
  enqueue([this, url = std::move(url), binding = std::move(binding), done = std::move(done),
           outcome = no_outcome()]() mutable {
    run_into(outcome, [&] { return fetch(url, binding); });
    done(std::move(outcome));
  });
  return true;
}

// The thread first: a job that is queued is run, and one that is not queued has an exception to say
// so.
void Client::enqueue(std::function<void()> job) {
  if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

// Empties the queue even when closing, so that each callback runs; fetches then fail at once.
void Client::work() {
  const MutexLock lock(mutex_);
  for (;;) {
    while (!closing_ && jobs_.empty()) changed_.wait(mutex_);
    if (jobs_.empty()) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    const MutexUnlock unlocked(mutex_);  // what the job holds is released without the lock, too
    run_job(job);
  }
}

void Client::discard_tokens() {
  const MutexLock lock(mutex_);
  cache_.clear();
  ++discards_;
}

std::shared_ptr<const Config> Client::config() const {
  const MutexLock lock(mutex_);
  return config_;
}

bool Client::pin_allows(std::string_view host, std::span<const Sha256Digest> chain) const {
  const std::optional<HostPort> parsed = protocol::parse_host_port(host);
  if (!parsed) return false;  // what cannot be read cannot be known to be unpinned
  return pins_allow(pins_of(*config(), *parsed), chain);
}

bool Client::is_protected(std::string_view host) const {
  const std::optional<HostPort> parsed = protocol::parse_host_port(host);
  return parsed && is_api(*config(), *parsed);
}

}  // namespace touchmark::attester::client
