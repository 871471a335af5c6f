// The operator tokens: made on the first start, handed over once, kept as hashes only. They go to a
// terminal or into a file, never to where a journal or a log would keep them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "verifier/state/operators.h"
#include "verifier/verifier.h"

namespace touchmark::cli::serve {

struct Credentials {
  std::string url;
  std::string pin;
  std::string admin_token;
  std::string developer_token;
};

// Makes both tokens. From here on only their hashes are kept.
Result<Credentials> make_credentials(verifier::state::Operators& operators, const std::string& url,
                                     const std::string& pin);
// The same where there are some: the tokens of all admins end, and so does the one of "developer".
// `ended`: the names of those admins.
Result<Credentials> reset_credentials(verifier::state::Operators& operators, const std::string& url,
                                      const std::string& pin, std::vector<std::string>& ended);

enum class CredentialsError {
  kFileExists,  // what is in it may still be needed
};
std::string_view error_id(CredentialsError error);

// Whether `file` can be made: kFileExists when something of that name is there.
Result<void> check_new_file(const std::filesystem::path& file);
// JSON {"url","pin","admin_token","developer_token"}, mode 0600. `file` is there completely or not
// at all, and was not there before (kFileExists).
Result<void> write_credentials(const Credentials& credentials, const std::filesystem::path& file);
// The same for one operator: JSON {"name","role","token"}.
Result<void> write_operator(const verifier::state::MadeOperator& made,
                            const std::filesystem::path& file);

// What a valid token takes, and the warnings that belong to it, a line each.
std::string policy_text(const verifier::Status& status);

// What a person needs to go on, commands included. No command holds a token: the shell would
// remember it, and others on the machine would see it.
std::string data_text(const std::filesystem::path& data);
std::string welcome_text(const Credentials& credentials);
// The same without the tokens, which are in `file`.
std::string file_text(const Credentials& credentials, const std::filesystem::path& file);

}  // namespace touchmark::cli::serve
