#include "verifier/testing/running_service.h"

#include <unistd.h>

#include "base/encoding.h"
#include "pki/server_certificate.h"
#include "verifier/http/tls.h"

namespace touchmark::verifier::testing {

void MemoryLog::event(http::LogLevel, std::string_view name, const Json& fields) {
  if (fails_) throw std::bad_alloc();
  const MutexLock lock(mutex_);
  events_.emplace_back(name, fields);
}

std::vector<Json> MemoryLog::events(std::string_view name) const {
  const MutexLock lock(mutex_);
  std::vector<Json> out;
  for (const auto& [event, fields] : events_) {
    if (event == name) out.push_back(fields);
  }
  return out;
}

std::string MemoryLog::text() const {
  const MutexLock lock(mutex_);
  std::string out;
  for (const auto& [event, fields] : events_) out += event + " " + fields.dump() + "\n";
  return out;
}

http::TlsIdentity make_identity() {
  const crypto::EcKey key = crypto::EcKey::generate();
  const UnixTime now = SystemClock().now();
  SystemRandom random;
  return {pki::make_self_signed(key, {"localhost", "127.0.0.1"}, now - Seconds(60),
                                now + Seconds(3600), random)
              .value(),
          key.private_pem()};
}

RunningService::RunningService(RunningServiceOptions options) {
  const http::TlsIdentity identity = make_identity();
  tls_.emplace(http::make_tls_context(identity).value());
  options.service.tls_spki_sha256 = tls_->current()->spki_sha256;
  if (options.service.public_urls.empty())
    options.service.public_urls = {"https://verifier.example"};
  if (options.service.service_pins.empty()) {
    options.service.service_pins = {base64_encode(options.service.tls_spki_sha256)};
  }
  store_ = std::move(store::open_sqlite(":memory:").value());
  put_policy(*store_);
  verifier_ = std::move(
      Verifier::open(*store_, Bytes(32, std::byte{1}), clock_, random_, options.service).value());
  admin_ = verifier_->operators().make_token("admin", model::Role::kAdmin).value();
  developer_ = verifier_->operators().make_token("developer", model::Role::kDeveloper).value();
  router_ = std::make_unique<routes::Router>(*verifier_, log_, options.routes);
  auto acceptor = http::listen_on(io_, "127.0.0.1", 0).value();
  port_ = acceptor.local_endpoint().port();
  server_ = std::make_unique<http::Server>(
      io_, std::move(acceptor),
      http::ConnectionContext{*router_, log_, workers_, *tls_, folder_.path(), options.limits,
                              options.proxies, options.forwarded},
      options.server, options.housekeep ? options.housekeep : [this] {
        static_cast<void>(verifier_->housekeep());
      });
  if (options.admin_port) {
    auto admins = http::listen_on(io_, "127.0.0.1", 0).value();
    admin_port_ = admins.local_endpoint().port();
    server_->listen_for_admins(std::move(admins));
  }
  server_->start();
  for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { http::run_until_stopped(io_, log_); });
}

void RunningService::stop() {
  server_->stop();
  threads_.clear();  // joins
}

RunningService::~RunningService() {
  stop();
  workers_.join();
  server_.reset();
}

}  // namespace touchmark::verifier::testing
