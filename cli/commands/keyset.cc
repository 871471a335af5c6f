// touchmark keyset list|add|rotate|promote|remove|pem
#include <fmt/format.h>

#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/commands/keyset.h"
#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kKeySetsPath = "/admin/v1/keysets";

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", kKeySetsPath, service::path_segment(name));
}

std::vector<std::vector<std::string>> key_rows(const Json& set) {
  std::vector<std::vector<std::string>> rows;
  const Json* keys = find_array(set, "keys");
  for (const Json& key : keys != nullptr ? *keys : Json::array()) {
    const std::string kid = text_cell(key, "kid");
    rows.push_back({text_cell(set, "name"), kid.empty() ? "(none)" : kid, text_cell(key, "alg"),
                    text_cell(key, "state"), time_cell(key, "made")});
  }
  return rows;
}

Outcome show_key_set(const Result<Json>& set, const std::string& note, Session& session) {
  if (!set) return pass(set);
  if (session.json()) return print_json(session, *set);
  std::vector<std::vector<std::string>> rows{{"KEYSET", "KID", "ALG", "STATE", "MADE"}};
  std::ranges::move(key_rows(*set), std::back_inserter(rows));
  session.console().print(io::table(rows));
  if (!note.empty()) session.console().note(note);
  return io::kExitOk;
}

Outcome list_key_sets(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kKeySetsPath);
  if (!answer) return pass(answer);
  const Json* sets = find_array(*answer, "keysets");
  if (sets == nullptr) return fail(io::CliError::kBadAnswer, "the answer has no list of keysets");
  if (session.json()) return print_json(session, *answer);
  std::vector<std::vector<std::string>> rows{{"KEYSET", "KID", "ALG", "STATE", "MADE"}};
  for (const Json& set : *sets) std::ranges::move(key_rows(set), std::back_inserter(rows));
  session.console().print(io::table(rows));
  return io::kExitOk;
}

struct NewKeySet {
  std::string name;
  std::string algorithm = "ES256";
};

Outcome add_key_set(const NewKeySet& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  return show_key_set(
      client->post(kKeySetsPath, {{"name", options.name}, {"alg", options.algorithm}}),
      fmt::format("`touchmark api add DOMAIN --keyset {}` has a domain's tokens signed with "
                  "it",
                  options.name),
      session);
}

bool has_secrets(const Json& set) {
  const Json* keys = find_array(set, "keys");
  return keys != nullptr && std::ranges::any_of(*keys, [](const Json& key) {
           return find_string(key, "alg") == "HS256";
         });
}

struct RemovedKey {
  std::string name;
  std::string kid;
  bool without_kid = false;
};

Outcome remove_key_set(const RemovedKey& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  if (!options.kid.empty() || options.without_kid) {
    return show_key_set(
        client->patch(path_of(options.name), {{"do", "remove-key"}, {"kid", options.kid}}),
        "its tokens are forged from now on", session);
  }
  if (auto ok = client->remove(path_of(options.name)); !ok) return pass(ok);
  if (session.json()) return print_json(session, {{"removed", options.name}});
  session.console().print("removed the keyset " + options.name);
  return io::kExitOk;
}

Outcome print_pem(const std::string& name, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kKeySetsPath);
  if (!answer) return pass(answer);
  const Json* sets = find_array(*answer, "keysets");
  for (const Json& set : sets != nullptr ? *sets : Json::array()) {
    if (find_string(set, "name") != name) continue;
    std::string out;
    const Json* keys = find_array(set, "keys");
    for (const Json& key : keys != nullptr ? *keys : Json::array()) {
      if (const auto text = find_string(key, "pem")) out += *text;
    }
    if (out.empty()) {
      return fail(io::CliError::kBadAnswer,
                  fmt::format("the keyset {} has no public key; `touchmark secret get --keyset {}` "
                              "gives its secrets",
                              name, name));
    }
    if (session.json()) return print_json(session, {{"name", name}, {"pem", out}});
    out.pop_back();
    session.console().print(out);
    return io::kExitOk;
  }
  return fail(io::CliError::kBadAnswer, "there is no keyset \"" + io::one_line(name) + "\"");
}

}  // namespace

Outcome rotate_key_set(const RotateOptions& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  Json body{{"do", options.promote ? "promote" : "rotate"}};
  if (!options.algorithm.empty()) body["alg"] = options.algorithm;
  auto set = client->patch(path_of(options.name), body);
  if (!set) return pass(set);
  const std::string named =
      options.name == kDefaultKeySet ? "" : fmt::format(" --keyset {}", options.name);
  if (options.promote) {
    return show_key_set(
        set,
        "The next key signs from now on. When the last token of the old one has expired, "
        "take it out with `touchmark keyset remove` and --kid or --no-kid",
        session);
  }
  return show_key_set(
      set,
      has_secrets(*set)
          ? fmt::format("Give your API servers what `touchmark secret get{}` prints now; "
                        "when all of them have it, promote the key",
                        named)
          : "API servers get it from the JWKS within minutes; then promote the key",
      session);
}

void add_keyset_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "keyset", "Change the keys that tokens are signed with, refusing nobody");
  dispatcher.on(group->add_subcommand("list", "List the keysets and their keys"), list_key_sets);

  auto options = std::make_shared<NewKeySet>();
  line::Command* add_app =
      group->add_subcommand("add", "Make a keyset, for API domains that are to have their own");
  add_app->add_option("NAME", options->name, "1 to 32 of a-z, 0-9 and -")->required();
  add_app->add_option("--alg", options->algorithm, "HS256, RS256, ES256 or EdDSA")
      ->one_of({"HS256", "RS256", "ES256", "EdDSA"})
      ->type_name("ALG")
      ->show_default();
  add_app->footer(
      "HS256 is a secret that API servers have to be given. The others are key pairs, whose public "
      "half API servers read at /.well-known/jwks.json of the service. With a public key anybody, "
      "the app too, can tell a valid token from that of a failed attestation.\n\nExample:\n"
      "  touchmark keyset add partners --alg ES256");
  dispatcher.on(add_app, [options](Session& s) { return add_key_set(*options, s); });

  auto rotated = std::make_shared<RotateOptions>();
  line::Command* rotate_app = group->add_subcommand("rotate", "Make the next key of a keyset");
  rotate_app->add_option("NAME", rotated->name, "The keyset")->show_default();
  rotate_app->add_option("--alg", rotated->algorithm, "HS256, RS256, ES256 or EdDSA")
      ->one_of({"HS256", "RS256", "ES256", "EdDSA"})
      ->type_name("ALG")
      ->default_text("that of the present key");
  rotate_app->footer(
      "It signs nothing before `touchmark keyset promote`, so that API servers can get to know it "
      "first.");
  dispatcher.on(rotate_app, [rotated](Session& s) { return rotate_key_set(*rotated, s); });

  auto promoted = std::make_shared<RotateOptions>();
  promoted->promote = true;
  line::Command* promote_app =
      group->add_subcommand("promote", "Sign with the next key of a keyset from now on");
  promote_app->add_option("NAME", promoted->name, "The keyset")->show_default();
  dispatcher.on(promote_app, [promoted](Session& s) { return rotate_key_set(*promoted, s); });

  auto removed = std::make_shared<RemovedKey>();
  line::Command* remove_app = group->add_subcommand("remove", "Take out a key, or a whole keyset");
  remove_app->add_option("NAME", removed->name, "The keyset")->required();
  auto* kid = remove_app->add_option("--kid", removed->kid, "This key alone, which must not sign")
                  ->type_name("KID");
  remove_app->add_flag("--no-kid", removed->without_kid, "The key without a kid alone")
      ->excludes(kid);
  remove_app->footer("Tokens that it has signed are forged from then on.");
  dispatcher.on(remove_app, [removed](Session& s) { return remove_key_set(*removed, s); });

  auto name = std::make_shared<std::string>();
  line::Command* pem_app = group->add_subcommand("pem", "Print the public keys of a keyset as PEM");
  pem_app->add_option("NAME", *name, "The keyset")->required();
  dispatcher.on(pem_app, [name](Session& s) { return print_pem(*name, s); });
}

}  // namespace touchmark::cli::commands
