// The whole service on a free loopback port, in this process, with an in-memory store.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "tests/support/temporary_folder.h"
#include "verifier/http/server.h"
#include "verifier/http/tls.h"
#include "verifier/routes/router.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::testing {

// Keeps what is logged.
class MemoryLog final : public http::Log {
 public:
  void event(http::LogLevel level, std::string_view name, const Json& fields) override;
  // The fields of every event of that name.
  std::vector<Json> events(std::string_view name) const;
  std::string text() const;  // everything, a line an event
  // Throws std::bad_alloc for all events from now on, or no longer.
  void fail(bool fails) { fails_ = fails; }

 private:
  std::atomic<bool> fails_ = false;
  mutable Mutex mutex_;
  std::vector<std::pair<std::string, Json>> events_ GUARDED_BY(mutex_);
};

struct RunningServiceOptions {
  http::ConnectionLimits limits;
  http::ServerSettings server;
  routes::RouteSettings routes;
  state::ServiceSettings service;
  http::TrustedProxies proxies;
  http::ForwardedHeader forwarded = http::ForwardedHeader::kEither;
  bool admin_port = false;                    // operators have a port of their own
  std::function<void()> housekeep = nullptr;  // in place of the verifier's
};

// A new key, self-signed for localhost.
http::TlsIdentity make_identity();

class RunningService {
 public:
  explicit RunningService(RunningServiceOptions options = {});
  ~RunningService();

  std::uint16_t port() const { return port_; }
  std::uint16_t admin_port() const { return admin_port_; }
  http::ServedTls& tls() { return *tls_; }
  Verifier& verifier() { return *verifier_; }
  store::Store& store() { return *store_; }
  MemoryLog& log() { return log_; }
  http::Server& server() { return *server_; }
  const std::string& admin() const { return admin_; }
  const std::string& developer() const { return developer_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  // Asks it to end, and waits until it has.
  void stop();

 private:
  const touchmark::testing::TemporaryFolder folder_;
  ManualClock clock_;
  SystemRandom random_;
  MemoryLog log_;
  std::optional<http::ServedTls> tls_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Verifier> verifier_;
  std::unique_ptr<routes::Router> router_;
  std::string admin_;
  std::string developer_;
  boost::asio::io_context io_;
  http::Workers workers_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace touchmark::verifier::testing
