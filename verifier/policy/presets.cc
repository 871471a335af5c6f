#include "verifier/policy/presets.h"

#include <algorithm>

#include "verifier/policy/document.h"

namespace touchmark::verifier::policy {
namespace {

constexpr std::string_view kStrict = R"toml(# strict: what a new service starts with.
# A valid token takes a registered app whose key is in the phone's hardware: Android's trusted
# environment or StrongBox on a locked, verified system, or an iPhone's Secure Enclave with App
# Attest. A script that has the app's package and this source code gets a decoy.
# docs/policy.md describes all keys.
version = 1

# What a finding does to a verdict: reject, annotate (pass, but note it) or ignore. A group is
# "hook.*"; a finding's own line counts more than its group's. What is only notable (a VPN, say) is
# annotated, and refused by its own line alone. protocol/findings.md lists them.
[findings]
"*" = "reject"

# Who must vouch for the installation key: software (nobody), platform, tee or secure-chip.
# A key that this document leaves out is software.
[assurance]
android = "tee"
ios = "secure-chip"
host = "tee"                 # the lab's Linux build, where --allow-host-builds lets it in

[app]
development_keys = false     # releases signed by a certificate that is registered as development's
# installers = ["com.android.vending"]

# Systems other than the phone maker's: name = boot key.
[boot.keys]
# "GrapheneOS Pixel 8" = "cd7479653aa88208f9f03034810ef9b7b0af8a9d41e2000e458ac403a2acb233"

[android]
# min_os_version = 12
# min_patch_level = { os = "365d", vendor = "540d", boot = "540d" }

[app_attest]
environments = ["production"]

# Google Play's word, where an app sends it: it is judged, and not asked for.
[play_integrity]
required = false
app_recognition = ["PLAY_RECOGNIZED"]
app_licensing = ["LICENSED"]
device_labels = ["MEETS_DEVICE_INTEGRITY"]
test_responses = false       # verdicts that somebody chose for a tester in the Play Console

# [[filters]]
# name = "old tablets"
# effect = "refuse"
# model = ["SM-T5*", "KFMAWI"]
# os_version = "<11"
)toml";

constexpr std::string_view kCompatible =
    R"toml(# compatible: strict, and Android phones for which only Google Play vouches.
# It lets in, beside the phones of strict: phones whose Keystore cannot attest to a key, or does it
# wrongly, with Google Play on them. Google's word is about the phone and the app, and is bound to
# the app's key by the request; but that key itself may be one of software, which whoever controls
# the phone can take. Rooted phones that deceive Google Play get in as well.
# Phones that neither attest nor have Google Play stay out. iPhones are as in strict.
# The service needs --play-integrity-keys, and the app a PlayIntegrityProvider; without them this is
# no more than strict. docs/policy.md describes all keys.
version = 1

[findings]
"*" = "reject"

[assurance]
android = "platform"
ios = "secure-chip"
host = "tee"                 # the lab's Linux build, where --allow-host-builds lets it in

[app]
development_keys = false

[app_attest]
environments = ["production"]

# With `required = true` each Android app must send Google's verdict, beside its hardware's word.
[play_integrity]
required = false
app_recognition = ["PLAY_RECOGNIZED"]
app_licensing = ["LICENSED"]
device_labels = ["MEETS_DEVICE_INTEGRITY"]
test_responses = false
# play_protect = ["NO_ISSUES", "NO_DATA"]
)toml";

constexpr std::string_view kDevelopment =
    R"toml(# development: software evidence passes. Never for an API that is worth an attack.
# It lets in emulators, simulators and phones without hardware evidence - and with them whoever has
# the app's package: a program of 150 lines that speaks the protocol gets valid tokens
# (docs/threat-model.md). What it still refuses: apps that are not registered, changed or hooked
# apps, rooted phones as far as software can tell, and a man in the middle.
# docs/policy.md describes all keys.
version = 1

[findings]
"*" = "reject"
"device.emulator" = "annotate"         # one without su: an image with Google Play
"root.boot-state" = "annotate"         # as emulators have it, and the two below
"root.debuggable-system" = "annotate"
"root.selinux" = "annotate"
"debug.debuggable" = "annotate"        # what Gradle builds as "debug"

[assurance]
android = "software"
ios = "software"
host = "software"            # the lab's Linux build, where --allow-host-builds lets it in

[app]
development_keys = true      # builds that a certificate registered as development's has signed

[app_attest]
environments = ["production", "development"]

[play_integrity]
required = false
app_recognition = ["PLAY_RECOGNIZED", "UNRECOGNIZED_VERSION"]
app_licensing = ["LICENSED", "UNLICENSED", "UNEVALUATED"]
device_labels = ["MEETS_DEVICE_INTEGRITY"]
test_responses = true        # verdicts that you chose for a tester in the Play Console
)toml";

constexpr Preset kPresets[] = {
    {"strict", "the default: a key in the phone's hardware, on Android and iOS", kStrict},
    {"compatible", "strict, and Android phones for which only Google Play vouches", kCompatible},
    {"development", "software evidence passes: for emulators, never for production", kDevelopment},
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

const Preset* find_preset(std::string_view name) {
  const auto* found = std::ranges::find(kPresets, name, &Preset::name);
  return found == std::end(kPresets) ? nullptr : found;
}

std::string_view default_document() { return kStrict; }

}  // namespace touchmark::verifier::policy
