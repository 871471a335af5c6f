#include "package/android/network_security.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "package/android/axml.h"
#include "package/model/member.h"

namespace touchmark::package::android {
namespace {

// A phone's own names: traffic to them leaves no phone.
bool is_loopback(std::string_view domain) {
  constexpr std::string_view kOwn[] = {"localhost", "127.0.0.1", "::1", "[::1]"};
  return std::ranges::find(kOwn, domain) != std::end(kOwn);
}

std::string in_one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

// As the platform takes the text of <domain>: without spaces around it, in lower case.
std::string domain_of(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text = text.substr(0, text.find_last_not_of(kSpace) + 1);
  return in_one_line(shortened(lower(text), AllowedHosts::kMaxDomainBytes));
}

void allow(AllowedHosts& hosts, const std::string& domain) {
  if (hosts.everywhere || is_loopback(domain)) return;
  if (hosts.domains.size() == AllowedHosts::kMaxDomains) return;
  if (std::ranges::find(hosts.domains, domain) == hosts.domains.end()) {
    hosts.domains.push_back(domain);
  }
}

void allow_everywhere(AllowedHosts& hosts, bool allowed) {
  if (!allowed) return;
  hosts.everywhere = true;
  hosts.domains.clear();
}

void join_hosts(AllowedHosts& hosts, const AllowedHosts& other) {
  allow_everywhere(hosts, other.everywhere);
  for (const std::string& domain : other.domains) allow(hosts, domain);
}

// What a <base-config> or <domain-config> says; what it leaves out is its parent's.
struct Config {
  std::size_t parent = 0;
  std::optional<bool> cleartext{};
  std::optional<bool> user_certificates{};
  std::vector<std::string> domains{};
};

class ConfigReader {
 public:
  ConfigReader(XmlSource& xml, std::uint32_t target_sdk) : xml_(xml) {
    const NetworkSecurity defaults = default_network_security(target_sdk);
    configs_.push_back({.parent = 0,
                        .cleartext = defaults.cleartext.everywhere,
                        .user_certificates = defaults.user_certificates.everywhere});
  }

  Result<NetworkSecurity> read() {
    for (;;) {
      const auto element = xml_.next();
      if (!element) return pass(element);
      if (!*element) break;
      if (auto ok = take(**element); !ok) return pass(ok);
    }
    if (!had_root_) return fail(NetworkSecurityError::kNoRoot, "an empty document");
    return result();
  }

 private:
  enum class Place { kRoot, kConfig, kAnchors, kElsewhere };
  struct Open {
    Place place;
    std::size_t config = 0;
  };

  Result<void> take(const XmlElement& element) {
    open_.resize(std::min<std::size_t>(open_.size(), element.depth - 1));
    if (open_.empty()) {
      if (element.name != "network-security-config") {
        return fail(NetworkSecurityError::kNoRoot,
                    "the root element is <" + shortened(element.name) + ">");
      }
      had_root_ = true;
      open_.push_back({Place::kRoot});
      return {};
    }
    const Open parent = open_.back();
    open_.push_back({Place::kElsewhere});
    switch (parent.place) {
      case Place::kRoot:
        if (element.name == "base-config") return take_base(element);
        if (element.name == "domain-config") return add_config(element, kBase);
        return {};
      case Place::kConfig:
        if (element.name == "trust-anchors") return take_anchors(parent.config);
        if (parent.config == kBase) return {};
        if (element.name == "domain-config") return add_config(element, parent.config);
        if (element.name == "domain") return take_domain(parent.config);
        return {};
      case Place::kAnchors:
        if (element.name == "certificates") return take_certificates(element, parent.config);
        return {};
      case Place::kElsewhere:
        return {};
    }
    return {};
  }

  Result<void> take_base(const XmlElement& element) {
    if (had_base_) return fail(NetworkSecurityError::kSecondBase, "several <base-config>");
    had_base_ = true;
    open_.back() = {Place::kConfig, kBase};
    if (const auto cleartext = permits(element)) configs_[kBase].cleartext = cleartext;
    return {};
  }

  Result<void> add_config(const XmlElement& element, std::size_t parent) {
    open_.back() = {Place::kConfig, configs_.size()};
    configs_.push_back({.parent = parent, .cleartext = permits(element)});
    return {};
  }

  // By name and index, as the platform does: the last of its name counts, and what is no truth
  // value or number, such as a reference, counts as true.
  static std::optional<bool> permits(const XmlElement& element) {
    std::optional<bool> out;
    for (const XmlAttribute& attribute : element.attributes) {
      if (attribute.name != "cleartextTrafficPermitted") continue;
      out = !attribute.value.is_whole_number() || attribute.value.data != 0;
    }
    return out;
  }

  Result<void> take_anchors(std::size_t config) {
    if (!had_anchors_.insert(config).second) {
      return fail(NetworkSecurityError::kSecondAnchors, "several <trust-anchors> in one place");
    }
    open_.back() = {Place::kAnchors, config};
    configs_[config].user_certificates = false;  // unless one of them says so
    return {};
  }

  Result<void> take_certificates(const XmlElement& element, std::size_t config) {
    for (const XmlAttribute& attribute : element.attributes) {
      if (attribute.name != "src" || attribute.value.type != ValueType::kString) continue;
      const auto source = xml_.string(attribute.value.data);
      if (!source) return pass(source);
      if (*source == "user") configs_[config].user_certificates = true;
    }
    return {};
  }

  Result<void> take_domain(std::size_t config) {
    const auto text = xml_.text();
    if (!text) return pass(text);
    if (std::string domain = domain_of(*text); !domain.empty()) {
      configs_[config].domains.push_back(std::move(domain));
    }
    return {};
  }

  NetworkSecurity result() {
    NetworkSecurity out;
    out.configured = true;
    allow_everywhere(out.cleartext, *configs_[kBase].cleartext);
    allow_everywhere(out.user_certificates, *configs_[kBase].user_certificates);
    // A parent stands before its children.
    for (Config& config : configs_) {
      const Config& parent = configs_[config.parent];
      config.cleartext = config.cleartext.value_or(*parent.cleartext);
      config.user_certificates = config.user_certificates.value_or(*parent.user_certificates);
      for (const std::string& domain : config.domains) {
        if (*config.cleartext) allow(out.cleartext, domain);
        if (*config.user_certificates) allow(out.user_certificates, domain);
      }
    }
    return out;
  }

  static constexpr std::size_t kBase = 0;

  XmlSource& xml_;
  std::vector<Config> configs_;
  std::vector<Open> open_;  // of each open element
  std::set<std::size_t> had_anchors_;
  bool had_root_ = false;
  bool had_base_ = false;
};

Result<NetworkSecurity> read_file(const zip::ZipArchive& archive, const XmlFiles& files,
                                  const std::string& path, std::uint32_t target_sdk) {
  const zip::ZipEntry* entry = archive.find(files.folder + path);
  if (entry == nullptr) {
    return fail(NetworkSecurityError::kNoFile, "no file " + shortened(path));
  }
  const auto bytes = archive.read(*entry, kMaxNetworkSecurityBytes);
  if (!bytes) return pass(bytes);
  const auto document = files.open(*bytes, archive.budget());
  if (!document) return in_member(shortened(path), document.error());
  auto out = parse_network_security(**document, target_sdk);
  if (!out) return in_member(shortened(path), out.error());
  return out;
}

}  // namespace

std::string_view error_id(NetworkSecurityError error) {
  using enum NetworkSecurityError;
  static constexpr auto kIds = error_table<NetworkSecurityError>({
      {kNoFile, "network-security.no-file"},
      {kTooManyFiles, "network-security.too-many-files"},
      {kNoRoot, "network-security.no-root"},
      {kSecondBase, "network-security.second-base"},
      {kSecondAnchors, "network-security.second-anchors"},
  });
  return kIds[error];
}

NetworkSecurity default_network_security(std::uint32_t target_sdk) {
  constexpr std::uint32_t kFirstWithoutCleartext = 28;
  constexpr std::uint32_t kFirstWithoutUserCertificates = 24;
  NetworkSecurity out;
  out.cleartext.everywhere = target_sdk < kFirstWithoutCleartext;
  out.user_certificates.everywhere = target_sdk < kFirstWithoutUserCertificates;
  return out;
}

void join(NetworkSecurity& security, const NetworkSecurity& other) {
  join_hosts(security.cleartext, other.cleartext);
  join_hosts(security.user_certificates, other.user_certificates);
  security.configured = security.configured || other.configured;
  if (security.unreadable.empty()) security.unreadable = other.unreadable;
}

Result<NetworkSecurity> parse_network_security(XmlSource& document, std::uint32_t target_sdk) {
  return ConfigReader(document, target_sdk).read();
}

XmlFiles apk_files() {
  return {"", [](ByteView document, Budget& budget) -> Result<std::unique_ptr<XmlSource>> {
            auto xml = XmlReader::open(document, budget);
            if (!xml) return pass(xml);
            return std::make_unique<XmlReader>(*std::move(xml));
          }};
}

Result<NetworkSecurity> read_network_security(const zip::ZipArchive& archive,
                                              const ResourceSource& resources,
                                              const XmlFiles& files, std::uint32_t resource_id,
                                              std::uint32_t target_sdk) {
  NetworkSecurity out;
  out.configured = true;
  const auto give_up = [&](const Error& error) -> Result<NetworkSecurity> {
    if (is_over_budget(error)) return tl::unexpected<Error>(error);
    out = {};
    out.configured = true;
    out.unreadable = in_one_line(error.text());
    return out;
  };
  const auto paths = resources.every_string(resource_id);
  if (!paths) return give_up(paths.error());
  if (paths->size() > kMaxNetworkSecurityFiles) {
    return give_up(Error(NetworkSecurityError::kTooManyFiles,
                         std::to_string(paths->size()) + " files of one configuration"));
  }
  for (const std::string& path : *paths) {
    const auto file = read_file(archive, files, path, target_sdk);
    if (!file) return give_up(file.error());
    join(out, *file);
  }
  return out;
}

}  // namespace touchmark::package::android
