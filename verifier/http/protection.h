// What keeps the service answering while somebody spends its time: shared by all connections of a
// server.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "verifier/http/failure_budget.h"
#include "verifier/http/handshake_turns.h"
#include "verifier/http/work_gate.h"

namespace touchmark::verifier::http {

struct ProtectionSettings {
  GateSettings gate;
  std::size_t handshakes_at_once = 2;
  BudgetSettings unearned;                         // connections without a request
  BudgetSettings wrong_tokens;                     // of operators
  BudgetSettings refused;                          // evidence, and requests of no shape
  std::size_t body_bytes = std::size_t{64} << 20;  // of all requests that are being received
};

// Thread-safe.
struct Protection {
  explicit Protection(const ProtectionSettings& settings)
      : gate(settings.gate),
        handshakes(settings.handshakes_at_once),
        unearned(settings.unearned),
        wrong_tokens(settings.wrong_tokens),
        refused(settings.refused),
        most_body_bytes(settings.body_bytes) {}

  WorkGate gate;
  HandshakeTurns handshakes;
  FailureBudget unearned;
  FailureBudget wrong_tokens;
  FailureBudget refused;
  const std::size_t most_body_bytes;
  std::atomic<std::size_t> body_bytes{0};

  // Since they were last told.
  std::atomic<std::uint64_t> gave_way{0};   // connections that ended for others
  std::atomic<std::uint64_t> no_place{0};   // connections that were not taken
  std::atomic<std::uint64_t> sent_away{0};  // requests answered with 503
};

// What one body holds of the memory for all; given back when this is gone.
class BodyMemory {
 public:
  explicit BodyMemory(Protection& protection) : protection_(protection) {}
  BodyMemory(const BodyMemory&) = delete;
  BodyMemory& operator=(const BodyMemory&) = delete;
  ~BodyMemory() { protection_.body_bytes -= held_; }

  // False when there is no more.
  bool take(std::size_t bytes) {
    held_ += bytes;
    return (protection_.body_bytes += bytes) <= protection_.most_body_bytes;
  }

 private:
  Protection& protection_;
  std::size_t held_ = 0;
};

}  // namespace touchmark::verifier::http
