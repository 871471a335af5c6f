// touchmark registration add-certificate
#include "cli/commands/registration/certificate.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "cli/commands/commands.h"
#include "cli/commands/package/app_options.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/signing_certificate.h"
#include "crypto/crypto.h"

namespace touchmark::cli::commands {
namespace {

struct CertificateOptions {
  std::string file;
  std::string package;
  bool development = false;
  std::string expire_after;
  std::string original;
};

Outcome add(const CertificateOptions& options, Session& session) {
  Json body{{"development", options.development}};
  if (!options.package.empty()) body["package"] = options.package;
  if (!options.expire_after.empty()) {
    const auto lifetime = parse_duration(options.expire_after);
    if (!lifetime) return pass(lifetime);
    body["expire_after"] = lifetime->count();
  }
  const auto certificates = service::signing_certificates(options.file);
  if (!certificates) return pass(certificates);
  if (!options.original.empty()) {
    const auto first = service::first_certificate(options.original);
    if (!first) return pass(first);
    body["first_certificate"] = base64_encode(*first);
  } else if (certificates->first) {
    body["first_certificate"] = base64_encode(*certificates->first);
  }
  auto client = session.connect();
  if (!client) return pass(client);
  Json added = Json::array();
  for (const Bytes& certificate : certificates->signers) {
    body["certificate"] = base64_encode(certificate);
    const auto answer = client->post(kCertificatesPath, body);
    if (!answer) return pass(answer);
    added.push_back(*answer);
    if (session.json()) continue;
    session.console().print(
        fmt::format("registered {} {}", find_string(*answer, "id").value_or("?"),
                    io::one_line(find_string(*answer, "subject").value_or("?"))));
  }
  if (session.json()) return print_json(session, {{"certificates", added}});
  session.console().note(
      "its releases count without being registered one by one as far as the policy lets "
      "app.by-certificate pass");
  return io::kExitOk;
}

}  // namespace

void add_certificate_command(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<CertificateOptions>();
  line::Command* app = group.add_subcommand(
      "add-certificate", "Register a signing certificate, for all the releases it signs");
  app->add_option("FILE", options->file,
                  "The certificate (PEM or DER), or a package that it signed")
      ->required();
  app->add_option("--package", options->package, "Only for the app of this name")
      ->type_name("NAME")
      ->default_text("any app");
  add_original_certificate_option(*app, options->original);
  app->add_flag("--development", options->development,
                "Mark it as the development team's: app.development is found in what it signs");
  app->add_option("--expire-after", options->expire_after,
                  "How long the registration lasts: 12h, 30d (default: forever)")
      ->type_name("DURATION");
  app->footer(
      "An app that no registration knows and whose signers all are registered has the finding\n"
      "app.by-certificate; the policy says what that is worth. The signers of an app are its own\n"
      "word unless hardware evidence vouches for them: docs/threat-model.md.");
  dispatcher.on(app, [options](Session& s) { return add(*options, s); });
}

}  // namespace touchmark::cli::commands
