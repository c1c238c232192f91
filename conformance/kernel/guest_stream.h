// SPDX-License-Identifier: GPL-2.0-only
//
// Reads what a guest sends (guest_protocol.h) from the file that QEMU writes it to, as it grows.

#ifndef CONFORMANCE_KERNEL_GUEST_STREAM_H_
#define CONFORMANCE_KERNEL_GUEST_STREAM_H_

#include <chrono>
#include <fstream>
#include <string>

#include "conformance/kernel/kernel_runs.h"

namespace iomode::conform {

class GuestStream {
 public:
  using Clock = std::chrono::steady_clock;

  // `runs` has an entry for each script.
  GuestStream(std::string path, KernelRuns* runs) : path_(std::move(path)), runs_(runs) {}

  // Takes in what has come since the last call.
  void Read();

  bool up() const { return !runs_->release.empty(); }
  bool ended() const { return ended_; }
  // The script that runs; -1: none.
  int running() const { return running_; }
  size_t done() const { return done_; }
  // When the guest last said anything; at first, when this was made.
  Clock::time_point last_word() const { return last_word_; }

 private:
  void Take(const std::string& line);

  std::string path_;
  KernelRuns* runs_;
  std::ifstream file_;
  std::string rest_;  // of a line that is not complete yet
  bool ended_ = false;
  int running_ = -1;
  size_t done_ = 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_word_ = begin_;
};

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_GUEST_STREAM_H_
