// Everything of this folder but JOSE.
#pragma once

#include "crypto/digest.h"
#include "crypto/ec_key.h"
#include "crypto/error.h"
#include "crypto/seal.h"
