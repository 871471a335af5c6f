// What an address may cost without earning anything: connections that ask nothing, wrong operator
// tokens, refused evidence. A budget is never a reason to refuse what is good. It decides who waits
// and who gives way when there is not enough for all, and how much of a failure is still answered
// and logged. Thousands of phones share one address behind a carrier's NAT, so what passes pays
// back.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>

#include "base/mutex.h"
#include "verifier/http/client_address.h"

namespace touchmark::verifier::http {

// Who is one client for limits: an IPv4 address, or the /64 that an IPv6 network gives one place.
struct AddressKey {
  explicit AddressKey(const IpAddress& address);
  bool operator==(const AddressKey&) const = default;

  std::array<std::uint8_t, 8> bytes{};
  bool is_v6 = false;
};

struct AddressKeyHash {
  std::size_t operator()(const AddressKey& key) const;
};

struct BudgetSettings {
  double most = 200;              // failures at once
  double per_second = 5;          // and lasting
  std::size_t addresses = 16384;  // remembered; those that failed longest ago are forgotten first
};

// Thread-safe.
class FailureBudget {
 public:
  using Clock = std::chrono::steady_clock;
  explicit FailureBudget(BudgetSettings settings,
                         std::function<Clock::time_point()> now = Clock::now)
      : settings_(settings), now_(std::move(now)) {}

  void charge(const AddressKey& key, double failures = 1);
  void pay_back(const AddressKey& key, double failures = 1);
  // Whether the address has used up what it had.
  bool is_spent(const AddressKey& key);
  std::size_t size() const;

 private:
  struct Account {
    AddressKey key;
    double left;
    Clock::time_point when;
  };
  using Accounts = std::list<Account>;

  Account* find(const AddressKey& key) REQUIRES(mutex_);

  const BudgetSettings settings_;
  const std::function<Clock::time_point()> now_;
  mutable Mutex mutex_;
  Accounts accounts_ GUARDED_BY(mutex_);  // charged last, first
  std::unordered_map<AddressKey, Accounts::iterator, AddressKeyHash> index_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
