/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The same as two-writers.iom. */
#define THREADS 4
#define START run P0(0); run P1(1); run P2(2); run P3(3)
#include "machine.pml"

proctype P0(byte T) {
  LOCALS;
  write_w(0)
}

proctype P1(byte T) {
  LOCALS;
  open_cached(0, BLOCKED)
}

proctype P2(byte T) {
  LOCALS;
  open_passthrough(0, BLOCKED)
}

proctype P3(byte T) {
  LOCALS;
  write_w(0)
}

#include "driver.pml"
