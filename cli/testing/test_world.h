// Stand-ins for the world outside, for this folder's tests.
#pragma once

#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"
#include "cli/commands/command_line.h"
#include "cli/io/error.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::cli {

class FakeConsole final : public io::Console {
 public:
  void print(std::string_view text) override { out += std::string(text) + '\n'; }
  void note(std::string_view text) override { err += std::string(text) + '\n'; }
  bool interactive() const override { return is_interactive; }
  bool prints_to_terminal() const override { return is_interactive; }
  std::optional<std::string> ask(std::string_view prompt, io::Echo echo) override {
    prompts.emplace_back(prompt);
    hidden = echo == io::Echo::kHide;
    if (!is_interactive || answers.empty()) return std::nullopt;
    std::string answer = answers.front();
    answers.pop_front();
    return answer;
  }
  Result<std::string> read_input(std::size_t) override { return input; }
  void progress(std::string_view, std::uint64_t, std::uint64_t) override {}
  Result<void> flush() override { return {}; }

  std::string out;
  std::string err;
  std::string input;
  bool is_interactive = false;
  bool hidden = false;
  std::deque<std::string> answers;
  std::vector<std::string> prompts;
};

using touchmark::testing::TemporaryFolder;

class FixedClock final : public Clock {
 public:
  UnixTime now() const override { return time; }
  UnixTime time = from_unix(1568396301);  // 2019-09-13 17:38:21
};

// Answers by method and path, notes what was asked and with which endpoint.
class FakeService {
 public:
  // What `GET /path` and the like answer; an Error stands for a broken connection.
  std::map<std::string, Result<service::HttpAnswer>> answers;
  std::vector<service::HttpRequest> requests;
  std::vector<service::Endpoint> endpoints;
  bool self_signed = false;  // trusted only by its pin

  void answer(const std::string& call, int status, const Json& body) {
    const std::string type = status < 400 ? "application/json" : "application/problem+json";
    answers.insert_or_assign(call, service::HttpAnswer{status, type, body.dump()});
  }

  service::TransportFactory factory() {
    return [this](const service::Endpoint& endpoint, std::chrono::seconds) {
      endpoints.push_back(endpoint);
      return std::make_unique<Connection>(*this, endpoint);
    };
  }

 private:
  class Connection final : public service::Transport {
   public:
    Connection(FakeService& service, const service::Endpoint& endpoint)
        : service_(service), pinned_(!endpoint.pins.empty()) {}
    Result<service::HttpAnswer> send(const service::HttpRequest& request) override {
      if (service_.self_signed && !pinned_) return fail(io::CliError::kUntrusted, "not trusted");
      service_.requests.push_back(request);
      const auto found = service_.answers.find(request.method + " " + request.path);
      if (found == service_.answers.end())
        return service::HttpAnswer{404, "text/plain", "no such path"};
      return found->second;
    }

   private:
    FakeService& service_;
    bool pinned_;
  };
};

// One user's machine: run() types a command line there.
class TestWorld {
 public:
  TestWorld() {
    variables["TOUCHMARK_HOME"] = folder.path().string();
    ::setenv("TZ", "UTC0", 1);  // of the times in the expected texts
    ::tzset();
  }

  int run(const std::vector<std::string>& args) {
    console.out.clear();
    console.err.clear();
    commands::World world{console,
                          [this](const char* name) -> std::optional<std::string> {
                            const auto found = variables.find(name);
                            if (found == variables.end()) return std::nullopt;
                            return found->second;
                          },
                          service.factory(),
                          [this](const std::string& domain, int, const std::string&) {
                            asked_domains.push_back(domain);
                            return certificate;
                          },
                          clock};
    return touchmark::cli::commands::run(args, world);
  }

  // As after `touchmark init`.
  void set_up() {
    variables["TOUCHMARK_URL"] = "https://service.example:8443";
    variables["TOUCHMARK_TOKEN"] = "tmk_admin_example";
  }

  TemporaryFolder folder;
  std::map<std::string, std::string> variables;
  FakeConsole console;
  FakeService service;
  FixedClock clock;
  Result<service::ServedCertificate> certificate =
      service::ServedCertificate{kPin, "CN=service.example", "self-signed"};
  std::vector<std::string> asked_domains;

  static constexpr const char* kPin = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  static constexpr const char* kOtherPin = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
};

}  // namespace touchmark::cli
