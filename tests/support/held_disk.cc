#include "tests/support/held_disk.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>

namespace {

std::mutex mutex;
std::condition_variable changed;
bool held = false;
bool broken = false;
int calls_now = 0;

}  // namespace

// In place of the C library's, for the whole program.
extern "C" int fsync(int fd) {
  std::unique_lock lock(mutex);
  if (broken) {
    errno = EIO;
    return -1;
  }
  if (held) {
    ++calls_now;
    changed.notify_all();
    changed.wait_for(lock, touchmark::testing::HeldDisk::kLongest, [] { return !held; });
  }
  lock.unlock();
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace touchmark::testing {

HeldDisk::HeldDisk() {
  const std::lock_guard lock(mutex);
  held = true;
  calls_now = 0;
}
HeldDisk::~HeldDisk() { release(); }

int HeldDisk::calls() const {
  const std::lock_guard lock(mutex);
  return calls_now;
}

bool HeldDisk::await_call() const {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, kLongest, [] { return calls_now > 0; });
}

void HeldDisk::release() {
  const std::lock_guard lock(mutex);
  held = false;
  changed.notify_all();
}

BrokenDisk::BrokenDisk() {
  const std::lock_guard lock(mutex);
  broken = true;
}
BrokenDisk::~BrokenDisk() {
  const std::lock_guard lock(mutex);
  broken = false;
}

}  // namespace touchmark::testing
