// Who is connected, and who gives way when there are too many. A connection that waits costs its
// client nothing to open again, so none is refused for it: the one that has waited longest for what
// it does ends instead.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/mutex.h"
#include "verifier/http/failure_budget.h"

namespace touchmark::verifier::http {

// What a connection does. What comes before kAtWork is waiting for the client.
enum class Stage {
  kSilent,     // no whole record of TLS yet
  kHandshake,  // TLS
  kUnused,     // no request yet
  kIdle,       // between two requests
  kHeader,     // a request's header
  kBody,       // and its body
  kAnswer,     // until the client has taken an answer
  kAtWork,     // the service's own time
};
inline constexpr std::size_t kStages = 8;

struct TableLimits {
  std::size_t most = 4096;
  std::size_t reserve = 0;      // of these, for operators and health alone once the rest is at work
  std::size_t per_address = 0;  // of those that wait; 0: no limit of its own
};

class ConnectionTable {
 public:
  using Clock = std::chrono::steady_clock;
  // `unearned`: the addresses whose connections ask for nothing.
  ConnectionTable(TableLimits limits, FailureBudget& unearned,
                  std::function<Clock::time_point()> now = Clock::now);
  ~ConnectionTable();

  // One connection's row; it ends with this object. Not thread-safe, unlike the table.
  class Place {
   public:
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    void enter(Stage stage);
    // An operator's connection gives way to nobody.
    void keep();
    bool in_reserve() const { return in_reserve_; }
    // `normal`, and less the fuller the table is.
    std::chrono::seconds shortened(std::chrono::seconds normal) const {
      return table_.shortened(normal);
    }

   private:
    friend class ConnectionTable;
    struct Row;
    Place(ConnectionTable& table, std::unique_ptr<Row> row, bool in_reserve);

    ConnectionTable& table_;
    std::unique_ptr<Row> row_;
    const bool in_reserve_;
  };

  // nullptr when there is no place, because so many are at work. `evict` ends the connection; it
  // may be called from any thread while the place lives, with the table's lock held, so it only
  // posts. `is_proxy`: many clients behind one address.
  std::unique_ptr<Place> admit(const AddressKey& key, bool is_proxy, std::function<void()> evict);

  // Ends the one that waited longest for what it does; false when all are at work. For lack of
  // descriptors.
  bool evict_one();

  // `normal`, and less the fuller it is.
  std::chrono::seconds shortened(std::chrono::seconds normal) const;
  std::size_t size() const;
  // Evicted, and not gone yet.
  std::size_t leaving() const;

 private:
  using Row = Place::Row;
  using Rows = std::list<Row*>;
  using Stages = std::array<Rows, 2 * kStages>;  // by Stage; then again for those with many answers
  struct Address {
    Stages stages;
    std::size_t count = 0;
  };
  using Addresses = std::unordered_map<AddressKey, Address, AddressKeyHash>;

  bool evict_from(Stages& stages) REQUIRES(mutex_);
  void link(Row& row, Stage stage) REQUIRES(mutex_);
  void unlink(Row& row) REQUIRES(mutex_);
  std::size_t per_address(const AddressKey& key) REQUIRES(mutex_);
  std::size_t for_all() const { return limits_.most - limits_.reserve; }

  const TableLimits limits_;
  FailureBudget& unearned_;
  const std::function<Clock::time_point()> now_;
  mutable Mutex mutex_;
  std::size_t size_ GUARDED_BY(mutex_) = 0;
  std::size_t leaving_ GUARDED_BY(mutex_) = 0;
  Stages stages_ GUARDED_BY(mutex_);  // in each, those that entered it longest ago first
  Addresses addresses_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
