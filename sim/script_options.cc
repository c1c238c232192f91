// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_options.h"

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

constexpr OptionName kOptions[] = {
    {"off", OPTION_OFF, "off=N"},
    {"len", OPTION_LEN, "len=N"},
    {"append", OPTION_APPEND, "append"},
    {"backing", OPTION_BACKING, "backing=B"},
    {"o", OPTION_ACCESS, "o=RDONLY|WRONLY|RDWR..."},
    {"err", OPTION_ERR, "err=ERRNO"},
    {"hold", OPTION_HOLD, "hold"},
    {"hold", OPTION_HOLD_CLOSE, "hold=FLUSH, hold=RELEASE"},
    {"flags", OPTION_FLAGS, "flags=N"},
    {"ro", OPTION_READ_ONLY, "ro"},
    {"cpu", OPTION_CPU, "cpu=N"},
    {"sched", OPTION_SCHED, "sched=idle"},
};

// The options of an operation, the scheduler hints aside.
uint32_t OwnOptions(Op op) {
  switch (op) {
    case Op::kBackingOpen:
      return OPTION_FLAGS;
    case Op::kOpen:
      return OPTION_BACKING | OPTION_ACCESS | OPTION_ERR | OPTION_HOLD;
    case Op::kClose:
      return OPTION_HOLD_CLOSE;
    case Op::kRead:
    case Op::kAioRead:
    case Op::kFallocate:
    case Op::kSpliceRead:
    case Op::kReadahead:
    case Op::kSyncRange:
      return OPTION_OFF | OPTION_LEN | OPTION_HOLD;
    case Op::kWrite:
    case Op::kAioWrite:
      return OPTION_OFF | OPTION_LEN | OPTION_APPEND | OPTION_HOLD;
    case Op::kMmap:
      return OPTION_READ_ONLY | OPTION_HOLD;
    case Op::kLoad:
    case Op::kStore:
      return OPTION_OFF | OPTION_HOLD;
    case Op::kMsync:
    case Op::kMunmap:
    case Op::kTruncate:
    case Op::kFsync:
    case Op::kStat:
      return OPTION_HOLD;
    default:
      return 0;
  }
}

// Every operation takes the scheduler hints.
uint32_t AllOptions(Op op) { return OwnOptions(op) | OPTION_CPU | OPTION_SCHED; }

}  // namespace

const OptionName* FindOption(Op op, absl::string_view key) {
  for (const OptionName& option : kOptions) {
    if (option.key == key && (AllOptions(op) & option.bit)) return &option;
  }
  return nullptr;
}

std::string ListOptions(Op op) {
  std::string list;
  for (const OptionName& option : kOptions) {
    if (AllOptions(op) & option.bit) absl::StrAppend(&list, option.shape, ", ");
  }
  return absl::StrCat(list, "\"->\" or end of line");
}

}  // namespace iomode
