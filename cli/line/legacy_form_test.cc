#include "cli/line/legacy_form.h"

#include <gmock/gmock.h>

#include "cli/line/command.h"

namespace touchmark::cli::line {
namespace {

using ::testing::ElementsAre;

// A tree with the groups of these tests.
std::vector<std::string> translate_article_form(std::vector<std::string> args) {
  Root root("touchmark", "", "1");
  bool flag = false;
  std::string text;
  const auto add = [&](const char* group, std::initializer_list<const char*> verbs) {
    Command* command = root.command().add_subcommand(group, "");
    for (const char* verb : verbs) command->add_subcommand(verb, "");
    return command;
  };
  add("sdk", {"library", "config"});
  Command* registration = add("registration", {"list", "remove", "add-certificate"});
  registration->add_subcommand("add", "")->add_option("--expire-after", text, "");
  add("api", {"add", "check", "list", "remove"});
  add("secret", {"get"});
  add("policy", {"show", "set"});
  add("device", {"list", "force-pass", "clear"});
  add("token", {"check"})->add_subcommand("example", "")->add_flag("--invalid", flag, "");
  root.command().add_subcommand("serve", "");
  return line::translate_article_form(root.app(), std::move(args));
}

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

TEST(ArticleForm, TakesEveryVerbAndOptionOfAGroup) {
  EXPECT_THAT(translate_article_form({"policy", "-show"}), ElementsAre("policy", "show"));
  EXPECT_THAT(translate_article_form({"device", "-forcePass", "x"}),
              ElementsAre("device", "force-pass", "x"));
  EXPECT_THAT(translate_article_form({"token", "-example", "-invalid"}),
              ElementsAre("token", "example", "--invalid"));
  EXPECT_THAT(translate_article_form({"registration", "-add", "a.apk", "-expireAfter=1w"}),
              ElementsAre("registration", "add", "a.apk", "--expire-after=1w"));
}

TEST(ArticleForm, TakesTheClosedServicesOwnWords) {
  EXPECT_THAT(translate_article_form({"token", "-genExample", "api.example.com", "-type", "valid"}),
              ElementsAre("token", "example"));
  EXPECT_THAT(translate_article_form({"token", "-genExample", "api.example", "-type", "invalid"}),
              ElementsAre("token", "example", "--invalid"));
  EXPECT_THAT(translate_article_form({"token", "-type", "invalid", "-genExample", "api.example"}),
              ElementsAre("token", "example", "--invalid"));
  EXPECT_THAT(translate_article_form({"secret", "-get", "base64"}),
              ElementsAre("secret", "get", "--format", "base64"));
  EXPECT_THAT(translate_article_form({"secret", "get", "base64"}),
              ElementsAre("secret", "get", "base64"));
  EXPECT_THAT(translate_article_form({"appsigncert", "-add", "x.pem"}),
              ElementsAre("registration", "add-certificate", "x.pem"));
  EXPECT_THAT(translate_article_form({"policy", "-getAll"}), ElementsAre("policy", "show"));
  EXPECT_THAT(translate_article_form({"device", "-remove", "x"}),
              ElementsAre("device", "clear", "x"));
}

TEST(ArticleForm, ChecksAnApi) {
  EXPECT_THAT(translate_article_form({"api", "-check", "api.example.com"}),
              ElementsAre("api", "check", "api.example.com"));
}

TEST(ArticleForm, SaysWhatThereIsInstead) {
  EXPECT_FALSE(without_counterpart({"api", "-check", "api.example.com"}));
  EXPECT_TRUE(without_counterpart({"policy", "-setRejectionPolicy", "default"}));
  EXPECT_TRUE(without_counterpart({"device", "-add", "x", "always-pass"}));
  EXPECT_TRUE(without_counterpart({"role", "."}));
  EXPECT_TRUE(without_counterpart({"--profile", "prod", "--json", "role", "."}));
  EXPECT_FALSE(without_counterpart({"--profile", "role", "status"}));
  EXPECT_FALSE(without_counterpart({"--profile"}));
  EXPECT_FALSE(without_counterpart({"api", "-add", "x"}));
  EXPECT_FALSE(without_counterpart({"device", "list"}));
  EXPECT_FALSE(without_counterpart({}));
}

}  // namespace
}  // namespace touchmark::cli::line
