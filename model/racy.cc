// SPDX-License-Identifier: GPL-2.0-only

#include "model/racy.h"

namespace iomode {

constinit thread_local RacyObserver racy_observer = nullptr;

}  // namespace iomode
