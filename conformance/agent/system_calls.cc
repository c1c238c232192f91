// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/system_calls.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "model/uapi.h"

namespace iomode::agent {
namespace {

// Set while a thread touches a mapping of a script: where to go on when that faults.
thread_local sigjmp_buf* fault_exit = nullptr;

void OnFault(int signal_number) {
  if (fault_exit != nullptr) siglongjmp(*fault_exit, 1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void OnInterrupt(int) {}

int64_t OrErrno(int64_t result) { return result < 0 ? -errno : result; }

void NoteSources(Report& report, std::span<const uint8_t> bytes) {
  std::span<Source> room = std::span(report.sources).subspan(report.source_count);
  report.source_count = static_cast<uint8_t>(report.source_count + SourcesOf(bytes, room));
}

Report ReportOf(const StepFrame& frame, int64_t value) {
  Report report;
  report.kind = Report::Kind::kDone;
  report.step = frame.command.step;
  report.task = gettid();
  report.value = value;
  return report;
}

// A read into the step's buffer has returned `value`.
Report ReportOfRead(const StepFrame& frame, int64_t value) {
  Report report = ReportOf(frame, value);
  if (value > 0) NoteSources(report, frame.buffer.first(static_cast<size_t>(value)));
  return report;
}

int64_t Write(const StepFrame& frame) {
  const Command& command = frame.command;
  const size_t size = static_cast<size_t>(command.len);
  if (!command.append) return OrErrno(pwrite(command.fd, frame.buffer.data(), size, command.off));
  const iovec vector = {frame.buffer.data(), size};
  return OrErrno(pwritev2(command.fd, &vector, 1, command.off, RWF_APPEND));
}

Report SpliceRead(StepFrame& frame) {
  const Command& command = frame.command;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ReportOf(frame, -errno);
  const int64_t page = kPageSize;
  fcntl(ends[1], F_SETPIPE_SZ,
        static_cast<int>(std::max<int64_t>(command.len + 2 * page, 16 * page)));
  loff_t offset = command.off;
  const int64_t moved =
      OrErrno(splice(command.fd, &offset, ends[1], nullptr, static_cast<size_t>(command.len), 0));
  for (int64_t got = 0; got < moved;) {
    const ssize_t some = read(ends[0], frame.buffer.data() + got, static_cast<size_t>(moved - got));
    if (some <= 0) break;
    got += some;
  }
  close(ends[0]);
  close(ends[1]);
  return ReportOfRead(frame, moved);
}

Report Map(const StepFrame& frame) {
  const Command& command = frame.command;
  const int protection = PROT_READ | (command.writable ? PROT_WRITE : 0);
  const int flags = (command.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE;
  void* address = mmap(nullptr, kMapBytes, protection, flags, command.fd, 0);
  if (address == MAP_FAILED) return ReportOf(frame, -errno);
  Report report = ReportOf(frame, 0);
  report.address = reinterpret_cast<uint64_t>(address);
  return report;
}

// Loads or stores one word, less where the page ends before. A store reports who owns the rest of
// its page.
Report Access(const StepFrame& frame) {
  const Command& command = frame.command;
  if (static_cast<uint64_t>(command.off) >= kMapBytes) return ReportOf(frame, -EFAULT);
  sigjmp_buf out;
  if (sigsetjmp(out, 0) != 0) {
    fault_exit = nullptr;
    return ReportOf(frame, -EFAULT);
  }
  fault_exit = &out;
  const size_t in_page = static_cast<size_t>(command.off % kPageSize);
  const size_t size = std::min<size_t>(sizeof(uint64_t), static_cast<size_t>(kPageSize) - in_page);
  uint8_t* page = reinterpret_cast<uint8_t*>(command.address) + (command.off - in_page);
  Report report = ReportOf(frame, 0);
  uint8_t word[sizeof(uint64_t)];
  if (command.op == Op::kStore) {
    Fill(std::span(word), command.source);
    memcpy(page + in_page, word, size);
    NoteSources(report, std::span(page, in_page));
    NoteSources(report, std::span(page + in_page + size, kPageSize - in_page - size));
  } else {
    memcpy(word, page + in_page, size);
    NoteSources(report, std::span(word).first(size));
  }
  fault_exit = nullptr;
  return report;
}

Report Open(const StepFrame& frame, int mount) {
  char name[16];
  snprintf(name, sizeof name, "%d", frame.command.inode);
  return ReportOf(frame, OrErrno(openat(mount, name, frame.command.flags)));
}

Report Stat(const StepFrame& frame) {
  struct stat attributes;
  const int64_t result = OrErrno(fstat(frame.command.fd, &attributes));
  return ReportOf(frame, result < 0 ? result : attributes.st_size);
}

Report SubmitAio(StepFrame& frame, aio_context_t aio, bool* submitted) {
  const Command& command = frame.command;
  frame.request = {};
  frame.request.aio_data = reinterpret_cast<uint64_t>(&frame);
  frame.request.aio_lio_opcode =
      command.op == Op::kAioRead ? uint16_t{IOCB_CMD_PREAD} : uint16_t{IOCB_CMD_PWRITE};
  frame.request.aio_fildes = static_cast<uint32_t>(command.fd);
  frame.request.aio_buf = reinterpret_cast<uint64_t>(frame.buffer.data());
  frame.request.aio_nbytes = static_cast<uint64_t>(command.len);
  frame.request.aio_offset = command.off;
  frame.request.aio_rw_flags = command.append ? RWF_APPEND : 0;
  iocb* list[] = {&frame.request};
  const int64_t result = OrErrno(syscall(SYS_io_submit, aio, 1, list));
  *submitted = result == 1;
  return ReportOf(frame, result == 0 ? -EAGAIN : result);
}

// Calls that only yield a number.
int64_t PlainCall(const Command& command) {
  const size_t size = static_cast<size_t>(command.len);
  void* map = reinterpret_cast<void*>(command.address);
  switch (command.op) {
    case Op::kClose:
      return OrErrno(close(command.fd));
    case Op::kDup:
      return OrErrno(dup(command.fd));
    case Op::kMsync:
      return OrErrno(msync(map, kMapBytes, MS_SYNC));
    case Op::kMunmap:
      return OrErrno(munmap(map, kMapBytes));
    case Op::kSetfl:
      return OrErrno(fcntl(command.fd, F_SETFL, command.flags));
    case Op::kTruncate:
      return OrErrno(ftruncate(command.fd, command.len));
    case Op::kFsync:
      return OrErrno(fsync(command.fd));
    case Op::kFallocate:
      return OrErrno(fallocate(command.fd, 0, command.off, command.len));
    case Op::kReadahead:
      return OrErrno(readahead(command.fd, command.off, size));
    case Op::kSyncRange:
      return OrErrno(sync_file_range(command.fd, command.off, command.len, SYNC_FILE_RANGE_WRITE));
    default:
      return -ENOSYS;
  }
}

}  // namespace

bool MovesBuffer(Op op) {
  return op == Op::kRead || op == Op::kWrite || op == Op::kAioRead || op == Op::kAioWrite ||
         op == Op::kSpliceRead;
}

int64_t BufferBytes(const Command& command) { return MovesBuffer(command.op) ? command.len : 0; }

Report CallOf(StepFrame& frame, int mount, aio_context_t aio, bool* submitted) {
  const Command& command = frame.command;
  *submitted = false;
  // Touches every page of the buffer: a fault inside the system call would need the mmap lock.
  if (command.op == Op::kWrite || command.op == Op::kAioWrite) {
    Fill(frame.buffer, command.source);
  } else if (!frame.buffer.empty()) {
    memset(frame.buffer.data(), 0, frame.buffer.size());
  }
  switch (command.op) {
    case Op::kOpen:
      return Open(frame, mount);
    case Op::kRead:
      return ReportOfRead(frame, OrErrno(pread(command.fd, frame.buffer.data(),
                                               static_cast<size_t>(command.len), command.off)));
    case Op::kWrite:
      return ReportOf(frame, Write(frame));
    case Op::kAioRead:
    case Op::kAioWrite:
      return SubmitAio(frame, aio, submitted);
    case Op::kMmap:
      return Map(frame);
    case Op::kLoad:
    case Op::kStore:
      return Access(frame);
    case Op::kSpliceRead:
      return SpliceRead(frame);
    case Op::kStat:
      return Stat(frame);
    default:
      return ReportOf(frame, PlainCall(command));
  }
}

Report ReportOfAio(const StepFrame& frame, int64_t result) {
  return frame.command.op == Op::kAioRead ? ReportOfRead(frame, result) : ReportOf(frame, result);
}

void InstallSignalHandlers() {
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = OnFault;
  action.sa_flags = SA_NODEFER;
  sigaction(SIGBUS, &action, nullptr);
  sigaction(SIGSEGV, &action, nullptr);
  action.sa_handler = OnInterrupt;
  action.sa_flags = 0;
  sigaction(SIGUSR1, &action, nullptr);
}

}  // namespace iomode::agent
