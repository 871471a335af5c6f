// Sessions over real connections: which of them go on with an earlier one.
#include "attester/net/tickets.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attester/net/tls.h"
#include "attester/testing/tls_server.h"
#include "crypto/openssl.h"

namespace touchmark::attester::net {
namespace {

using namespace std::chrono_literals;
using testing::ServedRequest;
using testing::ServerReply;
using testing::TlsServer;

// One connection, with a context of its own as libcurl's have.
class Connection {
 public:
  Connection(const TlsServer& server, Tickets& tickets, const std::string& origin, PinCheck& check)
      : context_(SSL_CTX_new(TLS_client_method())), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    use_pins(context_.get(), check);
    tickets.use_in(context_.get(), origin, check.pins);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return connected_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // Tickets of TLS 1.3 come with what is read.
  void exchange() {
    constexpr std::string_view kRequest =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    ASSERT_GT(SSL_write(ssl_.get(), kRequest.data(), static_cast<int>(kRequest.size())), 0);
    std::array<char, 1024> answer;
    ASSERT_GT(SSL_read(ssl_.get(), answer.data(), static_cast<int>(answer.size())), 0);
  }

 private:
  openssl::Owned<SSL_CTX, SSL_CTX_free> context_;
  int fd_;
  openssl::Owned<SSL, SSL_free> ssl_;
  bool connected_ = false;
};

class TicketsTest : public ::testing::Test {
 protected:
  TicketsTest() { check_.pins = {server_.spki()}; }
  bool resumes(const std::string& origin = "here") {
    Connection connection(server_, tickets_, origin, check_);
    EXPECT_TRUE(connection.connected());
    connection.exchange();
    return connection.resumed();
  }

  TlsServer server_{[](const ServedRequest&) { return ServerReply{.body = "{}"}; }};
  Tickets::Clock::time_point now_ = Tickets::Clock::now();
  PinCheck check_;
  Tickets tickets_{[this] { return now_; }};
};

TEST_F(TicketsTest, OneOriginsAreNotShownToAnother) {
  EXPECT_FALSE(resumes("here"));
  EXPECT_FALSE(resumes("there"));
  EXPECT_TRUE(resumes("here"));
  tickets_.clear();
  EXPECT_FALSE(resumes("here"));
}

TEST_F(TicketsTest, ATicketIsUsedOnce) {
  EXPECT_FALSE(resumes());
  Connection first(server_, tickets_, "here", check_);
  EXPECT_TRUE(first.resumed());
  // The first one has not read the ticket that follows.
  const Connection second(server_, tickets_, "here", check_);
  EXPECT_TRUE(second.connected());
  EXPECT_FALSE(second.resumed());
}

TEST_F(TicketsTest, ThePinsOfNowDecide) {
  EXPECT_FALSE(resumes());
  Sha256Digest other = server_.spki();
  other[0] ^= std::byte{1};
  check_.pins = {other};
  EXPECT_FALSE(Connection(server_, tickets_, "here", check_).connected());
  EXPECT_TRUE(check_.refused);
  check_.pins = {server_.spki()};
  EXPECT_FALSE(resumes()) << "the ticket is gone";
}

TEST_F(TicketsTest, APeerShowsThatItHoldsItsKeyNowAndThen) {
  EXPECT_FALSE(resumes());
  for (const auto step : {10h, 10h}) {
    now_ += step;
    EXPECT_TRUE(resumes());
  }
  now_ += 4h;
  EXPECT_FALSE(resumes()) << "resuming is no proof";
  EXPECT_TRUE(resumes());
}

TEST_F(TicketsTest, HoldsSoManyOrigins) {
  for (std::size_t i = 0; i < Tickets::kMostOrigins + 3; ++i) {
    EXPECT_FALSE(resumes(std::to_string(i)));
  }
  EXPECT_TRUE(resumes("0"));
  EXPECT_FALSE(resumes(std::to_string(Tickets::kMostOrigins)));
}

}  // namespace
}  // namespace touchmark::attester::net
