// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/guest_stream.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace iomode::conform {

void GuestStream::Read() {
  if (!file_.is_open()) file_.open(path_, std::ios::binary);
  file_.clear();
  char buffer[1 << 16];
  while (file_.read(buffer, sizeof buffer), file_.gcount() > 0) {
    rest_.append(buffer, static_cast<size_t>(file_.gcount()));
    last_word_ = Clock::now();
  }
  for (size_t end; (end = rest_.find('\n')) != std::string::npos;) {
    Take(rest_.substr(0, end));
    rest_.erase(0, end + 1);
  }
}

void GuestStream::Take(const std::string& line) {
  int script = -1;
  AgentOutcome outcome;
  if (FromJsonLine(line, &script, &outcome)) {
    if (script < 0 || static_cast<size_t>(script) >= runs_->outcomes.size()) return;
    runs_->outcomes[script] = std::move(outcome);
    running_ = -1;
    done_++;
    return;
  }
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("release")) runs_->release = json.value("release", "");
  if (json.contains("begin")) {
    running_ = json.value("begin", -1);
    if (runs_->start_seconds == 0) {
      runs_->start_seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    }
  }
  ended_ |= json.contains("end");
}

}  // namespace iomode::conform
