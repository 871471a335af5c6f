// The command line's own failures, and what any failure of any module means to a user: an exit
// status and a hint of what to do.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/io/exit_code.h"

namespace touchmark::cli::io {

enum class CliError {
  kUsage,              // an argument that cannot be right
  kUnreadableFile,     // a file that is named and cannot be read
  kNotConfigured,      // no profile, or no token in it
  kBadProfile,         // a profile that cannot be read
  kNoSuchProfile,      // --profile names one that is not there
  kUnreachable,        // no connection, or it broke
  kTimeout,            // no answer in time
  kUntrusted,          // the certificate is not one the system trusts
  kPinMismatch,        // the service's key is not the pinned one
  kNoTls,              // the other side does not speak TLS
  kNoLiveCertificate,  // an API server shows none: not reached, or no TLS
  kUnauthorized,       // HTTP 401
  kForbidden,          // HTTP 403
  kNotFound,           // HTTP 404: no registration or domain of that name
  kNotOffered,         // HTTP 404: the service has no such thing at all
  kTooLarge,           // HTTP 413
  kRefusedPackage,     // HTTP 422
  kConflict,           // HTTP 409: somebody else changed it meanwhile
  kOtherLifetime,      // HTTP 409: a known release, lasting where this one ends, or the reverse
  kOtherService,       // HTTP 422: the configuration in a package is another service's
  kServiceNoSpace,     // HTTP 507
  kRefusedRequest,     // HTTP 400 and every other 4xx
  kServiceFailed,      // HTTP 5xx
  kServiceBusy,        // HTTP 503
  kBadAnswer,          // an answer that is not the protocol
  kOtherMeasurement,   // the service measured another package than this one
  kBadPin,             // not the base64 of 32 bytes
  kBadCertificate,     // no certificate or key in a file, or in what a server sent
  kBadPolicy,          // a policy document with problems
  kBadFacts,           // a facts file that holds no facts
  kBadSecret,          // a secret file that holds no secret
  kBadKey,             // a key file that holds no key of the kind that is needed
  kNotConfirmed,       // the person who was asked did not say yes
  kLocalUrl,           // apps would be told a URL of the service that phones do not reach
};
std::string_view error_id(CliError error);

struct Failure {
  ExitCode exit_code;
  std::string_view hint;  // may be empty
};

// Goes by the whole id: each failure has one meaning, and the tables of error.cc give it.
Failure classify(const Error& error);

// "touchmark: <what is wrong>; <hint>", on one line.
std::string describe(const Error& error);
// {"error":{"id","message","hint"},"exit_code"}, for --json.
std::string describe_json(const Error& error);

}  // namespace touchmark::cli::io
