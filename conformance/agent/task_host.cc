// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/task_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "conformance/agent/task_process.h"

namespace iomode::agent {
namespace {

constexpr int kLookupTimeoutMs = 10000;

absl::Status Failed(const char* what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

// In the child: moves `keep` to 0, 1, ... and closes all else but standard error.
void KeepOnly(const std::vector<int>& keep) {
  std::vector<int> copies;
  for (int fd : keep) copies.push_back(fcntl(fd, F_DUPFD, 10));
  for (size_t i = 0; i < copies.size(); ++i) dup2(copies[i], static_cast<int>(i));
  for (int fd = static_cast<int>(copies.size()); fd < STDERR_FILENO; ++fd) close(fd);
  close_range(STDERR_FILENO + 1, ~0u, 0);
}

absl::Status MakeSockets(Descriptor (&ends)[2]) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) return Failed("socketpair");
  ends[0] = Descriptor(fds[0]);
  ends[1] = Descriptor(fds[1]);
  return absl::OkStatus();
}

// Sends one descriptor over a socket, with no other content than a byte.
void SendDescriptor(int socket, int fd) {
  char byte = 0;
  iovec content = {&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space = {};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) _exit(EXIT_FAILURE);
}

Descriptor ReceiveDescriptor(int socket) {
  char byte;
  iovec content = {&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space = {};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0) return Descriptor();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return Descriptor();
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Descriptor(fd);
}

}  // namespace

absl::StatusOr<Child> Child::Start(const std::vector<int>& keep,
                                   const std::function<void()>& body) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return Failed("fork");
  if (pid > 0) return Child(pid);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_FAILURE);
  KeepOnly(keep);
  body();
  _exit(EXIT_SUCCESS);
}

Child::~Child() {
  if (pid_ == 0) return;
  Kill();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Child::Kill() {
  if (pid_ != 0) kill(pid_, SIGKILL);
}

bool Child::Reap() {
  if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

absl::StatusOr<std::unique_ptr<TaskHost>> TaskHost::Start(int mount, bool with_aio, int cpu) {
  Descriptor ends[2];
  const absl::Status made = MakeSockets(ends);
  if (!made.ok()) return made;
  absl::StatusOr<Child> child = Child::Start(
      {ends[1].get(), mount}, [with_aio] { ServeCommands(STDIN_FILENO, STDOUT_FILENO, with_aio); });
  if (!child.ok()) return child.status();
  return std::unique_ptr<TaskHost>(new TaskHost(*std::move(child), std::move(ends[0]), cpu));
}

bool TaskHost::Send(const Command& command) {
  while (true) {
    const ssize_t size = send(control_.get(), &command, sizeof command, MSG_NOSIGNAL);
    if (size == sizeof command) return true;
    if (errno != EINTR) return false;
  }
}

std::optional<Report> TaskHost::Receive() {
  Report report;
  const ssize_t size = recv(control_.get(), &report, sizeof report, MSG_DONTWAIT);
  if (size == sizeof report) return report;
  hung_up_ |= size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  return std::nullopt;
}

int64_t TaskHost::Kill() {
  if (gone_) return -ESRCH;
  killed_ = true;
  child_.Kill();
  return 0;
}

bool TaskHost::Reap() {
  if (gone_ || !child_.Reap()) return false;
  killed_ = true;
  gone_ = true;
  return true;
}

absl::StatusOr<std::vector<Descriptor>> OpenPaths(int mount, int count,
                                                  const std::function<void()>& serve) {
  Descriptor ends[2];
  const absl::Status made = MakeSockets(ends);
  if (!made.ok()) return made;
  const auto look_up = [count] {
    for (int i = 0; i < count; ++i) {
      char name[16];
      snprintf(name, sizeof name, "%d", i);
      const int fd = openat(STDOUT_FILENO, name, O_PATH | O_CLOEXEC);
      if (fd < 0) _exit(EXIT_FAILURE);
      SendDescriptor(STDIN_FILENO, fd);
    }
  };
  absl::StatusOr<Child> child = Child::Start({ends[1].get(), mount}, look_up);
  if (!child.ok()) return child.status();
  ends[1].Close();
  std::vector<Descriptor> paths;
  for (int waited = 0; static_cast<int>(paths.size()) < count; ++waited) {
    if (waited > kLookupTimeoutMs) return absl::UnavailableError("the look-up of inodes hangs");
    pollfd socket = {ends[0].get(), POLLIN, 0};
    serve();
    if (poll(&socket, 1, waited == 0 ? 0 : 1) != 1) continue;
    Descriptor path = ReceiveDescriptor(ends[0].get());
    if (!path.valid()) return absl::UnavailableError("the look-up of inodes failed");
    paths.push_back(std::move(path));
  }
  return paths;
}

absl::StatusOr<Child> StartHog(int cpu) {
  return Child::Start({}, [cpu] {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
    signal(SIGINT, SIG_IGN);
    volatile unsigned turns = 0;
    while (true) turns = turns + 1;
  });
}

}  // namespace iomode::agent
