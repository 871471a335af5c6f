#pragma once

#include "base/bytes.h"

namespace touchmark::package::ios {

// The root under which Apple issues code-signing certificates: "Apple Root CA", DER.
ByteView apple_root();

}  // namespace touchmark::package::ios
