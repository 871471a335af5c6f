// An HTTPS server on loopback that answers as a test says: a stand-in for a platform's service. Its
// certificate is made for each; clients trust it by ca_file().
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "formats/testing/der_writer.h"
#include "pki/testing/certificate_maker.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::testing {

class HttpsDouble {
 public:
  struct Request {
    std::string line;                            // "POST /v1/x HTTP/1.1"
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };
  struct Answer {
    int status = 200;
    std::string body{};
    std::vector<std::string> headers{};
    std::chrono::milliseconds delay{0};
    bool hang_up = false;  // closes without an answer
  };
  using Handler = std::function<Answer(const Request&)>;

  explicit HttpsDouble(Handler handler) : handler_(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN);
    make_certificate_file();
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~HttpsDouble() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpsDouble(const HttpsDouble&) = delete;
  HttpsDouble& operator=(const HttpsDouble&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  const std::string& ca_file() const { return ca_file_; }
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t count() const { return requests().size(); }

 private:
  void make_certificate_file() {
    const TestKey key;
    // subjectAltName: IP 127.0.0.1.
    const Bytes name =
        sequence({element(der::context_primitive(7),
                          Bytes{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}})});
    const Bytes der = make_certificate({.subject = {{"CN", "Double"}},
                                        .issuer = {{"CN", "Double"}},
                                        .extensions = {{"2.5.29.17", name}}},
                                       key, key);
    ca_file_ = (folder_ / "certificate.pem").string();
    std::ofstream(ca_file_) << to_pem(der);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    EXPECT_EQ(SSL_CTX_use_certificate_file(context_.get(), ca_file_.c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key.get()), 1);
  }

  void run() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      const timeval timeout{5, 0};
      ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
      openssl::Owned<SSL, SSL_free> ssl(SSL_new(context_.get()));
      SSL_set_fd(ssl.get(), connection);
      if (SSL_accept(ssl.get()) == 1) serve(ssl.get());
      ERR_clear_error();
      ssl.reset();
      ::close(connection);
    }
  }

  void serve(SSL* ssl) {
    std::string text;
    std::size_t head = std::string::npos;
    std::size_t wanted = 0;
    while (head == std::string::npos || text.size() < wanted) {
      char buffer[4096];
      const int got = SSL_read(ssl, buffer, sizeof buffer);
      if (got <= 0) return;
      text.append(buffer, static_cast<std::size_t>(got));
      head = text.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const std::size_t at = text.find("Content-Length: ");
      wanted = head + 4 + (at < head ? std::stoul(text.substr(at + 16)) : 0);
    }
    const Request request = parse(text, head);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Answer answer = handler_(request);
    if (answer.hang_up) return;
    std::this_thread::sleep_for(answer.delay);
    std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " X\r\nConnection: close\r\n";
    for (const std::string& header : answer.headers) out += header + "\r\n";
    if (answer.status != 304) {
      out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
    } else {
      out += "\r\n";
    }
    SSL_write(ssl, out.data(), static_cast<int>(out.size()));
    SSL_shutdown(ssl);
  }

  static Request parse(const std::string& text, std::size_t head) {
    Request request;
    request.line = text.substr(0, text.find("\r\n"));
    std::size_t at = request.line.size() + 2;
    while (at < head) {
      const std::string line = text.substr(at, text.find("\r\n", at) - at);
      at += line.size() + 2;
      std::string name = line.substr(0, line.find(": "));
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = line.substr(std::min(line.find(": ") + 2, line.size()));
    }
    request.body = text.substr(head + 4);
    return request;
  }

  Handler handler_;
  openssl::Owned<SSL_CTX, SSL_CTX_free> context_;
  const TemporaryFolder folder_;
  std::string ca_file_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace touchmark::testing
