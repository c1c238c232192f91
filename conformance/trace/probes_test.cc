// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace iomode::conform {
namespace {

constexpr char kPahole[] =
    "struct fuse_inode {\n"
    "\tunion {\n"
    "\t\tstruct {\n"
    "\t\t\tint                iocachectr;       /*   600     4 */\n"
    "\t\t};                                       /*   590    40 */\n"
    "\t\tstruct {\n"
    "\t\t\tspinlock_t         lock;             /*   592     4 */\n"
    "\t\t} rdc;                                   /*   584    96 */\n"
    "\t};                                               /*   584    96 */\n"
    "\tlong unsigned int          state;                /*   680     8 */\n"
    "\tspinlock_t                 lock __attribute__((__aligned__(8))); /*   728     4 */\n"
    "\tstruct fuse_backing *      fb;                   /*   736     8 */\n"
    "\n"
    "\t/* size: 744, cachelines: 12, members: 20 */\n"
    "};\n"
    "struct fuse_file {\n"
    "\tunion fuse_file_args *     args;                 /*     8     8 */\n"
    "\tu32                        open_flags;           /*    40     4 */\n"
    "\tenum {\n"
    "\t\tIOM_NONE     = 0,\n"
    "\t}iomode;                                         /*   120     4 */\n"
    "};\n"
    "struct file {\n"
    "\tvoid *                     private_data;         /*    32     8 */\n"
    "};\n";

constexpr char kDwarf[] =
    " <2><1a>: Abbrev Number: 7 (DW_TAG_enumerator)\n"
    "    <1b>   DW_AT_name        : (indirect string, offset: 0x2a): FUSE_I_CACHE_IO_MODE\n"
    "    <1f>   DW_AT_const_value : 5\n";

constexpr char kDisassembly[] =
    "0000000000000170 <fuse_inode_uncached_io_start>:\n"
    " 170:\tpush   %rbp\n"
    " 1c4:\tcall   1c9 <fuse_inode_uncached_io_start+0x59>\n"
    "\t\t\t1c5: R_X86_64_PLT32\t_raw_spin_unlock-0x4\n"
    "0000000000000210 <fuse_inode_uncached_io_end>:\n"
    " 221:\tcall   226 <fuse_inode_uncached_io_end+0x16>\n"
    "\t\t\t222: R_X86_64_PLT32\t_raw_spin_lock-0x4\n"
    " 242:\tjmp    247 <fuse_inode_uncached_io_end+0x37>\n"
    "\t\t\t243: R_X86_64_PLT32\t_raw_spin_unlock-0x4\n";

TEST(ProbesTest, FindsTheLayout) {
  const auto layout = ParseLayout(kPahole, kDwarf);
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->fi_iocachectr, 600);
  EXPECT_EQ(layout->fi_state, 680);
  EXPECT_EQ(layout->fi_lock, 728);
  EXPECT_EQ(layout->fi_fb, 736);
  EXPECT_EQ(layout->ff_args, 8);
  EXPECT_EQ(layout->ff_open_flags, 40);
  EXPECT_EQ(layout->ff_iomode, 120);
  EXPECT_EQ(layout->file_private_data, 32);
  EXPECT_EQ(layout->cache_bit, 5);
}

TEST(ProbesTest, SaysWhatIsMissing) {
  std::string without = kPahole;
  without.replace(without.find("iocachectr"), 10, "iocounters");
  EXPECT_EQ(ParseLayout(without, kDwarf).status().message(),
            "fs/fuse/iomode.o has no fuse_inode::iocachectr");
  EXPECT_EQ(ParseLayout(kPahole, "").status().message(),
            "fs/fuse/iomode.o has no FUSE_I_CACHE_IO_MODE");
}

TEST(ProbesTest, FindsWhereTheLockIsLetGo) {
  const std::vector<UnlockSite> sites = ParseUnlockSites(kDisassembly);
  ASSERT_EQ(sites.size(), 2);
  EXPECT_EQ(sites[0].function, "fuse_inode_uncached_io_start");
  EXPECT_EQ(sites[0].offset, 0x54);
  EXPECT_EQ(sites[1].function, "fuse_inode_uncached_io_end");
  EXPECT_EQ(sites[1].offset, 0x32);
}

TEST(ProbesTest, DefinesThem) {
  const auto layout = ParseLayout(kPahole, kDwarf);
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(ProbeDefinitions(*layout, ParseUnlockSites(kDisassembly)),
              testing::IsSupersetOf(
                  {"p:io/c_fuse_file_io_open fuse_file_io_open fi=%si ff=+32(%di) "
                   "flags=+40(+32(%di)):x32 mode=+120(+32(%di)):u32 id=+12(+8(+32(%di))):s32",
                   "r128:io/r_fuse_file_io_open fuse_file_io_open ret=$retval:s32",
                   "p:io/s_fuse_inode_uncached_io_start_0 fuse_inode_uncached_io_start+84 lock=%di "
                   "ctr=-128(%di):s32 state=-48(%di):x64 fb=+8(%di):x64"}));
}

}  // namespace
}  // namespace iomode::conform
