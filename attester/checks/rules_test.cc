#include <gtest/gtest.h>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

TEST(RulesTest, KnowsSystemFiles) {
  Rules rules;
  rules.system_dirs = {"/system", "/apex"};
  rules.shared_packages = {"com.android.webview"};
  EXPECT_TRUE(is_system_file(rules, "/system/lib64/libc.so"));
  EXPECT_TRUE(is_system_file(rules, "/apex/com.android.art/lib64/libart.so"));
  EXPECT_TRUE(is_system_file(rules, "/data/app/~~x1==/com.android.webview-y2==/base.apk"));
  EXPECT_TRUE(is_system_file(rules, "/data/app/com.android.webview-1/lib/arm64/libwebview.so"));
  EXPECT_TRUE(is_system_file(rules, "/data/app/com.android.webview_4321-1/base.apk"));
  EXPECT_FALSE(is_system_file(rules, "/systemx/lib64/libc.so"));
  EXPECT_FALSE(is_system_file(rules, "/data/app/~~x1==/com.android.webviewer-y2==/base.apk"));
  EXPECT_FALSE(is_system_file(rules, "/data/app/~~x1==/org.x-com.android.webview-1/base.apk"));
  EXPECT_FALSE(is_system_file(rules, "/data/app/com.android.webview"));
  EXPECT_FALSE(is_system_file(rules, "/data/data/org.x/com.android.webview-1/base.apk"));
}

TEST(RulesTest, TheHostsRulesNameItsSystemFolders) {
  const Rules rules = default_rules();
  EXPECT_TRUE(is_system_file(rules, "/usr/lib/x86_64-linux-gnu/libc.so.6"));
  EXPECT_FALSE(is_system_file(rules, "/tmp/libx.so"));
  EXPECT_FALSE(is_system_file(rules, "/home/user/libx.so"));
}

TEST(RulesTest, FolderOfAPackage) {
  EXPECT_EQ((OwnPackage{"", "/data/app/x/base.apk", {}, {}, {}}).folder(), "/data/app/x");
  EXPECT_EQ((OwnPackage{}).folder(), "");
}

}  // namespace
}  // namespace touchmark::attester::checks
