#include "cli/serve/credentials.h"

#include "base/file.h"
#include "base/json.h"

namespace touchmark::cli::serve {

Result<Credentials> make_credentials(verifier::state::Operators& operators, const std::string& url,
                                     const std::string& pin) {
  auto admin = operators.make_token("admin", verifier::model::Role::kAdmin);
  if (!admin) return pass(admin);
  auto developer = operators.make_token("developer", verifier::model::Role::kDeveloper);
  if (!developer) return pass(developer);
  return Credentials{url, pin, std::move(*admin), std::move(*developer)};
}

Result<void> write_credentials(const Credentials& credentials, const std::filesystem::path& file) {
  const Json json{{"url", credentials.url},
                  {"pin", credentials.pin},
                  {"admin_token", credentials.admin_token},
                  {"developer_token", credentials.developer_token}};
  return write_file_atomic(file, as_bytes(json.dump(2) + "\n"), 0600);
}

std::string policy_text(const verifier::Status& status) {
  std::string out = "A valid token takes " + status.demand.takes + ".\n";
  for (const std::string& warning : status.demand.warnings) out += "WARNING: " + warning + "\n";
  return out;
}

std::string welcome_text(const Credentials& credentials, const std::filesystem::path& data,
                         const verifier::Status& status) {
  const auto init = [&](const std::string& token) {
    return "  touchmark init " + credentials.url + " --token " + token + " --pin " +
           credentials.pin + "\n";
  };
  return "Touchmark keeps its data in " + data.string() + "\n" +
         "These operator tokens are shown once. To use the service as its administrator, run\n\n" +
         init(credentials.admin_token) + "\nand on a developer's or build machine\n\n" +
         init(credentials.developer_token) + "\n" + policy_text(status) + "\n";
}

}  // namespace touchmark::cli::serve
