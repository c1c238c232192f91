// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/load_script.h"

#include <iterator>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/script_parser.h"

namespace iomode::conform {
namespace {

constexpr int kMostUses = 4;

class Load {
 public:
  Load(uint64_t seed, const LoadOptions& options)
      : random_(seed),
        about_(static_cast<About>(Below(3))),
        inodes_(about_ == About::kWaits ? 1 : 1 + Below(3) / 2),
        files_(options.files),
        options_(options) {}

  std::string Text() {
    text_ = "conn passthrough direct_io_allow_mmap\ninode A\n";
    if (inodes_ > 1) text_ += "inode B\n";
    text_ += "backing B1\nbacking B2\n";
    Emit("backing_open B1");
    Emit("backing_open B2");
    std::vector<int> working;
    for (int i = 0; i < options_.files; i++) working.push_back(i);
    while (!working.empty() || !held_.empty()) {
      if (Below(24) == 0) ReplaceBacking();
      if (working.empty() || (!held_.empty() && Below(5) == 0)) {
        Reply(working);
        continue;
      }
      const size_t pick = Below(working.size());
      const int number = working[pick];
      const bool more = Advance(number);
      if (!more || files_[number].held) working.erase(working.begin() + static_cast<long>(pick));
    }
    for (int i = 1; i <= 2; i++) Emit(absl::StrCat("backing_close B", i));
    return std::move(text_);
  }

 private:
  // kWaits: cached opens while direct writes are in flight. kBackings: passthrough opens, with
  // either backing.
  enum class About { kEverything, kWaits, kBackings };
  enum class Mode { kCached, kDirect, kParallel, kPassthrough };
  struct File {
    int rounds = 0;
    int uses = 0;  // left in this round
    bool open = false;
    bool mapped = false;
    bool held = false;  // the server holds the request of its last step
    Mode mode = Mode::kCached;
  };

  size_t Below(size_t n) { return random_() % n; }

  void Emit(const std::string& step) { absl::StrAppend(&text_, ++steps_, ": ", step, "\n"); }

  // Some of the held requests are answered at once, so that what they are about goes on at once.
  void Reply(std::vector<int>& working) {
    std::string step = "reply";
    const size_t count = 1 + Below(held_.size());
    for (size_t i = 0; i < count; i++) {
      absl::StrAppend(&step, i ? "," : " ", held_[i].step);
      files_[held_[i].file].held = false;
      working.push_back(held_[i].file);
    }
    held_.erase(held_.begin(), held_.begin() + static_cast<long>(count));
    Emit(step);
  }

  void EmitHeldPerhaps(const std::string& step, int number, bool often = false) {
    files_[number].held = often ? Below(3) != 0 : Below(3) == 0;
    Emit(files_[number].held ? step + " hold" : step);
    if (files_[number].held) held_.push_back({steps_, number});
  }

  void ReplaceBacking() {
    const std::string name = absl::StrCat("B", 1 + Below(2));
    Emit("backing_close " + name);
    Emit("backing_open " + name);
  }

  // The next step of a file; false: it is done with all rounds.
  bool Advance(int number) {
    File& file = files_[number];
    const std::string name = absl::StrCat("f", number);
    if (!file.open) {
      if (file.rounds++ == options_.rounds) return false;
      Open(name, number, file);
    } else if (file.uses-- > 0) {
      Use(name, number, file);
    } else if (file.mapped) {
      Emit(absl::StrCat("munmap m", number));
      file.mapped = false;
    } else {
      Emit("close " + name);
      file.open = false;
    }
    return true;
  }

  Mode PickMode() {
    constexpr Mode kAll[] = {
        Mode::kCached,   Mode::kCached,   Mode::kCached,   Mode::kDirect,      Mode::kParallel,
        Mode::kParallel, Mode::kParallel, Mode::kParallel, Mode::kPassthrough, Mode::kPassthrough};
    if (about_ == About::kBackings && Below(4) != 0) return Mode::kPassthrough;
    if (about_ == About::kWaits && Below(8) != 0)
      return Below(3) == 0 ? Mode::kCached : Mode::kParallel;
    return kAll[Below(std::size(kAll))];
  }

  void Open(const std::string& name, int number, File& file) {
    file.mode = PickMode();
    file.open = true;
    file.uses = static_cast<int>(Below(kMostUses + 1));
    std::string step = absl::StrCat("open ", name, " ", Below(inodes_) == 0 ? "A" : "B");
    switch (file.mode) {
      case Mode::kCached:
        if (Below(2) == 0) step += " KEEP_CACHE";
        break;
      case Mode::kDirect:
        step += " DIRECT_IO";
        break;
      case Mode::kParallel:
        step += " DIRECT_IO|PARALLEL_DIRECT_WRITES";
        break;
      case Mode::kPassthrough:
        absl::StrAppend(&step, " PASSTHROUGH backing=B",
                        1 + (Below(about_ == About::kBackings ? 2 : 4) == 0));
        break;
    }
    EmitHeldPerhaps(step, number);
  }

  void Use(const std::string& name, int number, File& file) {
    const size_t what = Below(8);
    if (what == 0 && !file.mapped) {
      Emit(absl::StrCat("mmap m", number, " ", name, Below(4) == 0 ? " private" : " shared"));
      file.mapped = true;
    } else if (what == 1) {
      Emit(absl::StrCat("read ", name, " off=", 4096 * Below(8)));
    } else if (what == 2) {
      EmitHeldPerhaps(absl::StrCat("write ", name, " append"), number);
    } else {
      EmitHeldPerhaps(absl::StrCat("write ", name, " off=", 4096 * Below(8)), number,
                      about_ == About::kWaits);
    }
  }

  std::mt19937_64 random_;
  const About about_;
  const size_t inodes_;
  std::vector<File> files_;
  struct Held {
    int step;
    int file;
  };
  std::vector<Held> held_;
  const LoadOptions options_;
  std::string text_;
  int steps_ = 0;
};

}  // namespace

Script LoadScript(uint64_t seed, const std::string& name, const LoadOptions& options) {
  return ParseScript(name, Load(seed, options).Text()).value();
}

}  // namespace iomode::conform
