// A Frida server listens on the device it can instrument. It answers a WebSocket upgrade of /ws,
// which nothing else on that port does.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "attester/checks/check.h"
#include "attester/checks/syscall.h"

namespace touchmark::attester::checks {
namespace {

constexpr std::string_view kRequest =
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dG91Y2htYXJrIHByb2JlIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 101";

class Socket {
 public:
  explicit Socket(std::chrono::milliseconds patience)
      : patience_(patience),
        fd_(static_cast<int>(socket_call(SocketCall::kSocket, AF_INET,
                                         SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))) {}
  ~Socket() {
    if (fd_ >= 0) system_call(__NR_close, fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool connect(std::uint16_t port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const long result =
        socket_call(SocketCall::kConnect, fd_, as_argument(&address), sizeof address);
    return result == 0 || (result == -EINPROGRESS && wait(POLLOUT));
  }
  bool send(std::string_view text) const {
    return socket_call(SocketCall::kSend, fd_, as_argument(text.data()),
                       static_cast<long>(text.size()), MSG_NOSIGNAL, 0,
                       0) == static_cast<long>(text.size());
  }
  std::string receive() const {
    std::array<char, 64> buffer{};
    if (!wait(POLLIN)) return {};
    const long got = socket_call(SocketCall::kReceive, fd_, as_argument(buffer.data()),
                                 static_cast<long>(buffer.size()), 0, 0, 0);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
  }

 private:
  bool wait(short events) const {
    pollfd entry{fd_, events, 0};
    const auto left = static_cast<long>(patience_.count());
    const KernelTime patience{left / 1000, left % 1000 * 1'000'000};
    return system_call(__NR_ppoll, as_argument(&entry), 1, as_argument(&patience), 0, 8) == 1 &&
           (entry.revents & events) != 0;
  }

  std::chrono::milliseconds patience_;
  int fd_;
};

}  // namespace

void check_frida_server(const Context& context, Findings& out) {
  const Socket socket(context.rules.frida_patience);
  if (!socket.connect(context.rules.frida_port) || !socket.send(kRequest)) return;
  if (!socket.receive().starts_with(kAnswer)) return;
  report(out, protocol::FindingId::kHookFramework,
         "a Frida server answers on port " + std::to_string(context.rules.frida_port));
}

}  // namespace touchmark::attester::checks
