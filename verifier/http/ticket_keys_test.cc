// Keys of session tickets: how long they live, and what is done with a ticket of another time.
#include "verifier/http/ticket_keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "verifier/http/tls.h"
#include "verifier/testing/running_service.h"

namespace touchmark::verifier::http {
namespace {

using namespace std::chrono_literals;

class TicketKeysTest : public ::testing::Test {
 protected:
  std::atomic<TicketKeys::Clock::duration> since_{TicketKeys::Clock::duration{}};
  TicketKeys keys_{[this] { return TicketKeys::Clock::time_point(since_.load()); }};
};

TEST_F(TicketKeysTest, AKeyMakesTicketsForALifetimeAndOpensThemForAnother) {
  const auto first = keys_.current();
  ASSERT_TRUE(first);
  since_ = kTicketLifetime - 1s;
  EXPECT_EQ(keys_.current(), first);
  EXPECT_FALSE(keys_.find(first->name).renew);
  since_ = kTicketLifetime;
  const auto second = keys_.current();
  EXPECT_NE(second->name, first->name);
  EXPECT_NE(second->cipher, first->cipher);
  EXPECT_NE(second->mac, first->mac);
  EXPECT_EQ(keys_.find(first->name).key, first);
  EXPECT_TRUE(keys_.find(first->name).renew);
  since_ = 2 * kTicketLifetime - 1s;
  EXPECT_EQ(keys_.find(first->name).key, first);
  since_ = 2 * kTicketLifetime;
  EXPECT_EQ(keys_.find(first->name).key, nullptr);
  EXPECT_EQ(keys_.find(second->name).key, second);
}

TEST_F(TicketKeysTest, NoKeyOutlivesAQuietTime) {
  const auto first = keys_.current();
  since_ = 2 * kTicketLifetime;
  EXPECT_EQ(keys_.find(first->name).key, nullptr);
  EXPECT_EQ(first.use_count(), 1) << "nobody else holds it";
}

TEST_F(TicketKeysTest, AQuietTimeLengthensNoLife) {
  const auto first = keys_.current();
  since_ = 2 * kTicketLifetime - 1s;
  EXPECT_TRUE(keys_.find(first->name).renew);
  since_ = 2 * kTicketLifetime;
  keys_.wipe_old();
  EXPECT_EQ(first.use_count(), 1) << "nobody else holds it";
  EXPECT_EQ(keys_.find(first->name).key, nullptr);
}

TEST_F(TicketKeysTest, KnowsNoOtherName) {
  const auto key = keys_.current();
  TicketKeys::Name name = key->name;
  name[15] ^= 1;
  EXPECT_EQ(keys_.find(name).key, nullptr);
  EXPECT_EQ(keys_.find(std::span(key->name).first(15)).key, nullptr);
  EXPECT_EQ(TicketKeys().find(key->name).key, nullptr) << "another service's";
}

TEST_F(TicketKeysTest, ServesManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 2000; ++turn) {
        since_ = since_.load() + 10s;
        const auto key = keys_.current();
        ASSERT_TRUE(key);
        keys_.find(key->name);
      }
    });
  }
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

// Connections of one client to what the service serves, through memory.
class Client {
 public:
  explicit Client(int version) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto* self = static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      self->session_.reset(SSL_SESSION_dup(session));
      ++self->tickets_;
      return 0;
    });
  }

  // Whether the connection goes on with the newest session.
  bool resumes(SSL_CTX* server_context) {
    const std::unique_ptr<SSL, FreeSsl> server(SSL_new(server_context));
    const std::unique_ptr<SSL, FreeSsl> client(SSL_new(context_.get()));
    BIO* here = nullptr;
    BIO* there = nullptr;
    BIO_new_bio_pair(&here, 0, &there, 0);
    SSL_set_bio(server.get(), here, here);
    SSL_set_bio(client.get(), there, there);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    // A copy: OpenSSL spoils a session whose connection ends without a goodbye.
    const std::unique_ptr<SSL_SESSION, FreeSsl> session(session_ ? SSL_SESSION_dup(session_.get())
                                                                 : nullptr);
    if (session) SSL_set_session(client.get(), session.get());
    for (int i = 0; i < 4; ++i) {
      SSL_do_handshake(client.get());
      SSL_do_handshake(server.get());
    }
    EXPECT_EQ(SSL_is_init_finished(server.get()), 1);
    char nothing = 0;
    SSL_read(client.get(), &nothing, 1);
    // OpenSSL announces only what comes after a full handshake of TLS 1.2.
    if (SSL_version(client.get()) < TLS1_3_VERSION) {
      session_.reset(SSL_SESSION_dup(SSL_get_session(client.get())));
    }
    return SSL_session_reused(server.get()) == 1;
  }
  int tickets() const { return tickets_; }
  std::string ticket() const {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session_.get(), &bytes, &size);
    return {bytes, bytes + size};
  }

 private:
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL_SESSION, FreeSsl> session_;
  int tickets_ = 0;
};

TEST_F(TicketKeysTest, TicketsOfThePreviousKeyAreTakenAndRenewed) {
  auto context = make_tls_context(testing::make_identity()).value();
  SSL_CTX* server = context.native_handle();
  keys_.use_in(server);
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    Client client(version);
    EXPECT_FALSE(client.resumes(server));
    EXPECT_EQ(client.tickets(), 1) << "one for each connection";
    EXPECT_TRUE(client.resumes(server));
    const std::string before = client.ticket();
    since_ = since_.load() + kTicketLifetime;
    EXPECT_TRUE(client.resumes(server)) << version;
    EXPECT_NE(client.ticket().substr(0, TicketKeys::kNameBytes),
              before.substr(0, TicketKeys::kNameBytes))
        << "under the new key";
    since_ = since_.load() + kTicketLifetime;
    EXPECT_TRUE(client.resumes(server)) << version;
    since_ = since_.load() + 2 * kTicketLifetime;
    EXPECT_FALSE(client.resumes(server)) << version;
  }
}

TEST_F(TicketKeysTest, TicketsOfOtherKeysAreNotTaken) {
  auto context = make_tls_context(testing::make_identity()).value();
  keys_.use_in(context.native_handle());
  Client client(TLS1_3_VERSION);
  EXPECT_FALSE(client.resumes(context.native_handle()));
  TicketKeys others;
  others.use_in(context.native_handle());
  EXPECT_FALSE(client.resumes(context.native_handle()));
  EXPECT_TRUE(client.resumes(context.native_handle()));
}

}  // namespace
}  // namespace touchmark::verifier::http
