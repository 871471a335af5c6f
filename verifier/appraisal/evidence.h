// The evidence that is appraised; protocol/messages/evidence.h reads it.
#pragma once

#include "protocol/messages/evidence.h"

namespace touchmark::verifier::appraisal {

using protocol::Evidence;
using protocol::EvidenceError;
using protocol::ReportedFinding;

}  // namespace touchmark::verifier::appraisal
