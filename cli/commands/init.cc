// touchmark init URL
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
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
  std::string token_file;
  std::string credentials;  // file
  std::string role;
  std::vector<std::string> pins;
  std::string ca_file;
};

// The token of the same service in the same profile, for a new pin or authority of it.
std::string stored_token(const InitOptions& options, const std::string& url, Session& session) {
  if (options.pins.empty() && options.ca_file.empty()) return {};
  const auto stored = service::load_profile(session.environment(), session.profile());
  return stored && stored->url == url ? stored->token : std::string();
}

// From the options, a file or standard input ("-"), the environment, the profile that is there, or
// the person at the terminal.
Result<std::string> find_token(const InitOptions& options, const std::string& url,
                               Session& session) {
  std::string token = options.token;
  if (token == "-" || options.token_file == "-") {
    auto input = session.console().read_input(kMaxInputBytes);
    if (!input) return pass(input);
    token = *input;
  } else if (!options.token_file.empty()) {
    auto text = read_file(options.token_file, kMaxInputBytes);
    if (!text) return pass(text);
    token = as_text(*text);
  } else if (token.empty()) {
    token = session.environment()("TOUCHMARK_TOKEN").value_or("");
    if (token.empty()) token = stored_token(options, url, session);
    if (token.empty()) {
      token = session.console().ask("operator token:", io::Echo::kHide).value_or("");
    }
  }
  if (io::trim(token).empty()) {
    return fail(io::CliError::kUsage,
                "no operator token; give --token-file FILE, or - for standard input, set "
                "TOUCHMARK_TOKEN, or run this at a terminal, which asks for it");
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
  const std::string answer = lower(
      io::trim(session.console().ask("Is this the same pin? [y/N]", io::Echo::kShow).value_or("")));
  if (answer != "y" && answer != "yes") {
    return fail(io::CliError::kUntrusted, "nothing was stored: the pin was not confirmed");
  }
  return certificate->pin;
}

// What `touchmark serve` or `touchmark operator add` wrote for its operators, in place of token and
// pin.
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
  options.token = member("token");
  if (options.token.empty()) {
    options.token = member((options.role.empty() ? "admin" : options.role) + "_token");
  } else if (!options.role.empty() && options.role != member("role")) {
    return fail(io::CliError::kUsage, fmt::format("{} holds the token of one operator, whose role "
                                                  "is {}; leave --role out",
                                                  options.credentials, member("role")));
  }
  if (options.token.empty()) {
    return fail(io::CliError::kUsage, options.credentials +
                                          " does not hold the tokens that `touchmark serve` and "
                                          "`touchmark operator add` write");
  }
  if (!options.pins.empty() || !options.ca_file.empty()) return options;
  if (const std::string pin = member("pin"); !pin.empty()) options.pins.push_back(pin);
  const Json* pins = find_array(*json, "pins");
  for (const Json& pin : pins != nullptr ? *pins : Json::array()) {
    if (pin.is_string()) options.pins.push_back(pin.get<std::string>());
  }
  return options;
}

// Who the token makes us to the service, with its version. A service of before operators had names
// tells the role alone.
Result<Json> ask_who(const service::Endpoint& endpoint, Session& session) {
  auto client = session.connect_to(endpoint);
  auto who = client.get("/admin/v1/whoami");
  if (!who && who.error().is(io::CliError::kNotOffered)) return client.get("/admin/v1/status");
  return who;
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
  auto token = find_token(options, *url, session);
  if (!token) return pass(token);
  endpoint.token = *token;

  auto status = ask_who(endpoint, session);
  if (!status && status.error().is(io::CliError::kUntrusted) && endpoint.pins.empty() &&
      endpoint.ca_pem.empty()) {
    auto pin = ask_for_pin(endpoint, session);
    if (!pin) return pass(pin);
    endpoint.pins = {*pin};
    status = ask_who(endpoint, session);
  }
  if (!status) return pass(status);
  // The keys that the service may be met with later, as the one that it was met with says.
  follow(endpoint, announced_pins(*status));
  if (auto saved = service::save_profile(session.environment(), name, endpoint); !saved)
    return pass(saved);

  const std::string role = find_string(*status, "role").value_or("unknown");
  if (session.json()) {
    return print_json(session, {{"profile", name},
                                {"url", endpoint.url},
                                {"role", role},
                                {"name", find_string(*status, "name").value_or(role)}});
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
                       "Operator token; the shell remembers it, so rather let it be asked for "
                       "(default: TOUCHMARK_TOKEN, or asked for)")
          ->type_name("TOKEN");
  line::Option* token_file =
      command
          ->add_option("--token-file", options->token_file,
                       "File that holds the operator token; - reads standard input")
          ->type_name("FILE")
          ->excludes(token);
  command
      ->add_option("--credentials", options->credentials,
                   "File of `touchmark serve` or `touchmark operator add` with token and pin, in "
                   "place of both")
      ->type_name("FILE")
      ->excludes(token)
      ->excludes(token_file);
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
      "its pin is shown and asked about. With a new --pin or --ca for a service that is set up, "
      "the "
      "token that is stored stays.\n\nExample:\n  touchmark init https://localhost:8443 --pin "
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n  touchmark init https://localhost:8443 "
      "--credentials touchmark-data/operator-tokens.json");
  dispatcher.on(command, [options](Session& s) { return init(*options, s); });
}

}  // namespace touchmark::cli::commands
