#include "cli/commands/doctor/certificate_end.h"

#include <fmt/format.h>

#include <optional>

#include "cli/commands/doctor/time.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands::doctor {
namespace {

// ACME clients renew a month before the end, and need some days when that fails.
constexpr Seconds kRenewalTime{21 * 86400};

}  // namespace

Findings judge_ends(const std::vector<const Server*>& servers, UnixTime now,
                    const std::string& advice) {
  Findings out;
  std::optional<UnixTime> first;
  for (const Server* server : servers) {
    if (!server->certificate || !server->certificate->not_after) continue;
    const UnixTime end = *server->certificate->not_after;
    const std::optional<UnixTime>& begin = server->certificate->not_before;
    if (!first || end < *first) first = end;
    const std::string at = io::local_time(end);
    if (end <= now) {
      out.push_back(broken(server->domain, "its certificate ended " + at, advice));
    } else if (begin && *begin > now) {
      out.push_back(broken(server->domain,
                           "its certificate begins " + io::local_time(*begin) + " only",
                           "look at the clocks; else put one in its place that counts now"));
    } else if (ends_soon(begin, end, now, kRenewalTime)) {
      out.push_back(warn(server->domain,
                         fmt::format("its certificate ends in {}, {}", rough(end - now), at),
                         advice));
    }
  }
  if (!first) return {skip("no certificate could be read")};
  return or_ok(std::move(out), "none ends before " + io::local_time(*first));
}

}  // namespace touchmark::cli::commands::doctor
