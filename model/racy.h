// SPDX-License-Identifier: GPL-2.0-only
//
// Plain variables that the kernel reads while somebody else may write them, and that are no part of
// a protocol between tasks: statistics, heuristics, a table that lookups read under RCU. An access
// is never torn and is no scheduling point: it belongs to the operation under way. A read that sees
// a write sees all that the writer did before (a pointer comes with what it points to).
//
// The bytes are those of a T, so that a Racy<T> may lie in the scheduled world's arena. Two writers
// need a lock: += and the like are a read and a write.

#ifndef MODEL_RACY_H_
#define MODEL_RACY_H_

#include <atomic>

namespace iomode {

// Told of each access to a Racy variable of this thread, if set.
using RacyObserver = void (*)(const void* variable, bool write);
extern constinit thread_local RacyObserver racy_observer;

template <class T>
T racy_read(const T& variable) {
  return std::atomic_ref<T>(const_cast<T&>(variable)).load(std::memory_order_acquire);
}

template <class T>
void racy_write(T& variable, T value) {
  std::atomic_ref<T>(variable).store(value, std::memory_order_release);
}

template <class T>
struct Racy {
  alignas(std::atomic_ref<T>::required_alignment) T unsynchronized;

  operator T() const {
    if (racy_observer != nullptr) racy_observer(this, false);
    return racy_read(unsynchronized);
  }
  T operator=(T value) {
    if (racy_observer != nullptr) racy_observer(this, true);
    racy_write(unsynchronized, value);
    return value;
  }
  T operator+=(T value) { return *this = static_cast<T>(*this + value); }
};

}  // namespace iomode

#endif  // MODEL_RACY_H_
