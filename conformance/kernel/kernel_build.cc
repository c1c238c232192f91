// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/kernel_build.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/kernel_config.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLogTail = 25;
// Debug information for one file tells where that lies which probes on its functions read.
constexpr char kFileFlags[] = "CFLAGS_iomode.o=-g";

// The folder of the kernels. Locked while anything in it is made.
class Cache {
 public:
  Cache() : path_(CacheFolder() + "/kernels") {
    std::error_code error;
    fs::create_directories(path_, error);
    file_ = open((path_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  }
  ~Cache() {
    if (file_ >= 0) close(file_);
  }
  Cache(const Cache&) = delete;

  const std::string& path() const { return path_; }

  absl::Status Take(const SayFunction& say) {
    if (flock(file_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
    say("waiting for another build");
    while (flock(file_, LOCK_EX) != 0) {
      if (Interrupted() != 0) return absl::CancelledError("interrupted");
    }
    return absl::OkStatus();
  }

 private:
  std::string path_;
  int file_;
};

bool InPath(const std::string& program) {
  const char* path = getenv("PATH");
  for (absl::string_view folder : absl::StrSplit(path != nullptr ? path : "", ':')) {
    if (access(absl::StrCat(folder, "/", program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// What every build has in its environment: the same inputs give the same kernel, and ccache finds
// again what another folder has built.
std::vector<std::string> Environment() {
  std::vector<std::string> environment = {"KBUILD_BUILD_TIMESTAMP=@0", "KBUILD_BUILD_USER=iomode",
                                          "KBUILD_BUILD_HOST=iomode", "CCACHE_NOHASHDIR=1"};
  if (getenv("CCACHE_DIR") == nullptr) {
    environment.push_back(absl::StrCat("CCACHE_DIR=", CacheFolder(), "/ccache"));
  }
  return environment;
}

std::string LastLines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
    if (lines.size() > kLogTail) lines.erase(lines.begin());
  }
  return absl::StrJoin(lines, "\n");
}

// Says, while make runs, how many files it has compiled.
class BuildProgress {
 public:
  BuildProgress(const std::string& log, const SayFunction& say) : file_(log), say_(say) {}

  bool operator()() {
    file_.clear();
    for (std::string line; std::getline(file_, line);) {
      compiled_ += absl::StrContains(line, "  CC  ") || absl::StrContains(line, "  AS  ");
    }
    if (compiled_ != said_) say_(absl::StrCat("building the kernel: ", compiled_, " files"));
    said_ = compiled_;
    return true;
  }

 private:
  std::ifstream file_;
  const SayFunction& say_;
  int compiled_ = 0;
  int said_ = -1;
};

// One kernel's build folder, a child of its sources: only then does kbuild use relative paths,
// which ccache needs to find what was built elsewhere.
struct BuildFolder {
  std::string tree;
  std::string name;  // "build-KEY"

  std::string path() const { return absl::StrCat(tree, "/", name); }
  std::string log() const { return path() + "/iomode.log"; }
  // Holds what vmlinux was built from; gone while that is not certain.
  std::string stamp() const { return path() + "/iomode.stamp"; }
};

absl::Status Make(const BuildFolder& folder, const std::vector<std::string>& arguments,
                  const std::function<bool()>& keep_on) {
  std::vector<std::string> command = {"make", "-C", folder.tree, "O=" + folder.name,
                                      InPath("ccache") ? "CC=ccache gcc" : "CC=gcc"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ChildOptions options;
  options.environment = Environment();
  options.log = folder.log();
  options.keep_on = keep_on;
  const auto result = RunChild(command, options);
  if (!result.ok()) return result.status();
  if (result->stopped) return absl::CancelledError("interrupted");
  if (result->exit == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the kernel does not build; the end of ", folder.log(),
                                             ":\n", LastLines(folder.log())));
}

// A patched tree begins with what its pristine one was built to: make compiles what changed.
void BeginWith(const KernelTree& tree, const BuildFolder& folder) {
  std::error_code error;
  const fs::path ready = fs::path(tree.pristine) / folder.name;
  if (tree.pristine.empty() || fs::exists(folder.path(), error) ||
      !fs::exists(ready / "iomode.stamp", error)) {
    return;
  }
  const auto copied = RunChild({"cp", "-a", ready.string(), folder.path()});
  if (!copied.ok() || copied->exit != 0) fs::remove_all(folder.path(), error);
  fs::remove(folder.stamp(), error);
}

// What vmlinux is built from: the sources, and by which compiler.
std::string StampOf(const KernelTree& tree) {
  const auto compiler = RunChild({"gcc", "-dumpfullversion"});
  return absl::StrCat(tree.key, " gcc ", compiler.ok() ? compiler->out : "?\n");
}

absl::Status Build(const KernelTree& tree, const std::string& config, int jobs,
                   const BuildFolder& folder, const SayFunction& say) {
  std::error_code error;
  BeginWith(tree, folder);
  fs::create_directories(folder.path(), error);
  fs::remove(folder.stamp(), error);
  fs::remove(folder.log(), error);
  const std::string wanted = folder.path() + "/iomode.config";
  if (absl::Status written = WriteWholeFile(wanted, config); !written.ok()) return written;
  say("configuring the kernel");
  absl::Status made =
      Make(folder, {absl::StrCat("KCONFIG_ALLCONFIG=", wanted), "allnoconfig"}, nullptr);
  if (!made.ok()) return made;
  BuildProgress progress(folder.log(), say);
  made =
      Make(folder, {absl::StrCat("-j", jobs), "vmlinux", kFileFlags}, [&] { return progress(); });
  if (!made.ok()) return made;
  return WriteWholeFile(folder.stamp(), StampOf(tree));
}

absl::StatusOr<std::string> ReadFragment(const std::string& path) {
  if (path.empty()) return "";
  auto content = ReadWholeFile(path);
  if (!content.ok()) return absl::NotFoundError(content.status().message());
  return content;
}

}  // namespace

std::string CacheFolder() {
  const char* cache = getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return absl::StrCat(cache, "/iomode");
  const char* home = getenv("HOME");
  return absl::StrCat(home != nullptr ? home : "/root", "/.cache/iomode");
}

absl::Status NeedPrograms(const std::vector<std::pair<std::string, std::string>>& programs) {
  std::vector<std::string> missing;
  for (const auto& [program, package] : programs) {
    if (!InPath(program)) missing.push_back(package);
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("programs are missing; install them with\n  apt-get install "
                   "--no-install-recommends ",
                   absl::StrJoin(missing, " ")));
}

absl::StatusOr<std::string> ReleaseOfSource(const KernelSource& source, const SayFunction& say) {
  Cache cache;
  if (absl::Status taken = cache.Take(say); !taken.ok()) return taken;
  const auto tree = PrepareTree(source, cache.path(), say);
  if (!tree.ok()) return tree.status();
  return tree->release;
}

absl::StatusOr<KernelBuild> BuildKernel(const BuildOptions& options, const SayFunction& say) {
  const absl::Status tools = NeedPrograms({{"make", "make"},
                                           {"gcc", "gcc"},
                                           {"flex", "flex"},
                                           {"bison", "bison"},
                                           {"bc", "bc"},
                                           {"patch", "patch"},
                                           {"tar", "tar"},
                                           {"xz", "xz-utils"}});
  if (!tools.ok()) return tools;
  const auto fragment = ReadFragment(options.fragment);
  if (!fragment.ok()) return fragment.status();
  Cache cache;
  if (absl::Status taken = cache.Take(say); !taken.ok()) return taken;
  const auto tree = PrepareTree(options.source, cache.path(), say);
  if (!tree.ok()) return tree.status();
  const std::string config = ConfigLines(*fragment);
  const auto config_key = ShortHash(absl::StrCat(config, kFileFlags));
  if (!config_key.ok()) return config_key.status();
  const BuildFolder folder = {tree->path, "build-" + *config_key};
  KernelBuild build = {tree->release, folder.path(), folder.path() + "/vmlinux", {}};
  std::error_code error;
  const auto stamp = ReadWholeFile(folder.stamp());
  if (!stamp.ok() || *stamp != StampOf(*tree) || !fs::exists(build.vmlinux, error)) {
    absl::Status built = Build(*tree, config, options.jobs, folder, say);
    if (!built.ok()) return built;
  }
  const auto used = ReadWholeFile(folder.path() + "/.config");
  if (!used.ok()) return used.status();
  build.missing_options = MissingOptions(*fragment, *used);
  return build;
}

}  // namespace iomode::conform
