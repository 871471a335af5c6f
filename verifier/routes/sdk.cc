// The routes for the libraries that apps are built with.
#include "verifier/sdk/held_versions.h"

#include "base/file.h"
#include "verifier/http/problem.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

sdk::HeldVersions held_versions(const RouteContext& context) {
  return {context.settings.sdk_dir, context.settings.kept_sdks};
}

const char* media_type(const sdk::MavenFile& file) {
  if (file.checksum) return "text/plain";
  const bool is_aar = file.artifact == sdk::MavenArtifact::kSdk;
  switch (file.part) {
    case sdk::MavenPart::kMetadata:
    case sdk::MavenPart::kPom:
      return "application/xml";
    case sdk::MavenPart::kModule:
      return "application/json";
    case sdk::MavenPart::kSources:
    case sdk::MavenPart::kJavadoc:
      return "application/java-archive";
    case sdk::MavenPart::kLibrary:
      if (!is_aar) return "application/java-archive";
      break;
  }
  return "application/octet-stream";
}

Json to_json(const sdk::HeldVersion& held) {
  Json files = Json::array();
  for (const auto& [artifact, part, bytes] : held.parts) {
    const std::string path = sdk::maven_path({"group", held.version, part, {}, artifact});
    files.push_back({{"name", path.substr(path.rfind('/') + 1)}, {"bytes", bytes}});
  }
  Json npm = Json::array();
  for (const auto& [package, bytes] : held.npm) {
    npm.push_back({{"name", sdk::npm_name(package)},
                   {"file", sdk::npm_file_name({package, held.version})},
                   {"bytes", bytes}});
  }
  Json swift;
  if (held.swift_bytes) {
    swift = {{"file", sdk::swift_file_name(held.version)}, {"bytes", *held.swift_bytes}};
  }
  return {{"version", held.version}, {"own", held.is_own}, {"abis", held.abis},
          {"files", files},          {"npm", npm},         {"swift", swift}};
}

}  // namespace

http::HttpResponse list_sdk_versions(const RouteContext& context,
                                     const http::HttpRequest& /*request*/) {
  const auto held = held_versions(context);
  Json versions = Json::array();
  for (const sdk::HeldVersion& version : held.list()) versions.push_back(to_json(version));
  const auto own = held.own_version();
  return json_response(
      {{"versions", versions}, {"problem", own ? Json(nullptr) : Json(own.error().message())}});
}

http::HttpResponse send_android_sdk(const RouteContext& context, const http::HttpRequest& request) {
  const auto version = request.query.find("version");
  auto content =
      held_versions(context).library(version == request.query.end() ? "" : version->second);
  if (!content && content.error().is(sdk::SdkError::kNotHeld) && version == request.query.end()) {
    return problem(Error(http::HttpError::kNotFound, content.error().message()));
  }
  if (!content) return problem(content.error());
  return {200, "application/octet-stream", std::string(as_text(*content)), {}};
}

// What is not ours is not found, whatever it looks like: a build asks every repository for all that
// it needs, and goes on to the next one after a 404 alone.
http::HttpResponse send_maven_file(const RouteContext& context, const http::HttpRequest& request) {
  const auto file = sdk::parse_maven_path(request.argument);
  if (!file) {
    return problem(Error(http::HttpError::kNotFound,
                         "there is nothing at " + request.path +
                             ": this Maven repository has the artifacts " +
                             std::string(sdk::kArtifact) + " and " +
                             std::string(artifact_name(sdk::MavenArtifact::kCoroutines)) +
                             " of any group and the Gradle plugin " + std::string(sdk::kPluginId) +
                             ", and no other"));
  }
  auto content = held_versions(context).file(*file);
  if (!content) return problem(content.error());
  return {200, media_type(*file), std::move(*content), {}};
}

http::HttpResponse send_npm_package(const RouteContext& context, const http::HttpRequest& request) {
  const auto file = sdk::parse_npm_file_name(request.argument);
  if (!file) {
    return problem(Error(http::HttpError::kNotFound,
                         "there is nothing at " + request.path +
                             ": the names of the packages are those of GET /admin/v1/sdk"));
  }
  auto content = held_versions(context).npm(*file);
  if (!content) return problem(content.error());
  return {200, "application/octet-stream", std::string(as_text(*content)), {}};
}

http::HttpResponse send_swift_package(const RouteContext& context,
                                      const http::HttpRequest& request) {
  const auto version = sdk::parse_swift_file_name(request.argument);
  if (!version) {
    return problem(Error(http::HttpError::kNotFound,
                         "there is nothing at " + request.path +
                             ": the name of the package is that of GET /admin/v1/sdk"));
  }
  auto content = held_versions(context).swift(*version);
  if (!content) return problem(content.error());
  return {200, "application/zip", std::string(as_text(*content)), {}};
}

}  // namespace touchmark::verifier::routes
