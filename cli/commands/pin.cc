// touchmark pin FILE|HOST[:PORT]
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/service/domain.h"

namespace touchmark::cli::commands {
namespace {

namespace fs = std::filesystem;

// A name that no host has, or that is there: a file.
bool is_file(const std::string& name) {
  std::error_code error;
  return fs::exists(name, error) || name.find('/') != std::string::npos ||
         !service::normalize_domain(name);
}

Outcome print_pin(const std::string& name, Session& session) {
  const bool from_file = is_file(name);
  auto read = [&]() -> Result<service::ServedCertificate> {
    if (from_file) return service::certificate_from_file(name);
    auto domain = service::normalize_domain(name);
    if (!domain) return pass(domain);
    return session.server_certificate(*domain);
  }();
  if (!read) return pass(read);
  if (session.json()) {
    return print_json(session, {{"pin", read->pin},
                                {"from", from_file ? "file" : "server"},
                                {"subject", read->subject},
                                {"trust_problem", read->trust_problem}});
  }
  session.console().print(read->pin);
  if (!read->subject.empty()) session.console().note("of " + read->subject);
  if (!read->trust_problem.empty()) {
    session.console().note("warning: this machine would not trust that certificate (" +
                           read->trust_problem + "); pin it only if it is yours");
  }
  return io::kExitOk;
}

}  // namespace

void add_pin_command(line::Command& app, Dispatcher& dispatcher) {
  auto name = std::make_shared<std::string>();
  line::Command* command =
      app.add_subcommand("pin", "Print the pin of a certificate, a key or a server");
  command
      ->add_option("SOURCE", *name,
                   "File or HOST[:PORT]: certificate, chain (its first), request (CSR), private or "
                   "public key, as PEM or "
                   "DER; or a server, whose certificate is read")
      ->required();
  command->footer(
      "A pin is the base64 of the SHA-256 of a public key (SubjectPublicKeyInfo): a new "
      "certificate "
      "for the\nsame key has the same one.\n\n"
      "Examples:\n"
      "  touchmark pin api.example.com\n"
      "  touchmark pin spare-key.pem");
  dispatcher.on(command, [name](Session& s) { return print_pin(*name, s); });
}

}  // namespace touchmark::cli::commands
