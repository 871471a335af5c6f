// The answers of the service to operators, as JSON: the one place that spells their members.
// protocol/README.md and protocol/openapi.yaml describe them.
#pragma once

#include "base/json.h"
#include "verifier/verifier.h"

namespace touchmark::verifier::routes {

Json to_json(const model::Registration& registration);
Json to_json(const model::SigningCertificate& certificate);
Json to_json(const model::ApiDomain& api);
Json to_json(const state::PolicyState& policy);
// The settings that stand beside the policy document.
Json to_json(const state::ServiceSettings& settings);
Json to_json(const state::PolicyRollout::Changed& changed);
Json to_json(const state::Replay& replay);
Json to_json(const state::AppraisalJournal::Numbered& numbered);
Json to_json(const state::Device& device);
Json to_json(const state::Devices::Forced& forced);
Json to_json(const model::OperatorToken& entry);  // without its hash
Json to_json(const state::AuditLog& log);
Json to_json(const Status& status);
Json to_json(const Diagnosis& diagnosis);

// A recorded appraisal, judged and explained by the policy in force for most devices.
Json explained(const state::RecordedAppraisal& appraisal, const policy::Policy& policy,
               policy::Force force);

}  // namespace touchmark::verifier::routes
