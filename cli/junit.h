// SPDX-License-Identifier: GPL-2.0-only
//
// Verdicts as a JUnit XML file, for CI.

#ifndef CLI_JUNIT_H_
#define CLI_JUNIT_H_

#include <string>
#include <vector>

namespace iomode {

class JunitReport {
 public:
  explicit JunitReport(std::string suite) : suite_(std::move(suite)) {}

  // One case; it failed when there are problems. `seconds` is what it took.
  void Add(const std::string& name, double seconds, const std::vector<std::string>& problems);

  // One case that was not run, and why.
  void AddSkipped(const std::string& name, const std::string& reason);

  // False when the file cannot be written.
  bool Write(const std::string& path) const;

 private:
  struct Case {
    std::string name;
    double seconds;
    std::vector<std::string> problems;
    std::string skipped;  // why; "": it was run
  };
  std::string suite_;
  std::vector<Case> cases_;
};

}  // namespace iomode

#endif  // CLI_JUNIT_H_
