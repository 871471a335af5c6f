#include "cli/serve/identity.h"

#include "base/file.h"
#include "pki/server_certificate.h"

namespace touchmark::cli::serve {

Result<verifier::http::TlsIdentity> given_identity(const ServeOptions& options) {
  const auto read = [](const std::string& path) -> Result<std::string> {
    auto bytes = read_file(path, kMaxPem);
    if (!bytes) return pass(bytes);
    return std::string(as_text(*bytes));
  };
  auto certificate = read(options.certificate);
  if (!certificate) return pass(certificate);
  auto key = read(options.key);
  if (!key) return pass(key);
  if (auto ok = pki::check_key_pair(*certificate, *key); !ok) {
    return tl::unexpected<Error>(std::move(ok.error()));
  }
  return verifier::http::TlsIdentity{std::move(*certificate), std::move(*key)};
}

}  // namespace touchmark::cli::serve
