// Every reason for a refusal has its line in docs/package-rules.md, and no two share an id.
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "package/arsc.h"
#include "package/axml.h"
#include "package/bundle/bundle.h"
#include "package/ios/cms.h"
#include "package/ios/code_signature.h"
#include "package/ios/ipa.h"
#include "package/ios/mach_o.h"
#include "package/ios/plist.h"
#include "package/manifest.h"
#include "package/match.h"
#include "package/package.h"
#include "package/signature_error.h"
#include "package/splits.h"
#include "package/string_pool.h"
#include "package/zip.h"

namespace touchmark::package {
namespace {

// The ids of an enumeration: error_id() answers "….unknown" past the last enumerator.
template <ErrorEnum E>
void add_ids(std::vector<std::string>& ids) {
  const std::size_t before = ids.size();
  for (int value = 0;; ++value) {
    const std::string id(error_id(static_cast<E>(value)));
    if (id.ends_with(".unknown")) break;
    ids.push_back(id);
  }
  EXPECT_GT(ids.size(), before);
}

TEST(Rules, AreAllDocumented) {
  const auto rules = read_file("docs/package-rules.md", 1 << 20);
  ASSERT_TRUE(rules) << rules.error().text();
  std::vector<std::string> ids;
  add_ids<SourceError>(ids);
  add_ids<ZipError>(ids);
  add_ids<StringPoolError>(ids);
  add_ids<AxmlError>(ids);
  add_ids<ArscError>(ids);
  add_ids<ManifestError>(ids);
  add_ids<SplitError>(ids);
  add_ids<ProtoError>(ids);
  add_ids<BundleError>(ids);
  add_ids<MatchError>(ids);
  add_ids<IpaError>(ids);
  add_ids<PlistError>(ids);
  add_ids<MachOError>(ids);
  add_ids<CodeSignatureError>(ids);
  add_ids<CmsError>(ids);
  add_ids<SignatureError>(ids);
  for (const std::string& id : ids) {
    EXPECT_NE(as_text(*rules).find("\n| `" + id + "` | "), std::string_view::npos) << id;
  }
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());
}

}  // namespace
}  // namespace touchmark::package
