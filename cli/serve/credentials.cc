#include "cli/serve/credentials.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"

namespace touchmark::cli::serve {
namespace {

tl::unexpected<Error> already_there(const std::filesystem::path& file) {
  return fail(CredentialsError::kFileExists,
              file.string() + " is there already, so the operator tokens are not written to it");
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
  std::error_code error;
  const auto status = std::filesystem::symlink_status(file, error);
  if (status.type() != std::filesystem::file_type::not_found) return already_there(file);
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

Result<void> write_credentials(const Credentials& credentials, const std::filesystem::path& file) {
  const Json json{{"url", credentials.url},
                  {"pin", credentials.pin},
                  {"admin_token", credentials.admin_token},
                  {"developer_token", credentials.developer_token}};
  // Complete under another name first: link() then gives it its own, unless that is taken.
  const std::filesystem::path draft =
      file.string() + "." + hex_encode(SystemRandom().bytes(8)) + ".new";
  if (auto ok = write_file_atomic(draft, as_bytes(json.dump(2) + "\n"), 0600); !ok) return ok;
  const int failed = ::link(draft.c_str(), file.c_str()) == 0 ? 0 : errno;
  ::unlink(draft.c_str());
  if (failed == 0) return {};
  if (failed == EEXIST) return already_there(file);
  return fail(FileError::kIo, file.string() + ": " + std::strerror(failed));
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
  const auto init = [&](const std::string& token) {
    return "  touchmark init " + credentials.url + " --token " + token + " --pin " +
           credentials.pin + "\n";
  };
  return "These operator tokens are shown once. To use the service as its administrator, run\n\n" +
         init(credentials.admin_token) + "\nand on a developer's or build machine\n\n" +
         init(credentials.developer_token) + "\n";
}

std::string file_text(const Credentials& credentials, const std::filesystem::path& file) {
  return "The operator tokens are in " + file.string() +
         ". To use the service as its administrator, run\n\n  touchmark init " + credentials.url +
         " --credentials " + file.string() +
         "\n\nand with --role developer on a developer's or build machine. Then remove the "
         "file.\n\n";
}

}  // namespace touchmark::cli::serve
