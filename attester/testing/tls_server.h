// A TLS server in the test's own process: answers POSTs through a function, and tells what it saw
// of the connection.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"

namespace touchmark::attester::testing {

struct ServedRequest {
  std::string path;
  std::string body;      // without its chunks
  Bytes exporter;        // as the server's side of the connection gives it
  int connection = 0;    // counts from 1
  bool resumed = false;  // the connection goes on with an earlier session
};

struct ServerReply {
  int status = 200;
  std::string body;
  bool hang_up = false;  // close without a word
  bool keep_alive = true;
};

struct ServerOptions {
  std::string host = "localhost";  // the certificate's name
  int max_tls_version = 0;         // TLS1_2_VERSION, or 0 for the newest
  bool extended_master_secret = true;
};

class TlsServer {
 public:
  using Handler = std::function<ServerReply(const ServedRequest&)>;
  explicit TlsServer(Handler handler, const ServerOptions& options = {});
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::string url() const { return "https://localhost:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }
  const Sha256Digest& spki() const { return spki_; }
  int connections() const { return connections_; }

 private:
  struct Tls;
  void accept_loop();
  void serve(int fd, int number);

  Handler handler_;
  std::unique_ptr<Tls> tls_;
  Sha256Digest spki_{};
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace touchmark::attester::testing
