// The tables of the SQLite store, and how an older database becomes a current one.
#pragma once

#include "base/error.h"
#include "verifier/store/database.h"

namespace touchmark::verifier::store {

// Part contents are cut into chunks of this many bytes, so that a range is read without what stands
// before it.
inline constexpr std::uint64_t kChunkBytes = 64 * 1024;

// Makes the tables in an empty database or brings older ones up to date, in one transaction.
// kCorrupt for another program's database, kTooNew for one of a later Touchmark.
Result<void> migrate(Database& database);

}  // namespace touchmark::verifier::store
