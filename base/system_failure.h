// What a failed system call on a file means.
#pragma once

#include <filesystem>

#include "base/file.h"

namespace touchmark {

// `code` is the errno of the call; it is passed because cleaning up may change errno. The message
// is "PATH: REASON".
tl::unexpected<Error> system_failure(const std::filesystem::path& path, int code);

}  // namespace touchmark
