#include "package/model/measurement.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace touchmark::package {
namespace {

constexpr std::size_t kMaxParts = 65535;
constexpr std::size_t kMaxSigners = 64;

tl::unexpected<Error> malformed(std::string what) {
  return fail(MeasurementError::kMalformed, std::move(what));
}

Result<PartKind> part_kind(std::string_view text) {
  for (const PartKind kind :
       {PartKind::kDex, PartKind::kNativeLibrary, PartKind::kManifest, PartKind::kResources,
        PartKind::kAsset, PartKind::kImage, PartKind::kOther}) {
    if (to_string(kind) == text) return kind;
  }
  return malformed("no kind of part: " + std::string(text));
}

Result<Form> form_of(std::string_view text) {
  for (const Form form : {Form::kApk, Form::kSplits, Form::kBundle, Form::kIpa}) {
    if (to_string(form) == text) return form;
  }
  return malformed("no form of an app: " + std::string(text));
}

Result<Sha256Digest> digest_from_hex(const Json& json) {
  if (!json.is_string()) return malformed("a digest that is no text");
  const auto bytes = hex_decode(json.get_ref<const std::string&>());
  if (!bytes || bytes->size() != Sha256Digest{}.size()) return malformed("not a SHA-256 in hex");
  Sha256Digest digest;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

Result<Part> part_from_json(const Json& json) {
  if (!json.is_object()) return malformed("a part that is no object");
  const auto name = get_string(json, "name", 65535);
  if (!name) return pass(name);
  const auto kind_text = get_string(json, "kind");
  if (!kind_text) return pass(kind_text);
  const auto kind = part_kind(*kind_text);
  if (!kind) return pass(kind);
  const auto size = get_int(json, "size", 0, std::numeric_limits<std::int64_t>::max());
  if (!size) return pass(size);
  const auto digest = digest_from_hex(json.value("sha256", Json()));
  if (!digest) return pass(digest);
  return Part{*name, *kind, static_cast<std::uint64_t>(*size), *digest};
}

Json canonical(const Part& part) {
  return Json::array({part.name, part.size, hex_encode(part.sha256)});
}

// Line breaks and other controls in a name would let a package write lines of its own.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

Json network_json(const NetworkSecurity& network) {
  return {{"configured", network.configured},
          {"cleartext_domains", network.cleartext.domains},
          {"user_certificate_domains", network.user_certificates.domains},
          {"unreadable", network.unreadable}};
}

Json images_json(const std::vector<AppImage>& images) {
  Json out = Json::array();
  for (const AppImage& image : images) {
    out.push_back(
        {{"name", image.name}, {"uuid", image.uuid}, {"code_directory", image.code_directory}});
  }
  return out;
}

// Releases that were registered before these were measured have neither.
Result<void> images_from_json(const Json& json, Measurement& out) {
  out.team = find_string(json, "team").value_or("");
  const Json* images = find_array(json, "images");
  if (images == nullptr) return {};
  if (images->size() > kMaxParts) return malformed("too many images");
  for (const Json& entry : *images) {
    if (!entry.is_object()) return malformed("an image that is no object");
    out.images.push_back({.name = find_string(entry, "name").value_or(""),
                          .uuid = find_string(entry, "uuid").value_or(""),
                          .code_directory = find_string(entry, "code_directory").value_or("")});
    if (out.images.back().name.empty()) return malformed("an image without a name");
  }
  return {};
}

// With domains, hosts are allowed to these, and not everywhere.
Result<void> domains_from_json(const Json& json, const char* member, AllowedHosts& out) {
  const Json* domains = find_array(json, member);
  if (domains == nullptr || domains->empty()) return {};
  if (domains->size() > AllowedHosts::kMaxDomains) return malformed("too many domains");
  for (const Json& domain : *domains) {
    if (!domain.is_string()) return malformed("a domain that is no text");
    out.domains.push_back(domain.get<std::string>());
  }
  out.everywhere = false;
  return {};
}

// The members `cleartext` and `user_certificates`, which say whether there is any, were read.
Result<void> network_from_json(const Json& json, NetworkSecurity& out) {
  const Json* network = find_object(json, "network_security");
  if (network == nullptr) return {};
  out.configured = network->value("configured", Json()) == Json(true);
  out.unreadable = find_string(*network, "unreadable").value_or("");
  if (auto ok = domains_from_json(*network, "cleartext_domains", out.cleartext); !ok) return ok;
  return domains_from_json(*network, "user_certificate_domains", out.user_certificates);
}

Result<void> lists_from_json(const Json& json, Measurement& out) {
  const Json* signers = find_array(json, "signers");
  const Json* parts = find_array(json, "parts");
  if (signers == nullptr || parts == nullptr) return malformed("no list of signers or parts");
  if (signers->size() > kMaxSigners || parts->size() > kMaxParts) return malformed("too many");
  for (const Json& signer : *signers) {
    const auto digest = digest_from_hex(signer);
    if (!digest) return pass(digest);
    out.signers.push_back(*digest);
  }
  if (const auto first = json.find("first_signer"); first != json.end()) {
    const auto digest = digest_from_hex(*first);
    if (!digest) return pass(digest);
    out.first_signer = *digest;
  }
  for (const Json& entry : *parts) {
    auto part = part_from_json(entry);
    if (!part) return pass(part);
    out.parts.push_back(*std::move(part));
  }
  // The digest depends on the order, and a name may stand once.
  if (!std::ranges::is_sorted(out.signers) ||
      std::ranges::adjacent_find(out.parts, std::ranges::greater_equal{}, &Part::name) !=
          out.parts.end()) {
    return malformed("signers or parts out of order");
  }
  return {};
}

}  // namespace

std::string_view error_id(MeasurementError error) {
  using enum MeasurementError;
  static constexpr auto kIds = error_table<MeasurementError>({
      {kMalformed, "measurement.malformed"},
  });
  return kIds[error];
}

std::string_view to_string(Form form) {
  switch (form) {
    case Form::kApk:
      return "apk";
    case Form::kSplits:
      return "splits";
    case Form::kBundle:
      return "bundle";
    case Form::kIpa:
      return "ipa";
  }
  return "unknown";
}

std::string_view to_string(PartKind kind) {
  switch (kind) {
    case PartKind::kDex:
      return "dex";
    case PartKind::kNativeLibrary:
      return "native-library";
    case PartKind::kManifest:
      return "manifest";
    case PartKind::kResources:
      return "resources";
    case PartKind::kAsset:
      return "asset";
    case PartKind::kImage:
      return "image";
    case PartKind::kOther:
      return "other";
  }
  return "other";
}

std::string_view split_of(std::string_view part_name) {
  const std::size_t mark = part_name.find(kSplitMark);
  return mark == part_name.npos ? std::string_view() : part_name.substr(0, mark);
}

std::string_view path_in_split(std::string_view part_name) {
  const std::size_t mark = part_name.find(kSplitMark);
  return mark == part_name.npos ? part_name : part_name.substr(mark + kSplitMark.size());
}

std::string_view image_of(std::string_view part_name) {
  const std::size_t mark = part_name.rfind(kImageMark);
  if (mark == part_name.npos) return {};
  const std::size_t slash = part_name.find('/', mark);
  return slash == part_name.npos ? std::string_view() : part_name.substr(0, slash);
}

std::string_view path_of_image(std::string_view image_name) {
  return image_name.substr(0, image_name.rfind(kImageMark));
}

std::string to_string(const AllowedHosts& hosts) {
  if (hosts.everywhere) return "yes";
  return hosts.domains.empty() ? "no" : "for " + join(hosts.domains);
}

std::map<std::string, Sha256Digest> split_digests(const Measurement& measurement) {
  std::map<std::string, Json> parts{{"", Json::array()}};
  for (const Part& part : measurement.parts) {
    // A single package is all base, whatever its files are called.
    const auto split = measurement.form == Form::kApk ? "" : split_of(part.name);
    parts.try_emplace(std::string(split), Json::array()).first->second.push_back(canonical(part));
  }
  std::map<std::string, Sha256Digest> out;
  for (const auto& [split, list] : parts)
    out.emplace(split, crypto::sha256(as_bytes(dump_json(list))));
  return out;
}

Sha256Digest digest(const Measurement& measurement) {
  Json parts = Json::array();
  for (const Part& part : measurement.parts) parts.push_back(canonical(part));
  Json signers = Json::array();
  for (const Sha256Digest& signer : measurement.signers) signers.push_back(hex_encode(signer));
  const Json canonical = {
      {"app", Json::array({measurement.platform, measurement.package_name, measurement.version_name,
                           measurement.version_code})},
      {"parts", std::move(parts)},
      {"signers", std::move(signers)},
  };
  return crypto::sha256(as_bytes(dump_json(canonical)));
}

std::string one_line(const Measurement& measurement) {
  std::string line = base64_encode(digest(measurement)) + measurement.package_name + "-" +
                     measurement.version_name + "[" + std::to_string(measurement.version_code) +
                     "]-" + std::to_string(measurement.parts.size());
  if (!measurement.sdk_version.empty()) {
    line += " SDK:" + measurement.platform + "(" + measurement.sdk_version + ")";
  }
  return printable(std::move(line));
}

Json to_json(const Measurement& measurement) {
  Json parts = Json::array();
  for (const Part& part : measurement.parts) {
    parts.push_back({{"name", part.name},
                     {"kind", to_string(part.kind)},
                     {"size", part.size},
                     {"sha256", hex_encode(part.sha256)}});
  }
  Json signers = Json::array();
  for (const Sha256Digest& signer : measurement.signers) signers.push_back(hex_encode(signer));
  Json out = {{"form", to_string(measurement.form)},
              {"platform", measurement.platform},
              {"package", measurement.package_name},
              {"version_name", measurement.version_name},
              {"version_code", measurement.version_code},
              {"label", measurement.label},
              {"min_sdk", measurement.min_sdk},
              {"target_sdk", measurement.target_sdk},
              {"debuggable", measurement.debuggable},
              {"test_only", measurement.test_only},
              {"cleartext", measurement.network.cleartext.any()},
              {"user_certificates", measurement.network.user_certificates.any()},
              {"network_security", network_json(measurement.network)},
              {"sdk_version", measurement.sdk_version},
              {"signers", std::move(signers)},
              {"parts", std::move(parts)}};
  if (measurement.first_signer) out["first_signer"] = hex_encode(*measurement.first_signer);
  if (!measurement.team.empty()) out["team"] = measurement.team;
  if (!measurement.images.empty()) out["images"] = images_json(measurement.images);
  return out;
}

Result<Measurement> from_json(const Json& json) {
  if (!json.is_object()) return malformed("not an object");
  Measurement out;
  const auto form_text = get_string(json, "form", 16);
  if (!form_text) return pass(form_text);
  const auto form = form_of(*form_text);
  if (!form) return pass(form);
  out.form = *form;
  const struct {
    const char* member;
    std::string* value;
  } texts[] = {{"platform", &out.platform},
               {"package", &out.package_name},
               {"version_name", &out.version_name},
               {"label", &out.label},
               {"sdk_version", &out.sdk_version}};
  for (const auto& [member, value] : texts) {
    auto text = get_string(json, member, 1 << 20);
    if (!text) return pass(text);
    *value = *std::move(text);
  }
  const Json code = json.value("version_code", Json());
  if (!code.is_number_unsigned()) return malformed("version_code is not an unsigned number");
  out.version_code = code.get<std::uint64_t>();
  for (const auto& [member, value] :
       {std::pair{"min_sdk", &out.min_sdk}, {"target_sdk", &out.target_sdk}}) {
    const auto level = get_int(json, member, 0, std::numeric_limits<std::uint32_t>::max());
    if (!level) return pass(level);
    *value = static_cast<std::uint32_t>(*level);
  }
  // Releases that were registered before these were measured do not say.
  const struct {
    const char* member;
    bool* value;
  } flags[] = {{"debuggable", &out.debuggable},
               {"test_only", &out.test_only},
               {"cleartext", &out.network.cleartext.everywhere},
               {"user_certificates", &out.network.user_certificates.everywhere}};
  for (const auto& [member, value] : flags) {
    const Json flag = json.value(member, Json(false));
    if (!flag.is_boolean()) return malformed(std::string(member) + " is neither true nor false");
    *value = flag.get<bool>();
  }
  if (auto ok = network_from_json(json, out.network); !ok) return pass(ok);
  if (auto ok = images_from_json(json, out); !ok) return pass(ok);
  if (auto ok = lists_from_json(json, out); !ok) return pass(ok);
  return out;
}

}  // namespace touchmark::package
