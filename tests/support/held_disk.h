// A disk that takes its time, or fails, so that tests can see who waits for it and what becomes of
// that. A test program that uses it compiles held_disk.cc.
#pragma once

#include <chrono>

namespace touchmark::testing {

// While it lives, fsync() of the whole program waits until release(), at most kLongest, so that a
// test which goes wrong ends. Not before another one.
class HeldDisk {
 public:
  static constexpr std::chrono::seconds kLongest{20};

  HeldDisk();
  ~HeldDisk();  // releases
  HeldDisk(const HeldDisk&) = delete;
  HeldDisk& operator=(const HeldDisk&) = delete;

  // How many calls have come to the disk since it is held.
  int calls() const;
  // Until somebody waits for the disk; false when nobody has within kLongest.
  bool await_call() const;
  void release();
};

// While it lives, fsync() of the whole program fails with EIO.
class BrokenDisk {
 public:
  BrokenDisk();
  ~BrokenDisk();
  BrokenDisk(const BrokenDisk&) = delete;
  BrokenDisk& operator=(const BrokenDisk&) = delete;
};

}  // namespace touchmark::testing
