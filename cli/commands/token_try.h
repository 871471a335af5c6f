// `touchmark token try`, and what `touchmark token example --kind` shares with it.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/command_context.h"
#include "cli/commands/token_kinds.h"

namespace touchmark::cli::commands {

// How an API's check is set up, on the command line.
struct ApiOptions {
  std::string secret_file;  // "": the service gives the secret
  std::string header = "Touchmark-Token";
  std::string prefix;
  std::vector<std::string> bound;  // "Name: value"
  std::string audience;
  std::string issuer;
  std::string level;
};
Result<TriedApi> tried_api(const ApiOptions& options, Session& session);

struct TryOptions {
  std::string url;
  std::string method = "GET";
  std::string ca;
  std::string format;  // "http" or "postman": written to `output`, and not sent
  std::string output;
  ApiOptions api;
};
Outcome try_tokens(const TryOptions& options, Session& session);

}  // namespace touchmark::cli::commands
