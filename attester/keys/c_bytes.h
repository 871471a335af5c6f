// What functions behind the C interface fill: touchmark_bytes_set() copies into it.
#pragma once

#include "attester/include/touchmark.h"
#include "base/bytes.h"

struct touchmark_bytes {
  touchmark::Bytes content;
};
