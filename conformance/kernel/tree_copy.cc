// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/tree_copy.h"

#include <filesystem>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/kernel/child_process.h"

namespace iomode::conform {
namespace {

namespace fs = std::filesystem;

// Files and folders, relative to the tree, that a build in the tree leaves and that would make the
// kernel's build outside of it refuse the tree or take them for sources.
bool IsProduct(const fs::path& relative) {
  const std::string name = relative.filename().string();
  const std::string path = relative.string();
  static const auto* const folders = new std::set<std::string>{
      ".git", "include/config", "include/generated", "arch/x86/include/generated"};
  if (folders->contains(path) || path == ".config") return true;
  for (const char* suffix : {".o", ".a", ".ko", ".cmd", ".mod", ".mod.c", ".lex.c", ".tab.c",
                             ".tab.h", ".order", ".symvers"}) {
    if (absl::EndsWith(name, suffix)) return true;
  }
  return false;
}

absl::StatusOr<std::vector<std::string>> SourcesByGit(const fs::path& from) {
  const auto result = RunChild(
      {"git", "-C", from.string(), "ls-files", "-z", "--cached", "--others", "--exclude-standard"});
  if (!result.ok()) return result.status();
  if (result->stopped) return absl::CancelledError("interrupted");
  if (result->exit != 0) {
    return absl::UnavailableError(absl::StrCat("git ls-files: ", result->err));
  }
  return std::vector<std::string>(absl::StrSplit(result->out, '\0', absl::SkipEmpty()));
}

std::vector<std::string> SourcesByName(const fs::path& from) {
  std::vector<std::string> sources;
  std::error_code error;
  for (fs::recursive_directory_iterator it(from, error), end; it != end; it.increment(error)) {
    const fs::path relative = it->path().lexically_relative(from);
    if (IsProduct(relative)) {
      if (it->is_directory(error)) it.disable_recursion_pending();
    } else if (!it->is_directory(error) || it->is_symlink(error)) {
      sources.push_back(relative.string());
    }
  }
  return sources;
}

// False when the copy is as the original is already.
bool Differs(const fs::path& from, const fs::path& to) {
  std::error_code error;
  const fs::file_status there = fs::symlink_status(to, error);
  if (there.type() != fs::symlink_status(from, error).type()) return true;
  if (fs::is_symlink(there)) return fs::read_symlink(from, error) != fs::read_symlink(to, error);
  return fs::file_size(from, error) != fs::file_size(to, error) ||
         fs::last_write_time(from, error) != fs::last_write_time(to, error);
}

std::error_code CopyOne(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::remove_all(to, error);
  fs::create_directories(to.parent_path(), error);
  fs::copy(from, to, fs::copy_options::copy_symlinks, error);
  if (!error && !fs::is_symlink(to)) fs::last_write_time(to, fs::last_write_time(from), error);
  return error;
}

// Removes what is not among `sources`; build folders at the top stay.
void RemoveOthers(const fs::path& to, const std::set<std::string>& sources) {
  std::vector<fs::path> gone;
  std::error_code error;
  for (fs::recursive_directory_iterator it(to, error), end; it != end; it.increment(error)) {
    if (it.depth() == 0 && IsBuildFolder(it->path().filename().string())) {
      it.disable_recursion_pending();
    } else if ((!it->is_directory(error) || it->is_symlink(error)) &&
               !sources.contains(it->path().lexically_relative(to).string())) {
      gone.push_back(it->path());
    }
  }
  for (const fs::path& path : gone) fs::remove(path, error);
}

}  // namespace

absl::StatusOr<std::string> BringUpToDate(const std::string& from, const std::string& to) {
  const fs::path source(from);
  std::error_code error;
  std::vector<std::string> names;
  if (fs::exists(source / ".git", error)) {
    auto by_git = SourcesByGit(source);
    if (!by_git.ok()) return by_git.status();
    names = *std::move(by_git);
  } else {
    names = SourcesByName(source);
  }
  std::set<std::string> sources;
  for (std::string& name : names) {
    // Git lists what was deleted from the folder only, too, and folders of submodules.
    const fs::file_status status = fs::symlink_status(source / name, error);
    if (fs::is_regular_file(status) || fs::is_symlink(status)) sources.insert(std::move(name));
  }
  fs::create_directories(to, error);
  RemoveOthers(to, sources);
  std::string listing;
  for (const std::string& name : sources) {
    const fs::path original = source / name;
    if (Interrupted() != 0) return absl::CancelledError("interrupted");
    const fs::path copy = fs::path(to) / name;
    if (Differs(original, copy)) {
      if (std::error_code failed = CopyOne(original, copy)) {
        return absl::UnavailableError(
            absl::StrCat(original.string(), ": cannot be copied: ", failed.message()));
      }
    }
    absl::StrAppend(&listing, name);
    if (!fs::is_symlink(original, error)) {
      absl::StrAppend(&listing, " ", fs::file_size(original, error), " ",
                      fs::last_write_time(original, error).time_since_epoch().count());
    }
    listing += '\n';
  }
  return listing;
}

bool IsBuildFolder(const std::string& name) { return absl::StartsWith(name, "build-"); }

}  // namespace iomode::conform
