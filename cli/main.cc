#include "cli/commands/command_line.h"

int main(int argc, char** argv) {
  namespace cli = touchmark::cli;
  const auto console = cli::io::standard_console();
  const touchmark::SystemClock clock;
  cli::commands::World world{*console, cli::service::process_environment,
                             cli::service::curl_transport, cli::service::certificate_of_server,
                             clock};
  return cli::commands::run({argv + 1, argv + argc}, world);
}
