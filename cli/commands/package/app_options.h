// How commands are told of an app: its files, and what they do not say themselves.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/package/app_files.h"
#include "cli/line/command.h"

namespace touchmark::cli::commands {

struct FormOptions {
  std::vector<std::string> files;
  std::vector<std::string> signing_certificates;  // files: who signs what a store makes of a bundle
  std::string original_certificate;  // file: whom a rotation of that key began with; empty: none
};

// FILE... and --signing-certificate.
void add_form_options(line::Command& command, FormOptions& options);
void add_signing_certificate_option(line::Command& command, std::vector<std::string>& files);
// Adds --original-certificate.
void add_original_certificate_option(line::Command& command, std::string& file);

// SHA-256 of the certificates in these files.
Result<std::vector<Sha256Digest>> signer_digests(const std::vector<std::string>& files);
Result<package::MeasureOptions> measure_options(const FormOptions& options);

}  // namespace touchmark::cli::commands
