// What the SDK costs an app: one full set of checks over what this process has loaded, beside plain
// reading of the same bytes; opening a client without a network; and the first key of an
// installation, which the first token waits for. With libraries' paths as further arguments, those
// are loaded before.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <optional>
#include <vector>

#include "attester/checks/process_integrity.h"
#include "attester/include/touchmark.h"
#include "attester/testing/signed_config.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester {
namespace {

using Seconds = std::chrono::duration<double>;
using touchmark::testing::TemporaryFolder;

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return Seconds(std::chrono::steady_clock::now() - begun).count();
}

// Of this thread, the kernel's part included: others may use the machine.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// The code that the checks compare, and the files that it was loaded from beside it.
class LoadedText {
 public:
  LoadedText() {
    const auto maps = checks::read_maps();
    if (!maps) return;
    for (const checks::Mapping& mapping : *maps) {
      if (mapping.executable && mapping.readable && mapping.of_file() && !mapping.deleted) {
        add(mapping);
      }
    }
  }
  ~LoadedText() {
    for (const Piece& piece : pieces_) munmap(const_cast<void*>(piece.file), piece.size);
  }
  LoadedText(const LoadedText&) = delete;
  LoadedText& operator=(const LoadedText&) = delete;

  double megabytes() const { return static_cast<double>(bytes_) / 1e6; }
  bool is_as_in_files() const {
    return std::ranges::all_of(pieces_, [](const Piece& piece) {
      return std::memcmp(piece.memory, piece.file, piece.size) == 0;
    });
  }

 private:
  struct Piece {
    const void* memory = nullptr;
    const void* file = nullptr;
    std::size_t size = 0;
  };

  void add(const checks::Mapping& mapping) {
    const int fd = ::open(mapping.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void* file = mmap(nullptr, mapping.size(), PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd,
                      static_cast<off_t>(mapping.offset));
    close(fd);
    if (file == MAP_FAILED) return;
    pieces_.push_back({reinterpret_cast<const void*>(mapping.start), file, mapping.size()});
    bytes_ += mapping.size();
  }

  std::vector<Piece> pieces_;
  std::size_t bytes_ = 0;
};

// In turns: plain reading, then the checks.
void BM_Checks(benchmark::State& state) {
  const auto integrity = checks::make_process_integrity(
      {.marks = {}, .platform_path = {}, .libraries = checks::list_libraries});
  const LoadedText text;
  double reading = 0;
  double checking = 0;
  std::size_t findings = 0;
  for (auto _ : state) {
    const double begun = processor_seconds();
    const bool same = text.is_as_in_files();
    const double read = processor_seconds();
    state.SetIterationTime(seconds_of([&] { findings = integrity->inspect().findings.size(); }));
    checking += processor_seconds() - read;
    reading += read - begun;
    if (!same) return state.SkipWithError("code in memory differs from its files");
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["text_MB"] = text.megabytes();
  state.counters["ms_per_10MB"] = checking / runs * 1e4 / text.megabytes();
  state.counters["memcmp_ms_per_10MB"] = reading / runs * 1e4 / text.megabytes();
  state.counters["of_memcmp"] = checking == 0 ? 0 : reading / checking;
  state.counters["findings"] = static_cast<double>(findings);
}
BENCHMARK(BM_Checks)->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(2);

// Seconds; negative by the clock where the work failed. Of the processor, others' work beside it
// and waiting for the disk do not count.
struct Cost {
  double clock = -1;
  double processor = 0;
};

template <class Work>
Cost cost_of(const Work& work) {
  const double begun = processor_seconds();
  bool done = false;
  Cost out{.clock = seconds_of([&] { done = work(); })};
  out.processor = processor_seconds() - begun;
  return done ? out : Cost();
}

// Runs `work` in a process of its own, so that nothing is set up before, and gives its cost.
Cost in_process(const std::function<Cost()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    const Cost cost = work();
    const bool written = write(ends[1], &cost, sizeof cost) == sizeof cost;
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  Cost cost;
  if (child < 0 || read(ends[0], &cost, sizeof cost) != sizeof cost) cost = {};
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return cost;
}

std::string config_text() {
  const crypto::EcKey key = crypto::EcKey::generate();
  return testing::sign_config(testing::config_payload(key), key);
}

enum Timed { kOpening, kFirstKey };

Cost client_cost(const std::string& config, const std::string& folder, Timed timed) {
  touchmark_options options{};
  options.size = sizeof options;
  options.config = config.c_str();
  options.storage_dir = folder.c_str();
  options.package_name = "org.example.app";
  options.platform_json = R"({"os":"linux","model":"bench"})";
  touchmark_client* client = nullptr;
  const Cost opening =
      cost_of([&] { return touchmark_open(&options, &client, nullptr) == TOUCHMARK_OK; });
  if (opening.clock < 0) return {};
  const Cost key =
      timed == kFirstKey ? cost_of([&] { return *touchmark_device_id(client) != '\0'; }) : Cost();
  touchmark_close(client);
  return timed == kFirstKey ? key : opening;
}

// A process that keeps the disk of `folder` busy for as long as this lives.
class BusyDisk {
 public:
  explicit BusyDisk(const std::filesystem::path& folder) : child_(fork()) {
    if (child_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::vector<char> block(4 << 20, 'x');
    const int fd = ::open((folder / "busy").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (pwrite(fd, block.data(), block.size(), 0) > 0 && fsync(fd) == 0) {
    }
    _exit(1);
  }
  ~BusyDisk() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  BusyDisk(const BusyDisk&) = delete;
  BusyDisk& operator=(const BusyDisk&) = delete;

 private:
  pid_t child_;
};

enum Start { kFirstOfInstallation, kFirstOnBusyDisk, kKeyOfInstallation, kFirstOfProcess, kNext };

Cost start_cost(Start start, const std::string& config, const std::string& kept) {
  if (start == kFirstOfProcess) {
    return in_process([&] { return client_cost(config, kept, kOpening); });
  }
  if (start == kNext) {
    return in_process([&] {
      client_cost(config, kept, kOpening);
      return client_cost(config, kept, kOpening);
    });
  }
  const TemporaryFolder fresh;
  const Timed timed = start == kKeyOfInstallation ? kFirstKey : kOpening;
  return in_process([&] { return client_cost(config, fresh.path().string(), timed); });
}

// The configuration is made in another process: here OpenSSL is not set up yet.
void BM_Open(benchmark::State& state, Start start) {
  const TemporaryFolder made;
  const std::string path = (made.path() / "config").string();
  in_process([&] {
    std::ofstream(path) << config_text();
    return Cost();
  });
  std::string config;
  std::ifstream(path) >> config;
  const TemporaryFolder kept;
  in_process([&] { return client_cost(config, kept.path().string(), kFirstKey); });
  std::optional<BusyDisk> busy;
  if (start == kFirstOnBusyDisk) busy.emplace(kept.path());
  double processor = 0;
  std::vector<double> clock;
  for (auto _ : state) {
    const Cost cost = start_cost(start, config, kept.path().string());
    if (cost.clock < 0) return state.SkipWithError("the client does not open");
    state.SetIterationTime(cost.clock);
    clock.push_back(cost.clock);
    processor += cost.processor;
  }
  std::ranges::sort(clock);
  state.counters["median_ms"] = clock[clock.size() / 2] * 1e3;
  state.counters["processor_ms"] = processor / static_cast<double>(clock.size()) * 1e3;
}
BENCHMARK_CAPTURE(BM_Open, first_of_installation, kFirstOfInstallation)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Open, first_on_a_busy_disk, kFirstOnBusyDisk)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Open, key_of_installation, kKeyOfInstallation)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Open, first_of_process, kFirstOfProcess)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Open, next, kNext)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace touchmark::attester

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (dlopen(argv[i], RTLD_NOW | RTLD_LOCAL) != nullptr) continue;
    std::fprintf(stderr, "sdk_bench: %s\n", dlerror());
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
