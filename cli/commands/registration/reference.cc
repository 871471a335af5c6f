#include "cli/commands/registration/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/encoding.h"
#include "cli/commands/registration/certificate.h"
#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxCandidates = 10;  // of an ambiguous word, in its message

// A certificate that is registered for just this app, when there is one: a bundle does not say who
// will sign what is made of it.
Result<std::vector<Sha256Digest>> registered_signers(const std::string& package,
                                                     service::AdminClient& client) {
  const auto answer = client.get(kCertificatesPath);
  if (!answer) return pass(answer);
  std::vector<Sha256Digest> out;
  const Json* certificates = find_array(*answer, "certificates");
  for (const Json& row : certificates != nullptr ? *certificates : Json::array()) {
    const auto digest = hex_decode(find_string(row, "sha256").value_or(""));
    if (find_string(row, "package") != package || row.value("development", true)) continue;
    if (row.value("expired", true) || !digest || digest->size() != Sha256Digest().size()) continue;
    std::ranges::copy(*digest, out.emplace_back().begin());
  }
  if (out.size() == 1) return out;
  return fail(io::CliError::kUsage,
              fmt::format("{} certificates are registered for {} alone; name the "
                          "store's with --signing-certificate",
                          out.empty() ? "no" : "several", package));
}

struct Candidate {
  std::string id;
  std::string name;
};

bool has_version(const Json& row, const std::string& version) {
  const auto code = get_int(row, "version_code", 0, INT64_MAX);
  return find_string(row, "version_name") == version || (code && std::to_string(*code) == version);
}

// Of the rows that `fits`.
template <class Fits>
std::vector<Candidate> matching(const Registered& registered, Fits fits) {
  std::vector<Candidate> out;
  for (const Json* rows : {&registered.releases, &registered.certificates}) {
    for (const Json& row : *rows) {
      if (fits(row)) out.push_back({find_string(row, "id").value_or(""), registered_name(row)});
    }
  }
  return out;
}

Result<std::string> id_of_file(const std::string& path, service::AdminClient& client) {
  const auto app = AppFiles::open({path});
  if (!app) return pass(app);
  package::MeasureOptions how;
  const auto measurement = measure_here(*app, how, client);
  if (!measurement) return pass(measurement);
  return hex_encode(ByteView(package::digest(*measurement)).first(8));
}

Result<std::vector<Candidate>> candidates(const std::string& word, const Registered& registered,
                                          service::AdminClient& client) {
  auto exact =
      matching(registered, [&](const Json& row) { return find_string(row, "id") == word; });
  if (!exact.empty()) return exact;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(word, ignored)) {
    const auto id = id_of_file(word, client);
    if (!id) return pass(id);
    return matching(registered, [&](const Json& row) { return find_string(row, "id") == *id; });
  }
  auto beginning = matching(registered, [&](const Json& row) {
    return !word.empty() && find_string(row, "id").value_or("").starts_with(word);
  });
  if (!beginning.empty()) return beginning;
  const std::size_t at = word.find('@');
  const std::string name = word.substr(0, at);
  return matching(registered, [&](const Json& row) {
    if (!row.contains("version_name") || find_string(row, "package") != name) return false;
    return at == word.npos || has_version(row, word.substr(at + 1));
  });
}

}  // namespace

std::string registered_name(const Json& row) {
  if (!row.contains("version_name")) return find_string(row, "subject").value_or("?");
  const auto code = get_int(row, "version_code", 0, INT64_MAX);
  return fmt::format("{}-{}[{}]", find_string(row, "package").value_or("?"),
                     find_string(row, "version_name").value_or("?"),
                     code ? std::to_string(*code) : "?");
}

Result<Registered> read_registered(service::AdminClient& client) {
  auto releases = client.get(kRegistrationsPath);
  if (!releases) return pass(releases);
  auto signers = client.get(kCertificatesPath);
  if (!signers) return pass(signers);
  const Json* registrations = find_array(*releases, "registrations");
  const Json* certificates = find_array(*signers, "certificates");
  if (registrations == nullptr || certificates == nullptr) {
    return fail(io::CliError::kBadAnswer, "the answer has no list of registrations");
  }
  return Registered{*registrations, *certificates};
}

Result<package::Measurement> measure_here(const AppFiles& app, package::MeasureOptions& how,
                                          service::AdminClient& client) {
  auto measurement = app.measure(how);
  if (!measurement || measurement->form != package::Form::kBundle || !how.bundle_signers.empty()) {
    return measurement;
  }
  auto signers = registered_signers(measurement->package_name, client);
  if (!signers) return pass(signers);
  how.bundle_signers = *std::move(signers);
  return app.measure(how);
}

Result<std::vector<std::string>> registration_ids(const std::vector<std::string>& words,
                                                  service::AdminClient& client) {
  const auto registered = read_registered(client);
  if (!registered) return pass(registered);
  std::vector<std::string> out;
  for (const std::string& word : words) {
    const auto found = candidates(word, *registered, client);
    if (!found) return pass(found);
    if (found->empty()) {
      return fail(io::CliError::kNotFound,
                  fmt::format("nothing registered is \"{}\": no id begins so, and no package has "
                              "that file or name",
                              io::one_line(word)));
    }
    if (found->size() > 1) {
      std::string list;
      for (std::size_t i = 0; i < std::min(found->size(), kMaxCandidates); ++i) {
        list += fmt::format("{}{} ({})", i == 0 ? "" : ", ", (*found)[i].id, (*found)[i].name);
      }
      if (found->size() > kMaxCandidates) list += ", ...";
      return fail(io::CliError::kUsage, fmt::format("\"{}\" is {} registrations: {}; say which by "
                                                    "its id",
                                                    io::one_line(word), found->size(), list));
    }
    if (std::ranges::find(out, found->front().id) == out.end()) out.push_back(found->front().id);
  }
  return out;
}

}  // namespace touchmark::cli::commands
