// SPDX-License-Identifier: GPL-2.0-only
//
// RapidCheck properties as GoogleTest tests whose runs repeat: the seed is fixed and each property
// says how many cases it takes by default. RC_PARAMS (RapidCheck's own, such as
// "max_success=20000 seed=7") replaces both.

#ifndef PROPS_PROPERTY_H_
#define PROPS_PROPERTY_H_

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

// GoogleTest includes <sys/stat.h>, where these are macros; the model has its own.

namespace iomode {

// Whether a counterexample is made smaller before it is reported; true but for runs that want to
// know no more than that there is one.
inline bool& ShrinksCounterexamples() {
  static bool shrinks = true;
  return shrinks;
}

// Fails the running test with the smallest counterexample that RapidCheck finds in `cases` cases.
template <class Property>
void CheckProperty(const std::string& promise, int cases, Property&& property) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  if (std::getenv("RC_PARAMS") == nullptr) {
    params.seed = 6018;
    params.maxSuccess = cases;
  }
  params.disableShrinking |= !ShrinksCounterexamples();
  rc::detail::TestMetadata metadata;
  metadata.id = metadata.description = promise;
  const rc::detail::TestResult result =
      rc::detail::checkTestable(std::forward<Property>(property), metadata, params);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  if (!result.is<rc::detail::SuccessResult>()) {
    FAIL() << promise << "\n" << message.str();
  }
  std::cout << message.str() << "\n";
}

}  // namespace iomode

#endif  // PROPS_PROPERTY_H_
