// Devices that were seen, what operators said of them, and the appraisals that are kept.
#include "verifier/store/sqlite_store.h"
#include "verifier/store/sqlite_transaction.h"

namespace touchmark::verifier::store {
namespace {

// Anyone can make installation keys, so the table of devices has a bound; the longest unseen go
// first.
constexpr std::int64_t kMaxDevices = 1'000'000;

// As device_row() reads them.
constexpr const char* kSelectDevices =
    "SELECT did, last_seen, passed, arc, package, config_version FROM device";

model::DeviceRecord device_row(const Statement& row) {
  return {
      row.text(0),   from_unix(row.integer(1)), row.integer(2) != 0, row.text(3), row.text(4), {},
      row.integer(5)};
}

}  // namespace

Result<void> SqliteTransaction::put_devices(const std::vector<model::DeviceRecord>& records) {
  // Not OR REPLACE, which takes the row out of table and index first.
  auto statement = database_.prepare(
      "INSERT INTO device VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (did) DO UPDATE SET last_seen = "
      "excluded.last_seen, passed = excluded.passed, arc = excluded.arc, package = "
      "excluded.package, config_version = excluded.config_version");
  if (!statement) return pass(statement);
  for (const model::DeviceRecord& record : records) {
    statement->reset();
    auto ok = statement->bind(record.device_id)
                  .bind(to_unix(record.last_seen))
                  .bind(std::int64_t{record.passed})
                  .bind(record.arc)
                  .bind(record.package_name)
                  .bind(record.config_version)
                  .run();
    if (!ok) return ok;
  }
  auto count = database_.integer("SELECT count(*) FROM device");
  if (!count) return pass(count);
  if (*count <= kMaxDevices) return {};
  auto drop = database_.prepare(
      "DELETE FROM device WHERE did IN (SELECT did FROM device ORDER BY last_seen LIMIT ?)");
  if (!drop) return pass(drop);
  return drop->bind(*count - kMaxDevices).run();
}

Result<std::vector<model::DeviceRecord>> SqliteStore::devices(std::size_t limit) {
  return browsing([&](Database& database) -> Result<std::vector<model::DeviceRecord>> {
    auto statement =
        database.prepare(std::string(kSelectDevices) + " ORDER BY last_seen DESC LIMIT ?");
    if (!statement) return pass(statement);
    statement->bind(static_cast<std::int64_t>(limit));
    std::vector<model::DeviceRecord> out;
    auto ok = for_each_row(std::move(statement), [&](const Statement& row) -> Result<void> {
      out.push_back(device_row(row));
      return {};
    });
    if (!ok) return pass(ok);
    return out;
  });
}

Result<std::optional<model::DeviceRecord>> SqliteStore::device(const std::string& device_id) {
  return browsing([&](Database& database) -> Result<std::optional<model::DeviceRecord>> {
    auto statement = database.prepare(std::string(kSelectDevices) + " WHERE did = ?");
    if (!statement) return pass(statement);
    auto row = statement->bind(device_id).step();
    if (!row) return pass(row);
    return *row ? std::optional(device_row(*statement)) : std::nullopt;
  });
}

Result<model::DeviceCount> SqliteStore::count_devices(UnixTime since, std::int64_t config_version) {
  return browsing([&](Database& database) -> Result<model::DeviceCount> {
    auto statement = database.prepare(
        "SELECT count(*), count(CASE WHEN config_version >= ? THEN 1 END) FROM device "
        "WHERE last_seen >= ? AND passed");
    if (!statement) return pass(statement);
    auto row = statement->bind(config_version).bind(to_unix(since)).step();
    if (!row) return pass(row);
    return model::DeviceCount{statement->integer(0), statement->integer(1)};
  });
}

Result<void> SqliteTransaction::put_forced_device(const model::ForcedDevice& device) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO forced_device VALUES (?, ?, ?, ?)");
  if (!statement) return pass(statement);
  return statement->bind(device.device_id)
      .bind(std::int64_t{device.passes})
      .bind(device.actor)
      .bind(to_unix(device.time))
      .run();
}

Result<void> SqliteTransaction::remove_forced_device(const std::string& device_id) {
  auto statement = database_.prepare("DELETE FROM forced_device WHERE did = ?");
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(device_id).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "nothing is forced for device " + device_id);
  }
  return {};
}

Result<std::vector<model::ForcedDevice>> SqliteStore::forced_devices() {
  return browsing([](Database& database) -> Result<std::vector<model::ForcedDevice>> {
    std::vector<model::ForcedDevice> out;
    auto ok = for_each_row(
        database.prepare("SELECT did, passes, actor, time FROM forced_device ORDER BY did"),
        [&](const Statement& row) -> Result<void> {
          out.push_back({row.text(0), row.integer(1) != 0, row.text(2), from_unix(row.integer(3))});
          return {};
        });
    if (!ok) return pass(ok);
    return out;
  });
}

Result<void> SqliteTransaction::put_appraisals(const std::vector<model::AppraisalRecord>& records) {
  auto statement =
      database_.prepare("INSERT INTO appraisal (time, did, passed, content) VALUES (?, ?, ?, ?)");
  if (!statement) return pass(statement);
  for (const model::AppraisalRecord& record : records) {
    statement->reset();
    auto ok = statement->bind(to_unix(record.time))
                  .bind(record.device_id)
                  .bind(std::int64_t{record.passed})
                  .bind(record.content)
                  .run();
    if (!ok) return ok;
  }
  auto drop = database_.prepare(
      "DELETE FROM appraisal WHERE number <= (SELECT max(number) FROM appraisal) - ?");
  if (!drop) return pass(drop);
  return drop->bind(model::kKeptAppraisals).run();
}

Result<std::vector<model::AppraisalRecord>> SqliteStore::appraisals(
    std::size_t limit, const std::optional<std::string>& device_id, std::int64_t before) {
  return browsing([&](Database& database) -> Result<std::vector<model::AppraisalRecord>> {
    const std::string of_device = device_id ? " AND did = ?" : "";
    auto statement = database.prepare(
        "SELECT time, did, passed, content, number FROM appraisal WHERE number < ?" + of_device +
        " ORDER BY number DESC LIMIT ?");
    if (!statement) return pass(statement);
    statement->bind(before);
    if (device_id) statement->bind(*device_id);
    statement->bind(static_cast<std::int64_t>(limit));
    std::vector<model::AppraisalRecord> out;
    auto ok = for_each_row(std::move(statement), [&](const Statement& row) -> Result<void> {
      out.push_back({from_unix(row.integer(0)), row.text(1), row.integer(2) != 0, row.text(3),
                     row.integer(4)});
      return {};
    });
    if (!ok) return pass(ok);
    return out;
  });
}

}  // namespace touchmark::verifier::store
