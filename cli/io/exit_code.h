// Exit statuses of the `touchmark` command. Scripts match them, so they never change meaning.
#pragma once

namespace touchmark::cli::io {

enum ExitCode : int {
  kExitOk = 0,
  kExitNo = 1,  // the answer is no: an invalid token, a refused package or evidence, a service that
                // is not well
  kExitUsage = 2,          // unknown command or option, or a file that cannot be read
  kExitNotConfigured = 3,  // no profile yet, or a damaged one: run `touchmark init`
  kExitUnreachable = 4,   // the service cannot be reached, or its certificate is not the pinned one
  kExitUnauthorized = 5,  // the operator token is wrong, or its role is not enough
  kExitNoSpace = 6,       // a disk is full, here or at the service
  kExitAddressInUse = 7,  // `serve`: another process has the port
  kExitNotFound = 8,      // no registration, domain or profile of that name
  kExitStore = 9,         // the data folder cannot be used: permission, damage, newer version
  kExitService = 10,      // the service failed, or answered something that is not the protocol
};

}  // namespace touchmark::cli::io
