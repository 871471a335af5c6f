#include "cli/command_line.h"

int main(int argc, char** argv) {
  namespace cli = touchmark::cli;
  const auto console = cli::standard_console();
  const touchmark::SystemClock clock;
  cli::World world{*console, cli::process_environment, cli::curl_transport,
                   cli::certificate_of_server, clock};
  return cli::run({argv + 1, argv + argc}, world);
}
