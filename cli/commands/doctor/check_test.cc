// Each check of `touchmark doctor`: silent of a sound service, and alone in finding its fault.
#include "cli/commands/doctor/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "cli/commands/doctor/time.h"
#include "cli/io/error.h"
#include "verifier/policy/document.h"
#include "verifier/policy/presets.h"

namespace touchmark::cli::commands::doctor {
namespace {

using ::testing::HasSubstr;
using verifier::policy::parse_policy;

constexpr UnixTime kNow{Seconds(1'790'000'000)};
constexpr Seconds kDay{86400};
constexpr const char* kPin = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
constexpr const char* kSparePin = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
constexpr const char* kStrangePin = "NtmpVwUuGg3QJUQKKB+TFpqcWEi4SZ0bOnSvAmrYm5Q=";

Server server_at(const std::string& domain) {
  service::ServedCertificate shown{kPin, "CN=" + domain, ""};
  shown.not_before = kNow - 30 * kDay;
  shown.not_after = kNow + 60 * kDay;
  shown.address = "192.0.2.1:443";
  return {.domain = domain, .certificate = shown};
}

verifier::policy::Policy preset(const char* name) {
  return parse_policy(verifier::policy::find_preset(name)->document).value();
}

Facts sound() {
  Facts facts{.now = kNow, .version = "0.1.0", .url = "https://attest.example.com"};
  facts.own = server_at("attest.example.com");
  facts.public_servers = {facts.own};
  facts.status->version = "0.1.0";
  facts.status->name = "ann";
  facts.status->role = "admin";
  facts.status->first_start = kNow - 100 * kDay;
  facts.status->public_urls = {"https://attest.example.com"};
  facts.status->revocation =
      RevocationFacts{.source = "https://list.example", .fresh = true, .confirmed = kNow};
  facts.status->tells_backup = true;
  facts.status->last_backup = kNow - kDay;
  facts.diagnosis->process = ProcessFacts{.data = "/var/lib/touchmark",
                                          .data_mode = 0700,
                                          .free_bytes = std::uint64_t{5} << 30,
                                          .total_bytes = std::uint64_t{9} << 30,
                                          .free_files = 100'000,
                                          .master_key_apart = true,
                                          .descriptor_limit = 8192,
                                          .open_descriptors = 30,
                                          .max_connections = 4096,
                                          .wanted_connections = 4096};
  facts.policy->current = preset("strict");
  facts.pins = std::vector<std::string>{kPin, kSparePin};
  facts.apis->push_back({.domain = "api.example.com",
                         .pins = {kPin, kSparePin},
                         .server = server_at("api.example.com")});
  facts.apps->push_back({{"com.example.app-1.0[1]", kNow - 90 * kDay, {}}, "0.1.0"});
  facts.operators->push_back({"ann (admin)", kNow - 100 * kDay, {}});
  return facts;
}

// "data.disk:warn" and so on, of what is not as it should be.
std::set<std::string> found(const Facts& facts) {
  std::set<std::string> out;
  for (const Check& check : checks()) {
    const Findings findings = check.judge(facts);
    EXPECT_FALSE(findings.empty()) << check.id;
    for (const Finding& finding : findings) {
      EXPECT_FALSE(finding.message.empty()) << check.id;
      const bool is_bad = finding.health == Health::kWarn || finding.health == Health::kFail;
      EXPECT_EQ(finding.advice.empty(), !is_bad) << check.id << ": what to do";
      if (finding.health == Health::kOk) continue;
      out.insert(std::string(check.id) + ":" + std::string(to_string(finding.health)));
    }
  }
  return out;
}

std::string message_of(std::string_view id, const Facts& facts) {
  for (const Check& check : checks()) {
    if (check.id == id) return check.judge(facts).front().message;
  }
  return "no such check";
}

struct Fault {
  const char* what;
  std::set<std::string> found;  // and nothing else
  std::function<void(Facts&)> plant;
};

// Each fault that a check knows, one by one.
std::vector<Fault> faults() {
  const auto process = [](auto change) {
    return [change](Facts& facts) { change(*facts.diagnosis->process); };
  };
  const auto policy = [](auto change) { return [change](Facts& facts) { change(*facts.policy); }; };
  const auto own = [](auto change) {
    return [change](Facts& facts) {
      change(*facts.own.certificate);
      facts.public_servers = {facts.own};
    };
  };
  const auto api = [](auto change) {
    return [change](Facts& facts) { change(facts.apis->front()); };
  };
  const auto app = [](auto change) {
    return [change](Facts& facts) { change(facts.apps->front()); };
  };
  return {
      {"a slow clock", {"service.clock:warn"}, [](Facts& f) { f.clock_ahead = -10; }},
      {"a wrong clock", {"service.clock:fail"}, [](Facts& f) { f.clock_ahead = 3600; }},
      {"an older service", {"service.version:warn"}, [](Facts& f) { f.version = "0.2.0"; }},
      {"a service without a diagnosis",
       {"service.version:warn", "policy.hardware-roots:skip", "data.master-key:skip",
        "data.token-file:skip", "data.disk:skip", "data.folder:skip", "data.store:skip",
        "process.descriptors:skip"},
       [](Facts& f) { f.diagnosis = fail(io::CliError::kNotOffered, "nothing there"); }},
      {"a service that fails over it",
       {"policy.hardware-roots:fail", "data.master-key:fail", "data.token-file:fail",
        "data.disk:fail", "data.folder:fail", "data.store:fail", "process.descriptors:fail"},
       [](Facts& f) { f.diagnosis = fail(io::CliError::kServiceFailed, "HTTP 500"); }},
      {"a role that may not",
       {"service.operator:fail", "operator.end:skip"},
       [](Facts& f) { f.operators = fail(io::CliError::kForbidden, "no"); }},
      {"a certificate that ended", {"service.certificate:fail"}, own([](auto& shown) {
         shown.not_after = kNow;
       })},
      {"one that soon does", {"service.certificate:warn"}, own([](auto& shown) {
         shown.not_after = kNow + 5 * kDay;
       })},
      {"one of the future", {"service.certificate:fail"}, own([](auto& shown) {
         shown.not_before = kNow + kDay;
       })},
      {"a key that apps do not pin", {"service.pins:fail"}, own([](auto& shown) {
         shown.pin = kStrangePin;
       })},
      {"another server behind the public URL",
       {"service.pins:fail"},
       [](Facts& f) { f.public_servers.front().certificate->pin = kStrangePin; }},
      {"no spare key",
       {"service.pins:warn"},
       [](Facts& f) { f.pins = std::vector<std::string>{kPin}; }},
      {"no key that apps pin, and none that they trust",
       {"service.pins:fail"},
       [](Facts& f) {
         f.pins = std::vector<std::string>{};
         f.public_servers.front().certificate->trust_problem = "self-signed";
       }},
      {"no configuration",
       {"service.pins:fail"},
       [](Facts& f) { f.pins = fail(io::CliError::kConflict, "too many"); }},
      {"a local public URL",
       {"service.public-url:warn"},
       [](Facts& f) { f.diagnosis->public_url_problems = {"it is localhost"}; }},
      {"a public URL without a server",
       {"service.public-url:warn"},
       [](Facts& f) {
         f.public_servers = {{.domain = "attest.example.com", .problem = "no such name"}};
       }},
      {"software evidence",
       {"policy.assurance:fail", "policy.findings:warn", "policy.development:warn"},
       policy([](auto& p) { p.current = preset("development"); })},
      {"only what is notable passes", {}, policy([](auto& p) {
         p.current.set_action(protocol::FindingId::kSurroundingsVpn,
                              verifier::policy::Action::kIgnore, {});
       })},
      {"software evidence on one platform", {"policy.assurance:fail"}, policy([](auto& p) {
         p.current.assurance.ios.value = verifier::policy::Assurance::kSoftware;
       })},
      {"assurance that is only noted",
       {"policy.assurance:fail", "policy.findings:warn"},
       policy([](auto& p) {
         p.current.set_action(protocol::FindingId::kHardwareAssurance,
                              verifier::policy::Action::kAnnotate, {});
       })},
      {"a policy that only reports",
       {"policy.assurance:fail", "policy.findings:fail", "policy.development:warn"},
       policy([](auto& p) {
         p.current = parse_policy("version = 1\n[findings]\n\"*\" = \"annotate\"\n").value();
       })},
      {"a finding that passes", {"policy.findings:warn"}, policy([](auto& p) {
         p.current.set_action(protocol::FindingId::kRootSu, verifier::policy::Action::kIgnore, {});
       })},
      {"host builds", {"policy.host-builds:warn"}, policy([](auto& p) { p.host_builds = true; })},
      {"host builds on their word", {"policy.host-builds:fail"}, policy([](auto& p) {
         p.host_builds = true;
         p.current.assurance.host.value = verifier::policy::Assurance::kSoftware;
       })},
      {"development keys", {"policy.development:warn"}, policy([](auto& p) {
         p.current.app.development_keys.value = true;
       })},
      {"App Attest of development", {"policy.development:warn"}, policy([](auto& p) {
         p.current.app_attest.environments.value = {"production", "development"};
       })},
      {"testers' verdicts", {"policy.development:warn"}, policy([](auto& p) {
         p.current.play.test_responses.value = true;
       })},
      {"a lax candidate", {"policy.candidate:fail"}, policy([](auto& p) {
         p.candidate = preset("development");
       })},
      {"a candidate that lets a finding pass", {"policy.candidate:warn"}, policy([](auto& p) {
         p.candidate = preset("strict");
         p.candidate->set_action(protocol::FindingId::kRootSu, verifier::policy::Action::kAnnotate,
                                 {});
       })},
      {"more roots",
       {"policy.hardware-roots:fail"},
       [](Facts& f) { f.diagnosis->hardware_roots = 1; }},
      {"told reasons", {"policy.reasons:warn"}, policy([](auto& p) { p.reveal_reasons = true; })},
      {"no revocation list",
       {"policy.revocation:warn"},
       [](Facts& f) { f.status->revocation.reset(); }},
      {"an old list",
       {"policy.revocation:fail"},
       [](Facts& f) { f.status->revocation->fresh = false; }},
      {"a list that never came",
       {"policy.revocation:fail"},
       [](Facts& f) { f.status->revocation = RevocationFacts{.problem = "unreachable"}; }},
      {"a list that is not renewed",
       {"policy.revocation:warn"},
       [](Facts& f) { f.status->revocation->problem = "unreachable"; }},
      {"a new service without a backup",
       {"data.backup:warn"},
       [](Facts& f) {
         f.status->last_backup.reset();
         f.status->first_start = kNow;
       }},
      {"an old service without one",
       {"data.backup:fail"},
       [](Facts& f) { f.status->last_backup.reset(); }},
      {"an old backup",
       {"data.backup:warn"},
       [](Facts& f) { f.status->last_backup = kNow - 8 * kDay; }},
      {"a very old one",
       {"data.backup:fail"},
       [](Facts& f) { f.status->last_backup = kNow - 29 * kDay; }},
      {"a service that knows no backups",
       {"data.backup:skip"},
       [](Facts& f) { f.status->tells_backup = false; }},
      {"the master key with the data", {"data.master-key:warn"}, process([](auto& p) {
         p.master_key_apart = false;
       })},
      {"tokens in a file", {"data.token-file:warn"}, process([](auto& p) {
         p.token_files = {"/x/operator-tokens.json"};
       })},
      {"little room", {"data.disk:warn"}, process([](auto& p) { p.free_bytes = 900U << 20; })},
      {"hardly any", {"data.disk:fail"}, process([](auto& p) { p.free_bytes = 100U << 20; })},
      {"few inodes", {"data.disk:warn"}, process([](auto& p) { p.free_files = 10; })},
      {"an open folder", {"data.folder:fail"}, process([](auto& p) { p.data_mode = 0750; })},
      {"a read-only disk", {"data.folder:fail"}, process([](auto& p) {
         p.data_problem = "read-only";
       })},
      {"a store that takes nothing",
       {"data.store:fail"},
       [](Facts& f) { f.diagnosis->store_problem = "store.permission: readonly"; }},
      {"an unreadable row",
       {"data.store:fail"},
       [](Facts& f) {
         f.diagnosis->unreadable = {{"api a.example", "damaged", "add it again"}};
       }},
      {"a cut audit log", {"data.audit:fail"}, [](Facts& f) { f.audit->intact = false; }},
      {"few connections", {"process.descriptors:warn"}, process([](auto& p) {
         p.max_connections = 800;
       })},
      {"hardly a descriptor left", {"process.descriptors:warn"}, process([](auto& p) {
         p.open_descriptors = 8000;
       })},
      {"no API",
       {"api.answer:warn", "api.pins:skip", "api.certificate:skip"},
       [](Facts& f) { f.apis->clear(); }},
      {"a dead API", {"api.answer:fail", "api.pins:skip", "api.certificate:skip"}, api([](auto& a) {
         a.server = {.domain = a.domain, .problem = "refused"};
       })},
      {"an API with another key", {"api.pins:fail"}, api([](auto& a) {
         a.server.certificate->pin = kStrangePin;
       })},
      {"an API with a retiring key", {"api.pins:warn"}, api([](auto& a) {
         a.server.certificate->pin = kStrangePin;
         a.retiring = {{kStrangePin, kNow + kDay}};
       })},
      {"an API without a spare key", {"api.pins:warn"}, api([](auto& a) { a.pins = {kPin}; })},
      {"an API that nobody trusts", {"api.pins:fail"}, api([](auto& a) {
         a.pins.clear();
         a.server.certificate->trust_problem = "self-signed";
       })},
      {"an API whose certificate ended", {"api.certificate:fail"}, api([](auto& a) {
         a.server.certificate->not_after = kNow - kDay;
       })},
      {"no app", {"app.registered:warn"}, [](Facts& f) { f.apps->clear(); }},
      {"an app without the SDK", {"app.sdk:warn"}, app([](auto& a) { a.sdk = ""; })},
      {"an app with an older SDK", {"app.sdk:warn"}, app([](auto& a) { a.sdk = "0.0.9"; })},
      {"an app with a newer SDK", {"app.sdk:warn"}, app([](auto& a) { a.sdk = "0.2.0"; })},
      {"an app whose time is over",
       {"app.end:warn", "app.registered:warn", "app.sdk:skip"},
       app([](auto& a) { a.lasting.expires = kNow; })},
      {"an app whose time soon is", {"app.end:warn"}, app([](auto& a) {
         a.lasting.expires = kNow + kDay;
       })},
      {"a certificate whose time is over",
       {"signer.end:warn"},
       [](Facts& f) {
         f.signers->push_back({"CN=x", kNow - 9 * kDay, kNow - kDay});
       }},
      {"an operator whose time is over",
       {"operator.end:warn"},
       [](Facts& f) {
         f.operators->push_back({"bob", kNow - 9 * kDay, kNow - kDay});
       }},
      {"an operator whose time soon is",
       {"operator.end:warn"},
       [](Facts& f) {
         f.operators->push_back({"bob", kNow - 89 * kDay, kNow + kDay});
       }},
  };
}

TEST(Doctor, FindsNothingOfASoundService) { EXPECT_EQ(found(sound()), std::set<std::string>{}); }

TEST(Doctor, FindsEachFaultAndNothingElse) {
  for (const Fault& fault : faults()) {
    Facts facts = sound();
    fault.plant(facts);
    EXPECT_EQ(found(facts), fault.found) << fault.what;
  }
}

TEST(Doctor, HasAFaultForEachCheck) {
  std::set<std::string> seen;
  for (const Fault& fault : faults()) {
    for (const std::string& one : fault.found) seen.insert(one.substr(0, one.find(':')));
  }
  for (const Check& check : checks()) {
    if (check.id == "service.reach") continue;  // below
    EXPECT_TRUE(seen.contains(std::string(check.id))) << check.id;
  }
}

TEST(Doctor, SkipsAllButOneOfWhatDoesNotAnswer) {
  Facts facts{.now = kNow, .version = "0.1.0", .url = "https://attest.example.com"};
  facts.own = {.domain = "attest.example.com", .problem = "refused"};
  const auto nothing = fail(io::CliError::kUnreachable, "it does not accept connections");
  facts.status = nothing;
  facts.diagnosis = nothing;
  facts.policy = nothing;
  facts.pins = nothing;
  facts.apis = nothing;
  facts.apps = nothing;
  facts.signers = nothing;
  facts.operators = nothing;
  facts.audit = nothing;
  const auto all = found(facts);
  EXPECT_EQ(all.size(), checks().size());
  for (const std::string& one : all) {
    EXPECT_TRUE(one == "service.reach:fail" || one.ends_with(":skip")) << one;
  }
  facts.status = fail(io::CliError::kUnauthorized, "the token is wrong");
  EXPECT_TRUE(found(facts).contains("service.operator:fail"));
  EXPECT_FALSE(found(facts).contains("service.reach:fail")) << "it answered";
}

TEST(Doctor, GoesByTheClockOfTheServiceForWhatEndsThere) {
  Facts facts = sound();
  facts.clock_ahead = 3600;
  facts.operators->push_back({"bob", kNow - kDay, kNow + Seconds(1800)});
  EXPECT_THAT(message_of("operator.end", facts), HasSubstr("ended"));
}

TEST(Doctor, LeavesWhatIsShortOnPurposeAlone) {
  EXPECT_FALSE(ends_soon(kNow, kNow + Seconds(600), kNow, 14 * kDay)) << "just made";
  EXPECT_TRUE(ends_soon(kNow, kNow + Seconds(600), kNow + Seconds(500), 14 * kDay));
  EXPECT_FALSE(ends_soon(kNow, kNow + 90 * kDay, kNow + 70 * kDay, 14 * kDay));
  EXPECT_TRUE(ends_soon(kNow, kNow + 90 * kDay, kNow + 80 * kDay, 14 * kDay));
  EXPECT_TRUE(ends_soon({}, kNow + kDay, kNow, 14 * kDay)) << "its begin is not known";
}

TEST(Doctor, HidesAProxysOwnKeyBehindIt) {
  Facts facts = sound();
  facts.policy->behind_proxy = true;
  facts.own.certificate->pin = kStrangePin;
  facts.own.domain = "internal.example";
  EXPECT_EQ(found(facts), std::set<std::string>{}) << "apps meet the proxy";
}

TEST(Doctor, NamesEachCheckOnce) {
  std::set<std::string_view> ids;
  for (const Check& check : checks()) EXPECT_TRUE(ids.insert(check.id).second) << check.id;
}

}  // namespace
}  // namespace touchmark::cli::commands::doctor
