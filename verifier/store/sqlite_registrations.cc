// Registrations and the contents of their parts.
#include <algorithm>
#include <functional>
#include <set>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "verifier/store/schema.h"
#include "verifier/store/sqlite_store.h"
#include "verifier/store/sqlite_transaction.h"

namespace touchmark::verifier::store {
namespace {

// What one transaction writes of content: a short one, since others wait for it.
constexpr std::size_t kChunksAtOnce = 16;
// What one call of discard_unused() removes: 64 MiB.
constexpr std::int64_t kChunksDiscarded = 1024;

struct Chunk {
  const Sha256Digest* part;
  std::int64_t number;
  Bytes content;
};

// Cuts the content of parts into rows of kChunkBytes, checks it against the digest it is kept
// under, and hands the rows to `write` some at a time.
class ChunkWriter {
 public:
  using Write = std::function<Result<void>(const std::vector<Chunk>&)>;
  explicit ChunkWriter(Write write) : write_(std::move(write)) {}

  // `part` outlives this.
  void begin(const Sha256Digest& part) {
    part_ = &part;
    number_ = 0;
    hash_ = crypto::Sha256();
  }

  Result<void> add(ByteView data) {
    hash_.update(data);
    while (!data.empty()) {
      const std::size_t take = std::min(data.size(), std::size_t{kChunkBytes} - pending_.size());
      append(pending_, data.first(take));
      data = data.subspan(take);
      if (pending_.size() == kChunkBytes) {
        if (auto ok = end_chunk(); !ok) return ok;
      }
    }
    return {};
  }

  Result<void> end() {
    // The last chunk is never full, so that an empty part has a row too.
    if (auto ok = end_chunk(); !ok) return ok;
    if (hash_.finish() == *part_) return {};
    return fail(StoreError::kCorrupt,
                "the content of part " + hex_encode(*part_) + " is not the measured one");
  }

  Result<void> flush() {
    if (chunks_.empty()) return {};
    auto ok = write_(chunks_);
    chunks_.clear();
    return ok;
  }

 private:
  Result<void> end_chunk() {
    chunks_.push_back({part_, number_++, std::move(pending_)});
    pending_ = {};
    return chunks_.size() < kChunksAtOnce ? Result<void>() : flush();
  }

  Write write_;
  const Sha256Digest* part_ = nullptr;
  std::int64_t number_ = 0;
  crypto::Sha256 hash_;
  Bytes pending_;
  std::vector<Chunk> chunks_;
};

Result<bool> has_content(Database& database, const Sha256Digest& part) {
  auto statement = database.prepare("SELECT 1 FROM part_chunk WHERE sha256 = ? AND number = 0");
  if (!statement) return pass(statement);
  return statement->bind(part).step();
}

Result<void> put_chunks(Database& database, const std::vector<Chunk>& chunks) {
  auto insert =
      database.prepare("INSERT INTO part_chunk (sha256, number, content) VALUES (?, ?, ?)");
  if (!insert) return pass(insert);
  for (const Chunk& chunk : chunks) {
    insert->reset();
    auto ok = insert->bind(*chunk.part).bind(chunk.number).bind(chunk.content).run();
    if (!ok) return ok;
  }
  return {};
}

Result<void> mark_loose(Database& database, const std::vector<const package::Part*>& parts) {
  auto insert = database.prepare("INSERT OR IGNORE INTO loose_part VALUES (?)");
  if (!insert) return pass(insert);
  for (const package::Part* part : parts) {
    insert->reset();
    if (auto ok = insert->bind(part->sha256).run(); !ok) return ok;
  }
  return {};
}

// Runs `sql`, whose one value is a part, and gives how many rows it changed.
Result<std::int64_t> change_of(Database& database, const char* sql, ByteView part) {
  auto statement = database.prepare(sql);
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(part).run(); !ok) return pass(ok);
  return database.changes();
}

// One step of emptying loose_part; the chunks that it removed, or nullopt when there is none left.
Result<std::optional<std::int64_t>> discard_step(Database& database) {
  std::int64_t removed = 0;
  while (removed < static_cast<std::int64_t>(kChunksAtOnce)) {
    auto next = database.prepare("SELECT sha256 FROM loose_part LIMIT 1");
    if (!next) return pass(next);
    auto found = next->step();
    if (!found) return pass(found);
    if (!*found) return removed == 0 ? std::nullopt : std::optional(removed);
    const Bytes part = next->blob(0);
    next->reset();
    auto chunks = change_of(
        database,
        "DELETE FROM part_chunk WHERE rowid IN (SELECT rowid FROM part_chunk WHERE sha256 = ?1 AND"
        " NOT EXISTS (SELECT 1 FROM registration_part WHERE sha256 = ?1) LIMIT 16)",
        part);
    if (!chunks) return pass(chunks);
    removed += *chunks;
    if (*chunks > 0) continue;
    auto done = change_of(database, "DELETE FROM loose_part WHERE sha256 = ?", part);
    if (!done) return pass(done);
  }
  return removed;
}

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

Result<void> SqliteTransaction::put_registration(const model::Registration& registration) {
  if (auto ok = put_registration_row(registration); !ok) return ok;
  for (const package::Part& part : registration.measurement.parts) {
    if (!part.code_bearing()) continue;
    if (auto ok = put_part(registration.id, part); !ok) return ok;
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
                                         const package::Part& part) {
  auto known = has_content(database_, part.sha256);
  if (!known) return pass(known);
  if (!*known) {
    return fail(StoreError::kNotFound, "the content of part " + part.name + " is not in the store");
  }
  auto use = database_.prepare("INSERT OR IGNORE INTO registration_part VALUES (?, ?)");
  if (!use) return pass(use);
  if (auto ok = use->bind(registration_id).bind(part.sha256).run(); !ok) return ok;
  auto held = change_of(database_, "DELETE FROM loose_part WHERE sha256 = ?", part.sha256);
  if (!held) return pass(held);
  return {};
}

// --- Content -------------------------------------------------------------------------------------

Result<void> SqliteStore::keep_parts(const std::vector<package::Part>& parts,
                                     const PartReader& read,
                                     const std::function<Result<void>()>& then) {
  const MutexLock content(content_mutex_);
  // What an earlier one left half would be taken for whole.
  if (auto ok = discard_loose(INT64_MAX); !ok) return ok;
  auto done = write_parts(parts, read);
  if (done) done = then();
  // discard_unused() comes back to what this cannot remove, and to what an exception leaves.
  if (!done) static_cast<void>(discard_loose(INT64_MAX));
  return done;
}

Result<void> SqliteStore::write_parts(const std::vector<package::Part>& parts,
                                      const PartReader& read) {
  // Each content once, known or not: a registration that has it may be removed meanwhile.
  std::vector<const package::Part*> all;
  std::set<Sha256Digest> seen;
  for (const package::Part& part : parts) {
    if (part.code_bearing() && seen.insert(part.sha256).second) all.push_back(&part);
  }
  std::vector<const package::Part*> missing;
  auto marked = writing([&](Database& database) -> Result<void> {
    for (const package::Part* part : all) {
      auto known = has_content(database, part->sha256);
      if (!known) return pass(known);
      if (!*known) missing.push_back(part);
    }
    return mark_loose(database, all);
  });
  if (!marked) return marked;
  ChunkWriter writer([&](const std::vector<Chunk>& chunks) {
    return writing([&](Database& database) { return put_chunks(database, chunks); });
  });
  for (const package::Part* part : missing) {
    writer.begin(part->sha256);
    if (auto ok = read(*part, [&](ByteView data) { return writer.add(data); }); !ok) return ok;
    if (auto ok = writer.end(); !ok) return ok;
  }
  return writer.flush();
}

Result<void> SqliteStore::discard_unused() {
  if (!content_mutex_.try_lock()) return {};
  const AdoptedLock content(content_mutex_);
  return discard_loose(kChunksDiscarded);
}

Result<void> SqliteStore::discard_loose(std::int64_t chunks) {
  while (chunks > 0) {
    std::optional<std::int64_t> removed;
    auto ok = writing([&](Database& database) -> Result<void> {
      auto step = discard_step(database);
      if (!step) return pass(step);
      removed = *step;
      return {};
    });
    if (!ok || !removed) return ok;
    chunks -= *removed;
  }
  return {};
}

Result<std::vector<model::Registration>> SqliteStore::registrations(
    const OnUnreadable& on_unreadable) {
  return browsing([&](Database& database) {
    return read_rows<model::Registration>(
        database.prepare("SELECT id, measurement, created, expires, created_by FROM registration "
                         "ORDER BY created, id"),
        on_unreadable, [](const Statement& row) { return row.text(0); }, registration_row);
  });
}

Result<void> SqliteTransaction::remove_registration(const std::string& id) {
  auto loosen = database_.prepare(
      "INSERT OR IGNORE INTO loose_part SELECT sha256 FROM registration_part WHERE registration = "
      "?");
  if (!loosen) return pass(loosen);
  if (auto ok = loosen->bind(id).run(); !ok) return ok;
  auto statement = database_.prepare("DELETE FROM registration WHERE id = ?");
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(id).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "no registration has the id \"" + id + "\"");
  }
  return {};
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

Result<Bytes> SqliteStore::part_range(const Sha256Digest& sha256, std::uint64_t offset,
                                      std::uint64_t length) {
  constexpr std::uint64_t kMax = INT64_MAX;
  if (length == 0 || offset > kMax) return Bytes{};
  const std::uint64_t end = length > kMax - offset ? kMax : offset + length;
  const std::uint64_t first = offset / kChunkBytes;
  return reading([&](Database& database) -> Result<Bytes> {
    auto statement = database.kept(
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
