#include "cli/serve/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace touchmark::cli::serve {
namespace {

constexpr std::size_t kFewestConnections = 32;

}  // namespace

std::string_view error_id(DescriptorError error) {
  using enum DescriptorError;
  static constexpr auto kIds = error_table<DescriptorError>({
      {kTooFew, "serve.too-few-descriptors"},
  });
  return kIds[error];
}

Result<std::size_t> make_room_for(std::size_t connections, bool may_lower) {
  const rlim_t needed = connections + kOtherDescriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
  if (limit.rlim_cur < needed) {
    rlimit raised = limit;
    raised.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur >= needed) return connections;
  const auto allowed = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t fit = allowed > kOtherDescriptors ? allowed - kOtherDescriptors : 0;
  if (may_lower && fit >= kFewestConnections) return fit;
  return fail(
      DescriptorError::kTooFew,
      std::to_string(may_lower ? kFewestConnections : connections) + " connections need " +
          std::to_string((may_lower ? kFewestConnections : connections) + kOtherDescriptors) +
          " open files, and this process may have " + std::to_string(allowed));
}

}  // namespace touchmark::cli::serve
