// SPDX-License-Identifier: GPL-2.0-only
// Nobody polls.

#ifndef SHIM_LINUX_POLL_H_
#define SHIM_LINUX_POLL_H_

#define RB_EMPTY_NODE(node) true
#define rb_erase(node, root) ((void)0)
#define wake_up_interruptible_all(queue) ((void)0)

#endif  // SHIM_LINUX_POLL_H_
