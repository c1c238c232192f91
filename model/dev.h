// SPDX-License-Identifier: GPL-2.0-only
//
// fs/fuse/dev.c as far as io modes see it: requests to the server, waited for or in the background.
//
// A foreground request is not interrupted once the server has it; the servers of this model take
// every request at once. The limit on background requests (max_background) is not modelled.

#ifndef MODEL_DEV_H_
#define MODEL_DEV_H_

#include <cerrno>

#include "model/fuse_i.h"

namespace iomode {

// Sends a request and waits for its answer, which is in `args` afterwards. 0 or the server's
// negative errno; -ENOTCONN on an aborted connection, -ECONNABORTED when it was aborted meanwhile.
// The caller holds no spin lock.
template <class W>
[[gnu::noinline]] int fuse_simple_request(FuseConn<W>& fc, FuseArgs<W>& args) {
  W::reading_operation("sends to the server on", &fc.connected, args.opcode);
  if (!fc.connected.value) return -ENOTCONN;
  // A task that was killed takes the request back, unless the server reads it first.
  const bool force = args.opcode == FUSE_FLUSH || args.opcode == FUSE_RELEASE;
  if (!force && W::fatal_signal_pending() && W::choose(2) == 0) return -EINTR;
  FuseReq<W>* req = fc.reqs.alloc();
  req->args = args;
  req->task = W::current();
  fc.server->Receive(fc, *req);
  W::wait_for_completion(req->done);
  args = req->args;
  const int err = req->error;
  fc.reqs.free(req);
  return err;
}

// Gives a request to the server, which ends it later by fuse_request_end(). 0, or -ENOTCONN with
// the request unsent.
template <class W>
int fuse_simple_background(FuseConn<W>& fc, FuseReq<W>& req) {
  W::reading_operation("sends in the background on", &fc.connected, req.args.opcode);
  if (!fc.connected.value) return -ENOTCONN;
  req.background = true;
  req.task = W::current();
  fc.server->Receive(fc, req);
  return 0;
}

// The requests that are sent from within fi->lock cannot stop there again; as
// fuse_simple_background, as a part of the operation under way.
template <class W>
int fuse_simple_background_locked(FuseConn<W>& fc, FuseReq<W>& req) {
  if (!fc.connected.value) return -ENOTCONN;
  req.background = true;
  fc.server->Receive(fc, req);
  return 0;
}

}  // namespace iomode

#endif  // MODEL_DEV_H_
