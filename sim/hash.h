// SPDX-License-Identifier: GPL-2.0-only
//
// A 128-bit hash of memory, fast on a few hundred bytes. Two independent multiply-and-fold lanes in
// the manner of wyhash (Wang Yi, https://github.com/wangyi-fudan/wyhash). Not for adversarial
// input. With n states the chance of one false merge is below n * n / 2^129: 1e-23 for a hundred
// million.

#ifndef SIM_HASH_H_
#define SIM_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

// For functions that read memory which the sanitizers take to be poisoned: frames of fibers.
#if defined(__clang__)
#define NO_SANITIZE_MEMORY_ACCESS __attribute__((no_sanitize("address", "thread")))
#else
#define NO_SANITIZE_MEMORY_ACCESS __attribute__((no_sanitize_address, no_sanitize_thread))
#endif

namespace iomode {

struct Hash128 {
  uint64_t lo = 0;
  uint64_t hi = 0;

  friend bool operator==(const Hash128&, const Hash128&) = default;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;

  Hash128& operator+=(const Hash128& h) {
    lo += h.lo;
    hi += h.hi;
    return *this;
  }
  Hash128& operator-=(const Hash128& h) {
    lo -= h.lo;
    hi -= h.hi;
    return *this;
  }
};

namespace hash_internal {

inline constexpr uint64_t kLane0 = 0xa0761d6478bd642fu;
inline constexpr uint64_t kLane1 = 0xe7037ed1a0b428dbu;
inline constexpr uint64_t kLane2 = 0x8ebc6af09c88c6e3u;
inline constexpr uint64_t kLane3 = 0x589965cc75374cc3u;

inline uint64_t Fold(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace hash_internal

struct Hash128Hasher {
  size_t operator()(const Hash128& h) const { return static_cast<size_t>(h.lo); }
};

// Mixes two words into `h`.
inline Hash128 HashMix(Hash128 h, uint64_t a, uint64_t b) {
  using namespace hash_internal;
  return {Fold(h.lo ^ a ^ kLane0, b ^ kLane1), Fold(h.hi ^ b ^ kLane2, a ^ kLane3) + h.lo};
}

// The hash of the 16 bytes (a, b) at a place in memory, counted in units of 16 bytes. Hashes of
// lanes are added up to the hash of a memory; zeros add nothing.
inline Hash128 HashLane(uint64_t place, uint64_t a, uint64_t b) {
  using namespace hash_internal;
  if ((a | b) == 0) return {};
  const uint64_t salt = place * kLane3;
  const uint64_t m = Fold(a ^ salt ^ kLane0, b ^ kLane1);
  const uint64_t n = Fold(b ^ salt ^ kLane2, a ^ kLane3);
  return {Fold(m ^ kLane1, n + (salt ^ kLane2)), Fold(n ^ kLane0, m + (salt ^ kLane3))};
}

// Hashes `bytes` at `data`, which may be of any alignment, continuing from `h`.
NO_SANITIZE_MEMORY_ACCESS inline Hash128 HashBytes(const uint8_t* data, size_t bytes,
                                                   Hash128 h = {}) {
  h.lo += bytes;
  while (bytes >= 16) {
    uint64_t a, b;
    __builtin_memcpy(&a, data, 8);
    __builtin_memcpy(&b, data + 8, 8);
    h = HashMix(h, a, b);
    data += 16;
    bytes -= 16;
  }
  if (bytes > 0) {
    uint64_t tail[2] = {};
    for (size_t i = 0; i < bytes; i++) {
      tail[i / 8] |= static_cast<uint64_t>(data[i]) << (8 * (i % 8));
    }
    h = HashMix(h, tail[0], tail[1]);
  }
  return h;
}

}  // namespace iomode

#endif  // SIM_HASH_H_
