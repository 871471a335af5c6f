// What a function costs, measured in a process of its own: memory and processor time of readers
// that a hostile file may make expensive.
#pragma once

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

namespace touchmark::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kCostsAreTrue = false;  // the sanitizers' own memory and time come on top
#else
inline constexpr bool kCostsAreTrue = true;
#endif

struct Cost {
  std::string outcome = "did not end";  // what the function returned
  double memory_mib = 0;                // the most that was resident, beyond what was before
  double seconds = 0;                   // of processor time, of all threads
};

// In KiB; of this process.
inline double status_kib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::atof(line.c_str() + field.size() + 1);
  }
  return 0;
}

// `work` runs in a child that is given `limit_seconds` of processor time. What it builds for itself
// before the reader runs should be small, or be built by the caller.
inline Cost cost_of(const std::function<std::string()>& work, unsigned limit_seconds = 60) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return {"no pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit processor{limit_seconds, limit_seconds};
    ::setrlimit(RLIMIT_CPU, &processor);
    ::malloc_trim(0);  // what the caller has freed would be taken first, and not be seen
    std::ofstream("/proc/self/clear_refs") << "5";  // forgets the highest that was resident
    const double before = status_kib("VmRSS");
    timespec start{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    const std::string outcome = work();
    timespec end{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    const double seconds = static_cast<double>(end.tv_sec - start.tv_sec) +
                           static_cast<double>(end.tv_nsec - start.tv_nsec) / 1e9;
    const std::string line = std::to_string((status_kib("VmHWM") - before) / 1024) + " " +
                             std::to_string(seconds) + " " + outcome;
    if (::write(ends[1], line.data(), line.size()) < 0) ::_exit(1);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string line;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    line.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  Cost cost;
  const std::size_t first = line.find(' ');
  const std::size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  if (second == line.npos) {
    if (WIFSIGNALED(status)) cost.outcome = "signal " + std::to_string(WTERMSIG(status));
    return cost;
  }
  cost.memory_mib = std::atof(line.c_str());
  cost.seconds = std::atof(line.c_str() + first);
  cost.outcome = line.substr(second + 1);
  return cost;
}

}  // namespace touchmark::testing
