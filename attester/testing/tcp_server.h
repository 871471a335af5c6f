// A server that gives one client one answer.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <string>
#include <thread>

namespace touchmark::attester::testing {

class TcpServer {
 public:
  // Reads once, then answers; "" is silence until the client goes away.
  explicit TcpServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TcpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  void serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    std::array<char, 1024> buffer;
    ssize_t got = ::read(client, buffer.data(), buffer.size());
    {
      const std::lock_guard lock(mutex_);
      received_.assign(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
    if (!answer_.empty()) ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    while (got > 0) got = ::read(client, buffer.data(), buffer.size());
    ::close(client);
  }

  std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string received_;
  std::thread thread_;
};

}  // namespace touchmark::attester::testing
