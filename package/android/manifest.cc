#include "package/android/manifest.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "package/android/arsc.h"
#include "package/android/axml.h"
#include "package/model/member.h"

namespace touchmark::package::android {
namespace {

// Resource ids of android.R.attr.
constexpr std::uint32_t kLabel = 0x01010001;
constexpr std::uint32_t kDebuggable = 0x0101000f;
constexpr std::uint32_t kMinSdkVersion = 0x0101020c;
constexpr std::uint32_t kVersionCode = 0x0101021b;
constexpr std::uint32_t kVersionName = 0x0101021c;
constexpr std::uint32_t kTargetSdkVersion = 0x01010270;
constexpr std::uint32_t kTestOnly = 0x01010272;
constexpr std::uint32_t kTargetSandboxVersion = 0x0101054c;
constexpr std::uint32_t kUsesCleartextTraffic = 0x010104ec;
constexpr std::uint32_t kNetworkSecurityConfig = 0x01010527;
constexpr std::uint32_t kVersionCodeMajor = 0x01010576;

const std::string kManifestName = "AndroidManifest.xml";
const std::string kTableName = "resources.arsc";
constexpr std::size_t kMaxPackageName = 223;  // PackageManager's limit

bool is_package_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= kMaxPackageName && std::ranges::all_of(name, allowed);
}

// Reads the manifest element by element; `facts` fills up as they come.
class ManifestReader {
 public:
  ManifestReader(XmlSource& xml, const ResourceSource* resources)
      : xml_(xml), resources_(resources) {}

  Result<Manifest> read() {
    for (;;) {
      auto element = xml_.next();
      if (!element) return pass(element);
      if (!*element) break;
      if (auto ok = take(**element); !ok) return pass(ok);
    }
    if (facts_.package_name.empty()) return fail(ManifestError::kNoRoot, "an empty document");
    facts_.min_sdk = static_cast<std::uint32_t>(min_sdk_);
    facts_.target_sdk = static_cast<std::uint32_t>(std::max(target_sdk_.value_or(min_sdk_), 1));
    if (had_application_) {
      facts_.network = default_network_security(facts_.target_sdk);
      AllowedHosts& cleartext = facts_.network.cleartext;
      cleartext.everywhere = uses_cleartext_.value_or(cleartext.everywhere);
    }
    if (facts_.label.empty()) facts_.label = facts_.package_name;
    return std::move(facts_);
  }

 private:
  Result<void> take(const XmlElement& element) {
    const bool root = element.depth == 1;
    if (root && element.name != "manifest") {
      return fail(ManifestError::kNoRoot, "the root element is <" + shortened(element.name) + ">");
    }
    const bool uses_sdk = element.depth == 2 && element.name == "uses-sdk";
    // Further <application> elements are ignored, as the platform does.
    const bool application =
        element.depth == 2 && element.name == "application" && !had_application_;
    if (!root && !uses_sdk && !application) return {};
    if (element.has_namespace) {
      return fail(ManifestError::kNamespace,
                  "<" + shortened(element.name) + "> stands in a namespace");
    }
    if (root) return take_root(element);
    if (uses_sdk) return take_uses_sdk(element);
    had_application_ = true;
    return take_application(element);
  }

  Result<void> take_root(const XmlElement& element) {
    if (auto ok = take_names(element); !ok) return ok;
    std::uint32_t minor = 0;
    std::uint32_t major = 0;
    for (const auto& [id, code] : {std::pair{kVersionCode, &minor}, {kVersionCodeMajor, &major}}) {
      const XmlAttribute* attribute = element.find(id);
      if (attribute == nullptr) continue;
      const auto value = integer(attribute->value);
      if (!value && is_over_budget(value.error())) return pass(value);
      if (!value) return fail(ManifestError::kVersionCode, "the version code is not an integer");
      *code = *value;
    }
    facts_.version_code = std::uint64_t{major} << 32 | minor;
    if (const XmlAttribute* attribute = element.find(kVersionName)) {
      auto name = version_name(attribute->value);
      if (!name) return pass(name);
      if (name->size() > kMaxManifestText) {
        return fail(ManifestError::kVersionName,
                    "a version name of " + std::to_string(name->size()) + " bytes");
      }
      facts_.version_name = *std::move(name);
    }
    const XmlAttribute* sandbox = element.find(kTargetSandboxVersion);
    if (sandbox != nullptr && sandbox->value.is_int()) {
      facts_.target_sandbox_version = sandbox->value.data;
    }
    return {};
  }

  // Two attributes the platform finds by their names, not by resource ids.
  Result<void> take_names(const XmlElement& element) {
    auto package = named_text(element, "package", ManifestError::kPackageName);
    if (!package) return pass(package);
    if (!*package || !is_package_name(**package)) {
      return fail(ManifestError::kPackageName, "no package name, or not one that installs");
    }
    facts_.package_name = **std::move(package);
    auto split = named_text(element, "split", ManifestError::kSplitName);
    if (!split) return pass(split);
    if (!*split) return {};
    if (!is_package_name(**split)) {
      return fail(ManifestError::kSplitName, "not a name of a split that installs");
    }
    facts_.split_name = **std::move(split);
    return {};
  }

  // Nothing when the element has no such attribute; an error when there is more than one reading.
  Result<std::optional<std::string>> named_text(const XmlElement& element, std::string_view name,
                                                ManifestError error) const {
    const XmlAttribute* found = nullptr;
    for (const XmlAttribute& attribute : element.attributes) {
      if (attribute.name != name) continue;
      if (found != nullptr || attribute.has_namespace ||
          attribute.value.type != ValueType::kString) {
        return fail(error, "more than one reading of the attribute " + std::string(name));
      }
      found = &attribute;
    }
    if (found == nullptr) return std::nullopt;
    auto text = xml_.string(found->value.data);
    if (!text) return pass(text);
    return *std::move(text);
  }

  // The platform checks every <uses-sdk>, so the highest minimum counts.
  Result<void> take_uses_sdk(const XmlElement& element) {
    if (const XmlAttribute* attribute = element.find(kMinSdkVersion)) {
      const auto level = sdk_level(attribute->value);
      if (!level) return pass(level);
      min_sdk_ = std::max(min_sdk_, *level);
    }
    if (const XmlAttribute* attribute = element.find(kTargetSdkVersion)) {
      const auto level = sdk_level(attribute->value);
      if (!level) return pass(level);
      if (target_sdk_ && *target_sdk_ != *level) {
        return fail(ManifestError::kSdkConflict, "two <uses-sdk> target different API levels");
      }
      target_sdk_ = *level;
    }
    return {};
  }

  // What the user sees may be missing or unresolvable; it identifies nothing.
  Result<void> take_application(const XmlElement& element) {
    auto debuggable = flag(element, kDebuggable);
    if (!debuggable) return pass(debuggable);
    facts_.debuggable = debuggable->value_or(false);
    auto test_only = flag(element, kTestOnly);
    if (!test_only) return pass(test_only);
    facts_.test_only = test_only->value_or(false);
    auto cleartext = flag(element, kUsesCleartextTraffic);
    if (!cleartext) return pass(cleartext);
    uses_cleartext_ = *cleartext;
    // What is no reference is none for the platform, too.
    const XmlAttribute* network = element.find(kNetworkSecurityConfig);
    if (network != nullptr && network->value.is_reference()) {
      facts_.network_configuration = network->value.data;
    }
    const XmlAttribute* attribute = element.find(kLabel);
    if (attribute == nullptr) return {};
    auto label = text(attribute->value, &ResourceSource::string);
    if (!label && is_over_budget(label.error())) return pass(label);
    if (label && label->size() <= kMaxManifestText) facts_.label = *std::move(label);
    return {};
  }

  // Nothing when the element has no such attribute; one that has no value counts as false.
  Result<std::optional<bool>> flag(const XmlElement& element, std::uint32_t id) const {
    const XmlAttribute* attribute = element.find(id);
    if (attribute == nullptr) return std::nullopt;
    const auto value = integer(attribute->value);
    if (!value && is_over_budget(value.error())) return pass(value);
    return value.value_or(0) != 0;
  }

  // References are refused: their value depends on the device's configuration.
  Result<std::int32_t> sdk_level(const TypedValue& value) const {
    if (value.is_int()) return static_cast<std::int32_t>(value.data);
    if (value.type != ValueType::kString) {
      return fail(ManifestError::kSdkVersion, "an API level that is neither number nor text");
    }
    const auto codename = xml_.string(value.data);
    if (!codename) return pass(codename);
    const std::uint32_t level = sdk_of_codename(*codename);
    if (level == 0) {
      return fail(ManifestError::kSdkVersion,
                  "'" + shortened(*codename) + "' is no platform's code name");
    }
    return static_cast<std::int32_t>(level);
  }

  Result<std::uint32_t> integer(const TypedValue& value) const {
    if (value.is_whole_number()) return value.data;
    if (value.is_reference() && resources_ != nullptr) return resources_->integer(value.data);
    return fail(ManifestError::kVersionCode, "neither an integer nor a reference to one");
  }

  using ReadText = Result<std::string> (ResourceSource::*)(std::uint32_t) const;

  // What the platform shows for a value: a text as it is, anything else as coerce_to_text() has it.
  // Empty for what has no text.
  Result<std::string> text(const TypedValue& value, ReadText read) const {
    if (value.type == ValueType::kString) return xml_.string(value.data);
    if (value.is_reference() && value.data != 0) {
      if (resources_ != nullptr) return (resources_->*read)(value.data);
      return fail(ManifestError::kVersionName, "a reference, and the package has no resources");
    }
    if (value.is_reference()) return std::string();  // @null
    return coerce_to_text(value).value_or("");
  }

  Result<std::string> version_name(const TypedValue& value) const {
    return text(value, &ResourceSource::installer_string);
  }

  XmlSource& xml_;
  const ResourceSource* resources_;
  Manifest facts_;
  std::int32_t min_sdk_ = 1;
  std::optional<std::int32_t> target_sdk_;
  bool had_application_ = false;
  std::optional<bool> uses_cleartext_;
};

}  // namespace

std::string_view error_id(ManifestError error) {
  using enum ManifestError;
  static constexpr auto kIds = error_table<ManifestError>({
      {kMissing, "manifest.missing"},
      {kNoRoot, "manifest.no-root"},
      {kNamespace, "manifest.namespace"},
      {kPackageName, "manifest.package-name"},
      {kSplitName, "manifest.split-name"},
      {kSdkVersion, "manifest.sdk-version"},
      {kSdkConflict, "manifest.sdk-conflict"},
      {kVersionCode, "manifest.version-code"},
      {kVersionName, "manifest.version-name"},
  });
  return kIds[error];
}

std::uint32_t sdk_of_codename(std::string_view codename) {
  // Names start over at B after V, so the newest are known whole.
  if (codename == "Baklava") return 34;
  if (codename == "CinnamonBun") return 35;
  if (codename == "CANARY") return 9999;
  const char first = codename.empty() ? ' ' : codename.front();
  if (first < 'A' || first > 'Z') return 0;
  if (first < 'C') return 1;
  struct Release {
    char first;
    std::uint32_t level;
  };
  constexpr Release kReleases[] = {{'C', 2},  {'D', 3},  {'E', 4},  {'F', 7},  {'G', 8},
                                   {'H', 10}, {'I', 13}, {'J', 15}, {'K', 18}, {'L', 20},
                                   {'M', 22}, {'N', 23}, {'O', 25}};
  // Past the last known name, and between two, every letter counts one level.
  const auto after = std::ranges::upper_bound(kReleases, first, {}, &Release::first);
  const Release& known = *(after - 1);
  return known.level + static_cast<std::uint32_t>(first - known.first);
}

Result<Manifest> parse_manifest(XmlSource& document, const ResourceSource* resources) {
  return ManifestReader(document, resources).read();
}

Result<Manifest> parse_manifest(ByteView document, const ResourceSource* resources,
                                Budget& budget) {
  auto xml = XmlReader::open(document, budget);
  if (!xml) return pass(xml);
  return parse_manifest(*xml, resources);
}

Result<void> read_network_configuration(const zip::ZipArchive& archive,
                                        const ResourceSource* resources, const XmlFiles& files,
                                        Manifest& manifest) {
  if (manifest.network_configuration == 0) return {};
  if (resources == nullptr) {
    manifest.network = {.configured = true, .unreadable = "the package has no resources"};
    return {};
  }
  auto network = read_network_security(archive, *resources, files, manifest.network_configuration,
                                       manifest.target_sdk);
  if (!network) return pass(network);
  manifest.network = *std::move(network);
  return {};
}

Result<void> add_split_network_configuration(const zip::ZipArchive& split, Manifest& base) {
  const zip::ZipEntry* table_entry = split.find(kTableName);
  if (base.network_configuration == 0 || table_entry == nullptr) return {};
  const auto bytes = split.read(*table_entry, kMaxResourceTableBytes);
  if (!bytes) return pass(bytes);
  const auto table = ResourceTable::parse(*bytes, split.budget());
  if (!table) return in_member(kTableName, table.error());
  const auto paths = table->every_string(base.network_configuration);
  if (!paths && paths.error().is(ArscError::kNoSuchResource)) return {};  // most splits
  const auto network = read_network_security(split, *table, apk_files(), base.network_configuration,
                                             base.target_sdk);
  if (!network) return pass(network);
  join(base.network, *network);
  return {};
}

Result<Manifest> read_manifest(const zip::ZipArchive& archive) {
  const zip::ZipEntry* entry = archive.find(kManifestName);
  if (entry == nullptr) return fail(ManifestError::kMissing, "no " + kManifestName);
  const auto document = archive.read(*entry, kMaxManifestBytes);
  if (!document) return pass(document);
  Budget& budget = archive.budget();
  const auto parse = [&](const ResourceSource* resources) -> Result<Manifest> {
    auto manifest = parse_manifest(*document, resources, budget);
    if (!manifest) return in_member(kManifestName, manifest.error());
    auto ok = read_network_configuration(archive, resources, apk_files(), *manifest);
    if (!ok) return pass(ok);
    return manifest;
  };
  const zip::ZipEntry* table_entry = archive.find(kTableName);
  if (table_entry == nullptr) return parse(nullptr);
  const auto bytes = archive.read(*table_entry, kMaxResourceTableBytes);
  if (!bytes) return pass(bytes);
  const auto table = ResourceTable::parse(*bytes, budget);
  if (!table) return in_member(kTableName, table.error());
  return parse(&*table);
}

}  // namespace touchmark::package::android
