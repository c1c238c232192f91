// SPDX-License-Identifier: GPL-2.0-only
// include/linux/idr.h: ids handed out cyclically, so that none comes twice in a script.

#ifndef SHIM_LINUX_IDR_H_
#define SHIM_LINUX_IDR_H_

#include "points.h"

#define idr_init(idr) ((void)(idr))
#define idr_destroy(idr) ((void)(idr))
#define idr_preload(gfp) ((void)(gfp))
#define idr_preload_end() ((void)0)
#define idr_alloc_cyclic(idr, object, start, end, gfp) \
  source_points.idr_alloc((idr), (object), __func__)
#define idr_remove(idr, id) source_points.idr_remove((idr), (id), __func__)
#define idr_find(idr, id) source_points.idr_find((idr), (id), __func__)

int idr_for_each(const struct idr* idr, int (*each)(int id, void* object, void* data), void* data);

#endif  // SHIM_LINUX_IDR_H_
