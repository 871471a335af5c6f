#include "cli/serve/service_manager.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "tests/support/temporary_folder.h"

namespace touchmark::cli::serve {
namespace {

int listening_socket() {
  const int made = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(made, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(made, 1), 0);
  return made;
}

// Runs `check` in a process that was started with `sockets` from descriptor 3 on.
bool holds_when_started_with(const std::vector<int>& sockets, const std::string& names,
                             const std::function<bool()>& check, bool for_this_process = true) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<int> high;
    for (const int socket : sockets) high.push_back(::fcntl(socket, F_DUPFD, 100));
    for (std::size_t i = 0; i < high.size(); ++i) ::dup2(high[i], 3 + static_cast<int>(i));
    ::setenv("LISTEN_PID", std::to_string(for_this_process ? ::getpid() : 1).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
    ::_exit(check() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(InheritedSockets, AreNoneWithoutAManager) {
  ASSERT_TRUE(inherited_sockets());
  EXPECT_TRUE(inherited_sockets()->empty());
}

TEST(InheritedSockets, AreTakenOnceWithTheirNames) {
  const int first = listening_socket();
  const int second = listening_socket();
  EXPECT_TRUE(holds_when_started_with({first, second}, "apps:admins", [] {
    const auto sockets = inherited_sockets();
    return sockets && sockets->size() == 2 && (*sockets)[0].descriptor == 3 &&
           (*sockets)[0].name == "apps" && (*sockets)[1].name == "admins" &&
           (::fcntl(4, F_GETFD) & FD_CLOEXEC) != 0 && std::getenv("LISTEN_FDS") == nullptr &&
           inherited_sockets()->empty();
  }));
}

TEST(InheritedSockets, OfAnotherProcessAreLeft) {
  EXPECT_TRUE(holds_when_started_with(
      {listening_socket()}, "", [] { return inherited_sockets()->empty(); }, false));
}

TEST(InheritedSockets, OfAnotherKindAreRefused) {
  const auto is_refused = [] {
    const auto sockets = inherited_sockets();
    return !sockets && sockets.error().is(ServiceManagerError::kBadSocket);
  };
  EXPECT_TRUE(holds_when_started_with({::socket(AF_INET, SOCK_STREAM, 0)}, "", is_refused));
  EXPECT_TRUE(holds_when_started_with({::socket(AF_INET, SOCK_DGRAM, 0)}, "", is_refused));
  EXPECT_TRUE(holds_when_started_with({::socket(AF_UNIX, SOCK_STREAM, 0)}, "", is_refused));
  EXPECT_TRUE(holds_when_started_with(std::vector<int>(17, listening_socket()), "", is_refused));
}

TEST(TellManager, SendsToItsSocket) {
  const touchmark::testing::TemporaryFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (folder / "notify").string();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int manager = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  ASSERT_EQ(::bind(manager, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  tell_manager("READY=1");
  tell_manager_of_reload();
  ::unsetenv("NOTIFY_SOCKET");
  char got[200];
  const auto received = [&] {
    const ssize_t size = ::recv(manager, got, sizeof got, MSG_DONTWAIT);
    return size < 0 ? std::string() : std::string(got, static_cast<std::size_t>(size));
  };
  EXPECT_EQ(received(), "READY=1");
  EXPECT_TRUE(received().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  tell_manager("READY=1");  // nobody to tell
  EXPECT_EQ(received(), "");
  ::close(manager);
}

}  // namespace
}  // namespace touchmark::cli::serve
