// resources.arsc, the compiled resource table of a package (ResTable of AOSP's androidfw), as far
// as the manifest needs it: the value of a resource in the default configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "package/android/chunk.h"
#include "package/android/string_pool.h"
#include "package/model/xml_source.h"

namespace touchmark::package::android {

enum class ArscError {
  kNotTable,        // does not begin with a table chunk that fills the file
  kChunkSize,       // a chunk or header of a wrong size
  kPackageCount,    // not as many packages as the header says
  kNoStringPool,    // no pool of values before the packages
  kBadType,         // a type chunk whose entries do not fit into it
  kNoSuchResource,  // the id is in no default configuration
  kNotAString,      // the value has another type
  kNotAnInteger,
  kComplexValue,    // a bag (style, plural, array) where a plain value is wanted
  kReferenceCycle,  // references that lead back, or over 20 of them
};
std::string_view error_id(ArscError error);

// A view: the bytes must outlive it. Immutable.
class ResourceTable final : public ResourceSource {
 public:
  // Checks every chunk of the file; entries are read when asked for.
  static Result<ResourceTable> parse(ByteView file);

  // Follow references, at most 20.
  Result<std::string> string(std::uint32_t resource_id) const override;
  Result<std::uint32_t> integer(std::uint32_t resource_id) const override;

 private:
  // One type in the default configuration.
  struct DefaultType {
    std::uint8_t package_id = 0;
    std::uint8_t type_id = 0;
    Chunk chunk;
  };
  Result<void> parse_package(const Chunk& chunk);
  Result<void> parse_type(const Chunk& chunk, std::uint8_t package_id);
  Result<TypedValue> lookup(std::uint32_t resource_id) const;
  Result<TypedValue> resolve(std::uint32_t resource_id) const;

  StringPool strings_;
  std::vector<DefaultType> types_;
};

}  // namespace touchmark::package::android
