// SPDX-License-Identifier: GPL-2.0-only
//
// The files edits/*.cocci, as the build puts them into the program.

#ifndef CONFORMANCE_KERNEL_KERNEL_EDIT_TEXTS_H_
#define CONFORMANCE_KERNEL_KERNEL_EDIT_TEXTS_H_

namespace iomode::conform {

struct KernelEditText {
  const char* name;  // without ".cocci"
  const char* text;
};

// The last one's name is nullptr.
extern const KernelEditText kKernelEditTexts[];

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_KERNEL_EDIT_TEXTS_H_
