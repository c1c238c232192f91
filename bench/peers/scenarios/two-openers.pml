/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The same as two-openers.iom. */
#define THREADS 3
#define START run P0(0); run P1(1); run P2(2)
#include "machine.pml"

proctype P0(byte T) {
  LOCALS;
  write_w(0);
  write_w(1)
}

proctype P1(byte T) {
  LOCALS;
  open_cached(0, EBADF);
  close_file(1)
}

proctype P2(byte T) {
  LOCALS;
  open_cached(0, BLOCKED)
}

#include "driver.pml"
