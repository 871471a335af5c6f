// What happens before the first request: options, data folder, certificate, log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/serve/credentials.h"
#include "cli/serve/data_folder.h"
#include "cli/serve/descriptor_limit.h"
#include "cli/serve/option_sources.h"
#include "pki/server_certificate.h"
#include "tests/support/temporary_folder.h"
#include "verifier/http/log.h"
#include "verifier/http/upload.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr UnixTime kNow{Seconds(1'790'000'000)};

class FolderTest : public ::testing::Test {
 protected:
  static unsigned mode(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777U;
  }
  static std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const touchmark::testing::TemporaryFolder temporary_;
  const fs::path& parent_ = temporary_.path();
  verifier::testing::RepeatableRandom random_;
};

using DataFolderTest = FolderTest;

TEST_F(DataFolderTest, IsMadeForItsOwnerOnly) {
  auto folder = DataFolder::open(parent_ / "a" / "data");
  ASSERT_TRUE(folder) << folder.error().text();
  EXPECT_EQ(mode(folder->path()), 0700U);
  ASSERT_TRUE(folder->master_key({}, random_));
  EXPECT_EQ(mode(folder->path() / "master.key"), 0600U);
  ASSERT_TRUE(folder->development_identity({"localhost"}, kNow, random_));
  EXPECT_EQ(mode(folder->path() / "tls-key.pem"), 0600U);
  ASSERT_TRUE(folder->backup_pin());
  EXPECT_EQ(mode(folder->path() / "tls-backup-key.pem"), 0600U);
}

TEST_F(DataFolderTest, BelongsToOneProcess) {
  auto first = DataFolder::open(parent_ / "data");
  ASSERT_TRUE(first);
  auto second = DataFolder::open(parent_ / "data");
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(DataFolderError::kInUse));
  { const DataFolder ended = std::move(*first); }
  EXPECT_TRUE(DataFolder::open(parent_ / "data"));
}

TEST_F(DataFolderTest, CannotBeAFile) {
  std::ofstream(parent_ / "file") << "x";
  EXPECT_TRUE(DataFolder::open(parent_ / "file").error().is(DataFolderError::kUnusable));
  EXPECT_TRUE(DataFolder::open(parent_ / "file" / "data").error().is(DataFolderError::kUnusable));
}

TEST_F(DataFolderTest, ClearsUploadsOfACrash) {
  { ASSERT_TRUE(DataFolder::open(parent_ / "data")); }
  std::ofstream(parent_ / "data" / "uploads" / "upload-123456") << "half a package";
  auto folder = DataFolder::open(parent_ / "data");
  ASSERT_TRUE(folder);
  EXPECT_TRUE(fs::is_empty(folder->uploads()));
}

TEST_F(DataFolderTest, KeepsItsMasterKey) {
  auto folder = DataFolder::open(parent_ / "data");
  auto made = folder->master_key({}, random_);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size(), 32U);
  EXPECT_EQ(folder->master_key({}, random_), *made);
  ::chmod((folder->path() / "master.key").c_str(), 0644);
  EXPECT_TRUE(folder->master_key({}, random_).error().is(DataFolderError::kMasterKeyBad));
}

TEST_F(DataFolderTest, NeverReplacesALostMasterKey) {
  auto folder = DataFolder::open(parent_ / "data");
  std::ofstream(folder->database()) << "there is one";
  EXPECT_TRUE(folder->master_key({}, random_).error().is(DataFolderError::kMasterKeyMissing));
  std::ofstream(parent_ / "key") << "too short\n";
  ::chmod((parent_ / "key").c_str(), 0600);
  EXPECT_TRUE(
      folder->master_key(parent_ / "key", random_).error().is(DataFolderError::kMasterKeyBad));
  std::ofstream(parent_ / "key", std::ios::trunc) << base64_encode(Bytes(32)) << "\n";
  EXPECT_EQ(folder->master_key(parent_ / "key", random_), Bytes(32));
}

TEST_F(DataFolderTest, RenewsTheCertificateUnderTheSameKey) {
  auto folder = DataFolder::open(parent_ / "data");
  const auto identity = [&](const std::vector<std::string>& hosts, UnixTime now) {
    return folder->development_identity(hosts, now, random_).value();
  };
  const std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  const verifier::http::TlsIdentity first = identity(hosts, kNow);
  EXPECT_EQ(identity(hosts, kNow).certificate_pem, first.certificate_pem);
  const verifier::http::TlsIdentity more = identity({"localhost", "verifier.example"}, kNow);
  EXPECT_NE(more.certificate_pem, first.certificate_pem);
  EXPECT_TRUE(pki::names_host(more.certificate_pem, "verifier.example"));
  const verifier::http::TlsIdentity later = identity({"localhost"}, kNow + Seconds(810 * 86400));
  EXPECT_NE(later.certificate_pem, more.certificate_pem);
  const auto pin = [](const verifier::http::TlsIdentity& one) {
    return pki::read_certificate(one.certificate_pem)->spki_sha256;
  };
  EXPECT_EQ(pin(first), pin(more));
  EXPECT_EQ(pin(first), pin(later));
}

TEST_F(DataFolderTest, MakesADamagedBackupPinAgainOrNamesIt) {
  auto folder = DataFolder::open(parent_ / "data");
  const std::string pin = folder->backup_pin().value();
  const fs::path file = folder->path() / "tls-backup.pin";
  std::ofstream(file, std::ios::trunc) << "damaged\n";
  EXPECT_EQ(folder->backup_pin(), pin);
  EXPECT_EQ(content(file), pin + "\n");
  std::ofstream(file, std::ios::trunc) << "damaged\n";
  fs::remove(folder->path() / "tls-backup-key.pem");
  auto lost = folder->backup_pin();
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().is(DataFolderError::kBadKeyFile));
  EXPECT_THAT(lost.error().message(), HasSubstr("tls-backup.pin"));
}

TEST_F(DataFolderTest, NamesAKeyThatCannotBeRead) {
  auto folder = DataFolder::open(parent_ / "data");
  std::ofstream(folder->path() / "tls-key.pem") << "damaged\n";
  auto lost = folder->development_identity({"localhost"}, kNow, random_);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().is(DataFolderError::kBadKeyFile));
  EXPECT_THAT(lost.error().message(), HasSubstr("tls-key.pem"));
}

using CredentialsTest = FolderTest;

TEST_F(CredentialsTest, AreWrittenToANewFileForTheirOwnerOnly) {
  const Credentials credentials{"https://a", "pin", "tmk_admin_x", "tmk_developer_x"};
  const fs::path file = parent_ / "credentials.json";
  ASSERT_TRUE(check_new_file(file));
  ASSERT_TRUE(write_credentials(credentials, file));
  EXPECT_EQ(mode(file), 0600U);
  EXPECT_EQ(Json::parse(content(file))["admin_token"], "tmk_admin_x");
  EXPECT_TRUE(check_new_file(file).error().is(CredentialsError::kFileExists));
  EXPECT_TRUE(write_credentials(credentials, file).error().is(CredentialsError::kFileExists));
  // Whatever a link points to is not written.
  fs::create_symlink(parent_ / "elsewhere", parent_ / "link");
  EXPECT_TRUE(check_new_file(parent_ / "link").error().is(CredentialsError::kFileExists));
  EXPECT_TRUE(
      write_credentials(credentials, parent_ / "link").error().is(CredentialsError::kFileExists));
  EXPECT_FALSE(fs::exists(parent_ / "elsewhere"));
  EXPECT_EQ(std::distance(fs::directory_iterator(parent_), {}), 2) << "no draft is left";
}

TEST_F(CredentialsTest, AreNotInWhatPointsToTheirFile) {
  const Credentials credentials{"https://a", "pin", "tmk_admin_x", "tmk_developer_x"};
  EXPECT_THAT(file_text(credentials, "/f.json"), HasSubstr("--credentials /f.json"));
  EXPECT_THAT(file_text(credentials, "/f.json"), ::testing::Not(HasSubstr("tmk_")));
  EXPECT_THAT(welcome_text(credentials), HasSubstr("tmk_admin_x"));
}

TEST_F(DataFolderTest, RemembersTheBackupPinWithoutItsKey) {
  auto folder = DataFolder::open(parent_ / "data");
  const std::string pin = folder->backup_pin().value();
  EXPECT_EQ(base64_decode(pin)->size(), 32U);
  fs::remove(folder->path() / "tls-backup-key.pem");
  EXPECT_EQ(folder->backup_pin(), pin);
}

TEST(Certificate, NamesItsHosts) {
  verifier::testing::RepeatableRandom random;
  const crypto::EcKey key = crypto::EcKey::generate();
  const std::string pem = pki::make_self_signed(key, {"localhost", "127.0.0.1", "::1", "a.example"},
                                                kNow, kNow + Seconds(60), random)
                              .value();
  for (const char* host : {"localhost", "127.0.0.1", "::1", "A.example"}) {
    EXPECT_TRUE(pki::names_host(pem, host)) << host;
  }
  EXPECT_FALSE(pki::names_host(pem, "b.example"));
  EXPECT_FALSE(pki::names_host(pem, "127.0.0.2"));
  const auto facts = pki::read_certificate(pem);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->spki_sha256, crypto::sha256(key.public_der()));
  EXPECT_EQ(facts->not_after, kNow + Seconds(60));
  EXPECT_TRUE(pki::check_key_pair(pem, key.private_pem()));
  EXPECT_TRUE(pki::check_key_pair(pem, crypto::EcKey::generate().private_pem())
                  .error()
                  .is(pki::ServerCertificateError::kKeyMismatch));
  EXPECT_TRUE(pki::check_key_pair(pem, "x").error().is(pki::ServerCertificateError::kBadKey));
  EXPECT_TRUE(pki::check_key_pair("x", key.private_pem())
                  .error()
                  .is(pki::ServerCertificateError::kMalformed));
  EXPECT_TRUE(pki::read_certificate("").error().is(pki::ServerCertificateError::kMalformed));
  for (const char* host : {"", "a,DNS:evil.example", "a b", "a/b"}) {
    auto made = pki::make_self_signed(key, {host}, kNow, kNow + Seconds(60), random);
    EXPECT_TRUE(!made && made.error().is(pki::ServerCertificateError::kBadHost)) << host;
  }
}

Result<ServePlan> plan(const std::vector<const char*>& arguments) {
  line::Root root("serve", "", "");
  GivenFlags flags;
  add_options(root.command(), flags);
  const line::Parsed parsed = root.parse({arguments.begin(), arguments.end()});
  EXPECT_EQ(parsed.kind, line::Parsed::Kind::kCommand) << parsed.text;
  const Configuration made = read_configuration(flags, {});
  if (!made.problems.empty()) {
    return fail(made.problems.front().code, to_string(made.problems.front()));
  }
  return make_plan(made.options);
}

TEST(Options, HaveSoundDefaults) {
  auto made = plan({"--data", "d"});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->listen.front().address, "127.0.0.1");
  EXPECT_EQ(made->listen.front().port, 8443);
  EXPECT_EQ(made->service.token_lifetime, Seconds(300));
  EXPECT_EQ(made->service.challenge_lifetime, Seconds(120));
  EXPECT_EQ(made->service.token_header, "Touchmark-Token");
  EXPECT_FALSE(made->service.allow_host_builds);
  EXPECT_FALSE(made->service.reveal_reasons);
  EXPECT_FALSE(made->service.tls_terminated_by_proxy);
  EXPECT_GE(made->threads, 1U);
  EXPECT_EQ(made->service.code_cache_bytes, std::size_t{256} << 20);
  EXPECT_THAT(made->certificate_hosts, ElementsAre("localhost", "127.0.0.1", "::1"));
}

TEST(Options, AreAllTaken) {
  auto made = plan({"--listen",
                    "[::1]:0",
                    "--public-url",
                    "https://a.example/",
                    "--public-url",
                    "https://b.example:8443",
                    "--host",
                    "a.example",
                    "--host",
                    "localhost",
                    "--token-lifetime",
                    "10m",
                    "--challenge-lifetime",
                    "60s",
                    "--token-header",
                    "X-Attest",
                    "--token-prefix",
                    "Bearer ",
                    "--claims",
                    "iss,sub",
                    "--issuer",
                    "me",
                    "--allow-host-builds",
                    "--reveal-reasons",
                    "--log-format",
                    "json",
                    "--log-level",
                    "debug",
                    "--threads",
                    "3",
                    "--code-cache",
                    "64",
                    "--sdk-dir",
                    "sdk"});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->listen.front().address, "::1");
  EXPECT_EQ(made->listen.front().port, 0);
  EXPECT_THAT(made->service.public_urls,
              ElementsAre("https://a.example", "https://b.example:8443"));
  EXPECT_THAT(made->certificate_hosts, ElementsAre("localhost", "127.0.0.1", "::1", "a.example"));
  EXPECT_EQ(made->service.token_lifetime, Seconds(600));
  EXPECT_EQ(made->service.token_prefix, "Bearer ");
  EXPECT_THAT(made->service.extra_claims, ElementsAre("iss", "sub"));
  EXPECT_TRUE(made->service.allow_host_builds);
  EXPECT_EQ(made->log_format, verifier::http::LogFormat::kJson);
  EXPECT_EQ(made->log_level, verifier::http::LogLevel::kDebug);
  EXPECT_EQ(made->threads, 3U);
  EXPECT_EQ(made->service.code_cache_bytes, std::size_t{64} << 20);
  EXPECT_EQ(made->sdk_dir, "sdk");
}

TEST(Options, AreRefusedByName) {
  const auto refused = [](const std::vector<const char*>& arguments, OptionError code,
                          const char* name) {
    auto made = plan(arguments);
    return !made && made.error().is(code) && made.error().message().find(name) != std::string::npos;
  };
  using enum OptionError;
  EXPECT_TRUE(refused({"--listen", "8443"}, kBadValue, "--listen"));
  EXPECT_TRUE(refused({"--listen", "127.0.0.1:65536"}, kBadValue, "--listen"));
  EXPECT_TRUE(refused({"--listen", "127.0.0.1:"}, kBadValue, "--listen"));
  for (const char* url : {"http://a.example", "a.example", "https://", "https://u@a", "https://a/x",
                          "https://a?x", "https://a#x"}) {
    EXPECT_TRUE(refused({"--public-url", url}, kBadValue, "--public-url")) << url;
  }
  EXPECT_TRUE(refused({"--token-lifetime", "soon"}, kBadValue, "--token-lifetime"));
  EXPECT_TRUE(refused({"--challenge-lifetime", "0s"}, kBadValue, "--challenge-lifetime"));
  EXPECT_TRUE(refused({"--token-header", "A B"}, kBadValue, "--token-header"));
  EXPECT_TRUE(refused({"--token-header", "A\r\nB: c"}, kBadValue, "--token-header"));
  EXPECT_TRUE(refused({"--token-prefix", "a\nb"}, kBadValue, "--token-prefix"));
  EXPECT_TRUE(refused({"--service-pin", "abc"}, kBadValue, "--service-pin"));
  EXPECT_TRUE(refused({"--log-format", "xml"}, kBadValue, "--log-format"));
  EXPECT_TRUE(refused({"--log-level", "loud"}, kBadValue, "--log-level"));
  EXPECT_TRUE(refused({"--threads", "1000"}, kBadValue, "--threads"));
  EXPECT_TRUE(refused({"--code-cache", "2000000"}, kBadValue, "--code-cache"));
  EXPECT_TRUE(refused({"--max-connections", "0"}, kBadValue, "--max-connections"));
  EXPECT_TRUE(refused({"--cert", "a.pem"}, kConflicting, "--key"));
  EXPECT_TRUE(refused({"--tls-terminated-by-proxy"}, kConflicting, "--service-pin"));
  EXPECT_TRUE(refused({"--tls-ended-by-proxy"}, kConflicting, "--service-pin")) << "the old name";
  EXPECT_TRUE(refused({"--trust-forwarded-for"}, kConflicting, "--tls-terminated-by-proxy"));
  EXPECT_TRUE(
      refused({"--trusted-proxy", "10.0.0.0/8"}, kConflicting, "--tls-terminated-by-proxy"));
  EXPECT_TRUE(refused({"--forwarded-header", "Forwarded"}, kConflicting, "--trusted-proxy"));
  EXPECT_TRUE(refused({"--admin-listen", "8444"}, kBadValue, "--admin-listen"));
  EXPECT_TRUE(refused({"--admin-listen", "127.0.0.1:8443"}, kConflicting, "--admin-listen"));
  const auto behind_proxy = [&](std::vector<const char*> arguments, OptionError code,
                                const char* name) {
    const std::string pin = base64_encode(Bytes(32));
    arguments.insert(arguments.end(), {"--tls-terminated-by-proxy", "--public-url",
                                       "https://a.example", "--service-pin", pin.c_str()});
    return refused(arguments, code, name);
  };
  EXPECT_TRUE(behind_proxy({"--trusted-proxy", "10.0.0.0/33"}, kBadValue, "10.0.0.0/33"));
  EXPECT_TRUE(behind_proxy({"--trusted-proxy", "proxy"}, kBadValue, "--trusted-proxy"));
  EXPECT_TRUE(behind_proxy({"--trusted-proxy", "::1", "--trust-forwarded-for"}, kConflicting,
                           "--trust-forwarded-for"));
  EXPECT_TRUE(behind_proxy({"--trusted-proxy", "::1", "--forwarded-header", "Via"}, kBadValue,
                           "--forwarded-header"));
}

TEST(Options, NameTheProxiesThatAreTrusted) {
  const std::string pin = base64_encode(Bytes(32));
  const auto made = [&](std::vector<const char*> arguments) {
    arguments.insert(arguments.end(), {"--tls-terminated-by-proxy", "--public-url",
                                       "https://a.example", "--service-pin", pin.c_str()});
    return plan(arguments).value();
  };
  const auto address = [](const char* text) { return boost::asio::ip::make_address(text); };
  const ServePlan named = made({"--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "::1",
                                "--forwarded-header", "forwarded"});
  EXPECT_TRUE(named.proxies.contains(address("10.9.8.7")));
  EXPECT_TRUE(named.proxies.contains(address("::1")));
  EXPECT_FALSE(named.proxies.may_speak(address("11.0.0.1")));
  EXPECT_EQ(named.forwarded, verifier::http::ForwardedHeader::kForwarded);
  const ServePlan any = made({"--trust-forwarded-for"});
  EXPECT_TRUE(any.proxies.may_speak(address("11.0.0.1")));
  EXPECT_FALSE(any.proxies.contains(address("11.0.0.1"))) << "the direct peer alone";
  EXPECT_EQ(any.forwarded, verifier::http::ForwardedHeader::kEither);
  EXPECT_EQ(plan({"--admin-listen", "[::1]:9443"})->admin_listen->port, 9443);
}

// In a process of its own: a limit that was lowered cannot be raised again.
TEST(DescriptorLimit, BoundsTheConnections) {
  const auto in_child = [](rlim_t hard, std::size_t connections, bool may_lower) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit limit{std::min<rlim_t>(64, hard), hard};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      const auto made = make_room_for(connections, may_lower);
      rlimit now{};
      ::getrlimit(RLIMIT_NOFILE, &now);
      if (!made) ::_exit(made.error().is(DescriptorError::kTooFew) ? 1 : 2);
      ::_exit(now.rlim_cur >= *made + kOtherDescriptors ? static_cast<int>(*made / 10) : 3);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(in_child(1000, 500, false), 50) << "raised";
  EXPECT_EQ(in_child(1000, 4096, true), (1000 - 128) / 10) << "as many as fit";
  EXPECT_EQ(in_child(1000, 4096, false), 1) << "a number that was asked for has to fit";
  EXPECT_EQ(in_child(150, 4096, true), 1) << "too few for anything";
}

using LogTest = FolderTest;

TEST_F(LogTest, WritesOneJsonObjectALine) {
  const fs::path path = parent_ / "log";
  {
    auto log = verifier::http::Log::open(path.string(), verifier::http::LogFormat::kJson);
    ASSERT_TRUE(log);
    (*log)->info("attest", {{"package", "a\n\"b\""}, {"passed", true}});
    (*log)->info("empty", Json::object());
    (*log)->event(verifier::http::LogLevel::kDebug, "hidden", Json::object());
    (*log)->warning("odd", {{"text", std::string("\xff\xfe")}});
  }
  std::ifstream file(path);
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["event"], "attest");
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_EQ(lines[0]["package"], "a\n\"b\"");
  EXPECT_EQ(lines[0]["passed"], true);
  EXPECT_THAT(lines[0]["time"].get<std::string>(),
              ::testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
  EXPECT_EQ(lines[1].size(), 3U);
  EXPECT_EQ(lines[2]["level"], "warning");
}

// The lines of ordinary requests, whose fields come as text, are those that a Json would make.
TEST_F(LogTest, WritesFieldsThatAreTextAlready) {
  using enum verifier::http::LogFormat;
  const fs::path path = parent_ / "log";
  for (const auto format : {kJson, kText}) {
    auto log = verifier::http::Log::open(path.string(), format);
    ASSERT_TRUE(log);
    verifier::http::LogFields fields;
    fields.text("a", "x\n\"y\" \xff").boolean("b", true).literal("c", R"(["d"])");
    (*log)->write(verifier::http::LogLevel::kInfo, "attest", fields);
    (*log)->info("attest", fields.to_json());
    (*log)->write(verifier::http::LogLevel::kDebug, "hidden", fields);
    verifier::http::LogFields longer;
    longer.text("path", std::string(100'000, '\x01')).boolean("b", true);
    (*log)->client(verifier::http::LogLevel::kInfo, "long", longer);
  }
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 6U);
  const auto without_time = [](const std::string& line) { return line.substr(line.find("info")); };
  EXPECT_EQ(without_time(lines[0]), without_time(lines[1]));
  EXPECT_EQ(without_time(lines[3]), without_time(lines[4]));
  for (const std::size_t i : {2U, 5U}) {
    EXPECT_LE(lines[i].size(), 8192U);
    EXPECT_THAT(lines[i], HasSubstr("cut_from_bytes"));
  }
}

TEST_F(LogTest, BoundsEachLine) {
  const fs::path path = parent_ / "log";
  {
    auto log = verifier::http::Log::open(path.string(), verifier::http::LogFormat::kJson);
    ASSERT_TRUE(log);
    const std::string text(100'000, '\x01');
    (*log)->info("long", {{"path", text}, {"n", 1}});
    (*log)->info("many", {{"details", std::vector<std::string>(1000, std::string(500, 'x'))}});
    (*log)->info("worst", {{"a", {{"b", std::vector<std::string>(20, text)}}}});
  }
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    EXPECT_LE(line.size(), 8192U);
    EXPECT_TRUE(Json::parse(line).contains("cut_from_bytes"));
  }
  EXPECT_THAT(content(path), HasSubstr("\"n\":1"));
}

TEST_F(LogTest, WritesTextWithoutLineBreaksOfOthers) {
  const fs::path path = parent_ / "log";
  {
    auto log = verifier::http::Log::open(path.string(), verifier::http::LogFormat::kText);
    ASSERT_TRUE(log);
    (*log)->error("attest", {{"package", "a\nforged line"}, {"n", 1}});
  }
  EXPECT_THAT(content(path), HasSubstr(" error attest n=1 package=\"a\\nforged line\"\n"));
}

TEST_F(LogTest, ReportsAFileItCannotOpen) {
  std::ofstream(parent_ / "file") << "x";
  auto log = verifier::http::Log::open((parent_ / "file" / "log").string(),
                                       verifier::http::LogFormat::kText);
  ASSERT_FALSE(log);
  EXPECT_TRUE(log.error().is(verifier::http::LogError::kOpen));
}

TEST_F(LogTest, OpensItsFileAgain) {
  const fs::path path = parent_ / "log";
  auto log = verifier::http::Log::open(path.string(), verifier::http::LogFormat::kText);
  ASSERT_TRUE(log);
  (*log)->info("one", Json::object());
  fs::rename(path, parent_ / "log.1");
  (*log)->info("two", Json::object());
  ASSERT_TRUE((*log)->reopen());
  (*log)->info("three", Json::object());
  EXPECT_THAT(content(parent_ / "log.1"), HasSubstr("two"));
  EXPECT_THAT(content(path), ::testing::MatchesRegex("[^\n]* info three\n"));
  fs::remove(path);
  fs::create_directory(path);
  auto failed = (*log)->reopen();
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().is(verifier::http::LogError::kOpen));
  (*log)->info("four", Json::object());  // into the old one, which has no name any longer
}

using UploadTest = FolderTest;

TEST_F(UploadTest, IsGoneWithItsObject) {
  fs::path path;
  {
    auto upload = verifier::http::Upload::create(parent_);
    ASSERT_TRUE(upload);
    ASSERT_TRUE(upload->write(as_bytes("abc")));
    ASSERT_TRUE(upload->write(as_bytes("def")));
    path = upload->path();
    EXPECT_EQ(content(path), "abcdef");
    EXPECT_EQ(mode(path), 0600U);
    verifier::http::Upload moved = std::move(*upload);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(UploadTest, TellsAFullDiskFromOtherFailures) {
  auto upload = verifier::http::Upload::create(parent_);
  ASSERT_TRUE(upload);
  // A limit on the size of files fails as a full disk does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto written = upload->write(Bytes(5000));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().is(FileError::kNoSpace)) << written.error().text();
  EXPECT_TRUE(verifier::http::Upload::create(parent_ / "absent").error().is(FileError::kIo));
}

}  // namespace
}  // namespace touchmark::cli::serve
