#include "verifier/policy/document.h"

namespace touchmark::verifier::policy {

std::string_view default_document() {
  return R"toml(# The appraisal policy: what a device and an app must be to get a valid token.
# Every key has a default, and what stands here is the default. docs/policy.md describes all keys.
version = 1

# What a finding does to a verdict: reject, annotate (pass, but note it) or ignore. A group is
# "hook.*"; a finding's own line counts more than its group's. protocol/findings.md lists them.
[findings]
"*" = "reject"

# Who must vouch for the installation key: software (nobody), platform, tee or secure-chip.
[assurance]
android = "software"
ios = "software"
host = "software"

[app]
development_keys = false
# installers = ["com.android.vending"]

# Systems other than the phone maker's: name = boot key.
[boot.keys]
# "GrapheneOS Pixel 8" = "cd7479653aa88208f9f03034810ef9b7b0af8a9d41e2000e458ac403a2acb233"

[android]
# min_os_version = 12
# min_patch_level = { os = "365d", vendor = "540d", boot = "540d" }

[app_attest]
environments = ["production"]

[play_integrity]
required = false
app_recognition = ["PLAY_RECOGNIZED"]
app_licensing = ["LICENSED"]
device_labels = ["MEETS_DEVICE_INTEGRITY"]

# [[filters]]
# name = "old tablets"
# effect = "refuse"
# model = ["SM-T5*", "KFMAWI"]
# os_version = "<11"
)toml";
}

}  // namespace touchmark::verifier::policy
