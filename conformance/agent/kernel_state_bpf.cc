// SPDX-License-Identifier: GPL-2.0-only
//
// Kernel state by BPF: an iterator over the agent's own descriptors, loaded against the kernel's
// BTF. It needs no probes.

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "conformance/agent/descriptor.h"
#include "conformance/agent/inode_record.h"
#include "conformance/agent/inode_state_object.h"
#include "conformance/agent/kernel_state.h"

namespace iomode::agent {
namespace {

// Bits of rw_semaphore::count (kernel/locking/rwsem.c).
constexpr int64_t kWriterLocked = 1 << 0;
constexpr int64_t kHasWaiters = 1 << 1;
constexpr int kReaderShift = 8;

struct Free {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  void operator()(btf* types) const { btf__free(types); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// The latest warning of libbpf, for messages.
std::string& Complaint() {
  static std::string complaint;
  return complaint;
}

int NoteComplaint(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char text[500];
  const int size = vsnprintf(text, sizeof text, format, arguments);
  Complaint() = std::string(absl::StripAsciiWhitespace(text));
  return size;
}

absl::Status NoSource(const char* what) {
  std::string message = absl::StrCat("cannot read the kernel's state by BPF: ", what);
  if (errno != 0) absl::StrAppend(&message, ": ", strerror(errno));
  if (!Complaint().empty()) absl::StrAppend(&message, " (", Complaint(), ")");
  return absl::FailedPreconditionError(message);
}

std::optional<int64_t> FindEnumerator(const btf& types, absl::string_view name) {
  for (__u32 id = 1; id < btf__type_cnt(&types); ++id) {
    const btf_type* type = btf__type_by_id(&types, id);
    if (!btf_is_enum(type)) continue;
    const struct btf_enum* values = btf_enum(type);
    for (int i = 0; i < btf_vlen(type); ++i) {
      if (name == btf__name_by_offset(&types, values[i].name_off)) return values[i].val;
    }
  }
  return std::nullopt;
}

// The number of the bit FUSE_I_CACHE_IO_MODE of fuse_inode::state, which has moved between
// releases.
absl::StatusOr<int> FindCacheModeBit() {
  constexpr char kName[] = "FUSE_I_CACHE_IO_MODE";
  const Owned<btf> kernel(btf__load_vmlinux_btf());
  if (kernel == nullptr) {
    return NoSource("no type information in /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)");
  }
  std::optional<int64_t> bit = FindEnumerator(*kernel, kName);
  if (!bit.has_value()) {
    const Owned<btf> module(btf__load_module_btf("fuse", kernel.get()));
    if (module != nullptr) bit = FindEnumerator(*module, kName);
  }
  if (bit.has_value()) return static_cast<int>(*bit);
  errno = 0;
  return NoSource("its type information has no FUSE_I_CACHE_IO_MODE (Linux 6.9 or later has)");
}

absl::Status CheckComplete(const InodeRecord& record) {
  constexpr std::pair<unsigned, const char*> kFields[] = {
      {kMissingIoCounter, "fuse_inode::iocachectr"},
      {kMissingWaiters, "fuse_inode::direct_io_waitq"},
      {kMissingBacking, "fuse_inode::fb"},
      {kMissingLock, "rw_semaphore::count"}};
  for (const auto& [bit, name] : kFields) {
    if (record.missing & bit) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot read the kernel's state by BPF: this kernel has no ", name));
    }
  }
  return absl::OkStatus();
}

class BpfKernelState : public KernelState {
 public:
  static absl::StatusOr<std::unique_ptr<KernelState>> Open() {
    libbpf_set_print(NoteComplaint);
    Complaint().clear();
    std::unique_ptr<BpfKernelState> state(new BpfKernelState);
    const absl::StatusOr<int> bit = FindCacheModeBit();
    if (!bit.ok()) return bit.status();
    state->cache_mode_bit_ = *bit;
    bpf_object_open_opts options = {};
    options.sz = sizeof options;
    options.object_name = "iomode";
    const auto program = InodeStateProgram();
    state->object_.reset(bpf_object__open_mem(program.data(), program.size(), &options));
    if (state->object_ == nullptr) return NoSource("open");
    if (bpf_object__load(state->object_.get()) != 0) return NoSource("load");
    const absl::Status attached = state->Attach();
    if (!attached.ok()) return attached;
    return state;
  }

  absl::StatusOr<std::vector<InodeState>> Read(std::span<const int> paths) override {
    const Descriptor iterator(bpf_iter_create(bpf_link__fd(link_.get())));
    if (!iterator.valid()) return NoSource("bpf_iter_create");
    std::map<int, InodeState> by_descriptor;
    while (true) {
      std::array<InodeRecord, 32> records;
      const ssize_t size = read(iterator.get(), records.data(), sizeof records);
      if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (size < 0) return NoSource("read");
      if (size == 0) break;
      for (size_t i = 0; i < static_cast<size_t>(size) / sizeof(InodeRecord); ++i) {
        const absl::Status complete = CheckComplete(records[i]);
        if (!complete.ok()) return complete;
        by_descriptor[records[i].fd] = StateOf(records[i]);
      }
    }
    std::vector<InodeState> states;
    for (int path : paths) {
      auto found = by_descriptor.find(path);
      if (found == by_descriptor.end()) {
        return absl::UnavailableError(absl::StrCat("the kernel did not report descriptor ", path));
      }
      states.push_back(found->second);
    }
    return states;
  }

 private:
  BpfKernelState() = default;

  absl::Status Attach() {
    bpf_program* program = bpf_object__find_program_by_name(object_.get(), "ReportInode");
    bpf_iter_link_info target = {};
    target.task.pid = static_cast<__u32>(getpid());
    bpf_iter_attach_opts options = {};
    options.sz = sizeof options;
    options.link_info = &target;
    options.link_info_len = sizeof target;
    link_.reset(bpf_program__attach_iter(program, &options));
    return link_ == nullptr ? NoSource("attach") : absl::OkStatus();
  }

  InodeState StateOf(const InodeRecord& record) const {
    InodeState state;
    state.iocachectr = record.iocachectr;
    state.cache_io_mode = (record.state >> cache_mode_bit_ & 1) != 0;
    state.backing = record.backing;
    state.backing_refs = record.backing_refs;
    state.waiters = record.waiters;
    state.locked_exclusive = (record.lock & kWriterLocked) != 0;
    state.lock_readers = static_cast<uint32_t>(record.lock >> kReaderShift);
    state.lock_waiters = (record.lock & kHasWaiters) != 0;
    state.pages = record.pages;
    state.size = record.size;
    return state;
  }

  Owned<bpf_object> object_;
  Owned<bpf_link> link_;
  int cache_mode_bit_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KernelState>> OpenKernelState() { return BpfKernelState::Open(); }

}  // namespace iomode::agent
