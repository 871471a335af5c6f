#include "cli/line/legacy_form.h"

#include <gmock/gmock.h>

namespace touchmark::cli::line {
namespace {

using ::testing::ElementsAre;

TEST(ArticleForm, TranslatesEveryCommandOfTheArticle) {
  EXPECT_THAT(translate_article_form({"sdk", "-getLibrary", "touchmark_sdk.aar"}),
              ElementsAre("sdk", "library", "touchmark_sdk.aar"));
  EXPECT_THAT(translate_article_form({"sdk", "-getConfig", "app/touchmark-initial.config"}),
              ElementsAre("sdk", "config", "app/touchmark-initial.config"));
  EXPECT_THAT(translate_article_form({"registration", "-add", "app.apk", "-expireAfter", "600s"}),
              ElementsAre("registration", "add", "app.apk", "--expire-after", "600s"));
  EXPECT_THAT(translate_article_form({"token", "-check", "eyJ.eyJ.x"}),
              ElementsAre("token", "check", "eyJ.eyJ.x"));
}

TEST(ArticleForm, MovesTheVerbBeforeItsOptions) {
  EXPECT_THAT(translate_article_form({"registration", "-expireAfter", "600s", "-add", "app.apk"}),
              ElementsAre("registration", "add", "--expire-after", "600s", "app.apk"));
}

TEST(ArticleForm, LeavesTheModernFormAlone) {
  const std::vector<std::string> modern{"--json", "registration",   "add",
                                        "a.apk",  "--expire-after", "600s"};
  EXPECT_EQ(translate_article_form(modern), modern);
  EXPECT_THAT(translate_article_form({}), ElementsAre());
}

TEST(ArticleForm, KnowsASpellingOnlyInItsGroup) {
  EXPECT_THAT(translate_article_form({"token", "-getLibrary", "x"}),
              ElementsAre("token", "-getLibrary", "x"));
  EXPECT_THAT(translate_article_form({"serve", "-add"}), ElementsAre("serve", "-add"));
}

TEST(ArticleForm, StopsAtTheDoubleDash) {
  EXPECT_THAT(translate_article_form({"registration", "-add", "--", "-list"}),
              ElementsAre("registration", "add", "--", "-list"));
}

TEST(ArticleForm, WorksBehindGlobalOptions) {
  EXPECT_THAT(translate_article_form({"--profile", "prod", "secret", "-get"}),
              ElementsAre("--profile", "prod", "secret", "get"));
}

}  // namespace
}  // namespace touchmark::cli::line
