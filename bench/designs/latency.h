// SPDX-License-Identifier: GPL-2.0-only
//
// How long operations took: a histogram whose bins are 2 % wide, from 10 ns to 100 s. One thread
// fills one; add() when it has ended.

#ifndef BENCH_DESIGNS_LATENCY_H_
#define BENCH_DESIGNS_LATENCY_H_

#include <algorithm>
#include <boost/histogram.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace iomode {

class Latency {
 public:
  void Note(std::chrono::nanoseconds took) {
    bins_(static_cast<double>(std::max<int64_t>(took.count(), 1)));
  }
  void Add(const Latency& other) { bins_ += other.bins_; }

  // In ns, the upper bound of the bin below which that part of all operations lies; 0: none took
  // place. `part` is within (0, 1].
  double Percentile(double part) const {
    double total = 0;
    for (const auto& bin : boost::histogram::indexed(bins_, kAll)) total += *bin;
    const double want = std::ceil(total * part);
    double seen = 0;
    for (const auto& bin : boost::histogram::indexed(bins_, kAll)) {
      seen += *bin;
      if (seen >= want && seen > 0) return bin.bin(0).upper();
    }
    return 0;
  }

 private:
  using Axis = boost::histogram::axis::regular<double, boost::histogram::axis::transform::log>;
  static constexpr auto kAll = boost::histogram::coverage::all;
  static Axis MakeAxis() { return Axis(1160, 10.0, 100e9); }

  decltype(boost::histogram::make_histogram_with(boost::histogram::dense_storage<uint64_t>(),
                                                 MakeAxis())) bins_ =
      boost::histogram::make_histogram_with(boost::histogram::dense_storage<uint64_t>(),
                                            MakeAxis());
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_LATENCY_H_
