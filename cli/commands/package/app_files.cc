#include "cli/commands/package/app_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/io/error.h"
#include "package/android/splits.h"

namespace touchmark::cli::commands {
namespace {

// A reader's refusal names no file; what the user sees does.
tl::unexpected<Error> refused(const std::string& name, const Error& error) {
  return tl::unexpected(error.reworded(fmt::format("{}: {}", name, error.message())));
}

}  // namespace

Result<AppFiles> AppFiles::open(const std::vector<std::string>& paths) {
  AppFiles out;
  out.paths_ = paths;
  for (const std::string& path : paths) {
    auto source = open_file(path);
    if (!source)
      return fail(io::CliError::kUnreadableFile, "cannot read " + source.error().message());
    out.sources_.push_back(*std::move(source));
  }
  return out;
}

std::string AppFiles::name() const { return fmt::format("{}", fmt::join(paths_, " ")); }

Result<package::Measurement> AppFiles::measure_all(const package::MeasureOptions& options) const {
  if (sources_.size() == 1) return package::measure(*sources_.front(), options);
  std::vector<package::android::PackageSource> packages;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    packages.push_back({paths_[i], sources_[i].get()});
  }
  return package::android::measure_splits(packages, options);
}

Result<package::Measurement> AppFiles::measure(const package::MeasureOptions& options) const {
  auto measurement = measure_all(options);
  if (measurement) return measurement;
  // Of several files, the reader names the one that it is about.
  const std::string& message = measurement.error().message();
  const bool named = paths_.size() > 1 && std::ranges::any_of(paths_, [&](const std::string& path) {
                       return message.starts_with(path);
                     });
  if (named) return measurement;
  return refused(name(), measurement.error());
}

Result<package::Inspection> AppFiles::inspect(const package::MeasureOptions& options) const {
  if (sources_.size() > 1) {
    auto measurement = measure(options);
    if (!measurement) return pass(measurement);
    return package::inspection_of(*std::move(measurement));
  }
  auto inspection = package::inspect(*sources_.front(), options);
  if (inspection) return inspection;
  return refused(name(), inspection.error());
}

std::vector<Sha256Digest> AppFiles::upload_certificates() const {
  if (sources_.size() != 1) return {};
  return package::upload_certificates(*sources_.front());
}

}  // namespace touchmark::cli::commands
