// What every command is given: where to print, what to read, and the service of the chosen profile.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.h"
#include "cli/io/console.h"
#include "cli/io/exit_code.h"
#include "cli/line/command.h"
#include "cli/service/admin_client.h"
#include "cli/service/environment.h"
#include "cli/service/pin.h"
#include "cli/service/transport.h"

namespace touchmark::cli::commands {

// The options that every command takes.
struct GlobalOptions {
  bool json = false;
  std::string profile;  // empty: TOUCHMARK_PROFILE, else "default"
  int timeout_seconds = 30;
};

// The world outside the command line, so that tests can set each part.
struct World {
  io::Console& console;
  service::Environment environment;
  service::TransportFactory transport;
  // As certificate_of_server(), from several threads at once.
  std::function<Result<service::ServedCertificate>(const std::string& domain, int timeout_seconds,
                                                   const std::string& address)>
      server_certificate;
  const Clock& clock;
};

class Session {
 public:
  Session(World& world, GlobalOptions& options) : world_(world), options_(options) {}

  io::Console& console() { return world_.console; }
  const service::Environment& environment() const { return world_.environment; }
  UnixTime now() const { return world_.clock.now(); }
  bool json() const { return options_.json; }
  std::string profile() const;
  int timeout_seconds() const { return options_.timeout_seconds; }

  // The service of the chosen profile and of the environment's overrides.
  Result<service::AdminClient> connect();
  // The same, waiting so long at most, whatever --timeout says.
  Result<service::AdminClient> connect_within(std::chrono::seconds limit);
  // A service that is not in a profile yet.
  // `least_timeout_seconds`: for what the service is silent over while it works.
  service::AdminClient connect_to(const service::Endpoint& endpoint, int least_timeout_seconds = 0);
  Result<service::ServedCertificate> server_certificate(const std::string& domain);
  // The same at this IP address (empty: what the name resolves to), waiting so long at most.
  Result<service::ServedCertificate> server_certificate_within(std::chrono::seconds limit,
                                                               const std::string& domain,
                                                               const std::string& address);
  // After a command that used the profile: takes over the pins that the service announces to it, so
  // that the profile knows the next key before the service is met with it. Asks once a day; what
  // goes wrong is left for another time.
  void follow_pins();
  // What follow_pins() does with the pins that it is told.
  void keep_pins(std::vector<std::string> pins);
  // A progress bar named `what`.
  service::AdminClient::Progress progress(std::string what);

 private:
  World& world_;
  GlobalOptions& options_;
  bool used_profile_ = false;  // as it is, without an override
};

// Takes over the pins that a service announces, `pins`, when the profile's are among them: else it
// meets other keys, such as the service's own where the pins are its proxy's.
void follow(service::Endpoint& profile, std::vector<std::string> pins);
// The service's pins in an answer; none where a service is older, or one is no pin.
std::vector<std::string> announced_pins(const Json& answer, const char* name = "service_pins");

// A command that ran: its exit status, or why it could not.
using Outcome = Result<io::ExitCode>;
using Handler = std::function<Outcome(Session&)>;

// Notes what to run when a subcommand was chosen, so that it runs after the whole line is parsed.
class Dispatcher {
 public:
  void on(line::Command* command, Handler handler) {
    command->on_chosen([this, handler = std::move(handler)] { chosen_ = handler; });
  }
  const Handler& chosen() const { return chosen_; }

 private:
  Handler chosen_;
};

}  // namespace touchmark::cli::commands
