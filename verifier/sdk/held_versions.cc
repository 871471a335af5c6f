#include "verifier/sdk/held_versions.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/source.h"
#include "base/text.h"
#include "formats/zip/zip.h"

namespace touchmark::verifier::sdk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPart = 256 << 20;
constexpr std::size_t kMaxVersionFile = 4096;
constexpr const char* kVersionFile = "assets/touchmark-sdk.json";

struct Stored {
  MavenArtifact artifact;
  MavenPart part;
  const char* name;
};
constexpr auto kStored = std::to_array<Stored>(
    {{MavenArtifact::kSdk, MavenPart::kLibrary, kLibraryName},
     {MavenArtifact::kSdk, MavenPart::kSources, "touchmark_sdk-sources.jar"},
     {MavenArtifact::kSdk, MavenPart::kJavadoc, "touchmark_sdk-javadoc.jar"},
     {MavenArtifact::kCoroutines, MavenPart::kLibrary, "touchmark_sdk-coroutines.jar"},
     {MavenArtifact::kCoroutines, MavenPart::kSources, "touchmark_sdk-coroutines-sources.jar"},
     {MavenArtifact::kPlugin, MavenPart::kLibrary, "touchmark_sdk-gradle-plugin.jar"},
     {MavenArtifact::kPlugin, MavenPart::kSources, "touchmark_sdk-gradle-plugin-sources.jar"},
     {MavenArtifact::kPlugin, MavenPart::kJavadoc, "touchmark_sdk-gradle-plugin-javadoc.jar"}});

// An artifact is there with its library; what leads to the plugin, with the plugin's.
bool has_artifact(const fs::path& folder, MavenArtifact artifact) {
  if (artifact == MavenArtifact::kMarker) artifact = MavenArtifact::kPlugin;
  const auto* const library = std::ranges::find(kStored, artifact, &Stored::artifact);
  std::error_code error;
  return fs::is_regular_file(folder / library->name, error);
}

tl::unexpected<Error> not_held(std::string message) {
  return fail(SdkError::kNotHeld, std::move(message));
}

// "jni/arm64-v8a/libtouchmark.so" has "arm64-v8a".
std::optional<std::string> abi_of(std::string_view name) {
  constexpr std::string_view kBefore = "jni/";
  constexpr std::string_view kBehind = "/libtouchmark.so";
  if (!name.starts_with(kBefore) || !name.ends_with(kBehind)) return std::nullopt;
  if (name.size() <= kBefore.size() + kBehind.size()) return std::nullopt;
  name.remove_prefix(kBefore.size());
  name.remove_suffix(kBehind.size());
  return std::string(name);
}

fs::path npm_path(const NpmFile& file) { return fs::path("npm") / npm_file_name(file); }

// All that a version's folder may hold.
std::vector<fs::path> stored_files(const std::string& version) {
  std::vector<fs::path> out;
  for (const Stored& stored : kStored) out.emplace_back(stored.name);
  for (const std::string_view package : kNpmPackages) out.push_back(npm_path({package, version}));
  out.emplace_back(swift_file_name(version));
  return out;
}

// Nothing where the folder does not have it.
Result<std::optional<Bytes>> read_part(const fs::path& folder, const fs::path& name) {
  auto content = read_file(folder / name, kMaxPart);
  if (content) return std::optional(std::move(*content));
  if (content.error().is(FileError::kNotFound)) return std::nullopt;
  return pass(content);
}

std::vector<HeldPart> parts_in(const fs::path& folder) {
  std::vector<HeldPart> out;
  for (const auto& [artifact, part, name] : kStored) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(folder / name, error);
    if (!error && has_artifact(folder, artifact)) out.push_back({artifact, part, size});
  }
  return out;
}

std::vector<HeldPackage> packages_in(const fs::path& folder, const std::string& version) {
  std::vector<HeldPackage> out;
  for (const std::string_view package : kNpmPackages) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(folder / npm_path({package, version}), error);
    if (!error) out.push_back({package, size});
  }
  return out;
}

std::optional<std::uint64_t> swift_in(const fs::path& folder, const std::string& version) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(folder / swift_file_name(version), error);
  return error ? std::nullopt : std::optional<std::uint64_t>(size);
}

HeldVersion held_in(const fs::path& folder, LibraryFacts facts, bool is_own) {
  HeldVersion out{.version = std::move(facts.version),
                  .is_own = is_own,
                  .abis = std::move(facts.abis),
                  .parts = parts_in(folder),
                  .npm = {},
                  .swift_bytes = {}};
  out.npm = packages_in(folder, out.version);
  out.swift_bytes = swift_in(folder, out.version);
  return out;
}

Result<bool> same_content(const std::string& version, const fs::path& a, const fs::path& b) {
  for (const fs::path& name : stored_files(version)) {
    auto first = read_part(a, name);
    if (!first) return pass(first);
    auto second = read_part(b, name);
    if (!second) return pass(second);
    if (*first != *second) return false;
  }
  return true;
}

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  if (!error) return {};
  const bool is_full = error == std::errc::no_space_on_device;
  return fail(is_full ? FileError::kNoSpace : FileError::kIo,
              path.string() + ": " + error.message());
}

bool is_draft(const std::string& name) { return name.starts_with('.') && name.ends_with(".tmp"); }

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    out.push_back(at->path().filename().string());
  }
  return out;
}

}  // namespace

std::string_view error_id(SdkError error) {
  using enum SdkError;
  static constexpr auto kIds = error_table<SdkError>({
      {kNotHeld, "sdk.not-held"},
      {kNoVersion, "sdk.no-version"},
  });
  return kIds[error];
}

Result<LibraryFacts> library_facts(const fs::path& library) {
  const auto none = [&](const std::string& why) {
    return fail(SdkError::kNoVersion, library.string() + " does not say its version: " + why);
  };
  auto source = open_file(library);
  if (!source && source.error().is(SourceError::kNotFound)) {
    return not_held("there is no " + library.string());
  }
  if (!source) return pass(source);
  auto archive = zip::ZipArchive::open(**source);
  if (!archive) return none(archive.error().text());
  const zip::ZipEntry* entry = archive->find(kVersionFile);
  if (entry == nullptr) return none(std::string("it has no ") + kVersionFile);
  auto text = archive->read(*entry, kMaxVersionFile);
  if (!text) return none(text.error().text());
  auto json = parse_json(as_text(*text), {.max_bytes = kMaxVersionFile, .max_depth = 4});
  if (!json) return none(json.error().text());
  LibraryFacts out{find_string(*json, "version").value_or(""), {}};
  if (!is_library_version(out.version)) return none(shown(out.version) + " is no version");
  for (const zip::ZipEntry& one : archive->entries()) {
    if (auto abi = abi_of(one.name)) out.abis.push_back(std::move(*abi));
  }
  std::ranges::sort(out.abis);
  return out;
}

std::vector<std::string> HeldVersions::kept_versions() const {
  std::vector<std::string> out;
  if (kept_.empty()) return out;
  for (std::string& name : names_in(kept_)) {
    std::error_code error;
    if (is_library_version(name) && fs::is_regular_file(kept_ / name / kLibraryName, error)) {
      out.push_back(std::move(name));
    }
  }
  std::ranges::sort(out, [](const auto& a, const auto& b) { return is_older(b, a); });
  return out;
}

Result<std::string> HeldVersions::own_version() const {
  auto facts = library_facts(own_ / kLibraryName);
  if (!facts) return pass(facts);
  return std::move(facts->version);
}

std::vector<HeldVersion> HeldVersions::list() const {
  std::vector<HeldVersion> out;
  if (auto own = library_facts(own_ / kLibraryName)) {
    out.push_back(held_in(own_, std::move(*own), true));
  }
  for (const std::string& version : kept_versions()) {
    if (!out.empty() && out.front().is_own && out.front().version == version) continue;
    const fs::path folder = kept_ / version;
    auto facts = library_facts(folder / kLibraryName);
    if (!facts || facts->version != version) continue;
    out.push_back(held_in(folder, std::move(*facts), false));
  }
  std::ranges::sort(out,
                    [](const auto& a, const auto& b) { return is_older(b.version, a.version); });
  return out;
}

Result<fs::path> HeldVersions::folder_of(std::string_view version) const {
  if (is_library_version(version)) {
    if (auto own = own_version(); own && *own == version) return own_;
    std::error_code error;
    const fs::path folder = kept_ / version;
    if (!kept_.empty() && fs::is_regular_file(folder / kLibraryName, error)) return folder;
  }
  return not_held("this service holds no version " + shown(version) +
                  " of the Android SDK; `touchmark sdk list` shows which it holds");
}

Result<Bytes> HeldVersions::library(std::string_view version) const {
  auto folder = version.empty() ? Result<fs::path>(own_) : folder_of(version);
  if (!folder) return pass(folder);
  auto content = read_file(*folder / kLibraryName, kMaxPart);
  if (!content && content.error().is(FileError::kNotFound)) {
    return not_held("this service holds no Android SDK: put " + (*folder / kLibraryName).string() +
                    " there, or start it with --sdk-dir");
  }
  return content;
}

Result<std::string> HeldVersions::metadata(const MavenFile& file) const {
  std::vector<std::string> versions;
  for (HeldVersion& held : list()) {
    auto folder = folder_of(held.version);
    if (folder && has_artifact(*folder, file.artifact)) versions.push_back(std::move(held.version));
  }
  if (versions.empty()) {
    return not_held("this service holds no " + std::string(artifact_name(file.artifact)) +
                    " with a version");
  }
  return make_maven_metadata(file.artifact, file.group, std::move(versions));
}

Result<std::string> HeldVersions::file(const MavenFile& file) const {
  if (file.checksum) {
    auto part = this->file({file.group, file.version, file.part, {}, file.artifact});
    if (!part) return pass(part);
    return make_checksum(*file.checksum, as_bytes(*part));
  }
  if (file.part == MavenPart::kMetadata) return metadata(file);
  auto folder = folder_of(file.version);
  if (!folder) return pass(folder);
  if (!has_artifact(*folder, file.artifact)) {
    return not_held("version " + file.version + " of the Android SDK came without " +
                    std::string(artifact_name(file.artifact)));
  }
  if (file.part == MavenPart::kPom) return make_pom(file.artifact, file.group, file.version);
  std::vector<Bytes> contents;
  std::vector<StoredPart> parts;
  contents.reserve(kStored.size());
  for (const Stored& stored : kStored) {
    if (stored.artifact != file.artifact) continue;
    if (file.part != MavenPart::kModule && file.part != stored.part) continue;
    auto content = read_part(*folder, stored.name);
    if (!content) return pass(content);
    if (!*content) continue;
    contents.push_back(std::move(**content));
    parts.push_back({stored.part, contents.back()});
  }
  if (file.part == MavenPart::kModule) {
    return make_gradle_module(file.artifact, file.group, file.version, parts);
  }
  if (!contents.empty()) return std::string(as_text(contents.front()));
  return not_held("version " + file.version + " of the Android SDK was made without this file");
}

Result<Bytes> HeldVersions::npm(const NpmFile& file) const {
  auto folder = folder_of(file.version);
  if (!folder) return pass(folder);
  auto content = read_file(*folder / npm_path(file), kMaxPart);
  if (!content && content.error().is(FileError::kNotFound)) {
    return not_held("version " + file.version + " of the SDK came without " +
                    npm_name(file.package));
  }
  return content;
}

Result<Bytes> HeldVersions::swift(const std::string& version) const {
  auto folder = folder_of(version);
  if (!folder) return pass(folder);
  auto content = read_file(*folder / swift_file_name(version), kMaxPart);
  if (!content && content.error().is(FileError::kNotFound)) {
    return not_held("version " + version + " of the SDK came without a package for Swift");
  }
  return content;
}

Result<void> HeldVersions::copy_own(const std::string& version, const fs::path& target) const {
  if (auto ok = make_folder(target); !ok) return ok;
  for (const fs::path& name : stored_files(version)) {
    auto content = read_part(own_, name);
    if (!content) return pass(content);
    if (!*content) continue;
    if (name.has_parent_path()) {
      if (auto ok = make_folder(target / name.parent_path()); !ok) return ok;
    }
    if (auto ok = write_file_atomic(target / name, **content, 0600); !ok) return ok;
  }
  return {};
}

Result<HeldVersions::Kept> HeldVersions::keep_own() const {
  auto version = own_version();
  if (!version) return pass(version);
  Kept out{.version = *version, .is_new = false, .removed = {}};
  if (auto ok = make_folder(kept_); !ok) return pass(ok);
  std::error_code error;
  // What an earlier start did not finish.
  for (const std::string& name : names_in(kept_)) {
    if (is_draft(name)) fs::remove_all(kept_ / name, error);
  }
  const fs::path folder = kept_ / *version;
  auto is_there = same_content(*version, own_, folder);
  if (!is_there) return pass(is_there);
  if (!*is_there) {
    const fs::path draft = kept_ / ("." + *version + ".tmp");
    const fs::path before = kept_ / ("." + *version + ".before.tmp");
    auto made = copy_own(*version, draft);
    if (made) {
      fs::rename(folder, before, error);  // when it is there
      fs::rename(draft, folder, error);
      if (error) made = fail(FileError::kIo, folder.string() + ": " + error.message());
    }
    std::error_code ignored;
    fs::remove_all(draft, ignored);
    fs::remove_all(before, ignored);
    if (!made) return pass(made);
    out.is_new = true;
  }
  std::vector<std::string> versions = kept_versions();
  for (std::size_t i = kMaxKept; i < versions.size(); ++i) {
    // A service that goes back to an old version hands that one out.
    if (versions[i] == *version) continue;
    fs::remove_all(kept_ / versions[i], error);
    if (!error) out.removed.push_back(std::move(versions[i]));
  }
  return out;
}

}  // namespace touchmark::verifier::sdk
