// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/kernel_tree.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/scratch_folder.h"
#include "conformance/kernel/tree_copy.h"

namespace iomode::conform {
namespace {

namespace fs = std::filesystem;

// Runs a tool that says why it fails.
absl::Status Run(const std::vector<std::string>& command, const std::string& directory = "") {
  ChildOptions options;
  options.directory = directory;
  const auto result = RunChild(command, options);
  if (!result.ok()) return result.status();
  if (result->stopped) return absl::CancelledError("interrupted");
  if (result->exit == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(command[0], ": ", result->err, result->out));
}

absl::StatusOr<std::string> HashOfFile(const std::string& path) {
  const auto result = RunChild({"sha256sum", "--", path});
  if (!result.ok()) return result.status();
  if (result->stopped) return absl::CancelledError("interrupted");
  if (result->exit != 0) return absl::NotFoundError(result->err);
  return result->out.substr(result->out[0] == '\\' ? 1 : 0, 16);
}

// The hashes of several files, in order, as one text.
absl::StatusOr<std::string> HashesOf(const std::vector<std::string>& files) {
  std::string all;
  for (const std::string& file : files) {
    const auto hash = HashOfFile(file);
    if (!hash.ok()) return hash.status();
    absl::StrAppend(&all, *hash, "\n");
  }
  return all;
}

bool IsKernelTree(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::path(path) / "Kbuild", error) &&
         fs::exists(fs::path(path) / "fs/fuse", error);
}

// The tarball of a Debian package, which is installed if that may be done.
absl::StatusOr<std::string> TarballOfPackage(const std::string& package, const SayFunction& say) {
  const std::string tarball = absl::StrCat("/usr/src/", package, ".tar.xz");
  if (fs::exists(tarball)) return tarball;
  const std::string advice =
      absl::StrCat(tarball, ": not there; install it (apt-get install ", package,
                   "; newer kernels are in the backports suites), or name --tarball or --tree");
  if (geteuid() != 0) return absl::NotFoundError(advice);
  say(absl::StrCat("installing ", package));
  ChildOptions options;
  options.environment = {"DEBIAN_FRONTEND=noninteractive"};
  const auto result =
      RunChild({"apt-get", "install", "-y", "--no-install-recommends", package}, options);
  if (!result.ok() || result->exit != 0 || !fs::exists(tarball)) {
    return absl::NotFoundError(advice);
  }
  return tarball;
}

// Unpacks into `folder`, which is there either as a whole or not at all.
absl::Status Unpack(const std::string& tarball, const std::string& folder) {
  const std::string part = folder + ".part";
  std::error_code error;
  fs::remove_all(part, error);
  fs::create_directories(part, error);
  absl::Status status = Run({"tar", "-xf", tarball, "-C", part, "--strip-components=1"});
  if (status.ok() && !IsKernelTree(part)) {
    status = absl::InvalidArgumentError(
        absl::StrCat(tarball, ": holds no Linux sources below a folder of their own"));
  }
  if (status.ok()) fs::rename(part, folder, error);
  fs::remove_all(part, error);
  return status;
}

absl::Status ApplyDiff(const std::string& patch, const std::string& folder) {
  absl::Status status = Run({"patch", "-p1", "--batch", "--forward", "--no-backup-if-mismatch",
                             "-r", "-", "-i", fs::absolute(patch).string()},
                            folder);
  if (status.ok() || absl::IsCancelled(status)) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(patch, ": does not apply with patch -p1\n", status.message()));
}

// By way of a diff: spatch would write into files that the copy shares with others.
absl::Status ApplySemanticPatch(const std::string& patch, const std::string& folder) {
  ChildOptions options;
  options.directory = folder;
  // spatch ends with an exception when there is none.
  if (getenv("HOME") == nullptr) options.environment = {"HOME=/nonexistent"};
  const auto result = RunChild({"spatch", "--very-quiet", "--no-includes", "--patch", ".",
                                "--sp-file", fs::absolute(patch).string(), "--dir", "fs/fuse"},
                               options);
  if (absl::IsNotFound(result.status())) {
    return absl::NotFoundError(absl::StrCat(patch,
                                            ": needs spatch; install it with\n  apt-get install "
                                            "--no-install-recommends coccinelle"));
  }
  if (!result.ok()) return result.status();
  if (result->stopped) return absl::CancelledError("interrupted");
  if (result->exit != 0 || result->out.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        patch, result->exit != 0 ? ": spatch fails\n" : ": matches nothing in fs/fuse\n",
        result->err));
  }
  const auto scratch = ScratchFolder::Make();
  if (!scratch.ok()) return scratch.status();
  const std::string diff = scratch->path() + "/diff";
  if (absl::Status written = WriteWholeFile(diff, result->out); !written.ok()) return written;
  return ApplyDiff(diff, folder);
}

// "6.12.117" of the lines "VERSION = 6", "PATCHLEVEL = 12", "SUBLEVEL = 117".
std::string ReleaseOf(const std::string& tree) {
  std::string release;
  const auto makefile = ReadWholeFile(tree + "/Makefile");
  if (!makefile.ok()) return release;
  for (const char* part : {"VERSION =", "PATCHLEVEL =", "SUBLEVEL ="}) {
    for (absl::string_view line : absl::StrSplit(*makefile, '\n')) {
      if (!absl::ConsumePrefix(&line, part)) continue;
      absl::StrAppend(&release, release.empty() ? "" : ".", absl::StripAsciiWhitespace(line));
      break;
    }
  }
  return release;
}

// A copy of `pristine` that shares its files: patch(1) replaces a file, it does not write into it.
absl::Status LinkedCopy(const std::string& pristine, const std::vector<std::string>& patches,
                        const std::string& folder) {
  const std::string part = folder + ".part";
  std::error_code error;
  fs::remove_all(part, error);
  fs::create_directories(part, error);
  std::vector<std::string> command = {"cp", "-al", "-t", part, "--"};
  for (const auto& entry : fs::directory_iterator(pristine, error)) {
    if (!IsBuildFolder(entry.path().filename().string())) command.push_back(entry.path().string());
  }
  absl::Status status = Run(command);
  if (status.ok()) status = ApplyPatches(patches, part);
  if (status.ok()) fs::rename(part, folder, error);
  fs::remove_all(part, error);
  return status;
}

absl::StatusOr<KernelTree> FromTarball(const std::string& tarball, const KernelSource& source,
                                       const std::string& patch_hashes, const std::string& cache,
                                       const SayFunction& say) {
  const auto hash = HashOfFile(tarball);
  if (!hash.ok()) return hash.status();
  KernelTree tree;
  tree.path = absl::StrCat(cache, "/tarball-", *hash);
  if (!fs::exists(tree.path)) {
    say(absl::StrCat("unpacking ", tarball));
    if (absl::Status status = Unpack(tarball, tree.path); !status.ok()) return status;
  }
  tree.key = *hash;
  if (source.patches.empty()) return tree;
  tree.pristine = tree.path;
  const auto key = ShortHash(absl::StrCat(*hash, "\n", patch_hashes));
  if (!key.ok()) return key.status();
  tree.key = *key;
  tree.path = absl::StrCat(cache, "/patched-", *key);
  if (!fs::exists(tree.path)) {
    say("patching a copy");
    if (absl::Status status = LinkedCopy(tree.pristine, source.patches, tree.path); !status.ok()) {
      return status;
    }
  }
  return tree;
}

absl::StatusOr<KernelTree> FromTree(const KernelSource& source, const std::string& patch_hashes,
                                    const std::string& cache, const SayFunction& say) {
  const std::string from = fs::weakly_canonical(source.tree).string();
  if (!IsKernelTree(from)) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.tree, ": is no Linux tree (Kbuild and fs/fuse are not both there)"));
  }
  const auto name = ShortHash(from);
  if (!name.ok()) return name.status();
  KernelTree tree;
  tree.path = absl::StrCat(cache, "/tree-", *name);
  say(absl::StrCat("copying what changed in ", from));
  const auto listing = BringUpToDate(from, tree.path);
  if (!listing.ok()) return listing.status();
  const auto key = ShortHash(absl::StrCat(*listing, patch_hashes));
  if (!key.ok()) return key.status();
  tree.key = *key;
  if (absl::Status status = ApplyPatches(source.patches, tree.path); !status.ok()) return status;
  return tree;
}

}  // namespace

absl::Status ApplyPatches(const std::vector<std::string>& patches, const std::string& folder) {
  for (const std::string& patch : patches) {
    const bool semantic = absl::EndsWith(patch, ".cocci");
    absl::Status status = semantic ? ApplySemanticPatch(patch, folder) : ApplyDiff(patch, folder);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ShortHash(const std::string& text) {
  auto folder = ScratchFolder::Make();
  if (!folder.ok()) return folder.status();
  const std::string file = absl::StrCat(folder->path(), "/text");
  if (absl::Status written = WriteWholeFile(file, text); !written.ok()) return written;
  return HashOfFile(file);
}

absl::StatusOr<KernelTree> PrepareTree(const KernelSource& source, const std::string& cache,
                                       const SayFunction& say) {
  const auto patch_hashes = HashesOf(source.patches);
  if (!patch_hashes.ok()) return patch_hashes.status();
  std::string tarball = source.tarball;
  if (source.tree.empty() && tarball.empty()) {
    const auto found = TarballOfPackage(source.package, say);
    if (!found.ok()) return found.status();
    tarball = *found;
  }
  auto tree = source.tree.empty() ? FromTarball(tarball, source, *patch_hashes, cache, say)
                                  : FromTree(source, *patch_hashes, cache, say);
  if (tree.ok()) tree->release = ReleaseOf(tree->path);
  return tree;
}

}  // namespace iomode::conform
