// What the manager that started the service hands over and wants to hear: sockets that it listens
// on already, and a word when the service is ready. The protocol is systemd's (sd_listen_fds(3),
// sd_notify(3)), which others speak, too; without a manager nothing happens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace touchmark::cli::serve {

enum class ServiceManagerError {
  kBadSocket,  // a socket that was handed over is none that a service can listen on
};
std::string_view error_id(ServiceManagerError error);

struct InheritedSocket {
  int descriptor = -1;  // the caller's now; closed on exec
  std::string name;     // FileDescriptorName= of the socket's unit
};

// The listening TCP sockets that this process was started with, in their order. Takes the variables
// that name them out of the environment, so that no child takes them for its own. Not thread-safe,
// like all that touches the environment.
Result<std::vector<InheritedSocket>> inherited_sockets();

// Sends `state` ("READY=1", "STOPPING=1", ...) to $NOTIFY_SOCKET. What cannot be sent is left: a
// service must not fail for want of a listener.
void tell_manager(std::string_view state);
// "RELOADING=1" with the time that the manager orders it by.
void tell_manager_of_reload();

}  // namespace touchmark::cli::serve
