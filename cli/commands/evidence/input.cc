#include "cli/commands/evidence/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "formats/der.h"
#include "pki/certificate.h"
#include "verifier/evidence/key_description.h"

namespace touchmark::cli::commands {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFolderFiles = 10'000;
constexpr std::size_t kMaxCertificates = 64;

bool is_text(ByteView bytes) {
  return !bytes.empty() && std::ranges::all_of(as_text(bytes), [](char c) {
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
}

std::string without_space(std::string_view text) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out),
                       [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
  return out;
}

// Either alphabet, padded or not.
std::optional<Bytes> decode_base64(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  auto bytes = base64url_decode(text);
  if (!bytes || bytes->empty()) return std::nullopt;
  return std::move(*bytes);
}

Result<Bytes> read_evidence_file(const fs::path& path) {
  return read_file(path, kMaxEvidenceBytes);
}

Result<std::vector<fs::path>> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->is_regular_file(error) || error) continue;
    if (files.size() == kMaxFolderFiles) {
      return fail(io::CliError::kUnreadableFile,
                  fmt::format("{}: too many files", folder.string()));
    }
    files.push_back(at->path());
  }
  if (error) {
    return fail(io::CliError::kUnreadableFile,
                fmt::format("{}: {}", folder.string(), error.message()));
  }
  std::ranges::sort(files);
  return files;
}

// Certificates one after the other. Anything else counts as one certificate, to be refused.
std::vector<Bytes> split_der(ByteView bytes) {
  std::vector<Bytes> parts;
  der::Reader reader(bytes);
  while (!reader.at_end() && parts.size() < kMaxCertificates) {
    auto element = reader.read();
    if (!element || !pki::parse_certificate(element->full)) return {to_bytes(bytes)};
    parts.push_back(to_bytes(element->full));
  }
  return reader.at_end() ? parts : std::vector<Bytes>{to_bytes(bytes)};
}

tl::unexpected<Error> no_certificate(std::string message) {
  return fail(io::CliError::kBadCertificate, std::move(message));
}

Result<std::vector<Bytes>> parse_json_chain(std::string_view text) {
  auto json = parse_json(text, {.max_bytes = kMaxEvidenceBytes, .max_depth = 4});
  if (!json) return pass(json);
  const Json* list = json->is_array() ? &*json : find_array(*json, "x5c");
  if (list == nullptr) return no_certificate("the JSON is neither an array nor has x5c");
  std::vector<Bytes> chain;
  for (const Json& entry : *list) {
    if (!entry.is_string()) return no_certificate("an entry of the JSON is not text");
    auto certificates = parse_evidence_chain(to_bytes(entry.get_ref<const std::string&>()));
    if (!certificates) return certificates;
    std::ranges::move(*certificates, std::back_inserter(chain));
  }
  return chain;
}

// Base64 of all, or of one certificate a line.
Result<std::vector<Bytes>> parse_text_chain(std::string_view text) {
  if (auto whole = decode_base64(without_space(text))) return split_der(*whole);
  std::vector<Bytes> chain;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (io::trim(line).empty()) continue;
    auto bytes = decode_base64(without_space(line));
    if (!bytes) return no_certificate("neither PEM nor base64");
    chain.push_back(std::move(*bytes));
  }
  return chain;
}

// Of a file that cannot be read: whether it was meant to hold several certificates.
bool holds_several(const Bytes& file) {
  const std::string_view text = as_text(file);
  return text.find("-----BEGIN ") != text.rfind("-----BEGIN ");
}

struct NumberedName {
  std::string prefix;
  std::optional<std::uint64_t> number;
};

// "strongbox-cert-0.der.x509" is number 0 of "strongbox-cert-".
NumberedName split_name(const fs::path& path) {
  std::string stem = path.filename().string();
  stem.resize(std::min(stem.find('.'), stem.size()));
  const std::size_t end = stem.find_last_of("0123456789");
  if (end == stem.npos) return {std::move(stem), std::nullopt};
  const std::size_t before = stem.find_last_not_of("0123456789", end);
  const std::size_t begin = before == stem.npos ? 0 : before + 1;
  if (end + 1 - begin > 9) return {std::move(stem), std::nullopt};
  const std::uint64_t number = std::stoull(stem.substr(begin, end + 1 - begin));
  return {stem.substr(0, begin), number};
}

bool looks_like_certificate(const fs::path& path, const Bytes& file) {
  const std::string name = lower(path.filename().string());
  for (const char* ending : {".der", ".crt", ".cer", ".x509", ".pem"}) {
    if (name.ends_with(ending)) return true;
  }
  return as_text(file).find("-----BEGIN CERTIFICATE") != std::string_view::npos ||
         pki::parse_certificate(file).has_value();
}

struct SingleCertificate {
  fs::path path;
  Bytes der;
};

// Puts certificates whose names say nothing of their order after those that they have issued.
// Some leaves name their issuer in part only, so one that describes a key goes first of those that
// have issued nothing.
void order_by_issuer(std::vector<SingleCertificate>& files) {
  const auto issued_by = [](const SingleCertificate& file, const SingleCertificate& other) {
    auto below = pki::parse_certificate(file.der);
    auto above = pki::parse_certificate(other.der);
    return below && above && &file != &other && as_text(below->issuer) == as_text(above->subject);
  };
  const auto describes_key = [](const SingleCertificate& file) {
    auto certificate = pki::parse_certificate(file.der);
    return certificate && certificate->find(verifier::evidence::kKeyDescriptionOid) != nullptr;
  };
  for (auto begin = files.begin(); begin != files.end(); ++begin) {
    const auto has_issued_nothing = [&](const SingleCertificate& file) {
      return std::none_of(begin, files.end(),
                          [&](const SingleCertificate& other) { return issued_by(other, file); });
    };
    auto next = std::find_if(begin, files.end(), [&](const SingleCertificate& file) {
      return has_issued_nothing(file) && describes_key(file);
    });
    if (next == files.end()) next = std::find_if(begin, files.end(), has_issued_nothing);
    if (next != files.end()) std::rotate(begin, next, next + 1);
  }
}

EvidenceChain to_chain(const std::vector<SingleCertificate>& files) {
  std::vector<Bytes> certificates;
  for (const SingleCertificate& file : files) certificates.push_back(file.der);
  return {files.front().path.string(), std::move(certificates)};
}

// The chains of a folder's files of one certificate each.
std::vector<EvidenceChain> group_by_name(std::vector<SingleCertificate> files) {
  std::map<std::string, std::vector<std::pair<std::uint64_t, SingleCertificate>>> groups;
  bool numbered = true;
  for (const SingleCertificate& file : files) {
    auto [prefix, number] = split_name(file.path);
    numbered = numbered && number.has_value();
    groups[prefix].emplace_back(number.value_or(0), file);
  }
  for (const auto& [prefix, group] : groups) numbered = numbered && group.size() > 1;
  std::vector<EvidenceChain> chains;
  if (!numbered && !files.empty()) {
    order_by_issuer(files);
    chains.push_back(to_chain(files));
    return chains;
  }
  for (auto& [prefix, group] : groups) {
    std::ranges::stable_sort(group, {}, [](const auto& entry) { return entry.first; });
    std::vector<SingleCertificate> ordered;
    for (auto& [number, file] : group) ordered.push_back(std::move(file));
    chains.push_back(to_chain(ordered));
  }
  return chains;
}

Result<std::vector<EvidenceChain>> read_folder(const fs::path& folder) {
  auto files = files_of(folder);
  if (!files) return pass(files);
  std::vector<EvidenceChain> chains;
  std::vector<SingleCertificate> singles;
  for (const fs::path& path : *files) {
    auto file = read_evidence_file(path);
    if (!file) return pass(file);
    if (!looks_like_certificate(path, *file)) continue;
    auto certificates = parse_evidence_chain(*file);
    if (certificates && certificates->size() == 1) {
      singles.push_back({path, std::move(certificates->front())});
    } else {
      chains.push_back({path.string(), std::move(certificates)});
    }
  }
  std::ranges::move(group_by_name(std::move(singles)), std::back_inserter(chains));
  if (chains.empty()) {
    return fail(io::CliError::kUnreadableFile,
                fmt::format("{}: no certificate in this folder", folder.string()));
  }
  return chains;
}

}  // namespace

Bytes decode_evidence(Bytes file) {
  if (!is_text(file)) return file;
  const std::string text = without_space(as_text(file));
  if (auto bytes = hex_decode(text); bytes && !bytes->empty()) return std::move(*bytes);
  if (auto bytes = decode_base64(text)) return std::move(*bytes);
  return file;
}

Result<std::vector<EvidenceObject>> read_evidence_objects(const std::vector<std::string>& paths) {
  std::vector<EvidenceObject> objects;
  for (const std::string& path : paths) {
    std::vector<fs::path> files{path};
    if (std::error_code error; fs::is_directory(path, error)) {
      auto inside = files_of(path);
      if (!inside) return pass(inside);
      files = std::move(*inside);
    }
    for (const fs::path& name : files) {
      auto file = read_evidence_file(name);
      if (!file) return pass(file);
      objects.push_back({name.string(), std::move(*file)});
    }
  }
  return objects;
}

Result<std::vector<Bytes>> parse_evidence_chain(const Bytes& file) {
  if (as_text(file).find("-----BEGIN ") != std::string_view::npos) {
    return pki::parse_pem_certificates(as_text(file), kMaxCertificates);
  }
  if (!is_text(file)) return split_der(file);
  const std::string_view text = io::trim(as_text(file));
  return text.starts_with('[') || text.starts_with('{') ? parse_json_chain(text)
                                                        : parse_text_chain(text);
}

Result<std::vector<EvidenceChain>> read_evidence_chains(const std::vector<std::string>& paths) {
  std::vector<EvidenceChain> chains;
  bool in_list = false;  // the last chain is a list of single certificates that may go on
  for (const std::string& path : paths) {
    if (std::error_code error; fs::is_directory(path, error)) {
      auto inside = read_folder(path);
      if (!inside) return inside;
      std::ranges::move(*inside, std::back_inserter(chains));
      in_list = false;
      continue;
    }
    auto file = read_evidence_file(path);
    if (!file) return pass(file);
    auto certificates = parse_evidence_chain(*file);
    const bool single = certificates ? certificates->size() == 1 : !holds_several(*file);
    if (!single || !in_list) {
      chains.push_back({path, std::move(certificates)});
    } else if (!certificates) {
      chains.back().certificates = std::move(certificates);
    } else if (chains.back().certificates) {
      chains.back().certificates->push_back(std::move(certificates->front()));
    }
    in_list = single;
  }
  return chains;
}

}  // namespace touchmark::cli::commands
