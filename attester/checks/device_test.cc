#include <fcntl.h>
#include <sys/ptrace.h>

#include <fstream>
#include <thread>

#include "attester/testing/checks.h"
#include "attester/testing/tcp_server.h"
#include "attester/testing/testing.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::checks {
namespace {

namespace fs = std::filesystem;
using protocol::FindingId;
using testing::has;
using testing::run;
using testing::test_rules;
using testing::text;
using touchmark::testing::TemporaryFolder;

class DeviceTest : public ::testing::Test {
 protected:
  DeviceTest() { rules_.image_roots = {image_.path().string()}; }
  void put(const std::string& name, const std::string& content = "") {
    fs::create_directories((image_.path() / name).parent_path());
    std::ofstream(image_.path() / name) << content;
  }

  TemporaryFolder image_;
  Rules rules_ = test_rules();
};

TEST_F(DeviceTest, ASoundDeviceShowsNothing) {
  put("build.prop", "ro.build.id=X\nro.build.tags=release-keys\n");
  EXPECT_EQ(text(run(check_root, rules_,
                     {.build_tags = "release-keys",
                      .hardware = "qcom",
                      .product = "husky",
                      .fingerprint = "google/husky/husky:14"})),
            "");
  EXPECT_EQ(text(run(check_emulator, rules_,
                     {.build_tags = {},
                      .hardware = "qcom",
                      .product = "husky",
                      .fingerprint = "google/husky/husky:14"})),
            "");
  EXPECT_EQ(text(run(check_debugger)), "");
}

TEST_F(DeviceTest, SeesRootTools) {
  put("xbin/su");
  put("bin/magisk");
  const Findings findings = run(check_root, rules_);
  ASSERT_EQ(findings.size(), 2U) << text(findings);
  EXPECT_EQ(findings[0].id, FindingId::kRootSu);
}

TEST_F(DeviceTest, SeesTestKeys) {
  put("build.prop", "ro.build.tags=test-keys\n");
  EXPECT_TRUE(has(run(check_root, rules_), FindingId::kRootTestKeys));
  put("build.prop", "");
  EXPECT_TRUE(
      has(run(check_root, rules_,
              {.build_tags = "test-keys", .hardware = {}, .product = {}, .fingerprint = {}}),
          FindingId::kRootTestKeys));
}

TEST_F(DeviceTest, SeesAWritableSystem) {
  rules_.read_only_mounts = {"/proc"};  // the one mount that every Linux has, and it is writable
  EXPECT_TRUE(has(run(check_root, rules_), FindingId::kRootWritableSystem));
  rules_.read_only_mounts = {"/no/such/mount"};
  EXPECT_EQ(text(run(check_root, rules_)), "");
}

TEST_F(DeviceTest, SeesAnEmulator) {
  const auto emulator = [this](PlatformMarks marks) {
    return has(run(check_emulator, rules_, marks), FindingId::kDeviceEmulator);
  };
  EXPECT_TRUE(emulator({.build_tags = {}, .hardware = "ranchu", .product = {}, .fingerprint = {}}));
  EXPECT_TRUE(emulator(
      {.build_tags = {}, .hardware = {}, .product = "sdk_gphone64_x86_64", .fingerprint = {}}));
  EXPECT_TRUE(emulator(
      {.build_tags = {}, .hardware = {}, .product = {}, .fingerprint = "generic/sdk/generic:14"}));
}

// A parent traces a child, as a debugger does.
TEST(DebuggerTest, SeesATracer) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    _exit(has(run(check_debugger), FindingId::kDebugAttached) ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(FridaServerTest, KnowsItByItsAnswer) {
  using testing::TcpServer;
  Rules rules = test_rules();
  const TcpServer frida("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
  rules.frida_patience = std::chrono::seconds(60);
  rules.frida_port = frida.port();
  EXPECT_TRUE(has(run(check_frida_server, rules), FindingId::kHookFramework));
  EXPECT_NE(frida.received().find("GET /ws HTTP/1.1\r\n"), std::string::npos);
  const TcpServer other("HTTP/1.1 404 Not Found\r\n\r\n");
  rules.frida_port = other.port();
  EXPECT_EQ(text(run(check_frida_server, rules)), "");
  const TcpServer silent("");
  rules.frida_patience = std::chrono::milliseconds(100);
  rules.frida_port = silent.port();
  EXPECT_EQ(text(run(check_frida_server, rules)), "");
}

}  // namespace
}  // namespace touchmark::attester::checks
