#include "cli/serve/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace touchmark::cli::serve {
namespace {

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START
constexpr int kMaxSockets = 16;

std::optional<std::string> take_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string text = value;
  ::unsetenv(name);
  return text;
}

std::optional<long> number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  long value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

int socket_option(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool listens_for_tcp(int descriptor) {
  const int domain = socket_option(descriptor, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) &&
         socket_option(descriptor, SO_TYPE) == SOCK_STREAM &&
         socket_option(descriptor, SO_ACCEPTCONN) == 1;
}

// `names`: joined by colons; one that is missing is empty.
std::string take_name(std::string_view& names) {
  const std::size_t colon = std::min(names.find(':'), names.size());
  std::string name(names.substr(0, colon));
  names.remove_prefix(std::min(colon + 1, names.size()));
  return name;
}

}  // namespace

std::string_view error_id(ServiceManagerError error) {
  using enum ServiceManagerError;
  static constexpr auto kIds = error_table<ServiceManagerError>({
      {kBadSocket, "service-manager.bad-socket"},
  });
  return kIds[error];
}

Result<std::vector<InheritedSocket>> inherited_sockets() {
  const auto process = number(take_variable("LISTEN_PID"));
  const auto count = number(take_variable("LISTEN_FDS"));
  const std::string names = take_variable("LISTEN_FDNAMES").value_or("");
  std::vector<InheritedSocket> out;
  // Left over by a parent, whose sockets they were.
  if (process != static_cast<long>(::getpid()) || !count || *count <= 0) return out;
  if (*count > kMaxSockets) {
    return fail(ServiceManagerError::kBadSocket, std::to_string(*count) +
                                                     " sockets were handed over, and the service "
                                                     "listens on two at most");
  }
  std::string_view left = names;
  for (int i = 0; i < static_cast<int>(*count); ++i) {
    const int descriptor = kFirstDescriptor + i;
    std::string name = take_name(left);
    if (!listens_for_tcp(descriptor)) {
      return fail(ServiceManagerError::kBadSocket,
                  "the socket \"" + name +
                      "\" that was handed over does not listen for TCP; its unit needs "
                      "ListenStream= with a port, and Accept=no");
    }
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    out.push_back({descriptor, std::move(name)});
  }
  return out;
}

void tell_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view name = path == nullptr ? "" : path;
  if (name.empty() || name.size() >= sizeof address.sun_path) return;
  std::ranges::copy(name, address.sun_path);
  if (name.front() == '@') address.sun_path[0] = '\0';  // in the abstract namespace
  const int channel = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (channel < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  static_cast<void>(::sendto(channel, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size));
  ::close(channel);
}

void tell_manager_of_reload() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  tell_manager("RELOADING=1\nMONOTONIC_USEC=" +
               std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

}  // namespace touchmark::cli::serve
