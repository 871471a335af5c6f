// What `touchmark doctor` knows when it judges: plain facts, from the service and from outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/service/pin.h"
#include "verifier/policy/policy.h"

namespace touchmark::cli::commands::doctor {

// From where on something is worth a warning.
struct Limits {
  Seconds backup_age{7 * 86400};
  std::uint64_t least_free = std::uint64_t{1} << 30;  // bytes on the disk of the data folder
};

// A server that was connected to: its certificate, or why it showed none.
struct Server {
  std::string domain{};  // "api.example.com"
  std::optional<service::ServedCertificate> certificate{};
  std::string problem{};
};

struct RevocationFacts {
  std::string source{};
  bool fresh = false;
  std::optional<UnixTime> confirmed{};   // nullopt: there is no list
  std::optional<std::string> problem{};  // why the last refresh failed
};

struct StatusFacts {
  std::string version{};
  std::string name{};  // of the operator who asks
  std::string role{};
  UnixTime first_start{};
  std::vector<std::string> public_urls{};
  std::optional<RevocationFacts> revocation{};  // nullopt: switched off
  bool tells_backup = false;                    // a service that does not is older
  std::optional<UnixTime> last_backup{};        // nullopt: there was none
};

struct ProcessFacts {
  std::string data{};  // the folder
  std::optional<std::int64_t> data_mode{};
  std::optional<std::string> data_problem{};  // why no file can be written there
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;  // 0: nothing is known of the disk
  std::optional<std::uint64_t> free_files{};
  bool master_key_apart = false;
  std::vector<std::string> token_files{};
  std::uint64_t descriptor_limit = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t wanted_connections = 0;
};

// See GET /admin/v1/diagnosis (protocol/README.md).
struct DiagnosisFacts {
  std::optional<std::string> store_problem{};
  struct Unreadable {
    std::string what{};
    std::string error{};
    std::string advice{};
  };
  std::vector<Unreadable> unreadable{};
  std::vector<std::string> public_url_problems{};
  std::int64_t hardware_roots = 0;
  std::optional<ProcessFacts> process{};  // nullopt: the service does not know
};

struct PolicyFacts {
  verifier::policy::Policy current{};
  std::optional<verifier::policy::Policy> candidate{};  // on trial
  bool host_builds = false;
  bool reveal_reasons = false;
  bool behind_proxy = false;  // which terminates TLS
};

struct ApiFacts {
  std::string domain{};
  std::vector<std::string> pins{};
  struct Retiring {
    std::string pin{};
    UnixTime until{};
  };
  std::vector<Retiring> retiring{};
  Server server{};
};

// Something with a name that may end.
struct LastingFacts {
  std::string name{};
  UnixTime created{};
  std::optional<UnixTime> expires{};  // nullopt: never
};

struct AppFacts {
  LastingFacts lasting{};            // "com.example.app-1.0[7]"
  std::optional<std::string> sdk{};  // "0.1.0"; empty: none is inside; nullopt: it is not told
};

struct AuditFacts {
  bool intact = true;
  std::string problem{};
};

// A part that could not be had is the error why; checks of it are skipped.
struct Facts {
  UnixTime now{};         // by this machine's clock
  std::string version{};  // of this command
  std::string url{};      // where it asked
  Limits limits{};
  Server own{};                  // what is at `url`
  std::int64_t clock_ahead = 0;  // seconds that the service's clock is ahead of this machine's
  Result<StatusFacts> status{};
  Result<DiagnosisFacts> diagnosis{};
  Result<PolicyFacts> policy{};
  Result<std::vector<std::string>> pins{};  // of the service, in the configuration that apps get
  std::vector<Server> public_servers{};     // what is at the public URLs
  Result<std::vector<ApiFacts>> apis{};
  Result<std::vector<AppFacts>> apps{};
  Result<std::vector<LastingFacts>> signers{};  // signing certificates
  Result<std::vector<LastingFacts>> operators{};
  Result<AuditFacts> audit{};
};

}  // namespace touchmark::cli::commands::doctor
