#include "verifier/appraisal/facts.h"

namespace touchmark::verifier::appraisal {

namespace {

// A mobile build is judged as what is registered, whatever it says of itself.
std::string platform_of(const Evidence& evidence, const ExpectedApp& app) {
  if (protocol::is_mobile_build(evidence.sdk_build)) return std::string(app.platform);
  if (evidence.sdk_build == protocol::kHostBuild) return evidence.sdk_build;
  return std::string(policy::kUnknownPlatform);
}

}  // namespace

policy::Facts facts_of(const Evidence& evidence, const ExpectedApp& app,
                       const DeviceAppraisal& device, bool development_key,
                       const std::string& remote_ip) {
  policy::Facts facts;
  facts.platform = platform_of(evidence, app);
  facts.os_version = evidence.os_version;
  facts.manufacturer = evidence.manufacturer;
  facts.model = evidence.model;
  facts.installer = evidence.installer;
  facts.package_name = evidence.package_name;
  facts.version_code = evidence.version_code;
  facts.sdk_version = evidence.sdk_version;
  facts.device_id = evidence.did;
  facts.ip = remote_ip;
  facts.development_key = development_key;
  facts.assurance = device.assurance;
  facts.android = device.android;
  facts.app_attest = device.app_attest;
  facts.play = device.play;
  return facts;
}

}  // namespace touchmark::verifier::appraisal
