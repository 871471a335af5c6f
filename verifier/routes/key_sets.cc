// The routes for the keys of tokens, and for tokens themselves.
#include <algorithm>

#include "base/encoding.h"
#include "verifier/routes/caller.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

using appraisal::TokenKey;
using appraisal::TokenKeys;
using appraisal::TokenKeySet;

// In protocol/token-check.md, what an API server keeps a JWKS for.
constexpr const char* kJwksCache = "public, max-age=600";

Json key_json(const TokenKey& key) {
  Json out{{"kid", key.kid()},
           {"alg", key.algorithm()},
           {"state", to_string(key.state)},
           {"made", to_unix(key.made)},
           {"made_by", key.actor}};
  if (key.pair() != nullptr) out["pem"] = key.pair()->key.public_pem();
  return out;
}

Json set_json(const TokenKeySet& set) {
  Json keys = Json::array();
  for (const TokenKey& key : set.keys) keys.push_back(key_json(key));
  return {{"name", set.name}, {"keys", std::move(keys)}};
}

http::HttpResponse answer(const Result<state::KeySets::Shared>& keys, const std::string& name,
                          int status = 200) {
  if (!keys) return problem(keys.error());
  return json_response(set_json(*(*keys)->find(name)), status);
}

Json long_lived_json(const appraisal::LongLivedToken& token) {
  return {{"name", token.name},
          {"kid", token.kid},
          {"made", to_unix(token.made)},
          {"expires", to_unix(token.expires)},
          {"made_by", token.actor}};
}

// "": HS256 (nullopt), or one of the others.
Result<std::optional<crypto::SigningAlgorithm>> read_algorithm(const Json& body) {
  std::optional<crypto::SigningAlgorithm> none;
  if (!body.contains("alg")) return none;
  auto alg = get_string(body, "alg", 16);
  if (!alg) return pass(alg);
  if (*alg == "HS256") return none;
  auto parsed = crypto::parse_signing_algorithm(*alg);
  if (parsed) return parsed;
  return fail(JsonError::kWrongType, "alg is none of HS256, RS256, ES256 and EdDSA");
}

bool is_in_use(const RouteContext& context, const std::string& name) {
  const auto apis = context.verifier.api_domains().list();
  return !apis || std::ranges::any_of(
                      *apis, [&](const model::ApiDomain& api) { return api.key_set == name; });
}

}  // namespace

// --- Keysets -------------------------------------------------------------------------------------

http::HttpResponse show_jwks(const RouteContext& context, const http::HttpRequest& /*request*/) {
  http::HttpResponse out{
      200, "application/jwk-set+json", dump_json(context.verifier.key_sets().jwks()), {}};
  out.cache_control = kJwksCache;
  return out;
}

http::HttpResponse list_key_sets(const RouteContext& context,
                                 const http::HttpRequest& /*request*/) {
  const auto keys = context.verifier.key_sets().keys();
  Json list = Json::array();
  for (const TokenKeySet& set : keys->sets) list.push_back(set_json(set));
  return json_response({{"keysets", std::move(list)}});
}

http::HttpResponse add_key_set(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto name = get_string(*body, "name", 64);
  if (!name) return bad_request(name.error().message());
  auto algorithm = read_algorithm(*body);
  if (!algorithm) return bad_request(algorithm.error().message());
  auto keys = context.verifier.key_sets().add(*name, *algorithm, request.caller.name);
  if (keys) context.log.info("keyset.add", {{"actor", request.caller.name}, {"name", *name}});
  return answer(keys, *name, 201);
}

http::HttpResponse remove_key_set(const RouteContext& context, const http::HttpRequest& request) {
  const std::string& name = request.argument;
  auto keys =
      context.verifier.key_sets().remove(name, is_in_use(context, name), request.caller.name);
  if (!keys) return problem(keys.error());
  context.log.info("keyset.remove", {{"actor", request.caller.name}, {"name", name}});
  return no_content();
}

// One path for what is done to the keys of a set: {"do": "rotate" | "promote" | "remove-key"}.
http::HttpResponse change_key_set(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto action = get_string(*body, "do", 32);
  if (!action) return bad_request(action.error().message());
  const std::string& name = request.argument;
  const std::string& actor = request.caller.name;
  state::KeySets& sets = context.verifier.key_sets();
  const auto done = [&]() -> Result<state::KeySets::Shared> {
    if (*action == "rotate") {
      std::optional<std::string> alg;
      if (body->contains("alg")) {
        if (auto ok = read_algorithm(*body); !ok) return pass(ok);
        alg = (*body)["alg"].get<std::string>();
      }
      return sets.rotate(name, alg, actor);
    }
    if (*action == "promote") return sets.promote(name, actor);
    if (*action != "remove-key") {
      return fail(JsonError::kWrongType, "do is none of rotate, promote and remove-key");
    }
    auto kid = get_string(*body, "kid", 64);
    if (!kid) return pass(kid);
    return sets.remove_key(name, *kid, actor);
  }();
  if (!done &&
      (done.error().is(JsonError::kWrongType) || done.error().is(JsonError::kMissingMember))) {
    return bad_request(done.error().message());
  }
  if (done) context.log.info("keyset." + *action, {{"actor", actor}, {"name", name}});
  return answer(done, name);
}

http::HttpResponse read_secret(const RouteContext& context, const http::HttpRequest& request) {
  const auto asked = request.query.find("keyset");
  const std::string name =
      asked == request.query.end() ? std::string(TokenKeys::kDefault) : asked->second;
  auto secrets = context.verifier.key_sets().secrets(name, request.caller.name);
  if (!secrets) return problem(secrets.error());
  context.log.info("secret.read", {{"actor", request.caller.name}, {"keyset", name}});
  Json all = Json::array();
  for (const TokenKey& key : *secrets) {
    all.push_back({{"kid", key.kid()},
                   {"state", to_string(key.state)},
                   {"secret", base64_encode(key.secrets()->secret)},
                   {"decoy_secret", base64_encode(key.secrets()->decoy)}});
  }
  const appraisal::HmacPair& first = *secrets->front().secrets();
  return json_response({{"alg", "HS256"},
                        {"secret", base64_encode(first.secret)},
                        {"decoy_secret", base64_encode(first.decoy)},
                        {"secrets", std::move(all)}});
}

// --- Tokens --------------------------------------------------------------------------------------

http::HttpResponse check_token(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto token = get_string(*body, "token", kMaxSmallBody);
  if (!token) return bad_request(token.error().message());
  const appraisal::TokenReport report = context.verifier.key_sets().check_token(*token);
  return json_response({{"status", to_string(report.status)}, {"claims", report.claims}});
}

http::HttpResponse make_example_token(const RouteContext& context,
                                      const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  if (!body->is_object() || !body->contains("valid") || !(*body)["valid"].is_boolean()) {
    return bad_request("valid is not true or false");
  }
  std::string key_set(TokenKeys::kDefault);
  if (body->contains("keyset")) {
    auto named = get_string(*body, "keyset", 64);
    if (!named) return bad_request(named.error().message());
    key_set = std::move(*named);
  }
  const bool valid = (*body)["valid"].get<bool>();
  if (valid) {
    // It opens doors. An invalid one opens none.
    auto ok = check_permission(request.caller, model::Permission::kMakeValidTokens);
    if (!ok) return problem(ok.error());
  }
  auto token = context.verifier.key_sets().example_token(
      valid, key_set, request.connection.remote_ip, request.caller.name);
  if (!token) return problem(token.error());
  context.log.info("token.example", {{"actor", request.caller.name}, {"valid", valid}});
  return json_response({{"token", *token}});
}

http::HttpResponse list_long_lived_tokens(const RouteContext& context,
                                          const http::HttpRequest& /*request*/) {
  const auto keys = context.verifier.key_sets().keys();
  Json list = Json::array();
  for (const auto& token : keys->long_lived) list.push_back(long_lived_json(token));
  return json_response({{"tokens", std::move(list)}});
}

http::HttpResponse make_long_lived_token(const RouteContext& context,
                                         const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto name = get_string(*body, "name", 64);
  if (!name) return bad_request(name.error().message());
  auto lifetime = get_int(*body, "lifetime", 1, kMaxExpiry);
  if (!lifetime) return bad_request(lifetime.error().message());
  auto made =
      context.verifier.key_sets().make_long_lived(*name, Seconds(*lifetime), request.caller.name);
  if (!made) return problem(made.error());
  context.log.info("token.long_lived", {{"actor", request.caller.name}, {"name", *name}});
  Json out = long_lived_json(made->entry);
  out["token"] = made->token;
  return json_response(out, 201);
}

http::HttpResponse revoke_long_lived_token(const RouteContext& context,
                                           const http::HttpRequest& request) {
  const auto done =
      context.verifier.key_sets().revoke_long_lived(request.argument, request.caller.name);
  if (!done) return problem(done.error());
  context.log.info("token.long_lived_revoked",
                   {{"actor", request.caller.name}, {"name", request.argument}});
  return no_content();
}

}  // namespace touchmark::verifier::routes
