// The certificate and key of --cert and --key.
#pragma once

#include "cli/serve/data_folder.h"
#include "cli/serve/options.h"

namespace touchmark::cli::serve {

// Both files, which belong together. FileError, pki::ServerCertificateError.
Result<verifier::http::TlsIdentity> given_identity(const ServeOptions& options);

}  // namespace touchmark::cli::serve
