#include "verifier/appraisal/evidence.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/jose.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxDetail = 512;
constexpr std::size_t kMaxParts = 4096;
constexpr std::size_t kMaxSigners = 32;
constexpr std::size_t kMaxChecks = 32;
constexpr std::size_t kMaxFindings = 256;
constexpr std::size_t kMaxNonce = 64;
constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53;

tl::unexpected<Error> malformed(const std::string& message) {
  return fail(EvidenceError::kMalformed, message);
}

Result<Sha256Digest> to_digest(const Result<Bytes>& bytes, const std::string& name) {
  if (!bytes) return malformed(name + ": " + bytes.error().message());
  Sha256Digest digest;
  if (bytes->size() != digest.size()) return malformed(name + " is not 32 bytes");
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

// Reads claims one after the other and keeps the first thing that is wrong.
class Claims {
 public:
  explicit Claims(const Json& object) : object_(&object) {}

  std::string text(const char* name, std::size_t max_bytes = kMaxName) {
    return keep(get_string(*object_, name, max_bytes));
  }
  // Empty when it is missing.
  std::string optional_text(const char* name) {
    return object_->is_object() && object_->contains(name) ? text(name) : std::string();
  }
  std::int64_t integer(const char* name, std::int64_t min = 0) {
    return keep(get_int(*object_, name, min, kMaxInteger));
  }
  Bytes binary(const char* name, std::size_t max_bytes) {
    return keep(get_base64url(*object_, name, max_bytes));
  }
  Sha256Digest digest(const char* name) {
    return keep(to_digest(get_base64url(*object_, name), name));
  }
  const Json& object(const char* name) {
    return member(find_object(*object_, name), name, "object");
  }
  const Json& array(const char* name, std::size_t max_size) {
    const Json& array = member(find_array(*object_, name), name, "array");
    if (array.size() <= max_size) return array;
    keep_error(Error(EvidenceError::kMalformed, std::string(name) + " has too many elements"));
    return kEmpty;
  }
  template <class T>
  T keep(Result<T> value) {
    if (value) return std::move(*value);
    keep_error(value.error());
    return T{};
  }
  void adopt(const Claims& inner) {
    if (inner.error_) keep_error(*inner.error_);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  void keep_error(const Error& error) {
    if (!error_) error_ = error;
  }
  const Json& member(const Json* found, const char* name, const char* type) {
    if (found != nullptr) return *found;
    keep_error(Error(EvidenceError::kMalformed, std::string(name) + " is not an " + type));
    return kEmpty;
  }

  inline static const Json kEmpty = Json::object();
  const Json* object_;
  std::optional<Error> error_;
};

// An object whose members are all SHA-256.
std::map<std::string, Sha256Digest> read_digests(Claims& claims, const Json& object,
                                                 const char* what) {
  std::map<std::string, Sha256Digest> out;
  if (object.size() > kMaxParts) {
    claims.keep(Result<int>(malformed(std::string(what) + " has too many members")));
    return out;
  }
  for (const auto& [name, value] : object.items()) {
    out.emplace(name, claims.keep(to_digest(get_base64url(object, name.c_str()), what)));
  }
  return out;
}

void read_app(Claims& claims, Evidence& out) {
  Claims app(claims.object("app"));
  out.package_name = app.text("package");
  out.version_name = app.text("version_name");
  out.version_code = static_cast<std::uint64_t>(app.integer("version_code"));
  out.measurement = app.digest("measurement");
  for (const Json& signer : app.array("signers", kMaxSigners)) {
    const Json named{{"signer", signer}};
    out.signers.insert(app.keep(to_digest(get_base64url(named, "signer"), "app.signers")));
  }
  out.parts = read_digests(app, app.object("parts"), "app.parts");
  const Json* splits = find_object(claims.object("app"), "splits");
  if (splits != nullptr) out.splits = read_digests(app, *splits, "app.splits");
  claims.adopt(app);
}

void read_checks(Claims& claims, Evidence& out) {
  for (const Json& check : claims.array("checks", kMaxChecks)) {
    if (check.is_string()) out.checks.insert(check.get<std::string>());
  }
  for (const Json& finding : claims.array("findings", kMaxFindings)) {
    Claims one(finding);
    ReportedFinding reported{one.text("id", 64), {}};
    reported.detail = find_string(finding, "detail").value_or("").substr(0, kMaxDetail);
    out.findings.push_back(std::move(reported));
    claims.adopt(one);
  }
}

void read_environment(Claims& claims, Evidence& out) {
  Claims platform(claims.object("platform"));
  out.os = platform.text("os", 64);
  out.os_version = platform.optional_text("os_version");
  out.manufacturer = platform.optional_text("manufacturer");
  out.model = platform.optional_text("model");
  out.installer = platform.optional_text("installer");
  claims.adopt(platform);
  Claims sdk(claims.object("sdk"));
  out.sdk_version = sdk.text("version", 64);
  out.sdk_build = sdk.text("build", 64);
  claims.adopt(sdk);
  Claims tls(claims.object("tls"));
  out.tls_exporter = tls.binary("exporter", 64);
  out.tls_spki = tls.binary("spki", 64);
  claims.adopt(tls);
}

Result<std::optional<std::string>> read_pay(const Json& payload) {
  if (!payload.contains("pay")) return std::nullopt;
  auto text = get_string(payload, "pay", 64);
  if (!text) return malformed(text.error().message());
  auto digest = base64_decode(*text);
  if (!digest || digest->size() != sizeof(Sha256Digest)) {
    return malformed("pay is not the padded base64 of 32 bytes");
  }
  return *text;
}

}  // namespace

std::string_view error_id(EvidenceError error) {
  using enum EvidenceError;
  static constexpr auto kIds = error_table<EvidenceError>({
      {kMalformed, "evidence.malformed"},
  });
  return kIds[error];
}

Result<Evidence> parse_evidence(std::string_view compact) {
  auto opened =
      crypto::verify_es256_with_header_key(compact, "touchmark-evidence+jwt", kMaxAttestBody);
  if (!opened) return pass(opened);
  const Json& payload = opened->jws.payload;
  Evidence out(std::move(opened->key));
  out.did = device_id(out.key);

  Claims claims(payload);
  out.nonce = claims.binary("eat_nonce", kMaxNonce);
  out.issued_at = claims.integer("iat");
  out.account = claims.text("account");
  out.config_version = claims.integer("config_version");
  out.range_proof = claims.digest("range_proof");
  read_environment(claims, out);
  read_app(claims, out);
  read_checks(claims, out);
  out.pay = claims.keep(read_pay(payload));
  if (payload.contains("submods")) out.submods = claims.object("submods");
  if (claims.error()) return malformed(claims.error()->message());
  return out;
}

std::string device_id(const crypto::EcKey& installation_key) {
  const Sha256Digest digest = crypto::sha256(installation_key.public_der());
  return base64_encode(ByteView(digest).first(16));
}

}  // namespace touchmark::verifier::appraisal
