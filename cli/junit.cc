// SPDX-License-Identifier: GPL-2.0-only

#include "cli/junit.h"

#include <fstream>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace iomode {
namespace {

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

}  // namespace

void JunitReport::Add(const std::string& name, double seconds,
                      const std::vector<std::string>& problems) {
  cases_.push_back({name, seconds, problems, ""});
}

void JunitReport::AddSkipped(const std::string& name, const std::string& reason) {
  cases_.push_back({name, 0, {}, reason});
}

bool JunitReport::Write(const std::string& path) const {
  std::ofstream out(path);
  int failures = 0;
  int skipped = 0;
  for (const Case& c : cases_) {
    failures += !c.problems.empty();
    skipped += !c.skipped.empty();
  }
  out << absl::StrFormat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"%s\" "
      "tests=\"%d\" failures=\"%d\" skipped=\"%d\">\n",
      Escape(suite_), cases_.size(), failures, skipped);
  for (const Case& c : cases_) {
    out << absl::StrFormat("<testcase name=\"%s\" time=\"%.3f\">", Escape(c.name), c.seconds);
    if (!c.problems.empty()) {
      out << absl::StrFormat("<failure message=\"%s\">%s</failure>", Escape(c.problems.front()),
                             Escape(absl::StrJoin(c.problems, "\n")));
    }
    if (!c.skipped.empty()) {
      out << absl::StrFormat("<skipped message=\"%s\"/>", Escape(c.skipped));
    }
    out << "</testcase>\n";
  }
  out << "</testsuite>\n</testsuites>\n";
  out.close();
  return !out.fail();
}

}  // namespace iomode
