#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: machine_symbols_test.sh LIBRARY
#
# Code that reports its accesses (sim/BUILD.bazel) may have no inline variables of its own, which
# would be other ones than everybody else's, and may call no function on memory that does not report.
set -eu
symbols=$(nm -C "$1")
case $symbols in
  *iomode_reported_memcpy*) ;;
  *)
    echo "this build does not report accesses: nothing to look for"
    exit 0
    ;;
esac
bad=$(printf '%s\n' "$symbols" | grep -E ' [bBdD] |U (memcpy|memmove|memset|memcmp|bcmp)$' |
  grep -vE 'anonymous namespace|typeinfo for|vtable for|std::__ioinit|DW\.ref\.') || true
if [ -n "$bad" ]; then
  echo "$bad"
  echo "a variable: define it in a source file, as sim/scheduled_operations.cc does;"
  echo "a function: declare it in sim/reported_memory.h, define it in sim/access_recorder.cc"
  exit 1
fi
