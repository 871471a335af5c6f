#include "tests/support/short_memory.h"

#include <cstdlib>
#include <new>

namespace {

constexpr long kNever = -1;
thread_local long left = kNever;
thread_local std::size_t at_least = 0;
thread_local bool struck = false;
thread_local std::size_t taken = 0;
thread_local std::size_t taken_bytes = 0;

}  // namespace

// In place of the library's, for the whole program: all that take each other's memory.
void* operator new(std::size_t size) {
  if (left != kNever && size >= at_least && left-- == 0) {
    struck = true;
    throw std::bad_alloc();
  }
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++taken;
  taken_bytes += size;
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return ::operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace touchmark::testing {

ShortMemory::ShortMemory(long allocations, std::size_t bytes) {
  struck = false;
  at_least = bytes;
  left = allocations;
}
ShortMemory::~ShortMemory() { left = kNever; }
bool ShortMemory::has_struck() const { return struck; }

CountedMemory::CountedMemory() : allocations_before_(taken), bytes_before_(taken_bytes) {}
std::size_t CountedMemory::allocations() const { return taken - allocations_before_; }
std::size_t CountedMemory::bytes() const { return taken_bytes - bytes_before_; }

}  // namespace touchmark::testing
