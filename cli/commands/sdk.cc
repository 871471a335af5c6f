// touchmark sdk library|config|list|repository|npm|swift
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "verifier/sdk/held_versions.h"

namespace touchmark::cli::commands {
namespace {

namespace fs = std::filesystem;
namespace sdk = verifier::sdk;

constexpr std::size_t kMaxLibrary = 256U << 20;
constexpr const char* kVersionsPath = "/admin/v1/sdk";
constexpr const char* kNpmPath = "/admin/v1/sdk/npm/";
constexpr const char* kSwiftPath = "/admin/v1/sdk/swift/";
constexpr const char* kMavenPath = "/admin/v1/sdk/maven/";

struct LibraryOptions {
  std::string file;
  std::string version;
};

struct ConfigOptions {
  std::string file;
  bool allow_local = false;
};

// Of what is downloaded into a folder under names of its own.
struct FolderOptions {
  std::string folder;
  std::string version;
};

struct RepositoryOptions {
  std::string folder;
  std::string group;
  std::string version;
  std::string sdk_dir;
};

// The parts of one version that are stored, beside the POMs and modules that every one has.
struct Offered {
  std::string version;
  std::vector<std::pair<sdk::MavenArtifact, sdk::MavenPart>> parts;

  std::set<sdk::MavenArtifact> artifacts() const {
    std::set<sdk::MavenArtifact> out{sdk::MavenArtifact::kSdk};  // or it is no version of it
    for (const auto& [artifact, part] : parts) out.insert(artifact);
    if (out.contains(sdk::MavenArtifact::kPlugin)) out.insert(sdk::MavenArtifact::kMarker);
    return out;
  }
};

// How many bytes it is.
Result<std::size_t> download(const std::string& path, std::size_t max_bytes,
                             const std::string& file, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto content = client->download(path, max_bytes, session.progress("downloading"));
  if (!content) return pass(content);
  // An app that had no assets until now has no folder for them; what goes wrong here, the write
  // tells.
  std::error_code ignored;
  fs::create_directories(fs::path(file).parent_path(), ignored);
  if (auto written = write_file_atomic(file, as_bytes(*content)); !written) return pass(written);
  return content->size();
}

// Of the four that phones and emulators have, those that are missing.
std::vector<std::string_view> missing_abis(const std::vector<std::string>& abis) {
  std::vector<std::string_view> out;
  for (const std::string_view abi : {"arm64-v8a", "armeabi-v7a", "x86", "x86_64"}) {
    if (std::ranges::find(abis, abi) == abis.end()) out.push_back(abi);
  }
  return out;
}

Outcome print_library(const std::string& file, std::size_t bytes, Session& session) {
  // What a service hands out that is not ours to read is the operator's own business.
  const auto facts = sdk::library_facts(file);
  const std::vector<std::string> abis = facts ? facts->abis : std::vector<std::string>();
  if (session.json()) {
    return print_json(session, {{"file", file},
                                {"bytes", bytes},
                                {"version", facts ? Json(facts->version) : Json()},
                                {"abis", abis}});
  }
  const std::string size = io::human_size(bytes);
  if (!facts) {
    session.console().print(fmt::format("wrote {} ({})", file, size));
    session.console().note("warning: " + io::one_line(facts.error().message()));
    return io::kExitOk;
  }
  session.console().print(
      fmt::format("wrote {} ({}): {} for {}", file, size, facts->version,
                  abis.empty() ? "no ABI" : fmt::format("{}", fmt::join(abis, ", "))));
  if (const auto missing = missing_abis(abis); !missing.empty()) {
    session.console().note(fmt::format(
        "warning: it has no library for {}: on such devices an app with it gets the status "
        "UNSUPPORTED_DEVICE, and no token{}",
        fmt::join(missing, ", "),
        missing.front() == "arm64-v8a"
            ? ". Most phones are arm64-v8a: `make android` builds the library for all ABIs"
            : ""));
  }
  return io::kExitOk;
}

// The artifact and part of a file's name; nothing for one of a later service that is not known
// here.
void note_part(const std::string& name, Offered& out) {
  for (const sdk::MavenArtifact artifact : sdk::kArtifacts) {
    const std::string group(sdk::artifact_group(artifact, "a.b"));
    std::string path = sdk::maven_path({group, out.version, sdk::MavenPart::kPom, {}, artifact});
    path.resize(path.rfind('/') + 1);
    const auto known = sdk::parse_maven_path(path + name);
    if (known && !known->checksum) out.parts.emplace_back(artifact, known->part);
  }
}

// What the service holds, the newest first. What it says is written into paths here.
Result<std::vector<Offered>> offered(const Json& answer) {
  std::vector<Offered> out;
  const Json* versions = find_array(answer, "versions");
  for (const Json& row : versions != nullptr ? *versions : Json::array()) {
    Offered one{find_string(row, "version").value_or(""), {}};
    if (!sdk::is_library_version(one.version)) {
      return fail(io::CliError::kBadAnswer, shown(one.version) + " is no version of an SDK");
    }
    const Json* files = find_array(row, "files");
    for (const Json& file : files != nullptr ? *files : Json::array()) {
      note_part(find_string(file, "name").value_or(""), one);
    }
    out.push_back(std::move(one));
  }
  return out;
}

Error no_version(const std::string& version) {
  return {io::CliError::kNotFound,
          "there is no version " + shown(version) +
              " of the SDK; `touchmark sdk list` shows which the service holds"};
}

Outcome fetch_library(const LibraryOptions& options, Session& session) {
  std::string path = "/admin/v1/sdk/android";
  if (!options.version.empty()) {
    // An older service would hand out its own, whatever it is asked for.
    auto client = session.connect();
    if (!client) return pass(client);
    auto answer = client->get(kVersionsPath);
    if (!answer) return pass(answer);
    auto held = offered(*answer);
    if (!held) return pass(held);
    if (std::ranges::find(*held, options.version, &Offered::version) == held->end()) {
      return tl::unexpected(no_version(options.version));
    }
    path += "?version=" + service::path_segment(options.version);
  }
  const auto bytes = download(path, kMaxLibrary, options.file, session);
  if (!bytes) return pass(bytes);
  return print_library(options.file, *bytes, session);
}

Outcome fetch_config(const ConfigOptions& options, Session& session) {
  const std::string path =
      std::string("/admin/v1/config") + (options.allow_local ? "?allow_local=1" : "");
  const auto bytes = download(path, 1U << 20, options.file, session);
  if (!bytes) return pass(bytes);
  if (session.json()) return print_json(session, {{"file", options.file}, {"bytes", *bytes}});
  session.console().print(fmt::format("wrote {} ({})", options.file, io::human_size(*bytes)));
  return io::kExitOk;
}

std::string abis_cell(const Json& row) {
  const Json* abis = find_array(row, "abis");
  std::string cell;
  for (const Json& abi : abis != nullptr ? *abis : Json::array()) {
    if (abi.is_string()) cell += (cell.empty() ? "" : " ") + io::one_line(abi.get<std::string>());
  }
  return cell.empty() ? "none" : cell;
}

std::string size_cell(const Json& row) {
  std::int64_t bytes = 0;
  const Json* files = find_array(row, "files");
  for (const Json& file : files != nullptr ? *files : Json::array()) {
    const auto name = find_string(file, "name").value_or("");
    if (name.ends_with(".aar")) bytes = get_int(file, "bytes", 0, INT64_MAX).value_or(0);
  }
  return io::human_size(static_cast<std::uint64_t>(bytes));
}

// What there is beside the Android library.
std::string packages_cell(const Json& row) {
  const Json* npm = find_array(row, "npm");
  std::string cell = npm != nullptr && !npm->empty() ? "npm" : "";
  if (find_object(row, "swift") != nullptr) cell += cell.empty() ? "Swift" : " Swift";
  return cell.empty() ? "none" : cell;
}

Outcome list_versions(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kVersionsPath);
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  std::vector<std::vector<std::string>> rows{{"version", "library", "ABIs", "packages", "origin"}};
  const Json* versions = find_array(*answer, "versions");
  for (const Json& row : versions != nullptr ? *versions : Json::array()) {
    const auto own = row.find("own");
    const bool is_own = own != row.end() && *own == Json(true);
    rows.push_back({io::one_line(find_string(row, "version").value_or("")), size_cell(row),
                    abis_cell(row), packages_cell(row), is_own ? "this service's own" : "kept"});
  }
  if (rows.size() > 1) {
    session.console().print(io::table(rows));
  } else {
    session.console().print("no versions");
  }
  if (const auto problem = find_string(*answer, "problem")) {
    session.console().note("warning: " + io::one_line(*problem));
  }
  return io::kExitOk;
}

Result<void> write_file(const fs::path& folder, sdk::MavenFile file, std::string_view content) {
  const fs::path path = folder / sdk::maven_path(file);
  std::error_code ignored;  // the write tells
  fs::create_directories(path.parent_path(), ignored);
  if (auto ok = write_file_atomic(path, as_bytes(content)); !ok) return ok;
  for (const auto& [algorithm, suffix] : sdk::kChecksums) {
    file.checksum = algorithm;
    const std::string digest = sdk::make_checksum(algorithm, as_bytes(content));
    if (auto ok = write_file_atomic(folder / sdk::maven_path(file), as_bytes(digest)); !ok) {
      return ok;
    }
  }
  return {};
}

sdk::MavenFile file_of(const RepositoryOptions& options, const std::string& version,
                       sdk::MavenArtifact artifact, sdk::MavenPart part) {
  return {std::string(sdk::artifact_group(artifact, options.group)), version, part, {}, artifact};
}

// Those that the folder has now, from earlier times, too.
Result<void> write_metadata(const RepositoryOptions& options, sdk::MavenArtifact of) {
  const sdk::MavenFile metadata = file_of(options, "", of, sdk::MavenPart::kMetadata);
  std::vector<std::string> versions;
  std::error_code error;
  const fs::path artifact = (options.folder / fs::path(sdk::maven_path(metadata))).parent_path();
  for (fs::directory_iterator at(artifact, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    std::error_code none;
    if (sdk::is_library_version(name) &&
        fs::exists(options.folder /
                       fs::path(sdk::maven_path(file_of(options, name, of, sdk::MavenPart::kPom))),
                   none)) {
      versions.push_back(std::move(name));
    }
  }
  return write_file(options.folder, metadata,
                    sdk::make_maven_metadata(of, options.group, std::move(versions)));
}

// The names of its files that are packages of this version; nothing for those of a later service
// that are not known here.
std::vector<std::string> npm_files(const Json& row, const std::string& version) {
  std::vector<std::string> out;
  const Json* packages = find_array(row, "npm");
  for (const Json& package : packages != nullptr ? *packages : Json::array()) {
    std::string name = find_string(package, "file").value_or("");
    const auto known = sdk::parse_npm_file_name(name);
    if (known && known->version == version) out.push_back(std::move(name));
  }
  return out;
}

// The row of this version, or of the service's own.
Result<Json> row_of(const Json& answer, const std::string& version) {
  const Json* versions = find_array(answer, "versions");
  for (const Json& row : versions != nullptr ? *versions : Json::array()) {
    const auto own = row.find("own");
    const bool wanted = version.empty() ? own != row.end() && *own == Json(true)
                                        : find_string(row, "version") == version;
    if (wanted) return row;
  }
  if (!version.empty()) return tl::unexpected(no_version(version));
  return fail(io::CliError::kNotFound,
              "this service holds no SDK of its own: " +
                  io::one_line(find_string(answer, "problem").value_or("it says not why")));
}

Outcome fetch_npm(const FolderOptions& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kVersionsPath);
  if (!answer) return pass(answer);
  auto row = row_of(*answer, options.version);
  if (!row) return pass(row);
  const std::string version = find_string(*row, "version").value_or("");
  const std::vector<std::string> names = npm_files(*row, version);
  if (names.empty()) {
    return fail(io::CliError::kNotFound,
                "version " + shown(version) + " of the SDK came without packages for JavaScript");
  }
  Json files = Json::array();
  for (const std::string& name : names) {
    const std::string file = (fs::path(options.folder) / name).string();
    const auto bytes = download(kNpmPath + service::path_segment(name), kMaxLibrary, file, session);
    if (!bytes) return pass(bytes);
    const auto package = sdk::npm_name(sdk::parse_npm_file_name(name)->package);
    files.push_back({{"name", package}, {"file", file}, {"bytes", *bytes}});
    if (session.json()) continue;
    session.console().print(
        fmt::format("wrote {} ({}): {} {}", file, io::human_size(*bytes), package, version));
  }
  if (!session.json()) return io::kExitOk;
  return print_json(session, {{"folder", options.folder}, {"version", version}, {"files", files}});
}

Outcome fetch_swift(const FolderOptions& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kVersionsPath);
  if (!answer) return pass(answer);
  auto row = row_of(*answer, options.version);
  if (!row) return pass(row);
  const std::string version = find_string(*row, "version").value_or("");
  const Json* package = find_object(*row, "swift");
  const std::string name = package == nullptr ? "" : find_string(*package, "file").value_or("");
  // What the service says is written into a path here.
  if (sdk::parse_swift_file_name(name) != version) {
    return fail(io::CliError::kNotFound,
                "version " + shown(version) + " of the SDK came without a package for Swift");
  }
  const std::string file = (fs::path(options.folder) / name).string();
  const auto bytes = download(kSwiftPath + service::path_segment(name), kMaxLibrary, file, session);
  if (!bytes) return pass(bytes);
  if (session.json()) {
    return print_json(session, {{"file", file}, {"bytes", *bytes}, {"version", version}});
  }
  session.console().print(
      fmt::format("wrote {} ({}): Touchmark {} for Swift", file, io::human_size(*bytes), version));
  return io::kExitOk;
}

using Fetch = std::function<Result<std::string>(const sdk::MavenFile&)>;

Outcome write_repository(const RepositoryOptions& options, std::vector<Offered> versions,
                         const Fetch& fetch, Session& session) {
  if (!options.version.empty()) {
    std::erase_if(versions, [&](const Offered& one) { return one.version != options.version; });
    if (versions.empty()) return tl::unexpected(no_version(options.version));
  }
  Json written = Json::array();
  std::string text;
  std::set<sdk::MavenArtifact> artifacts;
  for (Offered& one : versions) {
    for (const sdk::MavenArtifact artifact : one.artifacts()) {
      artifacts.insert(artifact);
      const bool is_marker = artifact == sdk::MavenArtifact::kMarker;
      if (!is_marker) one.parts.emplace_back(artifact, sdk::MavenPart::kModule);
      one.parts.emplace_back(artifact, sdk::MavenPart::kPom);  // last: what has none is no version
      if (is_marker) continue;
      text += fmt::format("{}{}:{}:{} is in {}", text.empty() ? "" : "\n",
                          sdk::artifact_group(artifact, options.group),
                          sdk::artifact_name(artifact), one.version, options.folder);
    }
    for (const auto& [artifact, part] : one.parts) {
      const sdk::MavenFile file = file_of(options, one.version, artifact, part);
      auto content = fetch(file);
      if (!content) return pass(content);
      if (auto ok = write_file(options.folder, file, *content); !ok) return pass(ok);
    }
    written.push_back(one.version);
  }
  for (const sdk::MavenArtifact artifact : artifacts) {
    if (auto ok = write_metadata(options, artifact); !ok) return pass(ok);
  }
  if (session.json()) {
    return print_json(session, {{"folder", options.folder},
                                {"group", options.group},
                                {"artifact", sdk::kArtifact},
                                {"versions", written}});
  }
  session.console().print(text);
  return io::kExitOk;
}

Outcome make_repository_of_folder(const RepositoryOptions& options, Session& session) {
  const sdk::HeldVersions held(options.sdk_dir, {});
  if (auto version = held.own_version(); !version) return pass(version);
  std::vector<Offered> versions;
  for (const sdk::HeldVersion& one : held.list()) {
    versions.push_back({one.version, {}});
    for (const sdk::HeldPart& held_part : one.parts) {
      versions.back().parts.emplace_back(held_part.artifact, held_part.part);
    }
  }
  return write_repository(
      options, std::move(versions), [&](const sdk::MavenFile& file) { return held.file(file); },
      session);
}

Outcome make_repository(const RepositoryOptions& options, Session& session) {
  if (!sdk::is_maven_group(options.group)) {
    return fail(io::CliError::kUsage, "--group: " + sdk::bad_group(options.group));
  }
  if (!options.sdk_dir.empty()) return make_repository_of_folder(options, session);
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kVersionsPath);
  if (!answer) return pass(answer);
  auto versions = offered(*answer);
  if (!versions) return pass(versions);
  if (versions->empty()) {
    return fail(io::CliError::kNotFound,
                "this service holds no Android SDK: " +
                    io::one_line(find_string(*answer, "problem").value_or("it says not why")));
  }
  const auto fetch = [&](const sdk::MavenFile& file) {
    return client->download(kMavenPath + sdk::maven_path(file), kMaxLibrary,
                            session.progress("downloading"));
  };
  return write_repository(options, std::move(*versions), fetch, session);
}

// A script whose variable is empty means some version, and not the newest.
line::Option* add_version(line::Command& command, std::string& version, const char* otherwise) {
  return command
      .add_option("--version", version,
                  "The version to take, of those that `touchmark sdk list` shows")
      ->type_name("VERSION")
      ->default_text(otherwise);
}

Result<void> check_version(const line::Option& option, const std::string& version) {
  if (!option.given() || !version.empty()) return {};
  return fail(io::CliError::kUsage, "--version names no version");
}

void add_library(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<LibraryOptions>();
  line::Command* command =
      group.add_subcommand("library", "Download the Android library, to put into the app");
  command
      ->add_option("FILE", options->file, "Where to write it, such as app/libs/touchmark_sdk.aar")
      ->required();
  const line::Option* version = add_version(*command, options->version, "the service's own");
  dispatcher.on(command, [options, version](Session& s) -> Outcome {
    if (auto ok = check_version(*version, options->version); !ok) return pass(ok);
    return fetch_library(*options, s);
  });
}

void add_config(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<ConfigOptions>();
  line::Command* command =
      group.add_subcommand("config", "Download the initial configuration, an asset of the app");
  command
      ->add_option("FILE", options->file,
                   "Where to write it, such as app/src/main/assets/touchmark-initial.config")
      ->required();
  command->add_flag("--allow-local", options->allow_local,
                    "Take a configuration with a URL that phones do not reach: for apps on this "
                    "machine or network alone");
  command->footer(
      "An app finds the service by the URLs in its configuration, and a released app that cannot "
      "reach them gets no other. So they must be said (`touchmark serve --public-url`) and "
      "public.");
  dispatcher.on(command, [options](Session& s) { return fetch_config(*options, s); });
}

void add_list(line::Command& group, Dispatcher& dispatcher) {
  line::Command* command =
      group.add_subcommand("list", "Show the versions of the SDK that there are");
  command->footer(
      "The service's own version comes with its package. Those of before are kept in its data "
      "folder, the newest 20, so that an app that was built with one can be built again.");
  dispatcher.on(command, list_versions);
}

void add_repository(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<RepositoryOptions>();
  line::Command* command = group.add_subcommand(
      "repository", "Write a Maven repository of the Android library and its Gradle plugin");
  command->add_option("FOLDER", options->folder, "Where to make it; one that is there is added to")
      ->required();
  command
      ->add_option("--group", options->group,
                   "The Maven group: a domain that you hold, backwards, such as "
                   "com.example.mobile")
      ->type_name("GROUP")
      ->required();
  const line::Option* version = add_version(*command, options->version, "all of them");
  command->add_option("--sdk-dir", options->sdk_dir, "Take the library in this folder")
      ->type_name("FOLDER")
      ->default_text("ask the service");
  command->footer(
      "The service hands out the same files at /admin/v1/sdk/maven; docs/integrate-android.md says "
      "how Gradle takes either.\n\n"
      "Example:\n"
      "  touchmark sdk repository touchmark-repository --group com.example.mobile");
  dispatcher.on(command, [options, version](Session& s) -> Outcome {
    if (auto ok = check_version(*version, options->version); !ok) return pass(ok);
    return make_repository(*options, s);
  });
}

// What npm and swift have in common: a folder, a version of the service's, and what `fetch` puts
// there.
struct FolderCommand {
  const char* name;
  const char* does;
  const char* folder;
  const char* footer;
  Outcome (*fetch)(const FolderOptions& options, Session& session);
};

void add_folder_command(line::Command& group, Dispatcher& dispatcher, const FolderCommand& about) {
  auto options = std::make_shared<FolderOptions>();
  line::Command* command = group.add_subcommand(about.name, about.does);
  command->add_option("FOLDER", options->folder, about.folder)->required();
  const line::Option* version = add_version(*command, options->version, "the service's own");
  command->footer(about.footer);
  dispatcher.on(command, [options, version, fetch = about.fetch](Session& s) -> Outcome {
    if (auto ok = check_version(*version, options->version); !ok) return pass(ok);
    return fetch(*options, s);
  });
}

constexpr FolderCommand kNpm{
    .name = "npm",
    .does = "Download the packages for React Native, Cordova and Capacitor",
    .folder = "Where to write them",
    .footer =
        "Install them from where they are: their names are no one's in a registry. "
        "docs/integrate-javascript.md says how.\n\n"
        "Example:\n"
        "  touchmark sdk npm packages",
    .fetch = fetch_npm};

constexpr FolderCommand kSwift{
    .name = "swift",
    .does = "Download the package for Swift and Objective-C, for iOS",
    .folder = "Where to write its archive",
    .footer =
        "Unpack the archive beside the app: it is a Swift package and a pod. "
        "docs/integrate-ios.md says what to do with it on a Mac.\n\n"
        "Example:\n"
        "  touchmark sdk swift packages",
    .fetch = fetch_swift};

}  // namespace

void add_sdk_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "sdk", "Download what goes into the app");
  add_library(*group, dispatcher);
  add_config(*group, dispatcher);
  add_list(*group, dispatcher);
  add_repository(*group, dispatcher);
  add_folder_command(*group, dispatcher, kNpm);
  add_folder_command(*group, dispatcher, kSwift);
}

}  // namespace touchmark::cli::commands
