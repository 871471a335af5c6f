// The client of tests/bench/attest_cost.py. It sends requests over kept-alive TLS connections and
// reports the processor time that the server took for them. Two kinds of load:
//
//   attest_load attest SPEC PORT PID COUNT    attestations with valid software evidence
//   attest_load replay FILE PORT PID COUNT    the request in FILE (whole, HTTP/1.1), again and
//   again
//
// Each line of its input asks for a round of COUNT requests and gets a line of JSON. Evidence is
// made and signed before the time of a round begins, so that the server is not kept waiting: what
// is measured is a server at work. SPEC is JSON:
//
//   {"account": "...", "apps": [measurement, ...],        as the service's store has them
//    "contents": {"<hex SHA-256 of a part>": "FILE", ...}, code-bearing parts
//    "devices": 1000,                                      installation keys, in turn
//    "save": "FOLDER"}                                     optional: one exchange of each kind, as
//    files
//
// Not the SDK: it has the messages of protocol/ and the TLS client of the verifier's tests.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "package/model/measurement.h"
#include "protocol/check_groups.h"
#include "protocol/messages/answer.h"
#include "protocol/messages/challenge.h"
#include "protocol/messages/evidence.h"
#include "verifier/testing/tls_client.h"

namespace touchmark {
namespace {

using verifier::testing::RawResponse;
using verifier::testing::TlsClient;

constexpr std::size_t kConnections = 16;

[[noreturn]] void die(const std::string& message) {
  std::cerr << "attest_load: " << message << "\n";
  std::exit(1);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) die("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// Seconds of processor time that all threads of a process took so far.
double processor_seconds(const std::string& pid) {
  const std::string stat = read_file("/proc/" + pid + "/stat");
  // After the name, which may hold spaces: state is field 3, utime and stime are 14 and 15.
  std::size_t at = stat.rfind(')') + 2;
  for (int field = 3; field < 14; ++field) at = stat.find(' ', at) + 1;
  char* end = nullptr;
  const double ticks = std::strtod(stat.c_str() + at, &end) + std::strtod(end, nullptr);
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string post(std::string_view path, const std::string& body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The bytes that came, as far as the client keeps them: names of headers in lower case.
std::string text_of(const RawResponse& response) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " OK\r\n";
  for (const auto& [name, value] : response.headers) out.append(name + ": " + value + "\r\n");
  return out + "\r\n" + response.body;
}

// Connections that each have a request under way, so that the server always has work.
class Connections {
 public:
  explicit Connections(std::uint16_t port) {
    for (std::size_t i = 0; i < kConnections; ++i) {
      all_.push_back(std::make_unique<TlsClient>(
          port, verifier::testing::TlsClientOptions{.timeout_ms = 30'000}));
      if (!all_.back()->connected()) die("the server does not answer");
    }
  }

  static std::size_t size() { return kConnections; }
  TlsClient& operator[](std::size_t i) { return *all_[i]; }

  // Request number i goes over connection i % size(). `request` (index -> text) and `answered`
  // (index, response) run in that order.
  template <class Request, class Answered>
  void run(std::size_t count, Request request, Answered answered) {
    for (std::size_t i = 0; i < count + kConnections; ++i) {
      if (i >= kConnections) {
        const auto response = all_[i % kConnections]->receive();
        if (!response) die("the server ended a connection");
        if (response->status != 200) {
          die("status " + std::to_string(response->status) + ": " + response->body);
        }
        answered(i - kConnections, *response);
      }
      if (i < count && !all_[i % kConnections]->send(request(i))) {
        die("the server ended a connection");
      }
    }
  }

 private:
  std::vector<std::unique_ptr<TlsClient>> all_;
};

// --- Attestations --------------------------------------------------------------------------------

struct App {
  package::Measurement measurement;
  Sha256Digest digest{};
  std::vector<protocol::CodePart> code;
  std::map<std::string, Sha256Digest> parts;
};

struct Spec {
  std::string account;
  std::vector<App> apps;
  std::map<Sha256Digest, std::string> contents;
  std::vector<crypto::EcKey> keys;
  std::string save;
};

App app_of(const Json& json) {
  auto measurement = package::from_json(json);
  if (!measurement) die("an app of the spec: " + measurement.error().text());
  App app{std::move(*measurement), {}, {}, {}};
  app.digest = package::digest(app.measurement);
  for (const package::Part& part : app.measurement.parts) {
    if (!part.code_bearing()) continue;
    app.code.push_back({part.name, part.size});
    app.parts.emplace(part.name, part.sha256);
  }
  return app;
}

Spec read_spec(const std::string& path) {
  const Json json = Json::parse(read_file(path));
  Spec spec;
  spec.account = json.at("account");
  spec.save = json.value("save", "");
  for (const Json& app : json.at("apps")) spec.apps.push_back(app_of(app));
  for (const auto& [hex, file] : json.at("contents").items()) {
    Sha256Digest digest{};
    std::ranges::copy(hex_decode(hex).value(), digest.begin());
    spec.contents.emplace(digest, read_file(file.get<std::string>()));
  }
  for (int i = json.at("devices"); i > 0; --i) spec.keys.push_back(crypto::EcKey::generate());
  return spec;
}

Sha256Digest range_proof(const Spec& spec, const App& app, const protocol::Challenge& challenge) {
  crypto::Sha256 proof;
  proof.update(challenge.nonce);
  for (const protocol::Range& range : challenge.ranges) {
    const ByteView bytes = as_bytes(spec.contents.at(app.parts.at(range.part)));
    const std::size_t from = std::min<std::size_t>(range.offset, bytes.size());
    proof.update(bytes.subspan(from, std::min<std::size_t>(range.length, bytes.size() - from)));
  }
  return proof.finish();
}

// What a sound app on a sound phone says.
std::string evidence(const Spec& spec, const App& app, const crypto::EcKey& key,
                     const protocol::Challenge& challenge, const TlsClient& connection) {
  const package::Measurement& m = app.measurement;
  protocol::EvidenceClaims claims;
  claims.nonce = challenge.nonce;
  claims.issued_at = to_unix(challenge.time);
  claims.account = spec.account;
  claims.config_version = 1 << 30;  // newer than any: no configuration comes back
  claims.os = "android";
  claims.os_version = "14";
  claims.manufacturer = "Google";
  claims.model = "Pixel 8";
  claims.installer = "com.android.vending";
  claims.platform_rest = {{"api_level", 34}};
  claims.sdk_platform = "Android";
  claims.sdk_version = "0.1.0";
  claims.sdk_build = protocol::kAndroidBuild;
  claims.package_name = m.package_name;
  claims.version_name = m.version_name;
  claims.version_code = m.version_code;
  claims.measurement = app.digest;
  claims.signers.insert(m.signers.begin(), m.signers.end());
  claims.parts = app.parts;
  claims.code = app.code;
  claims.splits = package::split_digests(m);
  claims.range_proof = range_proof(spec, app, challenge);
  claims.checks.assign(protocol::kCheckGroups.begin(), protocol::kCheckGroups.end());
  claims.tls_exporter = connection.exporter();
  claims.tls_spki = to_bytes(ByteView(connection.peer_spki()));
  return protocol::sign_evidence(claims, key);
}

class Attestations {
 public:
  explicit Attestations(Spec spec) : spec_(std::move(spec)) {}

  // Asks for challenges, and makes a request of /v1/attest for each.
  std::vector<std::string> prepare(Connections& connections, std::size_t count) {
    std::vector<std::string> out(count);
    connections.run(
        count,
        [&](std::size_t i) {
          const App& app = app_of(i);
          return post(protocol::kChallengePath,
                      protocol::encode_challenge_request({spec_.account, app.digest, app.code}));
        },
        [&](std::size_t i, const RawResponse& response) {
          const auto challenge = protocol::decode_challenge_answer(response.body);
          if (!challenge) die("a challenge: " + challenge.error().text());
          TlsClient& connection = connections[i % Connections::size()];
          out[i] = post(protocol::kAttestPath,
                        protocol::encode_attest_request(
                            evidence(spec_, app_of(i), spec_.keys[next_key_++ % spec_.keys.size()],
                                     *challenge, connection)));
          if (i == 0) save("challenge", response);
        });
    if (!spec_.save.empty()) {
      const App& app = spec_.apps.front();
      write_file(spec_.save + "/challenge.request",
                 post(protocol::kChallengePath,
                      protocol::encode_challenge_request({spec_.account, app.digest, app.code})));
      write_file(spec_.save + "/attest.request", out.front());
    }
    return out;
  }

  void save(const std::string& name, const RawResponse& response) const {
    if (!spec_.save.empty()) write_file(spec_.save + "/" + name + ".response", text_of(response));
  }

 private:
  const App& app_of(std::size_t i) const { return spec_.apps[i % spec_.apps.size()]; }

  Spec spec_;
  std::size_t next_key_ = 0;
};

// --- Rounds --------------------------------------------------------------------------------------

// Sends `requests` and prints what that cost the server: up to the last answer, and where it
// begins, so that the caller can add what the server does later.
template <class Request, class Answered>
void measure(Connections& connections, const std::string& pid, std::size_t count, Request request,
             Answered answered) {
  const double before = processor_seconds(pid);
  const auto start = std::chrono::steady_clock::now();
  connections.run(count, request, answered);
  const double after = processor_seconds(pid);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  std::cout << Json{{"requests", count},
                    {"processor_before", before},
                    {"processor_seconds", after - before},
                    {"seconds", wall.count()}}
                   .dump()
            << std::endl;
}

}  // namespace
}  // namespace touchmark

int main(int argc, char** argv) {
  using namespace touchmark;
  const std::string kind = argc == 6 ? argv[1] : "";
  if (kind != "attest" && kind != "replay") {
    std::cerr << "usage: attest_load attest SPEC PORT PID COUNT\n"
                 "       attest_load replay FILE PORT PID COUNT\n";
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[3]));
  const std::string pid = argv[4];
  const auto count = static_cast<std::size_t>(std::atoi(argv[5]));
  std::string line;
  if (kind == "replay") {
    const std::string request = read_file(argv[2]);
    while (std::getline(std::cin, line)) {
      Connections connections(port);
      measure(
          connections, pid, count, [&](std::size_t) -> const std::string& { return request; },
          [](std::size_t, const RawResponse&) {});
    }
    return 0;
  }
  Attestations attestations(read_spec(argv[2]));
  while (std::getline(std::cin, line)) {
    Connections connections(port);
    const auto requests = attestations.prepare(connections, count);
    measure(
        connections, pid, count, [&](std::size_t i) -> const std::string& { return requests[i]; },
        [&](std::size_t i, const RawResponse& response) {
          if (i == 0) attestations.save("attest", response);
        });
  }
  return 0;
}
