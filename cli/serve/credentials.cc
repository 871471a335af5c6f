#include "cli/serve/credentials.h"

#include "base/file.h"
#include "base/json.h"

namespace touchmark::cli::serve {
namespace {

tl::unexpected<Error> already_there(const std::filesystem::path& file) {
  return fail(CredentialsError::kFileExists,
              file.string() + " is there already, so the operator tokens are not written to it");
}

Result<void> write_private(const Json& json, const std::filesystem::path& file) {
  auto written = write_new_file(file, as_bytes(json.dump(2) + "\n"), 0600);
  if (!written && written.error().is(FileError::kExists)) return already_there(file);
  return written;
}

}  // namespace

std::string_view error_id(CredentialsError error) {
  using enum CredentialsError;
  static constexpr auto kIds = error_table<CredentialsError>({
      {kFileExists, "credentials.file-exists"},
  });
  return kIds[error];
}

Result<void> check_new_file(const std::filesystem::path& file) {
  if (!touchmark::check_new_file(file)) return already_there(file);
  return {};
}

Result<Credentials> make_credentials(verifier::state::Operators& operators, const std::string& url,
                                     const std::string& pin) {
  auto admin = operators.make_token("admin", verifier::model::Role::kAdmin);
  if (!admin) return pass(admin);
  auto developer = operators.make_token("developer", verifier::model::Role::kDeveloper);
  if (!developer) return pass(developer);
  return Credentials{url, pin, std::move(*admin), std::move(*developer)};
}

Result<Credentials> reset_credentials(verifier::state::Operators& operators, const std::string& url,
                                      const std::string& pin, std::vector<std::string>& ended) {
  auto admin = operators.reset(std::nullopt);
  if (!admin) return pass(admin);
  ended = std::move(admin->ended);
  auto developer = operators.make_token("developer", verifier::model::Role::kDeveloper);
  if (!developer) return pass(developer);
  return Credentials{url, pin, std::move(admin->made.token), std::move(*developer)};
}

Result<void> write_credentials(const Credentials& credentials, const std::filesystem::path& file) {
  return write_private({{"url", credentials.url},
                        {"pin", credentials.pin},
                        {"admin_token", credentials.admin_token},
                        {"developer_token", credentials.developer_token}},
                       file);
}

Result<void> write_operator(const verifier::state::MadeOperator& made,
                            const std::filesystem::path& file) {
  return write_private(
      {{"name", made.entry.name}, {"role", to_string(made.entry.role)}, {"token", made.token}},
      file);
}

std::string policy_text(const verifier::Status& status) {
  std::string out = "A valid token takes " + status.demand.takes + ".\n";
  for (const std::string& warning : status.demand.warnings) out += "WARNING: " + warning + "\n";
  return out;
}

std::string data_text(const std::filesystem::path& data) {
  return "Touchmark keeps its data in " + data.string() + "\n";
}

std::string welcome_text(const Credentials& credentials) {
  return "These operator tokens are shown once. A build machine gets one of its own later, from\n"
         "`touchmark operator add --role ci`.\n\n  admin      " +
         credentials.admin_token + "\n  developer  " + credentials.developer_token +
         "\n\nTo use the service, run this on your machine; it asks for your token\n\n"
         "  touchmark init " +
         credentials.url + " --pin " + credentials.pin + "\n\n";
}

std::string file_text(const Credentials& credentials, const std::filesystem::path& file) {
  return "The operator tokens are in " + file.string() +
         ". To use the service as its administrator, run\n\n  touchmark init " + credentials.url +
         " --credentials " + file.string() +
         "\n\nand with --role developer on a developer's machine. Then remove the file.\n\n";
}

}  // namespace touchmark::cli::serve
