// SPDX-License-Identifier: GPL-2.0-only

#include "sim/scheduled_operations.h"

namespace iomode {

const char ScheduledOperations::observed = 0;
constinit thread_local WorldListener* ScheduledOperations::listener = nullptr;
constinit thread_local bool ScheduledOperations::tracing = false;
void (*ScheduledOperations::entered)(const char* function) = nullptr;

}  // namespace iomode
