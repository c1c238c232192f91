// SPDX-License-Identifier: GPL-2.0-only
//
// Systematic litmus programs: some states of an inode with its files, and the calls that can be
// made there. Any of the calls may be threads of one step.
//
// Constants and plain functions of their arguments; any thread.

#ifndef PROPS_SCENES_H_
#define PROPS_SCENES_H_

#include <vector>

#include "sim/script.h"

namespace iomode {

struct Scene {
  const char* name;
  const char* lines;  // the set-up
  std::vector<const char*> calls;
};

const std::vector<Scene>& Scenes();

// Whether two threads cannot both make the call, as the names of what they make would be the same.
bool NamesWhatItMakes(const char* call);

// The set-up, and a thread for each call.
Script SceneScript(const Scene& scene, const std::vector<const char*>& calls);

}  // namespace iomode

#endif  // PROPS_SCENES_H_
