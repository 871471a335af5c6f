// Each attack is done for real, in a child process, and must be seen; a plain process shows
// nothing.
#include <dlfcn.h>
#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstring>
#include <fstream>

#include "attester/checks/elf.h"
#include "attester/checks/kernel.h"
#include "attester/checks/kernel_answers.h"
#include "attester/checks/process_integrity.h"
#include "attester/testing/checks.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::checks {
namespace {

using testing::has;
using testing::in_child;
using testing::run;
using testing::test_rules;
using testing::text;

constexpr std::size_t kPage = 4096;

void make_writable(const void* address, std::size_t size, int protection) {
  const auto start = reinterpret_cast<std::uintptr_t>(address) & ~(kPage - 1);
  const auto end = reinterpret_cast<std::uintptr_t>(address) + size;
  ASSERT_EQ(mprotect(reinterpret_cast<void*>(start), end - start, protection), 0);
}

// Overwrites code of this process as a hooking framework does.
void patch(const void* address, std::string_view bytes) {
  make_writable(address, bytes.size(), PROT_READ | PROT_WRITE | PROT_EXEC);
  std::memcpy(const_cast<void*>(address), bytes.data(), bytes.size());
  make_writable(address, bytes.size(), PROT_READ | PROT_EXEC);
}

std::string sample_library() { return SAMPLE_LIBRARY; }

TEST(HookTest, PlainProcessShowsNothing) {
  EXPECT_EQ(text(run(check_text)), "");
  EXPECT_EQ(text(run(check_imports)), "");
  EXPECT_EQ(text(run(check_unknown_code)), "");
  EXPECT_EQ(text(run(check_preload)), "");
  EXPECT_EQ(text(run(check_frida_server)), "");
}

TEST(HookTest, AnonymousExecutableMemoryIsNoSign) {
  void* code = mmap(nullptr, 16 * kPage, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(code, MAP_FAILED);
  std::memset(code, 0xc3, 16 * kPage);
  EXPECT_EQ(text(run(check_unknown_code)), "");
  EXPECT_EQ(text(run(check_text)), "");
  munmap(code, 16 * kPage);
}

TEST(HookTest, CompilersMemoryFileIsNoSign) {
  const int fd = memfd_create("jit-cache", 0);
  ASSERT_EQ(ftruncate(fd, 4 * kPage), 0);
  void* code = mmap(nullptr, 4 * kPage, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  ASSERT_NE(code, MAP_FAILED);
  EXPECT_EQ(text(run(check_unknown_code)), "");
  EXPECT_EQ(text(run(check_text)), "");
  munmap(code, 4 * kPage);
  close(fd);
}

TEST(HookTest, SeesPatchInOwnText) {
  EXPECT_TRUE(in_child([] {
    patch(reinterpret_cast<const void*>(&check_frida_server), "\xe9\x10\x20\x30\x40");
    const Findings findings = run(check_text);
    return has(findings, protocol::FindingId::kHookTextModified) &&
           !has(findings, protocol::FindingId::kDebugBreakpoint);
  }));
}

TEST(HookTest, SeesPatchInLibc) {
  EXPECT_TRUE(in_child([] {
    // By its own handle: a sanitizer's runtime stands before it in the search.
    void* libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    patch(dlsym(libc, "getaddrinfo"), "\xe9\x10\x20\x30\x40");
    const Findings findings = run(check_text);
    return findings.size() == 1 && findings[0].detail.find("libc.so.6+0x") != std::string::npos;
  }));
}

TEST(HookTest, SeesBreakpoint) {
  EXPECT_TRUE(in_child([] {
    const std::string breakpoint =
#if defined(__x86_64__)
        "\xcc";
#else
        std::string("\x00\x00\x20\xd4", 4);
#endif
    patch(reinterpret_cast<const void*>(&check_frida_server), breakpoint);
    const Findings findings = run(check_text);
    return has(findings, protocol::FindingId::kHookTextModified) &&
           has(findings, protocol::FindingId::kDebugBreakpoint);
  }));
}

// The slot through which this program calls `name`.
std::uintptr_t import_slot(const std::string& name) {
  const auto maps = read_maps();
  const auto modules = list_modules(*maps);
  const Module* own = find_module(modules, testing::own_code());
  const auto image = parse_elf(*read_whole(this_kernel(), own->path, 1 << 30));
  for (const ElfImport& import : image->imports) {
    if (import.name == name) return own->start + import.slot;  // linked at 0: this is a PIE
  }
  return 0;
}

void redirect(const std::string& name, std::uintptr_t target) {
  const std::uintptr_t slot = import_slot(name);
  ASSERT_NE(slot, 0U) << name;
  make_writable(reinterpret_cast<void*>(slot), sizeof target, PROT_READ | PROT_WRITE);
  std::memcpy(reinterpret_cast<void*>(slot), &target, sizeof target);
}

TEST(HookTest, SeesImportRedirectedToAnonymousMemory) {
  EXPECT_TRUE(in_child([] {
    void* code = mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    redirect("EVP_DigestFinal_ex", reinterpret_cast<std::uintptr_t>(code));
    const Findings findings = run(check_imports);
    return findings.size() == 1 &&
           findings[0].detail.find("EVP_DigestFinal_ex -> anonymous") != std::string::npos &&
           text(run(check_text)).empty();  // nothing but the table was written
  }));
}

TEST(HookTest, SeesImportRedirectedWithinItsModule) {
  EXPECT_TRUE(in_child([] {
    void* other = dlsym(RTLD_DEFAULT, "EVP_DigestUpdate");
    redirect("EVP_DigestFinal_ex", reinterpret_cast<std::uintptr_t>(other));
    return has(run(check_imports), protocol::FindingId::kHookImportRedirected);
  }));
}

TEST(HookTest, SeesImportRedirectedToForeignLibrary) {
  EXPECT_TRUE(in_child([] {
    void* library = dlopen(sample_library().c_str(), RTLD_NOW);
    if (library == nullptr) return false;
    redirect("EVP_DigestFinal_ex",
             reinterpret_cast<std::uintptr_t>(dlsym(library, "touchmark_sample")));
    return has(run(check_imports), protocol::FindingId::kHookImportRedirected);
  }));
}

TEST(HookTest, SeesForeignLibrary) {
  const touchmark::testing::TemporaryFolder folder;
  const auto copy = folder / "libforeign.so";
  std::filesystem::copy_file(sample_library(), copy);
  EXPECT_TRUE(in_child([&copy] {
    if (dlopen(copy.c_str(), RTLD_NOW) == nullptr) return false;
    const Findings findings = run(check_unknown_code);
    return findings.size() == 1 && findings[0].id == protocol::FindingId::kHookUnknownCode &&
           findings[0].detail == copy.string();
  }));
  EXPECT_TRUE(in_child([&copy] {
    if (dlopen(copy.c_str(), RTLD_NOW) == nullptr) return false;
    std::filesystem::remove(copy);  // a mapping marked "(deleted)" is still not the system's
    return has(run(check_unknown_code), protocol::FindingId::kHookUnknownCode);
  }));
}

// As Frida's injector does: an ELF image in a memory file, opened through /proc.
TEST(HookTest, SeesLibraryInMemoryFile) {
  for (const char* name : {"frida-agent-64.so", "jit-cache"}) {
    EXPECT_TRUE(in_child([name] {
      const Result<Bytes> image = read_whole(this_kernel(), sample_library(), 1 << 30);
      const int fd = memfd_create(name, 0);
      if (write(fd, image->data(), image->size()) != static_cast<ssize_t>(image->size()))
        return false;
      if (dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(), RTLD_NOW) == nullptr)
        return false;
      const Findings findings = run(check_unknown_code);
      const bool named = std::string_view(name).starts_with("frida");
      return has(findings, protocol::FindingId::kHookUnknownCode) &&
             has(findings, protocol::FindingId::kHookFramework) == named;
    })) << name;
  }
}

// A loader of one's own: the image is copied into anonymous memory, and carries a framework's name.
TEST(HookTest, SeesImageInAnonymousMemory) {
  EXPECT_TRUE(in_child([] {
    auto* memory = static_cast<char*>(
        mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::memcpy(memory,
                "\x7f"
                "ELF",
                4);
    std::strcpy(memory + kPage, "frida_agent_main");
    mprotect(memory + 2 * kPage, kPage, PROT_READ | PROT_EXEC);
    const Findings findings = run(check_unknown_code);
    return has(findings, protocol::FindingId::kHookUnknownCode) &&
           has(findings, protocol::FindingId::kHookFramework);
  }));
}

TEST(HookTest, SeesPreloadedLibrary) {
  const auto exit_status = [](std::vector<const char*> environment) {
    const pid_t child = fork();
    if (child == 0) {
      // Under AddressSanitizer, whose runtime would refuse to come second.
      environment.push_back("ASAN_OPTIONS=verify_asan_link_order=0");
      environment.push_back(nullptr);
      const std::array<const char*, 2> arguments{PRELOAD_PROBE, nullptr};
      execve(PRELOAD_PROBE, const_cast<char**>(arguments.data()),
             const_cast<char**>(environment.data()));
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const std::string preload = "LD_PRELOAD=" + sample_library();
  EXPECT_EQ(exit_status({}), 1);
  EXPECT_EQ(exit_status({preload.c_str()}), 0);
  EXPECT_EQ(exit_status({"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libz.so.1"}),
            1);  // the system's own
  const std::string disguised = "LD_PRELOAD=/usr/../" + sample_library();
  EXPECT_EQ(exit_status({disguised.c_str()}), 0);
}

// Refuses process_vm_readv from here on, as some sandboxes do.
bool forbid_memory_reads() {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_process_vm_readv, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{program.size(), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(HookTest, LooksThroughProcWhereASandboxForbidsTheCall) {
  EXPECT_TRUE(in_child([] {
    if (!forbid_memory_reads()) return false;
    if (!run(check_text).empty() || !run(check_imports).empty()) return false;
    patch(reinterpret_cast<const void*>(&check_frida_server), "\xe9\x10\x20\x30\x40");
    return run(check_text).size() == 1;
  }));
}

// The sample library, linked to be executed and not read, as system libraries of Android 10 are.
std::filesystem::path unreadable_library(const std::filesystem::path& folder) {
  Bytes image = *read_whole(this_kernel(), sample_library(), 1 << 30);
  Elf64_Ehdr header;
  std::memcpy(&header, image.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::byte* at = image.data() + header.e_phoff + i * sizeof segment;
    std::memcpy(&segment, at, sizeof segment);
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) segment.p_flags = PF_X;
    std::memcpy(at, &segment, sizeof segment);
  }
  const std::filesystem::path out = folder / "libunreadable.so";
  std::ofstream(out, std::ios::binary) << as_text(image);
  return out;
}

TEST(HookTest, UnreadableCodeIsNoSignAndHidesNoHook) {
  const touchmark::testing::TemporaryFolder folder;
  const auto library = unreadable_library(folder.path());
  Rules rules = test_rules();
  rules.system_dirs.push_back(folder.path().string());
  EXPECT_TRUE(in_child([&] {
    void* handle = dlopen(library.c_str(), RTLD_NOW);
    auto* function = static_cast<char*>(dlsym(handle, "touchmark_sample"));
    Bytes seen(1);
    // The kernel keeps it from being read, whatever the processor does.
    if (copy_memory(reinterpret_cast<std::uintptr_t>(function), seen) != 0) return false;
    if (!run(check_text, rules).empty()) return false;
    make_writable(function, 4, PROT_READ | PROT_WRITE | PROT_EXEC);
    std::memset(function, 0x90, 4);
    make_writable(function, 4, PROT_EXEC);
    const Findings findings = run(check_text, rules);
    return findings.size() == 1 && findings[0].id == protocol::FindingId::kHookTextModified &&
           findings[0].detail.find("libunreadable.so") != std::string::npos;
  }));
}

TEST(HookTest, SeesCodeMadeUnreadable) {
  EXPECT_TRUE(in_child([] {
    make_writable(dlsym(dlopen("libz.so.1", RTLD_NOW), "zlibVersion"), 1, PROT_EXEC);
    const Findings findings = run(check_text);
    return findings.size() == 1 && findings[0].detail.find("libz.so.1") != std::string::npos &&
           findings[0].detail.ends_with("was made unreadable");
  }));
}

// As background dexopt and updates do: the file of a running library makes way for another one.
TEST(HookTest, AReplacedFileIsNoSignAndHidesNoHook) {
  const touchmark::testing::TemporaryFolder folder;
  const auto library = folder / "libreplaced.so";
  std::filesystem::copy_file(sample_library(), library);
  Rules rules = test_rules();
  rules.system_dirs.push_back(folder.path().string());
  EXPECT_TRUE(in_child([&] {
    void* function = dlsym(dlopen(library.c_str(), RTLD_NOW), "touchmark_sample");
    std::filesystem::remove(library);
    std::ofstream(library) << std::string(1 << 16, 'n');
    if (!run(check_text, rules).empty()) return false;
    patch(function, "\x90\x90\x90\x90");
    return run(check_text, rules).size() == 1;
  }));
}

TEST(HookTest, FullInspectionOfPlainProcessMissesOnlyThePackage) {
  const auto integrity =
      make_process_integrity({.rules = test_rules(), .marks = {}, .platform_path = {}});
  const Inspection inspection = integrity->inspect();
  EXPECT_THAT(inspection.groups,
              ::testing::UnorderedElementsAre("app", "hook", "debug", "root", "network"));
  ASSERT_EQ(inspection.findings.size(), 1U) << text(inspection.findings);
  EXPECT_EQ(inspection.findings[0].id, protocol::FindingId::kAppUnreadable);
}

// A process at its limits is no emulator. (UBSan itself needs a descriptor to look at an object.)
TEST(HookTest, AsksNothingForWhichThereIsNoDescriptor) {
  EXPECT_TRUE(testing::in_child([] {
    rlimit none{};
    getrlimit(RLIMIT_NOFILE, &none);
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    const KernelAnswers answers = ask_kernel();
    for (std::size_t i = 0; i < kQuestions; ++i) {
      if (!wrong_answer(static_cast<Question>(i), answers.answers[i]).empty()) return false;
    }
    return answers.answers[static_cast<std::size_t>(Question::kSeekInAPipe)] == kNotAsked;
  }));
}

}  // namespace
}  // namespace touchmark::attester::checks
