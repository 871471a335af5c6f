#include "verifier/http/failure_budget.h"

#include <algorithm>
#include <random>
#include <string_view>

namespace touchmark::verifier::http {

AddressKey::AddressKey(const IpAddress& given) {
  const IpAddress address = plain_address(given);
  if (address.is_v4()) {
    std::ranges::copy(address.to_v4().to_bytes(), bytes.begin());
    return;
  }
  is_v6 = true;
  const auto all = address.to_v6().to_bytes();
  std::copy_n(all.begin(), bytes.size(), bytes.begin());
}

std::size_t AddressKeyHash::operator()(const AddressKey& key) const {
  // Clients choose among addresses: not one table for all services.
  static const std::size_t kSeed = std::random_device()();
  std::size_t hash = kSeed ^ (key.is_v6 ? 0x9e3779b97f4a7c15U : 0U);
  for (const std::uint8_t byte : key.bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash ^ (hash >> 32U);
}

FailureBudget::Account* FailureBudget::find(const AddressKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  Account& account = *found->second;
  const auto now = now_();
  const double seconds = std::chrono::duration<double>(now - account.when).count();
  account.left = std::min(settings_.most, account.left + seconds * settings_.per_second);
  account.when = now;
  return &account;
}

void FailureBudget::charge(const AddressKey& key, double failures) {
  const MutexLock lock(mutex_);
  Account* account = find(key);
  if (account != nullptr) {
    accounts_.splice(accounts_.begin(), accounts_, index_.at(key));
  } else {
    if (accounts_.size() >= settings_.addresses) {
      index_.erase(accounts_.back().key);
      accounts_.pop_back();
    }
    accounts_.push_front({key, settings_.most, now_()});
    index_.emplace(key, accounts_.begin());
    account = &accounts_.front();
  }
  // No deeper than empty: who stops is heard again at once.
  account->left = std::max(0.0, account->left - failures);
}

void FailureBudget::pay_back(const AddressKey& key, double failures) {
  const MutexLock lock(mutex_);
  if (Account* account = find(key); account != nullptr) {
    account->left = std::min(settings_.most, account->left + failures);
  }
}

bool FailureBudget::is_spent(const AddressKey& key) {
  const MutexLock lock(mutex_);
  const Account* account = find(key);
  return account != nullptr && account->left < 1;
}

std::size_t FailureBudget::size() const {
  const MutexLock lock(mutex_);
  return accounts_.size();
}

}  // namespace touchmark::verifier::http
