#include "cli/io/exit_status.h"

#include <array>

namespace touchmark::cli::io {

std::span<const ExitStatus> exit_statuses() {
  static constexpr auto kStatuses = std::to_array<ExitStatus>({
      {kExitOk, "It worked."},
      {kExitNo,
       "The answer is no: an invalid token, a refused package or evidence, a fault that `doctor` "
       "found."},
      {kExitUsage, "An unknown command or option, or a file that cannot be read."},
      {kExitNotConfigured, "There is no profile yet, or it is damaged."},
      {kExitUnreachable,
       "The service cannot be reached, or its certificate is not the pinned one."},
      {kExitUnauthorized, "The operator token is wrong, or its role is not enough."},
      {kExitNoSpace, "A disk is full, here or at the service."},
      {kExitAddressInUse, "Another process has the port that `serve` should listen on."},
      {kExitNotFound, "There is no registration, domain or profile of that name."},
      {kExitStore, "The data folder cannot be used: permission, damage, a newer version."},
      {kExitService, "The service failed, or answered something that is not the protocol."},
  });
  return kStatuses;
}

}  // namespace touchmark::cli::io
