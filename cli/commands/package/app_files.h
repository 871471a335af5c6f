// An app as a user gives it: one package of any form (APK, archive of split APKs, app bundle, IPA),
// or the files of a base and its splits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "package/inspection.h"
#include "package/package.h"

namespace touchmark::cli::commands {

class AppFiles {
 public:
  // kUnreadableFile.
  static Result<AppFiles> open(const std::vector<std::string>& paths);

  // Fail with the reader's error, the paths before its message.
  Result<package::Measurement> measure(const package::MeasureOptions& options) const;
  Result<package::Inspection> inspect(const package::MeasureOptions& options) const;

  // Of an app bundle (package::upload_certificates).
  std::vector<Sha256Digest> upload_certificates() const;

  const std::vector<std::string>& paths() const { return paths_; }
  // The paths, for messages.
  std::string name() const;

 private:
  Result<package::Measurement> measure_all(const package::MeasureOptions& options) const;

  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<Source>> sources_;
};

// A file that is gone when this object is.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The packages in one archive, uncompressed, as the service takes a base and its splits.
Result<TemporaryFile> pack_splits(const std::vector<std::string>& paths);

}  // namespace touchmark::cli::commands
