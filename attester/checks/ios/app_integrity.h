// All checks of an app on an iPhone, as the Integrity that the client asks.
#pragma once

#include <memory>

#include "attester/checks/ios/iphone.h"
#include "attester/core/integrity.h"

namespace touchmark::attester::checks::ios {

// `iphone` must outlive it.
std::unique_ptr<Integrity> make_app_integrity(const Iphone& iphone);

}  // namespace touchmark::attester::checks::ios
