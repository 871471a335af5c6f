// touchmark init URL --token TOKEN
#include <fmt/format.h>

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/profile.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxInputBytes = 64U << 10;
constexpr std::size_t kMaxCaBytes = 1U << 20;

struct InitOptions {
  std::string url;
  std::string token;
  std::string credentials;  // file
  std::string role;
  std::vector<std::string> pins;
  std::string ca_file;
};

// From the option, standard input ("-"), the environment, or the person at the terminal.
Result<std::string> find_token(const std::string& option, Session& session) {
  std::string token = option;
  if (option == "-") {
    auto input = session.console().read_input(kMaxInputBytes);
    if (!input) return pass(input);
    token = *input;
  } else if (option.empty()) {
    token = session.environment()("TOUCHMARK_TOKEN").value_or("");
    if (token.empty()) {
      token = session.console().ask("operator token:", io::Echo::kHide).value_or("");
    }
  }
  if (io::trim(token).empty()) {
    return fail(io::CliError::kUsage,
                "no operator token; give --token TOKEN, --token - with the token on standard "
                "input, or set TOUCHMARK_TOKEN");
  }
  return service::parse_operator_token(token);
}

Result<void> set_trust(const InitOptions& options, Session& session, service::Endpoint& endpoint) {
  std::vector<std::string> pins = options.pins;
  if (pins.empty() && options.ca_file.empty()) {
    if (auto pin = session.environment()("TOUCHMARK_PIN")) pins.push_back(*pin);
  }
  for (const std::string& text : pins) {
    auto pin = service::parse_pin(text);
    if (!pin) return pass(pin);
    endpoint.pins.push_back(*pin);
  }
  if (options.ca_file.empty()) return {};
  auto pem = read_file(options.ca_file, kMaxCaBytes);
  if (!pem) return pass(pem);
  // Only to refuse a file that holds no certificate now rather than at the next command.
  if (auto first = service::certificate_from_pem(as_text(*pem), options.ca_file); !first)
    return pass(first);
  endpoint.ca_pem = to_string(*pem);
  return {};
}

// The service's certificate is its own: nothing but the person here can say that it is the right
// one.
Result<std::string> ask_for_pin(const service::Endpoint& endpoint, Session& session) {
  const std::string domain = endpoint.url.substr(std::string_view("https://").size());
  auto certificate = session.server_certificate(domain);
  if (!certificate) return pass(certificate);
  if (!session.console().interactive()) {
    return fail(
        io::CliError::kUntrusted,
        fmt::format("the certificate of {} is not one this machine trusts ({}), and its pin "
                    "is {}",
                    endpoint.url, certificate->trust_problem, certificate->pin));
  }
  session.console().note(fmt::format(
      "The certificate of {} is not one this machine trusts ({}).\n  subject  {}\n  pin      {}\n"
      "`touchmark serve` printed the right pin when it first started.",
      endpoint.url, certificate->trust_problem, certificate->subject, certificate->pin));
  const std::string answer = io::lower(
      io::trim(session.console().ask("Is this the same pin? [y/N]", io::Echo::kShow).value_or("")));
  if (answer != "y" && answer != "yes") {
    return fail(io::CliError::kUntrusted, "nothing was stored: the pin was not confirmed");
  }
  return certificate->pin;
}

// What `touchmark serve` wrote for its operators, in place of --token and --pin.
Result<InitOptions> with_credentials(InitOptions options) {
  if (options.credentials.empty()) {
    if (options.role.empty()) return options;
    return fail(io::CliError::kUsage, "--role says which token of a --credentials file to take");
  }
  auto text = read_file(options.credentials, kMaxInputBytes);
  if (!text) return pass(text);
  const auto json = parse_json(as_text(*text));
  const auto member = [&](const std::string& name) {
    return json ? find_string(*json, name.c_str()).value_or("") : "";
  };
  options.token = member((options.role.empty() ? "admin" : options.role) + "_token");
  if (options.pins.empty() && options.ca_file.empty()) options.pins = {member("pin")};
  if (!options.token.empty() && (options.pins.empty() || !options.pins.front().empty())) {
    return options;
  }
  return fail(io::CliError::kUsage, options.credentials +
                                        " does not hold the tokens and the pin that `touchmark "
                                        "serve` writes");
}

Outcome init(InitOptions given, Session& session) {
  auto filled = with_credentials(std::move(given));
  if (!filled) return pass(filled);
  const InitOptions& options = *filled;
  auto url = service::normalize_url(options.url);
  if (!url) return pass(url);
  const std::string name = session.profile();
  if (auto path = service::profile_path(session.environment(), name); !path) return pass(path);
  service::Endpoint endpoint;
  endpoint.url = *url;
  if (auto trust = set_trust(options, session, endpoint); !trust) return pass(trust);
  auto token = find_token(options.token, session);
  if (!token) return pass(token);
  endpoint.token = *token;

  auto status = session.connect_to(endpoint).get("/admin/v1/status");
  if (!status && status.error().is(io::CliError::kUntrusted) && endpoint.pins.empty() &&
      endpoint.ca_pem.empty()) {
    auto pin = ask_for_pin(endpoint, session);
    if (!pin) return pass(pin);
    endpoint.pins = {*pin};
    status = session.connect_to(endpoint).get("/admin/v1/status");
  }
  if (!status) return pass(status);
  if (auto saved = service::save_profile(session.environment(), name, endpoint); !saved)
    return pass(saved);

  const std::string role = find_string(*status, "role").value_or("unknown");
  if (session.json()) {
    return print_json(session, {{"profile", name}, {"url", endpoint.url}, {"role", role}});
  }
  session.console().print(fmt::format("profile '{}' is set up for {} (role {}, service {})", name,
                                      endpoint.url, io::one_line(role),
                                      io::one_line(find_string(*status, "version").value_or("?"))));
  return io::kExitOk;
}

}  // namespace

void add_init_command(line::Command& app, Dispatcher& dispatcher) {
  auto options = std::make_shared<InitOptions>();
  line::Command* command =
      app.add_subcommand("init", "Store a service's address and your token in a profile");
  command->add_option("URL", options->url, "https://host:8443")->required();
  line::Option* token =
      command
          ->add_option("--token", options->token,
                       "Operator token that `touchmark serve` printed; - reads standard input "
                       "(default: TOUCHMARK_TOKEN, or asked for)")
          ->type_name("TOKEN");
  command
      ->add_option("--credentials", options->credentials,
                   "File of `touchmark serve` with token and pin, in place of both")
      ->type_name("FILE")
      ->excludes(token);
  command
      ->add_option("--role", options->role,
                   "Which token of that file: admin or developer (default: admin)")
      ->one_of({"admin", "developer"})
      ->type_name("ROLE");
  line::Option* pin =
      command
          ->add_option("--pin", options->pins,
                       "Pin of the service's key, for a self-signed certificate; repeatable")
          ->type_name("PIN")
          ->one_value_each();
  command
      ->add_option("--ca", options->ca_file,
                   "PEM file of the authority that signed its certificate")
      ->type_name("FILE")
      ->default_text("the system's authorities")
      ->excludes(pin);
  command->footer(
      "Without --pin and --ca the certificate must be one that this machine trusts; for any other "
      "its "
      "pin is shown and asked about.\n\nExample:\n  touchmark init https://localhost:8443 --token "
      "tmk_admin_... --pin 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n  touchmark init "
      "https://localhost:8443 --credentials touchmark-data/operator-tokens.json");
  dispatcher.on(command, [options](Session& s) { return init(*options, s); });
}

}  // namespace touchmark::cli::commands
