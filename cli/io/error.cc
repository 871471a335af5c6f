#include "cli/io/error.h"

#include <array>
#include <unordered_map>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/source.h"
#include "cli/io/text.h"
#include "formats/plist/plist.h"
#include "formats/protobuf_wire.h"
#include "formats/zip/zip.h"
#include "package/android/arsc.h"
#include "package/android/axml.h"
#include "package/android/manifest.h"
#include "package/android/signature/error.h"
#include "package/android/splits.h"
#include "package/android/string_pool.h"
#include "package/bundle/bundle.h"
#include "package/ios/code_signature.h"
#include "package/ios/ipa.h"
#include "package/ios/mach_o.h"
#include "package/model/match.h"
#include "package/package.h"
#include "pki/cms.h"
#include "protocol/arc.h"

namespace touchmark::cli::io {

std::string_view error_id(CliError error) {
  using enum CliError;
  static constexpr auto kIds = error_table<CliError>({
      {kUsage, "cli.usage"},
      {kUnreadableFile, "cli.unreadable-file"},
      {kNotConfigured, "cli.not-configured"},
      {kBadProfile, "cli.bad-profile"},
      {kNoSuchProfile, "cli.no-such-profile"},
      {kUnreachable, "cli.unreachable"},
      {kTimeout, "cli.timeout"},
      {kUntrusted, "cli.untrusted-certificate"},
      {kPinMismatch, "cli.pin-mismatch"},
      {kNoTls, "cli.no-tls"},
      {kNoLiveCertificate, "cli.no-live-certificate"},
      {kUnauthorized, "cli.unauthorized"},
      {kForbidden, "cli.forbidden"},
      {kNotFound, "cli.not-found"},
      {kNotOffered, "cli.not-offered"},
      {kTooLarge, "cli.too-large"},
      {kRefusedPackage, "cli.refused-package"},
      {kConflict, "cli.conflict"},
      {kOtherLifetime, "cli.registration-conflict"},
      {kOtherService, "cli.other-service"},
      {kServiceNoSpace, "cli.service-no-space"},
      {kRefusedRequest, "cli.refused-request"},
      {kServiceFailed, "cli.service-failed"},
      {kServiceBusy, "cli.service-busy"},
      {kBadAnswer, "cli.bad-answer"},
      {kOtherMeasurement, "cli.other-measurement"},
      {kBadPin, "cli.bad-pin"},
      {kBadCertificate, "cli.bad-certificate"},
      {kBadPolicy, "cli.bad-policy"},
      {kBadFacts, "cli.bad-facts"},
      {kBadSecret, "cli.bad-secret"},
      {kBadKey, "cli.bad-key"},
      {kNotConfirmed, "cli.not-confirmed"},
      {kLocalUrl, "cli.local-url"},
  });
  return kIds[error];
}

namespace {

constexpr std::string_view kPackageHint =
    "give the APK exactly as the build signed it; `touchmark package --help` lists ways to look "
    "inside";

struct Row {
  std::string_view id;
  Failure failure;
};

// Failures that have a meaning of their own.
constexpr auto kRows = std::to_array<Row>({
    {"cli.usage", {kExitUsage, ""}},
    {"cli.unreadable-file", {kExitUsage, "check the path and its permissions"}},
    {"cli.not-configured",
     {kExitNotConfigured,
      "run `touchmark init URL`, which asks for your token, or set TOUCHMARK_URL and "
      "TOUCHMARK_TOKEN"}},
    {"cli.bad-profile", {kExitNotConfigured, "run `touchmark init` again to replace it"}},
    {"cli.no-such-profile", {kExitNotFound, "run `touchmark init URL --profile NAME` to make it"}},
    {"cli.unreachable",
     {kExitUnreachable, "check that `touchmark serve` runs there and that the address is right"}},
    {"cli.timeout", {kExitUnreachable, "try again, or give it longer with --timeout SECONDS"}},
    {"cli.untrusted-certificate",
     {kExitUnreachable,
      "run `touchmark init` with the --pin that `touchmark serve` printed, or with --ca FILE"}},
    {"cli.pin-mismatch",
     {kExitUnreachable,
      "someone may be in between; if the service's key was changed on purpose, run `touchmark "
      "init` "
      "again with its new --pin"}},
    {"cli.no-tls", {kExitUnreachable, "check the port: the service speaks HTTPS only"}},
    {"cli.no-live-certificate",
     {kExitUnreachable, "check that the server runs, or give --from-file or --pin"}},
    {"cli.unauthorized",
     {kExitUnauthorized,
      "run `touchmark init` again with a token that is in force; an admin makes one with "
      "`touchmark operator add`"}},
    {"cli.forbidden",
     {kExitUnauthorized,
      "use a profile whose operator may (--profile NAME); `touchmark whoami` says who you are"}},
    {"cli.not-found", {kExitNotFound, "the matching `list` command shows what there is"}},
    {"cli.not-offered", {kExitNotFound, "whoever runs the service can change that"}},
    {"cli.too-large", {kExitNo, "a package may have at most 2 GiB"}},
    {"cli.refused-package", {kExitNo, kPackageHint}},
    {"cli.conflict", {kExitNo, "look at the present state, and try again"}},
    {"cli.registration-conflict",
     {kExitNo, "if that is meant, give --replace; else give the same --expire-after or none"}},
    {"cli.other-service",
     {kExitNo,
      "put what `touchmark sdk config` writes into the app's assets and build it again, or "
      "register "
      "it nevertheless with --other-service"}},
    {"cli.bad-policy", {kExitNo, "`touchmark policy check` lists what is wrong with it"}},
    {"cli.bad-facts", {kExitUsage, "docs/policy.md describes the facts"}},
    {"cli.service-no-space", {kExitNoSpace, "free space on the disk of the service's data folder"}},
    {"cli.refused-request", {kExitUsage, "see --help; is this command as new as the service?"}},
    {"cli.service-failed", {kExitService, "the service's log says why"}},
    {"cli.service-busy", {kExitService, "try again in a few seconds"}},
    {"cli.bad-answer", {kExitService, "check that the address is that of a Touchmark service"}},
    {"cli.other-measurement",
     {kExitService,
      "if the file was changed meanwhile, `touchmark registration remove` undoes it"}},
    {"cli.bad-pin",
     {kExitUsage, "a pin is the padded base64 of the SHA-256 of a public key (44 characters)"}},
    {"cli.bad-certificate",
     {kExitUsage, "give a certificate, chain, request or key, as PEM or DER"}},
    {"cli.bad-secret", {kExitUsage, "make the file with `touchmark secret get --format json`"}},
    {"cli.bad-key",
     {kExitUsage, "`touchmark evidence verify --help` lists what a key file may hold"}},
    {"cli.not-confirmed", {kExitNo, ""}},
    {"cli.local-url",
     {kExitNo,
      "start the service with --public-url https://HOST, as phones reach it; --allow-local is for "
      "apps that run on this machine or network alone"}},
    {"console.no-space", {kExitNoSpace, "free some space, or write elsewhere"}},
    {"console.closed", {kExitUsage, "check where the output goes"}},
    {"console.too-long", {kExitUsage, "give the one thing that was asked for"}},
    {"file.no-space", {kExitNoSpace, "free some space, or write elsewhere"}},
    {"sdk.not-held",
     {kExitNotFound, "attester/android/build-aar makes it, and --sdk-dir names it"}},
    {"sdk.no-version", {kExitNo, "put the library that attester/android/build-aar made there"}},
    {"time.bad-duration", {kExitUsage, "write it like 600s, 4h30m, 10.5h, 30d or 1w"}},
    {"time.duration-range", {kExitUsage, "say one within these bounds"}},
    {"time.bad-time", {kExitUsage, "write it with its zone, or leave the option out for now"}},
    {"file.not-found", {kExitUsage, "check the path"}},
    {"file.exists", {kExitUsage, "take what you need out of it and remove it, or name another"}},
    // `touchmark backup` and `touchmark restore`.
    {"backup.not-a-backup", {kExitNo, "give a file that `touchmark backup` wrote"}},
    {"backup.other-key",
     {kExitNo, "name the master key of the service that made it with --master-key FILE"}},
    {"backup.broken", {kExitNo, "nothing was restored; take another copy of the backup"}},
    {"backup.malformed", {kExitNo, "restore it with the Touchmark version that made it"}},
    {"backup-folder.no-service", {kExitStore, "name the data folder of the service with --data"}},
    {"backup-folder.not-empty", {kExitStore, "name a new folder with --data"}},
    {"backup-folder.incomplete", {kExitNo, "nothing was restored; take another backup"}},
    {"backup-folder.file-exists", {kExitUsage, "choose another name, or replace it with --force"}},
    {"data-folder.in-use",
     {kExitStore, "leave --data out to ask the running service, or stop it first"}},
    {"data-folder.unusable", {kExitStore, "choose a folder that this user can write with --data"}},
    {"data-folder.not-touchmarks", {kExitStore, "choose an empty folder with --data"}},
    {"data-folder.not-private",
     {kExitStore, "run it as the user that the folder belongs to, or name another with --data"}},
    {"data-folder.master-key-missing",
     {kExitStore, "name the master key's file with --master-key"}},
    {"data-folder.master-key-bad", {kExitStore, "name another one with --master-key"}},
    {"crypto.seal-broken", {kExitStore, "name the master key's file with --master-key"}},
    {"store.no-space", {kExitNoSpace, "free some space, or write elsewhere"}},
    {"store.too-new", {kExitStore, "use the Touchmark version that wrote it, or a newer one"}},
    {"store.corrupt", {kExitStore, "take another backup, or the folder as it is"}},
});

using Failures = std::unordered_map<std::string_view, Failure>;

// Gives every failure of the enums `E` the same meaning, where it has none yet.
template <ErrorEnum... E>
void add(Failures& failures, Failure failure) {
  const auto add_enum = [&]<class One>(One) {
    for (int code = 0;; ++code) {
      const std::string_view id = error_id(static_cast<One>(code));
      if (id == kUnknownError) break;
      failures.try_emplace(id, failure);
    }
  };
  (add_enum(E{}), ...);
}

Failures make_failures() {
  Failures out;
  for (const Row& row : kRows) out.emplace(row.id, row.failure);
  add<FileError, SourceError>(out, {kExitUsage, "check the path and its permissions"});
  add<protocol::ArcError>(out, {kExitUsage, "copy the whole code, letters and digits only"});
  // A refusal by one of a package's readers is the answer "no".
  add<BudgetError, zip::ZipError, plist::PlistError, protobuf::ProtoError>(out,
                                                                           {kExitNo, kPackageHint});
  add<package::MatchError, package::MeasurementError, package::PackageError>(
      out, {kExitNo, kPackageHint});
  add<package::android::ArscError, package::android::AxmlError, package::android::ManifestError,
      package::android::SplitError, package::android::StringPoolError,
      package::signature::SignatureError>(out, {kExitNo, kPackageHint});
  add<package::bundle::BundleError, package::ios::CodeSignatureError, package::ios::IpaError,
      package::ios::MachOError>(out, {kExitNo, kPackageHint});
  // Signatures and certificates of evidence, or within an iOS app.
  add<pki::CmsError, pki::SignatureError>(out, {kExitNo, ""});
  return out;
}

}  // namespace

Failure classify(const Error& error) {
  static const Failures failures = make_failures();
  const auto found = failures.find(error.id());
  return found != failures.end() ? found->second : Failure{kExitService, ""};
}

std::string describe(const Error& error) {
  std::string line = "touchmark: " + one_line(error.message());
  // The ids of other modules name the exact check that failed; those of this one add nothing to the
  // message.
  if (!error.id().starts_with("cli.")) line += " (" + error.id() + ")";
  const Failure failure = classify(error);
  if (!failure.hint.empty()) line.append("; ").append(failure.hint);
  return line;
}

std::string describe_json(const Error& error) {
  const Failure failure = classify(error);
  const Json json{
      {"error",
       {{"id", error.id()}, {"message", error.message()}, {"hint", std::string(failure.hint)}}},
      {"exit_code", static_cast<int>(failure.exit_code)}};
  return json_line(json);
}

}  // namespace touchmark::cli::io
