// SPDX-License-Identifier: GPL-2.0-only
//
// The FUSE server of a NativeKernel, in the same process. It knows sizes, not bytes: what a read
// returns is the Scheduled world's to check.
//
// It answers a request that is waited for in the caller's thread, or hands it to a thread of its
// own; background requests are always answered by those. The thread that ends asynchronous io may
// itself wait for requests, so it is none of those that answer the others.

#ifndef SIM_NATIVE_SERVER_H_
#define SIM_NATIVE_SERVER_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "model/request_end.h"

namespace iomode {

struct NativeServerOptions {
  int inodes = 1;
  int64_t longest_file = 64 * kPageSize;  // a WRITE, SETATTR or FALLOCATE beyond it: EFBIG
  int threads = 1;                        // that answer, beside the one for asynchronous io
  uint32_t hand_over_one_in = 0;  // so many requests that are waited for go to those threads
  uint32_t error_one_in = 0;      // so many requests fail: EIO
  std::chrono::microseconds max_latency{0};
  uint64_t seed = 1;
};

// What the server replies to an OPEN.
struct NativeOpenReply {
  uint16_t flags = 0;  // FopenFlag
  int32_t backing_id = 0;
  int16_t error = 0;  // positive errno: the answer is an error
};

template <class W>
class NativeServer final : public FuseServer<W> {
 public:
  // W::current() of the server's threads.
  static constexpr uint32_t kTask = 60000;

  explicit NativeServer(const NativeServerOptions& options);
  // Drain() was called.
  ~NativeServer();
  NativeServer(const NativeServer&) = delete;
  NativeServer& operator=(const NativeServer&) = delete;

  // The reply to the calling thread's next OPEN.
  static void SetReply(const NativeOpenReply& reply) { reply_ = reply; }

  // Waits until nothing is left to answer. Nobody sends meanwhile.
  void Drain();

  void Receive(FuseConn<W>& fc, FuseReq<W>& req) override;

 private:
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<FuseReq<W>*> requests;
    bool closed = false;
  };

  void Serve(Queue& queue, uint64_t seed);
  void Answer(FuseReq<W>& req);
  void AnswerFrom(std::atomic<int64_t>& size, FuseReq<W>& req);
  static void Grow(std::atomic<int64_t>& size, int64_t end);
  static uint64_t Random();
  bool OneIn(uint32_t n) const { return n != 0 && Random() % n == 0; }
  void Push(Queue& queue, FuseReq<W>& req);

  const NativeServerOptions options_;
  std::vector<std::atomic<int64_t>> sizes_;  // by inode
  Queue queue_;
  Queue aio_queue_;
  std::mutex pending_mutex_;
  std::condition_variable pending_changed_;
  int64_t pending_ = 0;  // in the queues, or being answered
  std::vector<std::thread> threads_;

  static inline thread_local NativeOpenReply reply_ = {};
  static inline thread_local uint64_t random_ = 0;
};

template <class W>
NativeServer<W>::NativeServer(const NativeServerOptions& options)
    : options_(options), sizes_(options.inodes) {
  for (std::atomic<int64_t>& size : sizes_) size = kInitialFileSize;
  for (int i = 0; i < options.threads; i++)
    threads_.emplace_back([this, i] { Serve(queue_, options_.seed + i); });
  threads_.emplace_back([this] { Serve(aio_queue_, ~options_.seed); });
}

template <class W>
NativeServer<W>::~NativeServer() {
  for (Queue* queue : {&queue_, &aio_queue_}) {
    const std::lock_guard<std::mutex> lock(queue->mutex);
    queue->closed = true;
    queue->changed.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

template <class W>
uint64_t NativeServer<W>::Random() {
  uint64_t z = random_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

template <class W>
void NativeServer<W>::Push(Queue& queue, FuseReq<W>& req) {
  {
    const std::lock_guard<std::mutex> lock(pending_mutex_);
    pending_++;
  }
  const std::lock_guard<std::mutex> lock(queue.mutex);
  queue.requests.push_back(&req);
  queue.changed.notify_one();
}

template <class W>
void NativeServer<W>::Receive(FuseConn<W>&, FuseReq<W>& req) {
  if (req.args.opcode == FUSE_OPEN && reply_.error) {
    req.error = static_cast<int16_t>(-reply_.error);
  } else if (req.args.opcode == FUSE_OPEN) {
    req.args.open_flags = reply_.flags;
    req.args.backing_id = reply_.backing_id;
  }
  if (req.io != nullptr) {
    Push(aio_queue_, req);
  } else if (req.background || OneIn(options_.hand_over_one_in)) {
    Push(queue_, req);
  } else {
    Answer(req);
    req.done.Complete();
  }
}

template <class W>
void NativeServer<W>::Serve(Queue& queue, uint64_t seed) {
  W::task = kTask;
  random_ = seed;
  while (true) {
    FuseReq<W>* req = nullptr;
    {
      std::unique_lock<std::mutex> lock(queue.mutex);
      queue.changed.wait(lock, [&] { return queue.closed || !queue.requests.empty(); });
      if (queue.requests.empty()) return;
      req = queue.requests.front();
      queue.requests.pop_front();
    }
    if (options_.max_latency.count() > 0)
      std::this_thread::sleep_for(options_.max_latency * (Random() % 256) / 256);
    FuseConn<W>* fc = req->args.inode->fc;
    Answer(*req);
    fuse_request_end(*fc, req);
    const std::lock_guard<std::mutex> lock(pending_mutex_);
    if (--pending_ == 0) pending_changed_.notify_all();
  }
}

template <class W>
void NativeServer<W>::Answer(FuseReq<W>& req) {
  if (req.args.opcode != FUSE_RELEASE && OneIn(options_.error_one_in)) {
    req.error = -EIO;
  } else {
    AnswerFrom(sizes_[req.args.inode->index], req);
  }
}

template <class W>
void NativeServer<W>::AnswerFrom(std::atomic<int64_t>& size, FuseReq<W>& req) {
  FuseArgs<W>& args = req.args;
  switch (args.opcode) {
    case FUSE_OPEN:
      if (args.truncate && req.error == 0) size = 0;
      break;
    case FUSE_READ:
      args.out_size = std::clamp<int64_t>(size - args.offset, 0, args.size);
      break;
    case FUSE_WRITE:
    case FUSE_FALLOCATE:
      if (args.offset + args.size > options_.longest_file) {
        req.error = -EFBIG;
        break;
      }
      Grow(size, args.offset + args.size);
      args.out_size = args.size;
      break;
    case FUSE_SETATTR:
      if (args.size > options_.longest_file) {
        req.error = -EFBIG;
        break;
      }
      size = args.size;
      args.out_size = args.size;
      break;
    case FUSE_GETATTR:
      args.out_size = size;
      break;
    default:
      break;
  }
}

template <class W>
void NativeServer<W>::Grow(std::atomic<int64_t>& size, int64_t end) {
  int64_t now = size.load();
  while (now < end && !size.compare_exchange_weak(now, end)) {
  }
}

template <class W>
void NativeServer<W>::Drain() {
  std::unique_lock<std::mutex> lock(pending_mutex_);
  pending_changed_.wait(lock, [this] { return pending_ == 0; });
}

}  // namespace iomode

#endif  // SIM_NATIVE_SERVER_H_
