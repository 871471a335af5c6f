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

TEST(RulesTest, KnowsWhatAndroidLendsToApps) {
  const Rules rules = android_rules();
  for (const char* path :
       {"/data/user_de/0/com.google.android.gms/app_chimera/m/1/oat/arm64/A.odex",
        "/data/user_de/10/com.google.android.gms/app_chimera/m/1/oat/arm64/A.odex",
        "/data/user/150/com.google.android.gms/files/a.so",
        "/data/data/com.google.android.gms/files/a.so",
        "/mnt/expand/57f8f4bc-abf4/user_de/0/com.google.android.gms/a.so",
        "/mnt/expand/57f8f4bc-abf4/app/~~x==/com.google.android.webview-y==/base.apk",
        "/data/app/~~x==/com.google.android.webview.beta-y==/base.apk",
        "/data/app/~~x==/com.google.android.trichromelibrary.canary_6367-y==/base.apk",
        "/data/app/~~x==/com.qualcomm.qti.gpudrivers.kalama.api33-y==/base.apk",
        "/my_product/lib64/liba.so",
        "/data/dalvik-cache/arm64/system@framework@"
        "boot.oat"}) {
    EXPECT_TRUE(is_system_file(rules, path)) << path;
  }
  for (const char* path :
       {"/data/user_de/0/com.google.android.gmsx/a.so", "/data/user_de/0/com.google.android.gms",
        "/data/user_de/x/com.google.android.gms/a.so", "/data/user_de//com.google.android.gms/a.so",
        "/data/user_de/0/org.evil/com.google.android.gms/a.so",
        "/data/data/org.evil/user/0/com.google.android.gms/a.so",
        "/data/media/0/com.google.android.gms/a.so", "/mnt/expand/com.google.android.gms/a.so",
        "/mnt/expand/57f8f4bc/media/app/com.google.android.webview-1/base.apk",
        "/data/app/~~x==/com.google.android.webview.evil-y==/base.apk",
        "/data/app/~~x==/com.qualcomm.qti.gpudrivers-y==/base.apk",
        "/data/app/com.qualcomm.qti.gpudrivers.", "/my_productx/lib64/liba.so",
        "/data/local/tmp/liba.so"}) {
    EXPECT_FALSE(is_system_file(rules, path)) << path;
  }
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
