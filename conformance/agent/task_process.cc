// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/task_process.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "conformance/agent/system_calls.h"

namespace iomode::agent {
namespace {

constexpr size_t kStackBytes = 64 << 10;
constexpr size_t kArenaBytes = 8 << 20;
constexpr size_t kPage = 4096;
constexpr int kAioEvents = 256;

// What the threads of a process share; written before the first of them starts.
struct Shared {
  int control = -1;
  int mount = -1;
  aio_context_t aio = 0;
};
Shared shared;

void Send(const Report& report) {
  // A lost report shows as a step that never ends; there is nobody else to tell.
  while (send(shared.control, &report, sizeof report, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

void ApplyHints(const Command& command) {
  if (command.cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(command.cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  if (command.idle) {
    const sched_param parameters = {};
    sched_setscheduler(0, SCHED_IDLE, &parameters);
  }
}

// Waits for events of the process's aio context and reports each for the step that it belongs to:
// the steps share the context, so a thread may be handed the event of another.
void ReportAioEvents() {
  while (true) {
    io_event event;
    if (syscall(SYS_io_getevents, shared.aio, 1, 1, &event, nullptr) != 1) continue;
    Send(ReportOfAio(*reinterpret_cast<const StepFrame*>(event.data), event.res));
  }
}

void* StepMain(void* argument) {
  StepFrame& frame = *static_cast<StepFrame*>(argument);
  Report started;
  started.step = frame.command.step;
  started.task = gettid();
  Send(started);
  // Afterwards: an idle task beside a hog might not come to report, and nobody could end it soon.
  ApplyHints(frame.command);
  bool submitted;
  const Report report = CallOf(frame, shared.mount, shared.aio, &submitted);
  if (submitted) ReportAioEvents();
  Send(report);
  while (true) pause();
}

// Memory that is never given back, taken from one region, and from new ones when that is used up.
class Arena {
 public:
  Arena() { Grow(kArenaBytes); }

  uint8_t* Take(size_t bytes) {
    bytes = (bytes + kPage - 1) / kPage * kPage;
    if (bytes > left_) Grow(bytes + kArenaBytes);
    uint8_t* taken = next_;
    next_ += bytes;
    left_ -= bytes;
    return taken;
  }

 private:
  void Grow(size_t bytes) {
    void* region = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) _exit(EXIT_FAILURE);
    next_ = static_cast<uint8_t*>(region);
    left_ = bytes;
    // The first fault of a region needs the mmap lock, later ones do not.
    *next_ = 1;
  }

  uint8_t* next_ = nullptr;
  size_t left_ = 0;
};

void StartStep(Arena& arena, const Command& command) {
  StepFrame* frame = new (arena.Take(sizeof(StepFrame))) StepFrame;
  frame->command = command;
  const size_t size = static_cast<size_t>(BufferBytes(command));
  frame->buffer = std::span(size > 0 ? arena.Take(size) : nullptr, size);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, arena.Take(kStackBytes), kStackBytes);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, StepMain, frame);
  pthread_attr_destroy(&attributes);
  if (error == 0) return;
  Report report;
  report.kind = Report::Kind::kDone;
  report.step = command.step;
  report.value = -error;
  Send(report);
}

void SetUpAio() {
  if (syscall(SYS_io_setup, kAioEvents, &shared.aio) != 0) _exit(EXIT_FAILURE);
  // The kernel reads the ring's head from user memory at every submission.
  *reinterpret_cast<const volatile uint32_t*>(shared.aio);
}

}  // namespace

void ServeCommands(int control, int mount, bool with_aio) {
  shared.control = control;
  shared.mount = mount;
  if (with_aio) SetUpAio();
  InstallSignalHandlers();
  // Ctrl-C goes to the whole terminal; the agent ends its processes itself.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  // pthread_create allocates a little: have that at hand, and no arenas but the main one.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 1 << 20);
  void* volatile heap = malloc(64 << 10);
  free(heap);
  // After fork() the page tables are incomplete. What is here by now must not fault during a step.
  mlockall(MCL_CURRENT);
  Arena arena;
  while (true) {
    Command command;
    const ssize_t size = recv(control, &command, sizeof command, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof command) _exit(EXIT_SUCCESS);
    StartStep(arena, command);
  }
}

}  // namespace iomode::agent
