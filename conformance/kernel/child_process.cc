// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace iomode::conform {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMs = 100;
constexpr int kNoProgram = 127;

volatile sig_atomic_t caught_signal = 0;

void OnSignal(int number) { caught_signal = number; }

// A pipe; -1, -1 when it is closed.
struct Pipe {
  int ends[2] = {-1, -1};
  ~Pipe() {
    Close(0);
    Close(1);
  }
  bool Open() { return pipe2(ends, O_CLOEXEC) == 0; }
  void Close(int end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

// In the child; only returns what exec() could not do.
[[noreturn]] void Become(const std::vector<std::string>& command, const ChildOptions& options,
                         int out, int err, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kNoProgram);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  for (const std::string& variable : options.environment) {
    putenv(const_cast<char*>(variable.c_str()));
  }
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(kNoProgram);
  execvp(arguments[0], arguments.data());
  _exit(kNoProgram);
}

// Takes what has arrived; false at the end of the stream.
bool Drain(Pipe& pipe, std::string& text) {
  char buffer[1 << 16];
  const ssize_t size = read(pipe.ends[0], buffer, sizeof buffer);
  if (size > 0) text.append(buffer, static_cast<size_t>(size));
  if (size > 0 || (size < 0 && errno == EINTR)) return true;
  pipe.Close(0);
  return false;
}

// SIGTERM when it has to stop, SIGKILL when that does not help.
class Stopper {
 public:
  Stopper(pid_t pid, const ChildOptions& options) : pid_(pid), options_(options) {}

  bool stopped() const { return stopped_; }

  void Look() {
    if (!stopped_ && (caught_signal != 0 || (options_.keep_on && !options_.keep_on()))) {
      stopped_ = true;
      since_ = Clock::now();
      kill(pid_, SIGTERM);
    }
    if (stopped_ && Clock::now() - since_ > options_.grace) kill(pid_, SIGKILL);
  }

 private:
  pid_t pid_;
  const ChildOptions& options_;
  bool stopped_ = false;
  Clock::time_point since_;
};

// Reads both pipes and waits for the child. What grandchildren may still write when it has ended is
// not waited for.
int Follow(pid_t pid, Pipe& out, Pipe& err, Stopper& stopper, ChildResult& result) {
  int status = 0;
  while (true) {
    stopper.Look();
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    pollfd pipes[2] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}};
    const int timeout = ended == pid ? 0 : kPollMs;
    // A child without pipes, or with both closed, is polled for by time alone, at short intervals.
    const bool silent = out.ends[0] < 0 && err.ends[0] < 0;
    const int ready = poll(pipes, 2, silent && timeout != 0 ? 10 : timeout);
    if (ready > 0) {
      if (pipes[0].revents != 0) Drain(out, result.out);
      if (pipes[1].revents != 0) Drain(err, result.err);
      if (ended != pid) continue;
    }
    if (ended != pid) continue;
    // The last words.
    while (out.ends[0] >= 0 && poll(&pipes[0], 1, 0) > 0 && Drain(out, result.out)) {
    }
    while (err.ends[0] >= 0 && poll(&pipes[1], 1, 0) > 0 && Drain(err, result.err)) {
    }
    return status;
  }
}

}  // namespace

absl::StatusOr<ChildResult> RunChild(const std::vector<std::string>& command,
                                     const ChildOptions& options) {
  Pipe out;
  Pipe err;
  int log = -1;
  if (!options.log.empty()) {
    log = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) {
      return absl::UnavailableError(absl::StrCat(options.log, ": ", strerror(errno)));
    }
  } else if (!out.Open() || !err.Open()) {
    return absl::UnavailableError(absl::StrCat("pipe: ", strerror(errno)));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    Become(command, options, log >= 0 ? log : out.ends[1], log >= 0 ? log : err.ends[1], parent);
  }
  const int fork_errno = errno;
  if (log >= 0) close(log);
  if (pid < 0) return absl::UnavailableError(absl::StrCat("fork: ", strerror(fork_errno)));
  out.Close(1);
  err.Close(1);
  ChildResult result;
  Stopper stopper(pid, options);
  const int status = Follow(pid, out, err, stopper, result);
  result.stopped = stopper.stopped();
  result.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (result.exit == kNoProgram && result.out.empty() && result.err.empty() && log < 0) {
    return absl::NotFoundError(absl::StrCat(command[0], ": cannot be run"));
  }
  return result;
}

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

int Interrupted() { return caught_signal; }

}  // namespace iomode::conform
