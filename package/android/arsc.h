// resources.arsc, the compiled resource table of a package (ResTable of AOSP's androidfw), as far
// as the manifest needs it: the value of a resource in the configuration that counts.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "package/android/chunk.h"
#include "package/android/configuration.h"
#include "package/android/string_pool.h"
#include "package/model/xml_source.h"

namespace touchmark::package::android {

enum class ArscError {
  kNotTable,        // does not begin with a table chunk
  kChunkSize,       // a chunk or header of a wrong size
  kPackageCount,    // not as many packages as the header says
  kNoStringPool,    // no pool of values before the packages
  kBadType,         // a type chunk whose entries do not fit into it
  kNoSuchResource,  // the id has no value, or none that the installer takes
  kNotAString,      // the value has no text
  kNotAnInteger,
  kComplexValue,    // a bag (style, plural, array) where a plain value is wanted
  kReferenceCycle,  // references that lead back, or over 20 of them
};
std::string_view error_id(ArscError error);

// A view: bytes and budget must outlive it. Immutable. Besides the above StringPoolError and
// BudgetError.
class ResourceTable final : public ResourceSource {
 public:
  // Checks every chunk of the file; entries are read when asked for.
  static Result<ResourceTable> parse(ByteView file, Budget& budget);

  // Follow references, at most 20.
  Result<std::string> string(std::uint32_t resource_id) const override;
  Result<std::string> installer_string(std::uint32_t resource_id) const override;
  Result<std::uint32_t> integer(std::uint32_t resource_id) const override;
  Result<std::set<std::string>> every_string(std::uint32_t resource_id) const override;

 private:
  // The values of one type in one configuration, or what is said of all its values.
  struct TypeChunk {
    std::uint8_t package_id = 0;
    std::uint8_t type_id = 0;
    Chunk chunk;
  };
  // Who asks.
  enum class Reader {
    kPerson,     // the default value, else what kPhone shows, else any
    kInstaller,  // what kInstaller takes
  };
  struct Resolved {
    TypedValue value;
    bool varies = false;  // with a device's configuration
  };
  Result<void> parse_package(const Chunk& chunk);
  Result<void> parse_type(const Chunk& chunk, std::uint8_t package_id);
  Result<void> parse_spec(const Chunk& chunk, std::uint8_t package_id);
  Result<TypedValue> lookup(std::uint32_t resource_id, Reader reader) const;
  Result<std::vector<TypedValue>> every_value(std::uint32_t resource_id) const;
  Result<bool> varies(std::uint32_t resource_id) const;
  Result<Resolved> resolve(std::uint32_t resource_id, Reader reader) const;
  Result<std::string> text_of(std::uint32_t resource_id, const TypedValue& value) const;

  Budget* budget_ = nullptr;
  StringPool strings_;
  std::vector<TypeChunk> types_;  // in the order of the file
  std::vector<TypeChunk> specs_;
};

}  // namespace touchmark::package::android
