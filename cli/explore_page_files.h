// SPDX-License-Identifier: GPL-2.0-only
//
// The files of explore_page/, put into the program by //cli:explore_page_files.

#ifndef CLI_EXPLORE_PAGE_FILES_H_
#define CLI_EXPLORE_PAGE_FILES_H_

namespace iomode {

extern const char kPageHtml[];
extern const char kPageCss[];
extern const char kPageJs[];

}  // namespace iomode

#endif  // CLI_EXPLORE_PAGE_FILES_H_
