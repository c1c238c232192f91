// SPDX-License-Identifier: GPL-2.0-only
//
// The end of a request: what runs when the server has answered, in the answering task
// (fuse_request_end in dev.c).

#ifndef MODEL_REQUEST_END_H_
#define MODEL_REQUEST_END_H_

#include "model/dio.h"
#include "model/file.h"
#include "model/fuse_i.h"
#include "model/readahead.h"
#include "model/writeback.h"

namespace iomode {

// Ends an answered request: wakes who waits for it, or runs the end of a background request, which
// frees it.
template <class W>
[[gnu::noinline]] void fuse_request_end(FuseConn<W>& fc, FuseReq<W>* req) {
  typename W::Function fn("fuse_request_end");
  if (!req->background) {
    W::complete(req->done);
    return;
  }
  FuseInode<W>& fi = *req->args.inode;
  const int error = req->error;
  if (req->io != nullptr) {
    FuseIoPriv<W>* io = req->io;
    const int64_t result = error ? error : req->args.out_size;
    fc.reqs.free(req);
    fuse_aio_complete(fc, io, result);
  } else if (req->writeback) {
    fuse_writepage_finish(fi, req, error);
  } else if (req->args.opcode == FUSE_READ) {
    const FuseArgs<W> args = req->args;
    const uint16_t attr_version = req->attr_version;
    fc.reqs.free(req);
    fuse_readpages_end(fi, args, attr_version, error);
    fuse_file_put(fc, args.ff, false);
  } else {
    fc.reqs.free(req);
  }
}

}  // namespace iomode

#endif  // MODEL_REQUEST_END_H_
