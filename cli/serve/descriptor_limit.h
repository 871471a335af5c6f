// How many files and sockets this process may have open, which bounds its connections.
#pragma once

#include <cstddef>

#include "base/error.h"

namespace touchmark::cli::serve {

enum class DescriptorError {
  kTooFew,  // the connections asked for do not fit into what the system allows
};
std::string_view error_id(DescriptorError error);

// What the service opens beside its connections: database, log, uploads, and connections that
// just gave way to others.
inline constexpr std::size_t kOtherDescriptors = 128;

// Raises the process's limit as far as `connections` need. Gives the connections that fit: fewer
// than asked for where the system allows no more and `may_lower`, else kTooFew. Under 32 nothing
// can be served, and it is kTooFew too.
Result<std::size_t> make_room_for(std::size_t connections, bool may_lower);

}  // namespace touchmark::cli::serve
