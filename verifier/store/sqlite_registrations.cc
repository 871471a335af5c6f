// Registrations and the contents of their parts.
#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "verifier/store/schema.h"
#include "verifier/store/sqlite_store.h"
#include "verifier/store/sqlite_transaction.h"

namespace touchmark::verifier::store {
namespace {

// Cuts a stream into rows of kChunkBytes and checks it against the digest it is kept under.
class ChunkWriter {
 public:
  ChunkWriter(Statement insert, const Sha256Digest& sha256)
      : insert_(std::move(insert)), sha256_(sha256) {
    pending_.reserve(kChunkBytes);
  }

  Result<void> write(ByteView data) {
    hash_.update(data);
    while (!data.empty()) {
      const std::size_t take = std::min(data.size(), std::size_t{kChunkBytes} - pending_.size());
      append(pending_, data.first(take));
      data = data.subspan(take);
      if (pending_.size() == kChunkBytes) {
        if (auto ok = flush(); !ok) return ok;
      }
    }
    return {};
  }

  Result<void> finish() {
    // The last chunk is never full, so that an empty part has a row too.
    if (auto ok = flush(); !ok) return ok;
    if (hash_.finish() != sha256_) {
      return fail(StoreError::kCorrupt,
                  "the content of part " + hex_encode(sha256_) + " is not the measured one");
    }
    return {};
  }

 private:
  Result<void> flush() {
    insert_.reset();
    auto ok = insert_.bind(sha256_).bind(number_++).bind(pending_).run();
    pending_.clear();
    return ok;
  }

  Statement insert_;
  const Sha256Digest& sha256_;
  crypto::Sha256 hash_;
  Bytes pending_;
  std::int64_t number_ = 0;
};

Result<model::Registration> registration_row(const Statement& row) {
  auto json = parse_json(row.text(1), {.max_bytes = 64U << 20});
  if (!json) return fail(StoreError::kCorrupt, row.text(0) + ": " + json.error().message());
  auto measurement = package::from_json(*json);
  if (!measurement) {
    return fail(StoreError::kCorrupt, row.text(0) + ": " + measurement.error().message());
  }
  model::Registration registration{
      row.text(0), std::move(*measurement), from_unix(row.integer(2)), {}, row.text(4)};
  if (!row.is_null(3)) registration.expires = from_unix(row.integer(3));
  return registration;
}

}  // namespace

Result<void> SqliteTransaction::put_registration(const model::Registration& registration,
                                                 const PartReader& read) {
  if (auto ok = put_registration_row(registration); !ok) return ok;
  for (const package::Part& part : registration.measurement.parts) {
    if (!part.code_bearing()) continue;
    if (auto ok = put_part(registration.id, part, read); !ok) return ok;
  }
  return {};
}

Result<void> SqliteTransaction::put_registration_row(const model::Registration& registration) {
  auto statement = database_.prepare(
      "INSERT INTO registration VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
      " measurement = excluded.measurement, created = excluded.created,"
      " expires = excluded.expires, created_by = excluded.created_by");
  if (!statement) return pass(statement);
  statement->bind(registration.id)
      .bind(dump_json(package::to_json(registration.measurement)))
      .bind(to_unix(registration.created));
  if (registration.expires) {
    statement->bind(to_unix(*registration.expires));
  } else {
    statement->bind_null();
  }
  return statement->bind(registration.created_by).run();
}

Result<void> SqliteTransaction::put_part(const std::string& registration_id,
                                         const package::Part& part, const PartReader& read) {
  auto known = has_part(part);
  if (!known) return pass(known);
  auto use = database_.prepare("INSERT OR IGNORE INTO registration_part VALUES (?, ?)");
  if (!use) return pass(use);
  if (auto ok = use->bind(registration_id).bind(part.sha256).run(); !ok) return ok;
  if (*known) return {};
  auto insert =
      database_.prepare("INSERT INTO part_chunk (sha256, number, content) VALUES (?, ?, ?)");
  if (!insert) return pass(insert);
  ChunkWriter chunks(std::move(*insert), part.sha256);
  if (auto ok = read(part, [&](ByteView data) { return chunks.write(data); }); !ok) return ok;
  return chunks.finish();
}

Result<bool> SqliteTransaction::has_part(const package::Part& part) {
  auto statement = database_.prepare("SELECT 1 FROM part_chunk WHERE sha256 = ? AND number = 0");
  if (!statement) return pass(statement);
  return statement->bind(part.sha256).step();
}

Result<std::vector<model::Registration>> SqliteStore::registrations() {
  const MutexLock lock(writer_mutex_);
  auto statement = writer_.prepare(
      "SELECT id, measurement, created, expires, created_by FROM registration ORDER BY created, "
      "id");
  if (!statement) return pass(statement);
  std::vector<model::Registration> out;
  for (;;) {
    auto row = statement->step();
    if (!row) return pass(row);
    if (!*row) return out;
    auto registration = registration_row(*statement);
    if (!registration) return pass(registration);
    out.push_back(std::move(*registration));
  }
}

Result<void> SqliteTransaction::remove_registration(const std::string& id) {
  auto statement = database_.prepare("DELETE FROM registration WHERE id = ?");
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(id).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "no registration has the id \"" + id + "\"");
  }
  return drop_unused_parts();
}

Result<void> SqliteTransaction::set_registration_expiry(const std::string& id,
                                                        std::optional<UnixTime> expires) {
  auto statement = database_.prepare("UPDATE registration SET expires = ? WHERE id = ?");
  if (!statement) return pass(statement);
  expires ? statement->bind(to_unix(*expires)) : statement->bind_null();
  if (auto ok = statement->bind(id).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "no registration has the id \"" + id + "\"");
  }
  return {};
}

Result<void> SqliteTransaction::drop_unused_parts() {
  return database_.execute(
      "DELETE FROM part_chunk WHERE sha256 NOT IN (SELECT sha256 FROM registration_part)");
}

Result<Bytes> SqliteStore::part_range(const Sha256Digest& sha256, std::uint64_t offset,
                                      std::uint64_t length) {
  constexpr std::uint64_t kMax = INT64_MAX;
  if (length == 0 || offset > kMax) return Bytes{};
  const std::uint64_t end = length > kMax - offset ? kMax : offset + length;
  const std::uint64_t first = offset / kChunkBytes;
  return reading([&](Database& database) -> Result<Bytes> {
    auto statement = database.prepare(
        "SELECT content FROM part_chunk WHERE sha256 = ? AND number BETWEEN ? AND ? ORDER BY "
        "number");
    if (!statement) return pass(statement);
    statement->bind(sha256)
        .bind(static_cast<std::int64_t>(first))
        .bind(static_cast<std::int64_t>((end - 1) / kChunkBytes));
    Bytes out;
    for (std::uint64_t start = first * kChunkBytes;; start += kChunkBytes) {
      auto row = statement->step();
      if (!row) return pass(row);
      if (!*row) return out;
      const Bytes chunk = statement->blob(0);
      const std::uint64_t from =
          std::min<std::uint64_t>(offset > start ? offset - start : 0, chunk.size());
      const std::uint64_t to = std::min<std::uint64_t>(end - start, chunk.size());
      append(out, ByteView(chunk).subspan(from, to - from));
    }
  });
}

}  // namespace touchmark::verifier::store
