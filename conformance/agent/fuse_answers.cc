// SPDX-License-Identifier: GPL-2.0-only
//
// What the server answers to each request.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/agent/fuse_server.h"

namespace iomode::agent {
namespace {

constexpr uint64_t kHour = 3600;  // seconds that names and attributes stay valid

template <typename T>
const T& As(std::span<const uint8_t> body) {
  return *reinterpret_cast<const T*>(body.data());
}

template <typename T>
std::span<const uint8_t> BytesOf(const T& value) {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof value};
}

}  // namespace

std::string OpcodeName(uint32_t opcode) {
  const char* name = FuseOpcodeName(opcode);
  return name != nullptr ? name : absl::StrCat("opcode ", opcode);
}

void FuseServer::Answer(std::span<const uint8_t> request, int step, int error) {
  const fuse_in_header& header = As<fuse_in_header>(request);
  const std::span<const uint8_t> body = request.subspan(sizeof header);
  if (error != 0) return connection_.Answer(header.unique, error, {});
  switch (header.opcode) {
    case FUSE_LOOKUP:
      return AnswerLookup(header, body);
    case FUSE_GETATTR:
      return AnswerAttributes(header);
    case FUSE_SETATTR:
      return AnswerSetattr(header, body);
    case FUSE_OPEN:
      return AnswerOpen(header, body, step);
    case FUSE_READ:
      return AnswerRead(header, body);
    case FUSE_WRITE:
      return AnswerWrite(header, body);
    case FUSE_FALLOCATE:
      return AnswerFallocate(header, body);
    case FUSE_RELEASE:
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_DESTROY:
      return connection_.Answer(header.unique, 0, {});
    default:
      return connection_.Answer(header.unique, ENOSYS, {});
  }
}

fuse_attr FuseServer::AttributesOf(uint64_t node) const {
  fuse_attr attributes = {};
  attributes.ino = node;
  attributes.nlink = 1;
  attributes.blksize = static_cast<uint32_t>(kPageSize);
  if (node == FUSE_ROOT_ID) {
    attributes.mode = S_IFDIR | 0755;
    return attributes;
  }
  const int inode = static_cast<int>(node - FUSE_ROOT_ID - 1);
  const int backing = BackingOfPassthrough(inode);
  attributes.mode = S_IFREG | 0644;
  attributes.size = static_cast<uint64_t>(
      backing >= 0 ? backings_.Size(backing) : contents_[static_cast<size_t>(inode)].Size());
  attributes.blocks = (attributes.size + 511) / 512;
  return attributes;
}

int FuseServer::BackingOfPassthrough(int inode) const {
  int backing = -1;
  for (const auto& [handle, file] : open_files_) {
    if (file.inode == inode && file.backing >= 0) backing = file.backing;
  }
  return backing;
}

void FuseServer::AnswerLookup(const fuse_in_header& header, std::span<const uint8_t> body) {
  const absl::string_view name(reinterpret_cast<const char*>(body.data()));
  uint32_t index = 0;
  if (header.nodeid != FUSE_ROOT_ID || !absl::SimpleAtoi(name, &index) ||
      index >= contents_.size()) {
    return connection_.Answer(header.unique, ENOENT, {});
  }
  fuse_entry_out out = {};
  out.nodeid = FUSE_ROOT_ID + 1 + index;
  out.entry_valid = kHour;
  out.attr_valid = kHour;
  out.attr = AttributesOf(out.nodeid);
  connection_.Answer(header.unique, 0, BytesOf(out));
}

void FuseServer::AnswerAttributes(const fuse_in_header& header) {
  fuse_attr_out out = {};
  out.attr_valid = kHour;
  out.attr = AttributesOf(header.nodeid);
  connection_.Answer(header.unique, 0, BytesOf(out));
}

void FuseServer::AnswerSetattr(const fuse_in_header& header, std::span<const uint8_t> body) {
  const fuse_setattr_in& in = As<fuse_setattr_in>(body);
  const int inode = InodeOf(header);
  if (inode >= 0 && (in.valid & kAttrSize)) {
    const int64_t size = static_cast<int64_t>(in.size);
    const int error = contents_[static_cast<size_t>(inode)].Resize(size);
    if (error != 0) return connection_.Answer(header.unique, error, {});
    const int backing = BackingOfPassthrough(inode);
    if (backing >= 0) backings_.Resize(backing, size);
  }
  AnswerAttributes(header);
}

void FuseServer::AnswerOpen(const fuse_in_header& header, std::span<const uint8_t> body, int step) {
  if (script_.conn & CONN_NO_OPEN) return connection_.Answer(header.unique, ENOSYS, {});
  const int inode = InodeOf(header);
  OpenOut out = {};
  OpenFile file = {inode, step};
  if (step > 0) {
    const Step& open = *book_.at(step).step;
    if (open.error != 0) return connection_.Answer(header.unique, open.error, {});
    out.open_flags = open.fopen_flags;
    if (open.backing_id.has_value()) {
      out.backing_id = static_cast<int32_t>(*open.backing_id);
    } else if (open.backing >= 0) {
      out.backing_id = static_cast<int32_t>(backings_.newest_id(open.backing));
    }
    if (out.open_flags & FOPEN_PASSTHROUGH) file.backing = backings_.IndexOfId(out.backing_id);
  }
  const bool truncates = As<fuse_open_in>(body).flags & O_TRUNC;
  if (truncates && inode >= 0) contents_[static_cast<size_t>(inode)].Resize(0);
  out.fh = next_handle_++;
  open_files_[out.fh] = file;
  connection_.Answer(header.unique, 0, BytesOf(out));
}

void FuseServer::AnswerRead(const fuse_in_header& header, std::span<const uint8_t> body) {
  const fuse_read_in& in = As<fuse_read_in>(body);
  const int inode = InodeOf(header);
  if (inode < 0) return connection_.Answer(header.unique, EISDIR, {});
  connection_.Answer(
      header.unique, 0,
      contents_[static_cast<size_t>(inode)].Read(static_cast<int64_t>(in.offset), in.size));
}

void FuseServer::AnswerWrite(const fuse_in_header& header, std::span<const uint8_t> body) {
  const fuse_write_in& in = As<fuse_write_in>(body);
  const int inode = InodeOf(header);
  if (inode < 0) return connection_.Answer(header.unique, EISDIR, {});
  const std::span<const uint8_t> data = body.subspan(sizeof in, in.size);
  const int error =
      contents_[static_cast<size_t>(inode)].Write(static_cast<int64_t>(in.offset), data);
  if (error != 0) return connection_.Answer(header.unique, error, {});
  fuse_write_out out = {};
  out.size = in.size;
  connection_.Answer(header.unique, 0, BytesOf(out));
}

void FuseServer::AnswerFallocate(const fuse_in_header& header, std::span<const uint8_t> body) {
  const fuse_fallocate_in& in = As<fuse_fallocate_in>(body);
  const int inode = InodeOf(header);
  int error = 0;
  if (inode >= 0 && in.mode == 0) {
    InodeContent& content = contents_[static_cast<size_t>(inode)];
    const int64_t end = static_cast<int64_t>(in.offset + in.length);
    if (end > content.Size()) error = content.Resize(end);
  }
  connection_.Answer(header.unique, error, {});
}

}  // namespace iomode::agent
