#include "cli/commands/policy/dry_run.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/commands/evidence/input.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "verifier/appraisal/device_facts.h"
#include "verifier/evidence/key_attestation.h"
#include "verifier/model/device.h"
#include "verifier/policy/demand.h"
#include "verifier/policy/explain.h"
#include "verifier/policy/facts_json.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxFactsBytes = 1 << 20;

Error not_valid(const std::string& path) {
  return {io::CliError::kBadPolicy, path + " is not a valid policy"};
}

Outcome check(const std::string& path, Session& session) {
  auto text = read_policy_file(path);
  if (!text) return pass(text);
  const verifier::policy::Document document = verifier::policy::parse_document(*text);
  const bool valid = check_document(path, document, session);
  if (session.json()) {
    print_json(session, {{"valid", valid},
                         {"problems", problems_json(document.problems)},
                         {"warnings", problems_json(document.warnings)}});
  } else if (valid) {
    session.console().print(path + " is valid");
    const auto demand = verifier::policy::demand_of(document.policy, false);
    session.console().note("a valid token takes " + demand.takes);
    for (const std::string& warning : demand.warnings) {
      session.console().note("warning: " + warning);
    }
  }
  return valid ? io::kExitOk : io::kExitNo;
}

// What one piece of evidence says.
struct Case {
  std::string source;
  verifier::policy::Facts facts;
  std::vector<protocol::Finding> findings;
};

// {"facts":{...},"findings":[...]}, or the facts alone.
Result<Case> case_of_json(const std::string& path, std::string_view text) {
  const auto bad = [&](const Error& error) {
    return fail(io::CliError::kBadFacts, path + ": " + error.message());
  };
  auto json = parse_json(text, {.max_bytes = kMaxFactsBytes, .max_depth = 8});
  if (!json) return bad(json.error());
  const Json* nested = find_object(*json, "facts");
  auto facts = verifier::policy::facts_from_json(nested == nullptr ? *json : *nested);
  if (!facts) return bad(facts.error());
  Case out{path, std::move(*facts), {}};
  if (nested == nullptr || !json->contains("findings")) return out;
  auto findings = verifier::policy::findings_from_json((*json)["findings"]);
  if (!findings) return bad(findings.error());
  out.findings = std::move(*findings);
  return out;
}

// A refused chain is the finding that the service would make of it.
Case case_of_chain(const EvidenceChain& chain, UnixTime as_of) {
  static const verifier::evidence::KeyAttestationVerifier kVerifier;
  Case out{chain.source, {}, {}};
  out.facts.platform = "android";
  const auto refused = [&](const Error& error) {
    out.findings.push_back({protocol::FindingId::kHardwareRefused, error.text()});
    return out;
  };
  if (!chain.certificates) return refused(chain.certificates.error());
  verifier::evidence::KeyAttestationRequest request;
  request.as_of = as_of;
  const verifier::evidence::KeyAttestation attestation =
      kVerifier.verify(*chain.certificates, request);
  if (attestation.refusal) return refused(*attestation.refusal);
  out.facts.android = verifier::appraisal::android_facts(attestation);
  out.facts.assurance =
      verifier::appraisal::assurance_of(attestation.description->attestation_security_level);
  return out;
}

// A file whose first character is a brace holds facts; everything else is an Android chain.
Result<std::vector<Case>> read_cases(const std::string& path, UnixTime as_of) {
  std::vector<Case> out;
  if (!std::filesystem::is_directory(path)) {
    auto content = read_file(path, kMaxEvidenceBytes);
    if (!content) return pass(content);
    const std::string_view text = io::trim(as_text(*content));
    if (text.starts_with('{')) {
      auto one = case_of_json(path, text);
      if (!one) return pass(one);
      out.push_back(std::move(*one));
      return out;
    }
  }
  auto chains = read_evidence_chains({path});
  if (!chains) return pass(chains);
  for (const EvidenceChain& chain : *chains) out.push_back(case_of_chain(chain, as_of));
  return out;
}

struct TestOptions {
  std::string policy;
  std::vector<std::string> evidence;
  std::string as_of;
};

Outcome test(const TestOptions& options, Session& session) {
  UnixTime as_of = session.now();
  if (!options.as_of.empty()) {
    auto time = parse_time(options.as_of);
    if (!time) return pass(time);
    as_of = *time;
  }
  auto text = read_policy_file(options.policy);
  if (!text) return pass(text);
  const verifier::policy::Document document = verifier::policy::parse_document(*text);
  if (!check_document(options.policy, document, session)) {
    return tl::unexpected(not_valid(options.policy));
  }
  bool all_pass = true;
  Json results = Json::array();
  for (const std::string& path : options.evidence) {
    auto cases = read_cases(path, as_of);
    if (!cases) return pass(cases);
    for (const Case& one : *cases) {
      const verifier::policy::Verdict verdict =
          verifier::policy::judge(document.policy, one.facts, one.findings, as_of);
      all_pass = all_pass && verdict.passed;
      Json explained = verifier::policy::explain(document.policy, verdict);
      if (!session.json()) {
        session.console().print(
            io::one_line(fmt::format("{}: {}", verdict.passed ? "pass" : "fail", one.source)));
        for (const std::string& line : verdict_lines(explained)) session.console().print(line);
        continue;
      }
      explained["source"] = one.source;
      explained["facts"] = verifier::policy::to_json(one.facts);
      results.push_back(std::move(explained));
    }
  }
  if (session.json()) print_json(session, {{"passed", all_pass}, {"results", results}});
  return all_pass ? io::kExitOk : io::kExitNo;
}

std::string change_line(const Json& answer, const char* name, const char* words) {
  const Json change = answer.value(name, Json::object());
  return fmt::format("{}: {} appraisals of {} devices", words,
                     change.value("appraisals", std::uint64_t{0}),
                     change.value("devices", std::uint64_t{0}));
}

std::string listed(const Json& words) {
  std::string out;
  for (const Json& word : words) {
    if (word.is_string()) out += (out.empty() ? "" : " ") + word.get<std::string>();
  }
  return io::one_line(out);
}

void print_replay(const Json& answer, Session& session) {
  io::Console& console = session.console();
  console.print(
      fmt::format("{} recorded appraisals", answer.value("appraisals", std::uint64_t{0})));
  console.print(change_line(answer, "newly_failing", "newly failing"));
  console.print(change_line(answer, "newly_passing", "newly passing"));
  const Json* reasons = find_object(answer, "reasons");
  if (reasons != nullptr && !reasons->empty()) {
    std::vector<std::vector<std::string>> rows{{"REASON", "APPRAISALS"}};
    for (const auto& [id, appraisals] : reasons->items()) {
      rows.push_back({io::one_line(id), dump_json(appraisals)});
    }
    console.print(io::table(rows));
  }
  const Json* devices = find_array(answer, "devices");
  if (devices == nullptr || devices->empty()) return;
  std::vector<std::vector<std::string>> rows{{"DEVICE", "WOULD", "PACKAGE", "MODEL", "REASONS"}};
  for (const Json& device : *devices) {
    const auto passes = device.find("passes");
    const bool would_pass = passes != device.end() && *passes == true;
    rows.push_back({io::one_line(find_string(device, "did").value_or("?")),
                    would_pass ? "pass" : "fail",
                    io::one_line(find_string(device, "package").value_or("")),
                    io::one_line(find_string(device, "model").value_or("")),
                    listed(device.value("reasons", Json::array()))});
  }
  console.print(io::table(rows));
  auto left_off = get_int(answer, "devices_left_off", 1, INT64_MAX);
  if (left_off) console.note(fmt::format("{} more devices are left off", *left_off));
}

struct ReplayOptions {
  std::string policy;
  std::int64_t last = verifier::model::kKeptAppraisals;
};

Outcome replay(const ReplayOptions& options, Session& session) {
  auto text = read_policy_file(options.policy);
  if (!text) return pass(text);
  if (!check_document(options.policy, verifier::policy::parse_document(*text), session)) {
    return tl::unexpected(not_valid(options.policy));
  }
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->post("/admin/v1/policy/replay", {{"text", *text}, {"last", options.last}});
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  print_replay(*answer, session);
  return io::kExitOk;
}

}  // namespace

void add_policy_trials(line::Command& group, Dispatcher& dispatcher) {
  auto path = std::make_shared<std::string>();
  line::Command* check_app =
      group.add_subcommand("check", "Say whether a policy document is valid, without a service");
  check_app->add_option("FILE", *path, "The document, in TOML")->required();
  dispatcher.on(check_app, [path](Session& s) { return check(*path, s); });

  auto test_options = std::make_shared<TestOptions>();
  line::Command* test_app =
      group.add_subcommand("test", "Judge evidence files by a policy document, without a service");
  test_app->add_option("FILE", test_options->policy, "The document, in TOML")->required();
  test_app
      ->add_option("EVIDENCE", test_options->evidence,
                   "Facts in JSON, or an Android Key Attestation chain: a file, or a folder")
      ->required();
  test_app
      ->add_option("--as-of", test_options->as_of,
                   "Judge at this time, such as 2024-10-20 (default: now)")
      ->type_name("TIME");
  test_app->footer(
      "Exits with 0 when all pass, 1 when some fail. docs/policy.md describes the facts.\n\n"
      "Example:\n  touchmark policy test policy.toml pixel8.pem rooted-phone.json");
  dispatcher.on(test_app, [test_options](Session& s) { return test(*test_options, s); });

  auto replay_options = std::make_shared<ReplayOptions>();
  line::Command* replay_app = group.add_subcommand(
      "replay", "Show which recorded attestations a policy would newly refuse or accept");
  replay_app->add_option("FILE", replay_options->policy, "The document, in TOML")->required();
  replay_app
      ->add_option("--last", replay_options->last, "How many of the newest (default: all kept)")
      ->range(1, verifier::model::kKeptAppraisals)
      ->type_name("N");
  dispatcher.on(replay_app, [replay_options](Session& s) { return replay(*replay_options, s); });
}

}  // namespace touchmark::cli::commands
