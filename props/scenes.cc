// SPDX-License-Identifier: GPL-2.0-only

#include "props/scenes.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/script_parser.h"

namespace iomode {

const std::vector<Scene>& Scenes() {
  static const auto* const scenes = new std::vector<Scene>{
      {"neutral",
       "1: backing_open B1\n2: backing_open B2\n3: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n"
       "4: open d A DIRECT_IO\n",
       {"open c A KEEP_CACHE",
        "open k A",
        "open t A KEEP_CACHE o=RDWR|TRUNC",
        "open p A PASSTHROUGH backing=B1",
        "open q A PASSTHROUGH backing=B2",
        "open e A DIRECT_IO",
        "read w off=61440",
        "write w",
        "write w append",
        "write d off=65536",
        "aio_write w",
        "mmap m w shared",
        "mmap n d private",
        "truncate d 0",
        "truncate d 69632",
        "stat d",
        "fsync d",
        "fallocate d len=131072",
        "splice_read d",
        "close w",
        "close d",
        "backing_close B1"}},
      {"caching",
       "1: backing_open B1\n2: open c A KEEP_CACHE\n"
       "3: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n",
       {"open k A", "open p A PASSTHROUGH backing=B1", "read c", "read c off=61440", "write c",
        "write c append", "write w", "write w off=65536", "aio_write w", "mmap m c shared",
        "truncate c 0", "truncate c 69632", "stat c", "fsync c", "fallocate c len=131072",
        "splice_read c off=61440", "close c", "close w"}},
      {"passthrough",
       "1: backing_open B1\n2: backing_open B2\n3: open p A PASSTHROUGH backing=B1\n"
       "4: open q A PASSTHROUGH|DIRECT_IO|PARALLEL_DIRECT_WRITES backing=B1\n",
       {"open c A KEEP_CACHE", "open r A PASSTHROUGH backing=B1", "open s A PASSTHROUGH backing=B2",
        "open d A DIRECT_IO", "read p off=61440", "write p", "write p append", "write p off=65536",
        "read q off=61440", "write q", "write q off=65536", "mmap m p shared", "mmap n q private",
        "stat p", "truncate p 0", "close p", "close q", "backing_close B1"}},
  };
  return *scenes;
}

bool NamesWhatItMakes(const char* call) {
  return absl::StartsWith(call, "open") || absl::StartsWith(call, "mmap");
}

Script SceneScript(const Scene& scene, const std::vector<const char*>& calls) {
  std::string text = absl::StrCat(
      "conn passthrough direct_io_allow_mmap async_dio\ninode A\nbacking B1\nbacking B2\n",
      scene.lines);
  for (size_t i = 0; i < calls.size(); i++) absl::StrAppend(&text, "P", i, ": ", calls[i], "\n");
  absl::StatusOr<Script> script = ParseScript(scene.name, text);
  if (!script.ok()) {
    std::fprintf(stderr, "%s\n%s", std::string(script.status().message()).c_str(), text.c_str());
    std::abort();
  }
  return *std::move(script);
}

}  // namespace iomode
