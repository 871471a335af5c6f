// touchmark evidence verify|inspect: hardware evidence, judged and decoded without a service.
#include <array>

#include "cli/commands/commands.h"
#include "cli/commands/evidence/inspect.h"
#include "cli/commands/evidence/verify.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kVerifyFooter =
    "FILE, by --type:\n"
    "  android-key           A chain of certificates, leaf first: a PEM file; several files of "
    "one\n"
    "                        certificate each (DER, PEM or base64), which together are one chain\n"
    "                        in the order given; a JSON array of base64; or a folder of such\n"
    "                        files. In a folder, what stands before the number in the names\n"
    "                        tells chains apart: cert-0.der and on is one, strongbox-cert-0.der\n"
    "                        and on another. Files that hold no certificate are passed over.\n"
    "  app-attest            The attestation object: CBOR, or base64 of it\n"
    "  app-attest-assertion  The assertion object: CBOR, or base64 of it; with the --key of its\n"
    "                        attestation, and --previous-counter of its last assertion\n"
    "  app-attest-receipt    A receipt, or the attestation object that holds one\n"
    "  play-integrity        A classic token; with two --key, the decryption key and the\n"
    "                        verification key of the Play Console, in any order\n"
    "A key file holds PEM or DER of a public key or certificate, a COSE key, a JWK, base64 of any\n"
    "of them, an attestation object, or the JSON that `verify --json` gave for one.\n\n"
    "For App Attest, --challenge stands for the client data hash SHA-256(TEXT), or TEXT itself.\n"
    "Without --as-of certificates must be valid now; without --roots they must end under Google's\n"
    "and Apple's own roots. Verification says that the evidence is genuine and meant for this\n"
    "challenge and app. Whether such a device is wanted (locked, up to date) is for a policy.\n\n"
    "Exits with 0 when all evidence verifies and passes the --policy, 1 when some does not, 2 "
    "when\n"
    "an option is wrong or a file cannot be read. With --json: one object per line for each piece "
    "of "
    "evidence, with\n"
    "verified, reason, detail, warnings and the decoded fields. docs/evidence.md lists the "
    "reasons.\n\n"
    "Example:\n"
    "  touchmark evidence verify --type android-key --challenge sample --revocation status.json "
    "\\\n"
    "    chain.pem";

void add_verify(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<VerifyOptions>();
  line::Command* app =
      group.add_subcommand("verify", "Say whether evidence is genuine, and if not why");
  app->add_option("--type", options->type,
                  "android-key, app-attest, app-attest-assertion, app-attest-receipt or "
                  "play-integrity")
      ->required()
      ->type_name("TYPE");
  app->add_option("FILE", options->files, "The evidence; see below");
  app->add_option("--as-of", options->as_of,
                  "Judge at this time, such as 2024-10-20 or 2024-10-20T12:00:00Z (default: now)")
      ->type_name("TIME");
  app->add_option("--roots", options->roots,
                  "Trust these roots instead of Google's or Apple's: PEM, DER or a JSON array")
      ->type_name("FILE")
      ->default_text("Google's and Apple's");
  app->add_option("--revocation", options->revocation,
                  "Google's revocation list, of https://android.googleapis.com/attestation/status")
      ->type_name("FILE")
      ->default_text("none, and nothing counts as revoked");
  app->add_option("--challenge", options->challenge, "The challenge that was given to the app")
      ->type_name("CHALLENGE");
  app->add_option("--challenge-hex", options->challenge_hex, "The same, in hex")->type_name("HEX");
  app->add_option("--client-data-hash", options->client_data_hash,
                  "What the app passed to App Attest as the hash of its client data")
      ->type_name("HEX");
  app->add_option("--app-id", options->app_id,
                  "The app: a package name, or TEAM.BUNDLE for App Attest")
      ->type_name("ID");
  app->add_option("--key", options->keys, "Keys to verify with; see below")->type_name("FILE");
  app->add_option("--environment", options->environment,
                  "Of App Attest: take development or production only")
      ->type_name("NAME")
      ->default_text("both");
  app->add_option("--previous-counter", options->previous_counter,
                  "Of an assertion: refuse a counter that is not above this one")
      ->type_name("N");
  app->add_option("--max-age", options->max_age, "Refuse a receipt or token older than this")
      ->type_name("TIME")
      ->default_text("any age");
  app->add_option("--policy", options->policy,
                  "Judge what verifies by this policy document as well, and say what decided")
      ->type_name("FILE");
  app->add_flag("--ear", options->ear,
                "Add the claims of an EAT attestation result, with AR4SI's trustworthiness vector");
  app->footer(kVerifyFooter);
  dispatcher.on(app, [options](Session& s) { return verify_evidence(*options, s); });
}

}  // namespace

void add_evidence_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "evidence", "Judge and decode hardware evidence");
  add_verify(*group, dispatcher);

  auto files = std::make_shared<std::vector<std::string>>();
  line::Command* inspect = group->add_subcommand(
      "inspect", "Show what evidence says, whatever kind it is; nothing is verified");
  inspect
      ->add_option("FILE", *files,
                   "Certificates, an App Attest object or receipt, a Play Integrity token, a "
                   "Touchmark evidence token")
      ->required();
  dispatcher.on(inspect, [files](Session& s) { return inspect_evidence(*files, s); });
}

}  // namespace touchmark::cli::commands
