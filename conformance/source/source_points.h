// SPDX-License-Identifier: GPL-2.0-only
//
// What the C code's scheduling points do. For source_ops.cc, which hands them to the library.

#ifndef CONFORMANCE_SOURCE_SOURCE_POINTS_H_
#define CONFORMANCE_SOURCE_SOURCE_POINTS_H_

#include "conformance/source/points.h"

namespace iomode {

// To be called in a task, with W::listener its Machine.
const source_points& SourcePoints();

// For another library.
void ForgetUnlockedWrites();

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_SOURCE_POINTS_H_
