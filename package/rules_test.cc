// Every reason for a refusal has its line in docs/package-rules.md, and no two share an id.
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "formats/plist/plist.h"
#include "formats/zip/zip.h"
#include "package/android/arsc.h"
#include "package/android/axml.h"
#include "package/android/manifest.h"
#include "package/android/network_security.h"
#include "package/android/signature/error.h"
#include "package/android/splits.h"
#include "package/android/string_pool.h"
#include "package/bundle/bundle.h"
#include "package/ios/code_signature.h"
#include "package/ios/ipa.h"
#include "package/ios/mach_o.h"
#include "package/model/match.h"
#include "package/package.h"
#include "pki/cms.h"

namespace touchmark::package {
namespace {

// The ids of an enumeration: error_id() answers "error.unknown" past the last enumerator.
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
  add_ids<BudgetError>(ids);
  add_ids<zip::ZipError>(ids);
  add_ids<android::StringPoolError>(ids);
  add_ids<android::AxmlError>(ids);
  add_ids<android::ArscError>(ids);
  add_ids<android::ManifestError>(ids);
  add_ids<android::NetworkSecurityError>(ids);
  add_ids<android::SplitError>(ids);
  add_ids<protobuf::ProtoError>(ids);
  add_ids<bundle::BundleError>(ids);
  add_ids<MatchError>(ids);
  add_ids<ios::IpaError>(ids);
  add_ids<plist::PlistError>(ids);
  add_ids<ios::MachOError>(ids);
  add_ids<ios::CodeSignatureError>(ids);
  add_ids<pki::CmsError>(ids);
  add_ids<signature::SignatureError>(ids);
  for (const std::string& id : ids) {
    EXPECT_NE(as_text(*rules).find("\n| `" + id + "` | "), std::string_view::npos) << id;
  }
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());
}

}  // namespace
}  // namespace touchmark::package
