#include "cli/serve/example_file.h"

#include <array>

#include "base/json.h"
#include "cli/serve/option_table.h"

namespace touchmark::cli::serve {
namespace {

constexpr std::size_t kLineWidth = 98;

struct Example {
  std::string_view option;
  std::string_view value;  // of a list, its one element
};

// Where the default is no value.
constexpr auto kExamples = std::to_array<Example>({
    {"data", "/var/lib/touchmark"},
    {"master-key", "$CREDENTIALS_DIRECTORY/master.key"},
    {"credentials-file", "/root/touchmark-tokens.json"},
    {"sdk-dir", "/usr/share/touchmark"},
    {"admin-listen", "127.0.0.1:9443"},
    {"public-url", "https://attest.example.com"},
    {"host", "attest.example.com"},
    {"cert", "/etc/touchmark/tls/fullchain.pem"},
    {"key", "/etc/touchmark/tls/privkey.pem"},
    {"service-pin", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    {"trusted-proxy", "10.0.0.0/8"},
    {"forwarded-header", "X-Forwarded-For"},
    {"token-prefix", "Bearer "},
    {"claims", "iss"},
    {"issuer", "https://attest.example.com"},
    {"audience", "https://api.example.com"},
    {"hardware-roots", "/etc/touchmark/lab-roots.pem"},
    {"play-integrity-keys", "/etc/touchmark/play-integrity-keys.json"},
    {"ios-app-id", "ABCDE12345.com.example.app"},
    {"revocation-ca", "/etc/touchmark/mirror-ca.pem"},
    {"log-file", "/var/log/touchmark/service.log"},
});

std::string_view example_of(const OptionRow& row) {
  for (const Example& example : kExamples) {
    if (example.option == row.name) return example.value;
  }
  return "";
}

// Words in lines of comment.
std::string commented(const std::string& text) {
  std::string out;
  std::string line = "#";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (line.size() + 1 + end - at > kLineWidth) {
      out += line + "\n";
      line = "#";
    }
    line += " " + text.substr(at, end - at);
    at = end + 1;
  }
  return out + line + "\n";
}

std::string value_text(const OptionRow& row) {
  auto values = values_of(row, ServeOptions());
  if (values.empty()) values.emplace_back(example_of(row));
  if (is_flag(row) || is_number(row)) return values.front();
  // A text of JSON is one of TOML.
  if (is_list(row)) return "[" + Json(values.front()).dump() + "]";
  return Json(values.front()).dump();
}

}  // namespace

std::string example_file() {
  std::string out =
      "# The options of `touchmark serve`. Each line that is commented out shows the default, or "
      "an\n"
      "# example where the default is no value. The service reads the file when it starts;\n"
      "# `touchmark serve config check` finds mistakes, and `touchmark serve config show` says "
      "what\n"
      "# is in force. A relative path counts from this file's folder. $CREDENTIALS_DIRECTORY/NAME "
      "is\n"
      "# a credential of systemd. Variables of the environment (TOUCHMARK_PUBLIC_URL) and flags\n"
      "# (--public-url) go before what stands here.\n";
  std::string_view group = "Folder and keys";
  out += "\n# --- " + std::string(group) + " ---\n";
  for (const OptionRow& row : option_table()) {
    if (row.use == Use::kOneStart) continue;
    if (*row.group != '\0' && group != row.group) {
      group = row.group;
      out += "\n# --- " + std::string(group) + " ---\n";
    }
    const std::string without = default_text(row);
    std::string text = row.help;
    if (!is_flag(row)) text += std::string(" (") + row.word + "; default: " + without + ")";
    out += "\n" + commented(text) + "#" + key_name(row) + " = " + value_text(row) + "\n";
  }
  return out;
}

}  // namespace touchmark::cli::serve
