// Flags, environment and configuration file: who goes first, and what is said of mistakes.
#include "cli/serve/option_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "tests/support/temporary_folder.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OptionSourcesTest : public ::testing::Test {
 protected:
  // The configuration file.
  void write(const std::string& text) { std::ofstream(file_) << text; }
  Configuration read(const std::vector<std::string>& arguments = {}) {
    line::Root root("serve", "", "");
    GivenFlags flags;
    add_options(root.command(), flags);
    const line::Parsed parsed = root.parse(arguments);
    EXPECT_EQ(parsed.kind, line::Parsed::Kind::kCommand) << parsed.text;
    return read_configuration(flags, surroundings_);
  }
  static std::vector<std::string> texts(const Configuration& configuration) {
    std::vector<std::string> out;
    for (const OptionProblem& problem : configuration.problems) out.push_back(to_string(problem));
    return out;
  }
  void set(const std::string& name, const std::string& value) {
    surroundings_.environment.emplace_back(name, value);
  }

  const touchmark::testing::TemporaryFolder temporary_;
  const fs::path file_ = temporary_.path() / "touchmark.toml";
  Surroundings surroundings_{{}, file_};
};

TEST_F(OptionSourcesTest, AFlagGoesFirstThenTheEnvironmentThenTheFile) {
  using Kind = Origin::Kind;
  EXPECT_EQ(read().options.issuer, "");
  EXPECT_EQ(read().origin_of("issuer").kind, Kind::kDefault);
  write("\nissuer = \"of the file\"\nthreads = 2\n");
  EXPECT_EQ(read().options.issuer, "of the file");
  EXPECT_EQ(read().origin_of("issuer").kind, Kind::kFile);
  EXPECT_EQ(read().origin_of("issuer").line, 2U);
  EXPECT_EQ(read().options.threads, 2U);
  EXPECT_EQ(read().file, file_);
  set("TOUCHMARK_ISSUER", "of the environment");
  EXPECT_EQ(read().options.issuer, "of the environment");
  EXPECT_EQ(read().origin_of("issuer").kind, Kind::kEnvironment);
  const Configuration flagged = read({"--issuer", "of the line"});
  EXPECT_EQ(flagged.options.issuer, "of the line");
  EXPECT_EQ(flagged.origin_of("issuer").kind, Kind::kFlag);
  EXPECT_EQ(flagged.options.threads, 2U) << "the others are still the file's";
}

// Every option, by each of its three ways.
TEST_F(OptionSourcesTest, EachOptionCanBeSaidInEachWay) {
  const std::map<std::string, std::string> special{
      {"listen", "[::1]:1"},
      {"admin-listen", "[::1]:2"},
      {"public-url", "https://a.example"},
      {"service-pin", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
      {"give-up-pin", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
      {"trusted-proxy", "10.0.0.0/8"},
      {"forwarded-header", "Forwarded"},
      {"token-header", "X-Token"},
      {"token-lifetime", "10m"},
      {"challenge-lifetime", "1m"},
      {"claims", "iss"},
      {"ios-app-id", "ABCDE12345.com.example"},
      {"revocation-max-age", "2d"},
      {"log-format", "json"},
      {"log-level", "debug"},
  };
  for (const OptionRow& row : option_table()) {
    const std::string name = row.name;
    const auto found = special.find(name);
    const std::string value = is_flag(row)             ? "true"
                              : is_number(row)         ? "7"
                              : found != special.end() ? found->second
                                                       : "/a/b";
    // Conflicts with options that are not given here are not what is looked at.
    const auto values = [&](const Configuration& made) {
      for (const OptionProblem& problem : made.problems) {
        EXPECT_EQ(problem.code, OptionError::kConflicting) << to_string(problem);
      }
      return values_of(row, made.options);
    };
    fs::remove(file_);
    surroundings_.environment.clear();
    const auto by_flag = is_flag(row) ? read({flag_name(row)}) : read({flag_name(row), value});
    EXPECT_THAT(values(by_flag), ElementsAre(value)) << name;
    set(variable_name(row), value);
    const Configuration by_variable = read();
    surroundings_.environment.clear();
    const bool bare = is_flag(row) || is_number(row);
    write(key_name(row) + " = " +
          (bare           ? value
           : is_list(row) ? "[\"" + value + "\"]"
                          : "\"" + value + "\""));
    const Configuration by_file = read();
    if (row.use == Use::kOneStart) {
      EXPECT_EQ(values_of(row, by_variable.options), values_of(row, ServeOptions())) << name;
      EXPECT_THAT(by_variable.warnings, ElementsAre(HasSubstr(flag_name(row))));
      EXPECT_THAT(texts(by_file), ElementsAre(HasSubstr(flag_name(row))));
      continue;
    }
    EXPECT_THAT(values(by_variable), ElementsAre(value)) << name;
    EXPECT_THAT(values(by_file), ElementsAre(value)) << name;
    EXPECT_THAT(by_variable.warnings, IsEmpty());
  }
}

TEST_F(OptionSourcesTest, ListsAreArraysRepeatedFlagsOrCommas) {
  const auto urls = [this](const std::vector<std::string>& arguments = {}) {
    return read(arguments).options.public_urls;
  };
  write("public_url = [\"https://a.example\", \"https://b.example\"]\nlisten = \"[::1]:1\"");
  EXPECT_THAT(urls(), ElementsAre("https://a.example", "https://b.example"));
  EXPECT_THAT(read().options.listen, ElementsAre("[::1]:1")) << "one text for an array of one";
  set("TOUCHMARK_PUBLIC_URL", "https://c.example, https://d.example");
  EXPECT_THAT(urls(), ElementsAre("https://c.example", "https://d.example"));
  EXPECT_THAT(urls({"--public-url", "https://e.example", "--public-url", "https://f.example"}),
              ElementsAre("https://e.example", "https://f.example"));
  EXPECT_THAT(read({"--listen", "[::1]:1", "--listen", "127.0.0.1:2"}).options.listen,
              ElementsAre("[::1]:1", "127.0.0.1:2"));
  write("listen = []");
  EXPECT_THAT(texts(read()), ElementsAre(HasSubstr("touchmark.toml:1:1: listen: names no")));
}

TEST_F(OptionSourcesTest, AFlagCanBeTakenBack) {
  write("reveal_reasons = true");
  EXPECT_TRUE(read().options.reveal_reasons);
  EXPECT_FALSE(read({"--reveal-reasons=false"}).options.reveal_reasons);
  set("TOUCHMARK_REVEAL_REASONS", "off");
  EXPECT_FALSE(read().options.reveal_reasons);
  EXPECT_TRUE(read({"--reveal-reasons"}).options.reveal_reasons);
}

TEST_F(OptionSourcesTest, AllMistakesAreToldAtOnceWithTheirPlace) {
  write(
      "lisen = \"x\"\n"
      "threads = \"four\"\n"
      "log-level = \"info\"\n"
      "[network]\n"
      "listen = \"a\"\n");
  set("TOUCHMARK_TOKEN_LIFETIME", "soon");
  set("TOUCHMARK_REVEAL_REASONS", "maybe");
  const auto told = texts(read({"--max-connections", "0", "--public-url", "http://a.example"}));
  const std::string file = file_.string();
  EXPECT_THAT(told, ::testing::UnorderedElementsAre(
                        file + ":1:1: lisen: unknown key; did you mean listen?",
                        file + ":2:11: threads: is not a whole number",
                        file + ":3:1: log-level: unknown key; did you mean log_level?",
                        AllOf(HasSubstr(file + ":4:"), HasSubstr("no tables")),
                        AllOf(HasSubstr("TOUCHMARK_TOKEN_LIFETIME: "), HasSubstr("soon")),
                        "TOUCHMARK_REVEAL_REASONS: \"maybe\" is not true or false",
                        AllOf(HasSubstr("--max-connections: "), HasSubstr("1 to 1000000")),
                        AllOf(HasSubstr("--public-url: "), HasSubstr("https://HOST"))));
}

TEST_F(OptionSourcesTest, AValueIsCheckedWhereItStands) {
  write(
      "trusted_proxy = [\n  \"10.0.0.0/8\",\n  \"10.0.0.0/99\",\n]\nclaims = [\"iss\", 5]\n"
      "issuer = true\nthreads = 1.5\nreveal_reasons = \"true\"\ntoken_lifetime = 600\n");
  const auto told = texts(read());
  const std::string file = file_.string();
  EXPECT_THAT(told, ::testing::IsSupersetOf<::testing::Matcher<std::string>>(
                        {AllOf(HasSubstr(file + ":3:3: trusted_proxy: "), HasSubstr("/99")),
                         HasSubstr(file + ":5:18: claims: is not a text"),
                         HasSubstr(file + ":6:10: issuer: is not a text"),
                         HasSubstr(file + ":7:11: threads: is not a whole"),
                         HasSubstr(file + ":8:18: reveal_reasons: is not true or false"),
                         HasSubstr(file + ":9:18: token_lifetime: is not a text")}));
  EXPECT_THAT(told, SizeIs(6));
}

TEST_F(OptionSourcesTest, WhatIsNotTomlHasItsPlace) {
  write("issuer = \"a\"\nissuer = \"b\"\n");
  EXPECT_THAT(texts(read()), ElementsAre(HasSubstr(file_.string() + ":2:")));
  write("issuer = \n");
  EXPECT_THAT(texts(read()), ElementsAre(HasSubstr("not TOML")));
  write("issuer = \"ä\" # ä\nü = 1\n");
  EXPECT_THAT(texts(read()), ElementsAre(HasSubstr(file_.string() + ":2:1: not TOML")));
  EXPECT_EQ(read().problems.front().code, OptionError::kBadFile);
}

TEST_F(OptionSourcesTest, AFileThatIsNamedMustBeThere) {
  EXPECT_THAT(read().problems, IsEmpty()) << "the default one need not";
  EXPECT_FALSE(read().file);
  const std::string other = temporary_.path() / "other.toml";
  EXPECT_THAT(texts(read({"--config", other})), ElementsAre(HasSubstr("--config: " + other)));
  EXPECT_THAT(texts(read({"--config", temporary_.path()})), SizeIs(1)) << "a folder";
  set("TOUCHMARK_CONFIG", other);
  EXPECT_THAT(texts(read()), ElementsAre(HasSubstr("TOUCHMARK_CONFIG: " + other)));
  std::ofstream(other) << "issuer = \"other\"";
  EXPECT_EQ(read().options.issuer, "other");
  EXPECT_EQ(read({"--config", file_ / "x"}).problems.size(), 1U) << "the flag goes first";
}

TEST_F(OptionSourcesTest, UnknownVariablesWarn) {
  for (const char* known :
       {"TOUCHMARK_URL", "TOUCHMARK_SECRET", "TOUCHMARK_MODE", "TOUCHMARK_CONFIG_", "OTHER_DATA"}) {
    set(known, "x");
  }
  set("TOUCHMARK_LISTN", "x");
  set("TOUCHMARK_ZZZZZZZZZ", "x");
  EXPECT_THAT(
      read().warnings,
      ElementsAre(
          AllOf(HasSubstr("TOUCHMARK_CONFIG_"), HasSubstr("did you mean TOUCHMARK_CONFIG?")),
          AllOf(HasSubstr("TOUCHMARK_LISTN"), HasSubstr("did you mean TOUCHMARK_LISTEN?")),
          "TOUCHMARK_ZZZZZZZZZ is set, and nothing reads it"));
}

TEST_F(OptionSourcesTest, AnEmptyVariableIsNotSet) {
  set("TOUCHMARK_LISTEN", "");
  set("TOUCHMARK_CONFIG", "");
  EXPECT_THAT(read().problems, IsEmpty());
  EXPECT_THAT(read().options.listen, ElementsAre("127.0.0.1:8443"));
}

TEST_F(OptionSourcesTest, PathsInTheFileCountFromIt) {
  write("data = \"data\"\nkey = \"../key.pem\"\ncert = \"/etc/cert.pem\"\nrevocation = \"off\"\n");
  const ServeOptions options = read().options;
  EXPECT_EQ(options.data, temporary_.path() / "data");
  EXPECT_EQ(options.key, temporary_.path().parent_path() / "key.pem");
  EXPECT_EQ(options.certificate, "/etc/cert.pem");
  EXPECT_EQ(options.hardware.revocation, "off");
  write("revocation = \"list.json\"");
  EXPECT_EQ(read().options.hardware.revocation, temporary_.path() / "list.json");
  write("revocation = \"https://a.example/list\"");
  EXPECT_EQ(read().options.hardware.revocation, "https://a.example/list");
  EXPECT_EQ(read({"--data", "data"}).options.data, "data") << "on a line, from where one stands";
}

TEST_F(OptionSourcesTest, TakesTheMasterKeyAsAFileOrCredentialAndNeverItself) {
  const std::string key(std::string(43, 'A') + "=");
  for (const std::string& text : {key, std::string(64, '0')}) {
    const auto told = texts(read({"--master-key", text}));
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_THAT(told[0], HasSubstr("--master-key: that is a key"));
    EXPECT_THAT(told[0], ::testing::Not(HasSubstr(text)));
  }
  EXPECT_THAT(texts(read({"--master-key", "$CREDENTIALS_DIRECTORY/mk"})),
              ElementsAre(HasSubstr("LoadCredential=")));
  set("CREDENTIALS_DIRECTORY", temporary_.path());
  EXPECT_EQ(read({"--master-key", "$CREDENTIALS_DIRECTORY/mk"}).options.master_key,
            temporary_.path() / "mk");
  EXPECT_EQ(read().options.master_key, "") << "there is no credential of that name";
  std::ofstream(temporary_.path() / "master.key") << key;
  EXPECT_EQ(read().options.master_key, temporary_.path() / "master.key");
  EXPECT_EQ(read().origin_of("master-key").kind, Origin::Kind::kCredential);
  EXPECT_EQ(read({"--master-key", "mine"}).options.master_key, "mine");
}

TEST_F(OptionSourcesTest, AllConflictsAreTold) {
  write("cert = \"a.pem\"\nclaims = [\"iss\", \"arc\"]\ntrust_forwarded_for = true\n");
  EXPECT_THAT(texts(read()),
              ElementsAre(HasSubstr("touchmark.toml:1:1: cert: needs --key"),
                          HasSubstr("touchmark.toml:3:1: trust_forwarded_for: needs"),
                          HasSubstr("touchmark.toml:2:1: claims: \"arc\""),
                          HasSubstr("touchmark.toml:2:1: claims: \"iss\" needs --issuer")));
  fs::remove(file_);
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {":8443", "127.0.0.1:8443"}, {"[::1]:8443", "[::]:8443"}, {"[::1]:1", "[::1]:1"}}) {
    EXPECT_THAT(texts(read({"--listen", one, "--listen", other})),
                ElementsAre(HasSubstr("--listen: ")));
    EXPECT_THAT(texts(read({"--listen", one, "--admin-listen", other})),
                ElementsAre(HasSubstr("--admin-listen: ")));
  }
  EXPECT_THAT(texts(read({"--listen", ":0", "--listen", "127.0.0.1:0"})), IsEmpty());
}

TEST(OptionTable, NamesEachOptionOnceAndSaysWhatCountsWithoutIt) {
  std::set<std::string> names;
  for (const OptionRow& row : option_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(is_flag(row), *row.word == '\0') << row.name;
    EXPECT_EQ(is_flag(row), default_text(row).empty()) << row.name;
    EXPECT_EQ(find_option(row.name), &row);
  }
  EXPECT_EQ(find_option("nothing"), nullptr);
  const OptionRow& url = *find_option("public-url");
  EXPECT_EQ(flag_name(url), "--public-url");
  EXPECT_EQ(variable_name(url), "TOUCHMARK_PUBLIC_URL");
  EXPECT_EQ(key_name(url), "public_url");
  EXPECT_EQ(default_text(*find_option("token-lifetime")), "300s");
}

}  // namespace
}  // namespace touchmark::cli::serve
