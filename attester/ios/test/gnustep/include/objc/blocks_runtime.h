// GNUstep's headers ask for it where blocks are on; Debian's blocks runtime calls it otherwise.
#pragma once
#include <Block.h>
