#include "cli/commands/evidence/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/encoding.h"
#include "cli/commands/commands.h"
#include "cli/commands/evidence/input.h"
#include "cli/commands/evidence/summary.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "crypto/jose.h"
#include "formats/cbor.h"
#include "pki/cms.h"
#include "protocol/messages/evidence.h"
#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"

namespace touchmark::cli::commands {
namespace {

// Of a verification's result only what was decoded: nothing is judged here.
Json decoded_only(Json json, const char* type) {
  for (const char* verdict : {"verified", "reason", "detail", "warnings", "type"}) {
    json.erase(verdict);
  }
  json["type"] = type;
  return json;
}

Json inspect_chain(std::vector<Bytes> chain) {
  const verifier::evidence::KeyAttestationVerifier verifier;
  auto result = verifier.verify(std::move(chain), {});
  const bool attests = result.description.has_value();
  // What stops the description from being read is worth knowing here, too.
  const bool damaged = result.refusal && result.refusal->id().starts_with("key-description.");
  Json json = decoded_only(to_json(result), attests || damaged ? "android-key" : "certificates");
  if (damaged) json["keyDescription"] = {{"error", result.refusal->text()}};
  return json;
}

Json inspect_attestation(const Bytes& bytes) {
  const verifier::evidence::AttestationVerifier verifier;
  const auto result = verifier.verify(bytes, {});
  Json json = decoded_only(to_json(result), "app-attest");
  if (!result.receipt && !result.receipt_bytes.empty()) {
    json["receipt"] = decoded_only(
        to_json(verifier::evidence::ReceiptVerifier().verify(result.receipt_bytes, {})),
        "app-attest-receipt");
  }
  if (!result.authenticator_data && result.refusal) json["error"] = result.refusal->text();
  return json;
}

Json inspect_assertion(const cbor::Value& map) {
  Json json = {{"type", "app-attest-assertion"}};
  if (const cbor::Value* signature = map.find("signature")) {
    json["signature"] = base64_encode(signature->bytes);
  }
  const cbor::Value* encoded = map.find("authenticatorData");
  auto data =
      verifier::evidence::parse_authenticator_data(encoded->bytes, /*with_credential=*/false);
  json["authenticatorData"] = data ? to_json(*data) : Json{{"error", data.error().text()}};
  if (data) json["counter"] = data->sign_count;
  return json;
}

std::optional<Json> inspect_cbor(const Bytes& bytes) {
  auto map = cbor::parse(bytes);
  if (!map || map->type != cbor::Type::kMap) return std::nullopt;
  if (map->find("attStmt") != nullptr) return inspect_attestation(bytes);
  if (map->find("authenticatorData") != nullptr) return inspect_assertion(*map);
  return Json{{"type", "cbor"}, {"content", cbor::to_json(*map)}};
}

std::optional<Json> inspect_binary(const Bytes& bytes) {
  if (auto json = inspect_cbor(bytes)) return json;
  if (pki::parse_signed_data(bytes, pki::CmsUse::kReceipt)) {
    return decoded_only(to_json(verifier::evidence::ReceiptVerifier().verify(bytes, {})),
                        "app-attest-receipt");
  }
  if (auto description = verifier::evidence::parse_key_description(bytes)) {
    return Json{{"type", "key-description"}, {"keyDescription", to_json(*description)}};
  }
  return std::nullopt;
}

std::optional<Json> inspect_jwe(std::string_view text) {
  if (std::ranges::count(text, '.') != 4) return std::nullopt;
  auto encoded = base64url_decode(text.substr(0, text.find('.')));
  if (!encoded) return std::nullopt;
  auto header = parse_json(as_text(*encoded));
  if (!header || !header->is_object()) return std::nullopt;
  return Json{{"type", "play-integrity"},
              {"header", *header},
              {"content", "encrypted; `touchmark evidence verify --type play-integrity` opens it"}};
}

std::optional<Json> inspect_jws(std::string_view text) {
  auto jws = crypto::parse_jws(text, kMaxEvidenceBytes);
  if (!jws) return std::nullopt;
  const std::string typ = find_string(jws->header, "typ").value_or("");
  const char* type = typ == protocol::kEvidenceType ? "touchmark-evidence" : "jws";
  return Json{{"type", type}, {"header", jws->header}, {"claims", jws->payload}};
}

std::optional<Json> inspect_text(std::string_view text) {
  if (auto json = inspect_jws(text)) return json;
  if (auto json = inspect_jwe(text)) return json;
  if (!text.starts_with('{')) return std::nullopt;
  auto json = parse_json(text, {.max_bytes = kMaxEvidenceBytes, .max_depth = 16});
  if (!json || json->contains("x5c")) return std::nullopt;
  const Json* payload = find_object(*json, "tokenPayloadExternal");
  if (payload == nullptr && !json->contains("requestDetails")) return std::nullopt;
  return Json{{"type", "play-integrity"}, {"tokenPayload", payload != nullptr ? *payload : *json}};
}

std::optional<Json> inspect_object(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::nullopt;
  auto objects = read_evidence_objects({path});
  if (!objects) return std::nullopt;
  const Bytes& file = objects->front().bytes;
  if (auto json = inspect_text(io::trim(as_text(file)))) return json;
  return inspect_binary(decode_evidence(file));
}

void show(const std::string& source, Json json, Session& session) {
  if (session.json()) {
    json["file"] = source;
    print_json(session, json);
    return;
  }
  const std::string type = json.at("type").get<std::string>();
  json.erase("type");
  session.console().print(io::one_line(fmt::format("{}: {}", source, type)));
  for (const std::string& line : evidence_tree(json)) {
    session.console().print("  " + io::one_line(line));
  }
}

// What is no other evidence is read as certificates.
Result<io::ExitCode> inspect_chains(const std::vector<std::string>& paths, Session& session) {
  auto chains = read_evidence_chains(paths);
  if (!chains) return pass(chains);
  io::ExitCode worst = io::kExitOk;
  for (EvidenceChain& chain : *chains) {
    const bool readable =
        chain.certificates && std::ranges::any_of(*chain.certificates, [](const Bytes& encoded) {
          return pki::parse_certificate(encoded).has_value();
        });
    if (readable) {
      show(chain.source, inspect_chain(std::move(*chain.certificates)), session);
      continue;
    }
    worst = io::kExitNo;
    const Json json{{"type", "unknown"}, {"error", "no evidence of a kind that is known"}};
    show(chain.source, json, session);
  }
  return worst;
}

}  // namespace

Outcome inspect_evidence(const std::vector<std::string>& paths, Session& session) {
  io::ExitCode worst = io::kExitOk;
  std::vector<std::string> certificates;
  for (const std::string& path : paths) {
    if (auto json = inspect_object(path)) {
      show(path, std::move(*json), session);
    } else {
      certificates.push_back(path);
    }
  }
  if (!certificates.empty()) {
    auto shown = inspect_chains(certificates, session);
    if (!shown) return shown;
    worst = *shown;
  }
  session.console().note("decoded only, not verified; `touchmark evidence verify` verifies");
  return worst;
}

}  // namespace touchmark::cli::commands
