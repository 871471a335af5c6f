// The one way for an operator's change: into the store, together with its entry in the audit log,
// and then into what the service reads.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::state {

// Thread-safe. One change runs at a time.
class AuditedStore {
 public:
  // Both must outlive this.
  AuditedStore(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Runs `change` (store::Transaction& -> Result<void>) and notes in the audit log that `actor` did
  // `action`; both are on disk together, or neither is when `change` fails. Then, before the next
  // change begins, `publish` puts what is new where it is read from, so that memory sees changes in
  // the store's order. `change` reads from its transaction and from memory, never through read(),
  // and neither may change anything by this object.
  template <class Change, class Publish>
  Result<void> change(const std::string& actor, const std::string& action,
                      const std::string& detail, Change change, Publish publish)
      EXCLUDES(changes_) {
    const MutexLock lock(changes_);
    auto done = store_.write([&](store::Transaction& transaction) -> Result<void> {
      if (auto ok = change(transaction); !ok) return ok;
      return transaction.audit({clock_.now(), actor, action, detail, {}});
    });
    if (done) publish();
    return done;
  }

  // Notes what changes nothing, such as that a secret was read.
  Result<void> note(const std::string& actor, const std::string& action,
                    const std::string& detail) {
    return change(
        actor, action, detail, [](store::Transaction&) { return Result<void>(); }, [] {});
  }

  // Store::keep_parts(), whose `then` makes the change: other changes go on meanwhile.
  Result<void> keep_parts(const std::vector<package::Part>& parts, const store::PartReader& read,
                          const std::function<Result<void>()>& then) EXCLUDES(changes_) {
    return store_.keep_parts(parts, read, then);
  }
  Result<void> discard_unused() { return store_.discard_unused(); }

  // Store::copy_to().
  Result<void> copy_to(const std::string& path) { return store_.copy_to(path); }

  // What the service itself remembers: no operator did it, so the audit log does not tell of it.
  Result<void> remember(const store::Store::Change& change) { return store_.write(change); }
  // The same in the order of the operators' changes, with `publish` as in change().
  template <class Publish>
  Result<void> remember(const store::Store::Change& change, Publish publish) EXCLUDES(changes_) {
    const MutexLock lock(changes_);
    auto done = store_.write(change);
    if (done) publish();
    return done;
  }

  store::Reader& read() { return store_; }
  UnixTime now() const { return clock_.now(); }

 private:
  store::Store& store_;
  const Clock& clock_;
  Mutex changes_;
};

}  // namespace touchmark::verifier::state
