// Mutexes whose use clang checks: a member says which lock guards it, and code that touches it
// without that lock does not compile (-Wthread-safety; tools/check-locks runs it in `make test`).
//
//   Mutex mutex_;
//   std::map<...> pending_ GUARDED_BY(mutex_);
//   void drop_oldest() REQUIRES(mutex_);     // the caller holds it
//
// Annotations: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html. Other compilers see none.
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define TOUCHMARK_LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define TOUCHMARK_LOCK_ATTRIBUTE(x)
#endif
#define CAPABILITY(name) TOUCHMARK_LOCK_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY TOUCHMARK_LOCK_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(mutex) TOUCHMARK_LOCK_ATTRIBUTE(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) TOUCHMARK_LOCK_ATTRIBUTE(pt_guarded_by(mutex))
#define REQUIRES(...) TOUCHMARK_LOCK_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TOUCHMARK_LOCK_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) TOUCHMARK_LOCK_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) TOUCHMARK_LOCK_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) TOUCHMARK_LOCK_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) TOUCHMARK_LOCK_ATTRIBUTE(release_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) TOUCHMARK_LOCK_ATTRIBUTE(release_generic_capability(__VA_ARGS__))
#define NO_LOCK_ANALYSIS TOUCHMARK_LOCK_ATTRIBUTE(no_thread_safety_analysis)

namespace touchmark {

// Not recursive.
class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  bool try_lock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a mutex to the end of its scope. To wait, give the Mutex itself, which must be held, to a
// std::condition_variable_any.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Holds a mutex that try_lock() has taken.
class SCOPED_CAPABILITY AdoptedLock {
 public:
  explicit AdoptedLock(Mutex& mutex) REQUIRES(mutex) : mutex_(mutex) {}
  ~AdoptedLock() RELEASE() { mutex_.unlock(); }
  AdoptedLock(const AdoptedLock&) = delete;
  AdoptedLock& operator=(const AdoptedLock&) = delete;

 private:
  Mutex& mutex_;
};

// Lets go of a mutex that is held until the end of its scope, and then takes it again.
class SCOPED_CAPABILITY MutexUnlock {
 public:
  explicit MutexUnlock(Mutex& mutex) RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
  ~MutexUnlock() RELEASE() { mutex_.lock(); }  // RELEASE(): ends the scope, as clang has it
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

 private:
  Mutex& mutex_;
};

// Serves those who wait in the order in which they came, so that a thread which takes it again and
// again keeps nobody out for longer than it holds it once. Not recursive.
class CAPABILITY("mutex") FairMutex {
 public:
  void lock() ACQUIRE() {
    std::unique_lock lock(mutex_);
    const unsigned long mine = next_++;
    turn_.wait(lock, [&] { return serving_ == mine; });
  }
  void unlock() RELEASE() {
    {
      const std::lock_guard lock(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  unsigned long next_ = 0;     // the ticket of who comes next
  unsigned long serving_ = 0;  // the ticket whose turn it is
};

class SCOPED_CAPABILITY FairLock {
 public:
  explicit FairLock(FairMutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~FairLock() RELEASE() { mutex_.unlock(); }
  FairLock(const FairLock&) = delete;
  FairLock& operator=(const FairLock&) = delete;

 private:
  FairMutex& mutex_;
};

// One writer, or many readers.
class CAPABILITY("mutex") SharedMutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }
  void lock_shared() ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() RELEASE_GENERIC() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~WriterLock() RELEASE() { mutex_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReaderLock() RELEASE_GENERIC() { mutex_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace touchmark
