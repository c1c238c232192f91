// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/kernel_edits.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "conformance/kernel/kernel_edit_texts.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

const KernelEditText* FindEdit(const std::string& name) {
  for (const KernelEditText* edit = kKernelEditTexts; edit->name != nullptr; edit++) {
    if (name == edit->name) return edit;
  }
  return nullptr;
}

// Gives a rule of `rules` the value that it has in `other`.
void Copy(const Rule& rule, const Rules& other, Rules& rules) {
  if (rule.flag != nullptr) {
    rules.*rule.flag = other.*rule.flag;
  } else {
    rules.passthrough = other.passthrough;
  }
}

}  // namespace

KernelEdits EditsInto(const Revision& from, const Revision& to) {
  const Revision& before = to.base != nullptr ? *FindRevision(to.base) : from;
  KernelEdits edits;
  edits.rules = from.rules;
  const std::vector<Rule>& table = RuleTable();
  for (auto rule = table.rbegin(); rule != table.rend(); ++rule) {
    const std::string value = rule->Value(to.rules);
    if (value == rule->Value(before.rules) || value == rule->Value(from.rules)) continue;
    std::string name = absl::StrCat(rule->name, ".", absl::StrReplaceAll(value, {{" ", "-"}}));
    if (FindEdit(name) == nullptr) {
      edits.not_made.emplace_back(rule->name);
    } else {
      Copy(*rule, to.rules, edits.rules);
      edits.names.push_back(std::move(name));
    }
  }
  return edits;
}

absl::StatusOr<std::vector<std::string>> WriteEdits(const KernelEdits& edits,
                                                    const std::string& folder) {
  std::vector<std::string> files;
  for (const std::string& name : edits.names) {
    files.push_back(absl::StrCat(folder, "/", name, ".cocci"));
    absl::Status written = WriteWholeFile(files.back(), FindEdit(name)->text);
    if (!written.ok()) return written;
  }
  return files;
}

}  // namespace iomode::conform
