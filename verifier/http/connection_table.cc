#include "verifier/http/connection_table.h"

#include <algorithm>
#include <optional>

namespace touchmark::verifier::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long an honest client may need, by Stage: a phone signs its evidence between two requests.
// Who gives way is who has had the most of it.
constexpr std::array<milliseconds, kStages> kFair{
    milliseconds(250),  milliseconds(3000), milliseconds(1000), milliseconds(10'000),
    milliseconds(2000), milliseconds(8000), milliseconds(5000), milliseconds(1),
};
// An address whose connections ask for nothing has this part of what others have.
constexpr std::size_t kSpentShare = 2;
constexpr std::size_t kLeastShare = 8;
constexpr seconds kShortest{2};
// Answers over one connection. Who had more is no phone, and counts as having had this part of the
// time already, so that being busy is no shelter.
constexpr std::size_t kAnswersOfAPhone = 16;
constexpr double kHad = 0.25;

}  // namespace

struct ConnectionTable::Place::Row {
  Row(const AddressKey& address_key, bool proxy, std::function<void()> ends)
      : key(address_key),
        is_proxy(proxy),
        evict(std::move(ends)),
        own_in_all(1, this),
        own_in_address(1, this) {}

  const AddressKey key;
  const bool is_proxy;
  const std::function<void()> evict;
  bool kept = false;
  bool leaving = false;
  std::size_t answers = 0;
  std::size_t list = 0;  // of the table's and the address's, when linked
  Clock::time_point since;
  Address* address = nullptr;
  // Its place in a list of the table's, and in one of the address's, where it is in them. Else they
  // wait in lists of its own, so that a change of stage needs no memory.
  Rows own_in_all;
  Rows own_in_address;
  Rows::iterator in_all = own_in_all.begin();
  Rows::iterator in_address = own_in_address.begin();
  bool linked = false;
};

ConnectionTable::Place::Place(ConnectionTable& table, std::unique_ptr<Row> row, bool in_reserve)
    : table_(table), row_(std::move(row)), in_reserve_(in_reserve) {}

ConnectionTable::Place::~Place() {
  const MutexLock lock(table_.mutex_);
  table_.unlink(*row_);
  --table_.size_;
  if (row_->leaving) --table_.leaving_;
  if (--row_->address->count == 0) table_.addresses_.erase(row_->key);
}

void ConnectionTable::Place::enter(Stage stage) {
  const MutexLock lock(table_.mutex_);
  if (row_->leaving) return;
  table_.unlink(*row_);
  table_.link(*row_, stage);
}

void ConnectionTable::Place::keep() {
  const MutexLock lock(table_.mutex_);
  row_->kept = true;
  table_.unlink(*row_);
}

ConnectionTable::ConnectionTable(TableLimits limits, FailureBudget& unearned,
                                 std::function<Clock::time_point()> now)
    : limits_(limits), unearned_(unearned), now_(std::move(now)) {}

ConnectionTable::~ConnectionTable() = default;

void ConnectionTable::link(Row& row, Stage stage) {
  row.since = now_();
  if (row.kept || stage == Stage::kAtWork) return;
  if (stage == Stage::kAnswer && !row.is_proxy) ++row.answers;
  row.list = static_cast<std::size_t>(stage) + (row.answers > kAnswersOfAPhone ? kStages : 0);
  const std::size_t index = row.list;
  stages_[index].splice(stages_[index].end(), row.own_in_all);
  Rows& of_address = row.address->stages[index];
  of_address.splice(of_address.end(), row.own_in_address);
  row.linked = true;
}

void ConnectionTable::unlink(Row& row) {
  if (!row.linked) return;
  const std::size_t index = row.list;
  row.own_in_all.splice(row.own_in_all.end(), stages_[index], row.in_all);
  row.own_in_address.splice(row.own_in_address.end(), row.address->stages[index], row.in_address);
  row.linked = false;
}

bool ConnectionTable::evict_from(Stages& stages) {
  Row* victim = nullptr;
  double worst = 0;
  const auto now = now_();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].empty()) continue;
    Row* oldest = stages[i].front();
    const double share =
        std::chrono::duration<double, std::milli>(now - oldest->since) / kFair[i % kStages] +
        (i < kStages ? 0 : kHad);
    if (victim != nullptr && share <= worst) continue;
    victim = oldest;
    worst = share;
  }
  if (victim == nullptr) return false;
  unlink(*victim);
  victim->leaving = true;
  ++leaving_;
  victim->evict();
  return true;
}

std::size_t ConnectionTable::per_address(const AddressKey& key) {
  if (limits_.per_address == 0) return limits_.most;
  if (!unearned_.is_spent(key)) return limits_.per_address;
  return std::max(kLeastShare, limits_.per_address / kSpentShare);
}

std::unique_ptr<ConnectionTable::Place> ConnectionTable::admit(const AddressKey& key, bool is_proxy,
                                                               std::function<void()> evict) {
  auto row = std::make_unique<Row>(key, is_proxy, std::move(evict));
  const MutexLock lock(mutex_);
  bool in_reserve = false;
  if (size_ - leaving_ >= for_all() && !evict_from(stages_)) {
    if (size_ - leaving_ >= limits_.most) return nullptr;
    in_reserve = true;
  }
  Address& address = addresses_[key];
  row->address = &address;
  std::size_t waiting = 0;
  for (const Rows& rows : address.stages) waiting += rows.size();
  // Those at work do not count: they are phones that are being served.
  if (!is_proxy && waiting >= per_address(key)) evict_from(address.stages);
  ++address.count;
  ++size_;
  link(*row, Stage::kSilent);
  return std::unique_ptr<Place>(new Place(*this, std::move(row), in_reserve));
}

bool ConnectionTable::evict_one() {
  const MutexLock lock(mutex_);
  return evict_from(stages_);
}

seconds ConnectionTable::shortened(seconds normal) const {
  const MutexLock lock(mutex_);
  if (size_ * 2 < for_all()) return normal;
  const seconds less = normal / (size_ * 5 < for_all() * 4 ? 4 : 12);
  return std::min(normal, std::max(less, kShortest));
}

std::size_t ConnectionTable::size() const {
  const MutexLock lock(mutex_);
  return size_;
}

std::size_t ConnectionTable::leaving() const {
  const MutexLock lock(mutex_);
  return leaving_;
}

}  // namespace touchmark::verifier::http
