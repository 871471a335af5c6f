#include "attester/client/token_cache.h"

#include <algorithm>

namespace touchmark::attester::client {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool CachedToken::usable(BootTime now) const {
  const milliseconds margin = std::min<milliseconds>(seconds(10), milliseconds(lifetime) / 10);
  return now - asked < lifetime - margin;
}

bool CachedToken::ageing(BootTime now) const { return (now - asked) * 3 >= lifetime * 2; }

seconds CachedToken::left(BootTime now) const {
  return std::max(seconds(0), duration_cast<seconds>(lifetime - (now - asked)));
}

std::optional<CachedToken> TokenCache::find(const TokenRequest& request, BootTime now) const {
  const auto found = tokens_.find(request);
  if (found == tokens_.end() || !found->second.usable(now)) return std::nullopt;
  return found->second;
}

void TokenCache::put(const TokenRequest& request, CachedToken token) {
  if (tokens_.size() >= kMaxTokens && !tokens_.contains(request)) {
    tokens_.erase(std::ranges::min_element(tokens_, {},
                                           [](const auto& entry) { return entry.second.asked; }));
  }
  tokens_.insert_or_assign(request, std::move(token));
}

}  // namespace touchmark::attester::client
