// What Validate finds in the descriptors of cores and memory tiles: ids, patterns, their limits.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/program_samples.h"
#include "tests/support/validate_cases.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

// One queue in (ab_0, ab_1 of 512 bytes) and one out, its c_0 at 4352 grown to 60000 bytes so that
// patterns have room: channel 1, MM2S 0, with descriptor 2.
ArrayProgram OneTransfer(NpuArch arch) {
  DesignSpec spec;
  spec.family = DesignFamily::kPackedTile;
  spec.arch = arch;
  spec.tile_m = spec.tile_k = spec.tile_n = 16;
  ArrayProgram program = Lowered(spec);
  program.buffers.back().bytes = 60000;
  return program;
}

// The same with a memory tile between shim and core: channel 2 (S2MM 0, descriptor 0) fills all of
// its memory and channel 3 (MM2S 1, descriptor 24) sends 128 words on.
ArrayProgram ThroughMemoryTile(NpuArch arch) {
  ArrayProgram program = OneTransfer(arch);
  const auto buffer = static_cast<int>(program.buffers.size());
  const auto lock = static_cast<int>(program.locks.size());
  program.buffers.push_back({"stage", kMemory, 0, 0x80000});
  program.locks.push_back({"stage_empty", kMemory, 0, 1});
  program.locks.push_back({"stage_full", kMemory, 1, 0});
  const LockUse empty{lock, 1};
  const LockUse full{lock + 1, 1};
  const ChannelId in{kMemory, kS2mm, 0};
  const ChannelId out{kMemory, kMm2s, 1};
  program.channels.push_back({in, {{0, buffer, 0, 128, {}, empty, full, 0}}});
  program.channels.push_back({out, {{24, buffer, 0, 128, {}, full, empty, 24}}});
  const ChannelId core = program.flows[0].destinations[0];
  program.flows[0].destinations = {in};
  program.flows.push_back({out, {core}});
  return program;
}

void SetPattern(size_t channel, const DimList& dims, int64_t length, ArrayProgram* p) {
  Descriptor& d = p->channels[channel].descriptors[0];
  d.dims = dims;
  d.length_words = length;
}

using P = ArrayProgram*;

// --- Descriptors of a core ---

// Descriptors over c_0 of OneTransfer, in one chain, `more` of them behind the first.
void Extend(int more, ArrayProgram* p) {
  std::vector<Descriptor>& chain = p->channels[1].descriptors;
  for (int i = 0; i < more; ++i) {
    chain.push_back(chain[0]);
    chain.back().id = 3 + i;
  }
}

TEST(ValidateDescriptorTest, DescriptorIds) {
  const std::string channel = "core (0,2) MM2S 0 ";
  ExpectAll(
      OneTransfer,
      {{"last", [](P p) { SetId(1, 15, p); }, {}},
       {"beyond the last",
        [](P p) { SetId(1, 16, p); },
        {channel + "descriptor 16: descriptor id is 16, at most 15"}},
       {"negative",
        [](P p) { SetId(1, -1, p); },
        {channel + "descriptor -1: descriptor id is -1, at least 0"}},
       {"of another channel of the core",
        [](P p) { SetId(1, 1, p); },
        {channel + "descriptor 1: users of one descriptor id is 2, at most 1"}},
       {"the same id on another core",
        [](P p) {
          p->buffers.push_back({"other", {1, 2}, 0, 4});
          p->channels.push_back({{{1, 2}, kS2mm, 0}, {{2, 3, 0, 1, {}, {}, {}, 2}}});
          p->flows.push_back({{{1, 0}, kMm2s, 0}, {{{1, 2}, kS2mm, 0}}});
        },
        {}},
       {"twice in its channel",
        [](P p) { p->channels[0].descriptors[1].id = 0; },
        {"core (0,2) S2MM 0 descriptor 0: next descriptor outside its channel is 1, at most -1",
         "core (0,2) S2MM 0 descriptor 0: users of one descriptor id is 2, at most 1"}},
       {"16 of them", [](P p) { Extend(13, p); }, {}},
       {"17 of them",
        [](P p) { Extend(14, p); },
        {"core (0,2): descriptors is 17, at most 16",
         channel + "descriptor 16: descriptor id is 16, at most 15"}},
       {"end of a chain", [](P p) { p->channels[1].descriptors[0].next = -1; }, {}},
       {"next in another channel",
        [](P p) { p->channels[1].descriptors[0].next = 0; },
        {channel + "descriptor 2: next descriptor outside its channel is 0, at most -1"}},
       {"next nowhere",
        [](P p) { p->channels[1].descriptors[0].next = 9; },
        {channel + "descriptor 2: next descriptor outside its channel is 9, at most -1"}},
       {"unknown buffer",
        [](P p) { p->channels[1].descriptors[0].buffer = 3; },
        {channel + "descriptor 2: index of a buffer is 3, at most 2"}},
       {"no buffer",
        [](P p) { p->channels[1].descriptors[0].buffer = -1; },
        {channel + "descriptor 2: index of a buffer is -1, at least 0"}}});
}

// 14-bit lengths, 8-bit wraps but for the last dimension, 13-bit steps, three dimensions.
TEST(ValidateDescriptorTest, PatternsThatACoreHas) {
  ExpectAll(OneTransfer, {{"a word", [](P p) { SetPattern(1, {}, 1, p); }, {}},
                          {"all of its buffer", [](P p) { SetPattern(1, {}, 15000, p); }, {}},
                          // Its rows overlap: no memory of a core has 16383 words beside a stack.
                          {"longest",
                           [](P p) {
                             SetPattern(1, {{129, 1}, {127, 2}}, 16383, p);
                           },
                           {}},
                          {"largest wraps",
                           [](P p) {
                             SetPattern(1, {{255, 1}, {50, 256}}, 12750, p);
                           },
                           {}},
                          {"largest second wrap",
                           [](P p) {
                             SetPattern(1, {{2, 1}, {255, 3}}, 510, p);
                           },
                           {}},
                          {"last has no wrap",
                           [](P p) {
                             SetPattern(1, {{2, 1}, {2, 3}, {600, 20}}, 2400, p);
                           },
                           {}},
                          {"one run of 256",
                           [](P p) {
                             SetPattern(1, {{256, 1}}, 256, p);
                           },
                           {}},
                          {"one run in two",
                           [](P p) {
                             SetPattern(1, {{4, 1}, {256, 4}}, 1024, p);
                           },
                           {}},
                          {"one run in three",
                           [](P p) {
                             SetPattern(1, {{300, 1}, {1, 9}, {5, 300}}, 1500, p);
                           },
                           {}},
                          {"longest step",
                           [](P p) {
                             SetPattern(1, {{2, 8192}}, 2, p);
                           },
                           {}}});
}

TEST(ValidateDescriptorTest, PatternsThatACoreHasNot) {
  const std::string d = "core (0,2) MM2S 0 descriptor 2: ";
  const std::string dimensions = d + "words of its dimensions, against its length is ";
  ExpectAll(
      OneTransfer,
      {{"no words", [](P p) { SetPattern(1, {}, 0, p); }, {d + "length in words is 0, at least 1"}},
       {"too long",
        [](P p) {
          SetPattern(1, {{128, 1}, {128, 2}}, 16384, p);
        },
        {d + "length in words is 16384, at most 16383"}},
       {"four dimensions",
        [](P p) {
          SetPattern(1, {{2, 1}, {2, 4}, {2, 16}, {2, 64}}, 16, p);
        },
        {d + "dimensions is 4, at most 3"}},
       {"d0 wrap",
        [](P p) {
          SetPattern(1, {{256, 1}, {2, 257}}, 512, p);
        },
        {d + "d0 size is 256, at most 255"}},
       {"d0 wrap with steps",
        [](P p) {
          SetPattern(1, {{256, 2}}, 256, p);
        },
        {d + "d0 size is 256, at most 255"}},
       {"d1 wrap",
        [](P p) {
          SetPattern(1, {{4, 1}, {256, 5}}, 1024, p);
        },
        {d + "d1 size is 256, at most 255"}},
       {"d1 wrap under a third",
        [](P p) {
          SetPattern(1, {{4, 1}, {256, 4}, {2, 2048}}, 2048, p);
        },
        {d + "d1 size is 256, at most 255"}},
       {"step",
        [](P p) {
          SetPattern(1, {{2, 8193}}, 2, p);
        },
        {d + "d0 step in words is 8193, at most 8192"}},
       {"second step",
        [](P p) {
          SetPattern(1, {{1, 1}, {2, 8193}}, 2, p);
        },
        {d + "d1 step in words is 8193, at most 8192"}},
       {"third step",
        [](P p) {
          SetPattern(1, {{2, 1}, {2, 4}, {2, 8193}}, 8, p);
        },
        {d + "d2 step in words is 8193, at most 8192"}},
       {"step 0: reading again is for the outermost alone",
        [](P p) {
          SetPattern(1, {{4, 1}, {2, 0}}, 8, p);
        },
        {d + "d1 step in words is 0, at least 1"}},
       {"size 0",
        [](P p) {
          SetPattern(1, {{4, 1}, {0, 8}}, 4, p);
        },
        {d + "d1 size is 0, at least 1"}},
       {"more than its length",
        [](P p) {
          SetPattern(1, {{4, 1}, {4, 8}}, 15, p);
        },
        {dimensions + "16, at most 15"}},
       {"less than its length",
        [](P p) {
          SetPattern(1, {{4, 1}, {4, 8}}, 17, p);
        },
        {dimensions + "16, at least 17"}}});
}

TEST(ValidateDescriptorTest, PatternsStayInTheirBuffer) {
  const std::string where = "core (0,2) MM2S 0 descriptor 2: ";
  const std::string last = where + "last word, in buffer c_0 is ";
  static constexpr auto kOutput = [](P p) -> Descriptor& { return p->channels[1].descriptors[0]; };
  ExpectAll(OneTransfer, {{"a word past it",
                           [](P p) { SetPattern(1, {}, 15001, p); },
                           {last + "15001, at most 15000"}},
                          {"up to its end by an offset",
                           [](P p) {
                             SetPattern(1, {}, 1, p);
                             kOutput(p).offset_words = 14999;
                           },
                           {}},
                          {"past it by an offset",
                           [](P p) {
                             SetPattern(1, {}, 1, p);
                             kOutput(p).offset_words = 15000;
                           },
                           {last + "15001, at most 15000"}},
                          {"before it",
                           [](P p) { kOutput(p).offset_words = -1; },
                           {where + "offset in words is -1, at least 0"}},
                          {"up to its end by steps",
                           [](P p) {
                             SetPattern(1, {{2, 7000}, {2, 7999}}, 4, p);
                           },
                           {}},
                          {"past it by steps",
                           [](P p) {
                             SetPattern(1, {{2, 7000}, {2, 8000}}, 4, p);
                           },
                           {last + "15001, at most 15000"}}});
}

// --- Memory tiles ---

TEST(ValidateDescriptorTest, ChannelsAndIdsOfMemoryTiles) {
  const std::string tile = "memory (0,1) ";
  const std::string in = tile + "S2MM 0 descriptor ";
  const std::string out = tile + "MM2S 1 descriptor ";
  const std::string id = ": descriptor id of this channel is ";
  ExpectAll(
      ThroughMemoryTile,
      {{"sixth in", [](P p) { MoveChannel(2, 5, p), SetId(2, 47, p); }, {}},
       {"seventh in",
        [](P p) { MoveChannel(2, 6, p); },
        {tile + "S2MM 6: channel is 6, at most 5",
         "flow at " + tile + "S2MM 6: channel is 6, at most 5"}},
       {"sixth out", [](P p) { MoveChannel(3, 5, p); }, {}},
       {"seventh out",
        [](P p) { MoveChannel(3, 6, p), SetId(3, 1, p); },
        {tile + "MM2S 6: channel is 6, at most 5",
         "flow at " + tile + "MM2S 6: channel is 6, at most 5"}},
       {"last of an even channel", [](P p) { SetId(2, 23, p); }, {}},
       {"even channel, upper half",
        [](P p) { SetId(2, 25, p); },
        {in + "25" + id + "25, at most 23"}},
       {"even channel, just beyond",
        [](P p) { SetId(2, 24, p), SetId(3, 30, p); },
        {in + "24" + id + "24, at most 23"}},
       {"even channel, negative",
        [](P p) { SetId(2, -1, p); },
        {in + "-1" + id + "-1, at least 0"}},
       {"last of an odd channel", [](P p) { SetId(3, 47, p); }, {}},
       {"odd channel, lower half",
        [](P p) { SetId(3, 23, p); },
        {out + "23" + id + "23, at least 24"}},
       {"odd channel, beyond", [](P p) { SetId(3, 48, p); }, {out + "48" + id + "48, at most 47"}},
       {"out on an even channel",
        [](P p) { MoveChannel(3, 4, p); },
        {tile + "MM2S 4 descriptor 24" + id + "24, at most 23"}},
       {"in on an odd channel",
        [](P p) { MoveChannel(2, 3, p); },
        {tile + "S2MM 3 descriptor 0" + id + "0, at least 24"}}});
}

TEST(ValidateDescriptorTest, DescriptorsOfMemoryTiles) {
  const std::string in = "memory (0,1) S2MM 0 ";
  static constexpr auto kFill = [](size_t channel, int first, int count, P p) {
    std::vector<Descriptor>& chain = p->channels[channel].descriptors;
    chain.resize(static_cast<size_t>(count), chain[0]);
    for (Descriptor& d : chain) d.id = first++;
  };
  ExpectAll(ThroughMemoryTile,
            {{"24 and 24", [](P p) { kFill(2, 0, 24, p), kFill(3, 24, 24, p); }, {}},
             {"24 and 25",
              [](P p) {
                kFill(2, 0, 24, p);
                kFill(3, 24, 25, p);
              },
              {"memory (0,1) odd channels: descriptors is 25, at most 24",
               "memory (0,1) MM2S 1 descriptor 48: descriptor id of this channel is 48, at most "
               "47"}},
             {"25 and 24",
              [](P p) {
                kFill(3, 24, 24, p);
                kFill(2, 0, 24, p);
                p->channels[2].descriptors.push_back(p->channels[2].descriptors[0]);
              },
              {"memory (0,1) even channels: descriptors is 25, at most 24",
               in + "descriptor 0: users of one descriptor id is 2, at most 1"}},
             {"last lock", [](P p) { p->locks.back().id = 63; }, {}},
             {"lock id",
              [](P p) { p->locks.back().id = 64; },
              {"memory (0,1) lock stage_full: lock id is 64, at most 63"}},
             {"lock of the core",
              [](P p) { p->channels[2].descriptors[0].acquire.lock = 0; },
              {in + "descriptor 0: locks on another tile is 1, at most 0"}},
             {"buffer of the core",
              [](P p) { p->channels[2].descriptors[0].buffer = 2; },
              {in + "descriptor 0: buffers on another tile is 1, at most 0"}},
             {"memory",
              [](P p) { p->buffers.back().bytes += 4; },
              {"memory (0,1): data memory bytes is 524292, at most 524288"}}});
}

// 17-bit lengths and steps, 10-bit wraps but for the last of four dimensions.
TEST(ValidateDescriptorTest, PatternsOfMemoryTiles) {
  const std::string d = "memory (0,1) S2MM 0 descriptor 0: ";
  ExpectAll(ThroughMemoryTile,
            {{"longest", [](P p) { SetPattern(2, {}, 131071, p); }, {}},
             {"too long",
              [](P p) { SetPattern(2, {}, 131072, p); },
              {d + "length in words is 131072, at most 131071"}},
             {"four dimensions",
              [](P p) {
                SetPattern(2, {{2, 1}, {2, 4}, {2, 16}, {2000, 64}}, 16000, p);
              },
              {}},
             {"largest wraps",
              [](P p) {
                SetPattern(2, {{1023, 1}, {2, 1024}, {2, 2048}, {2, 4096}}, 8184, p);
              },
              {}},
             {"d0 wrap",
              [](P p) {
                SetPattern(2, {{1024, 2}}, 1024, p);
              },
              {d + "d0 size is 1024, at most 1023"}},
             {"largest d1 and d2 wraps",
              [](P p) {
                SetPattern(2, {{1, 1}, {1023, 2}, {100, 3}}, 102300, p);
              },
              {}},
             {"d1 wrap",
              [](P p) {
                SetPattern(2, {{2, 1}, {1024, 3}}, 2048, p);
              },
              {d + "d1 size is 1024, at most 1023"}},
             {"largest d2 wrap",
              [](P p) {
                SetPattern(2, {{2, 1}, {2, 3}, {1023, 7}}, 4092, p);
              },
              {}},
             {"d2 wrap",
              [](P p) {
                SetPattern(2, {{2, 1}, {2, 3}, {1024, 7}}, 4096, p);
              },
              {d + "d2 size is 1024, at most 1023"}},
             {"one run of 1024",
              [](P p) {
                SetPattern(2, {{1024, 1}, {4, 1024}}, 4096, p);
              },
              {}},
             // The memory has 131072 words: the longest step leads out of it.
             {"longest step",
              [](P p) {
                SetPattern(2, {{2, 131072}}, 2, p);
              },
              {d + "last word, in buffer stage is 131073, at most 131072"}},
             {"step",
              [](P p) {
                SetPattern(2, {{2, 131073}}, 2, p);
              },
              {d + "d0 step in words is 131073, at most 131072",
               d + "last word, in buffer stage is 131074, at most 131072"}}});
}

// --- Iterations and padding ---

// Executions step on through the buffer, up to 64 times by a step that the tile has.
TEST(ValidateDescriptorTest, Iterations) {
  static constexpr auto kCoreOutput = [](P p) -> Descriptor& {
    return p->channels[1].descriptors[0];
  };
  static constexpr auto kIn = [](P p) -> Descriptor& { return p->channels[2].descriptors[0]; };
  const std::string core = "core (0,2) MM2S 0 descriptor 2: ";
  const std::string in = "memory (0,1) S2MM 0 descriptor 0: ";
  ExpectAll(ThroughMemoryTile, {{"most",
                                 [](P p) {
                                   kIn(p).iteration = {64, 128};
                                 },
                                 {}},
                                {"one too many",
                                 [](P p) {
                                   kIn(p).iteration = {65, 128};
                                 },
                                 {in + "iterations is 65, at most 64"}},
                                {"none",
                                 [](P p) {
                                   kIn(p).iteration = {0, 128};
                                 },
                                 {in + "iterations is 0, at least 1"}},
                                {"step 0",
                                 [](P p) {
                                   kIn(p).iteration = {2, 0};
                                 },
                                 {in + "iteration step in words is 0, at least 1"}},
                                {"up to the end of the buffer",
                                 [](P p) {
                                   kIn(p).iteration = {2, 131072 - 128};
                                 },
                                 {}},
                                {"past the end of the buffer",
                                 [](P p) {
                                   kIn(p).iteration = {2, 131072 - 127};
                                 },
                                 {in + "last word, in buffer stage is 131073, at most 131072"}},
                                {"with dims up to the end",
                                 [](P p) {
                                   SetPattern(2, {{64, 1}, {2, 1000}}, 128, p);
                                   kIn(p).iteration = {3, 65004};
                                 },
                                 {}},
                                {"with dims past the end",
                                 [](P p) {
                                   SetPattern(2, {{64, 1}, {2, 1000}}, 128, p);
                                   kIn(p).iteration = {3, 65005};
                                 },
                                 {in + "last word, in buffer stage is 131074, at most 131072"}},
                                {"step of a memory tile",
                                 [](P p) {
                                   kIn(p).iteration = {2, 131073};
                                 },
                                 {in + "iteration step in words is 131073, at most 131072",
                                  in + "last word, in buffer stage is 131201, at most 131072"}},
                                {"longest step of a core",
                                 [](P p) {
                                   kCoreOutput(p).iteration = {2, 8192};
                                 },
                                 {}},
                                {"step of a core",
                                 [](P p) {
                                   kCoreOutput(p).iteration = {2, 8193};
                                 },
                                 {core + "iteration step in words is 8193, at most 8192"}},
                                {"step of an iteration that does not happen",
                                 [](P p) {
                                   kCoreOutput(p).iteration = {1, 8193};
                                 },
                                 {core + "iteration step in words is 8193, at most 8192"}},
                                {"past the end of a core's buffer",
                                 [](P p) {
                                   kCoreOutput(p).iteration = {64, 300};
                                 },
                                 {core + "last word, in buffer c_0 is 19156, at most 15000"}}});
}

// Zeros around d0 (63 words), d1 (31 rounds), d2 (15 rounds) of what a memory tile sends.
TEST(ValidateDescriptorTest, Padding) {
  static constexpr auto kSent = [](P p) -> Descriptor& { return p->channels[3].descriptors[0]; };
  static constexpr auto kCube = [](P p) { SetPattern(3, {{2, 1}, {4, 3}, {8, 20}}, 64, p); };
  const std::string out = "memory (0,1) MM2S 1 descriptor 24: ";
  ExpectAll(
      ThroughMemoryTile,
      {{"most of all",
        [](P p) {
          kCube(p);
          kSent(p).padding = {{{63, 63}, {31, 31}, {15, 15}}};
        },
        {}},
       // The length counts what is read, not the zeros.
       {"length without zeros",
        [](P p) {
          SetPattern(3, {{4, 1}, {4, 8}}, 16, p);
          kSent(p).padding[0] = {2, 2};
        },
        {}},
       {"length with zeros",
        [](P p) {
          SetPattern(3, {{4, 1}, {4, 8}}, 32, p);
          kSent(p).padding[0] = {2, 2};
        },
        {out + "words of its dimensions, against its length is 16, at least 32"}},
       {"around d0",
        [](P p) {
          kCube(p);
          kSent(p).padding[0] = {64, 65};
        },
        {out + "padding before d0 is 64, at most 63", out + "padding after d0 is 65, at most 63"}},
       {"around d1",
        [](P p) {
          kCube(p);
          kSent(p).padding[1] = {32, 0};
        },
        {out + "padding before d1 is 32, at most 31"}},
       {"around d2",
        [](P p) {
          kCube(p);
          kSent(p).padding[2] = {0, 16};
        },
        {out + "padding after d2 is 16, at most 15"}},
       {"negative",
        [](P p) {
          kCube(p);
          kSent(p).padding[1] = {-1, 0};
        },
        {out + "padding before d1 is -1, at least 0"}},
       {"of a run without dimensions",
        [](P p) {
          kSent(p).padding[0] = {1, 0};
        },
        {out + "dimensions, with padding around d0 is 0, at least 1"}},
       {"of a dimension that is not there",
        [](P p) {
          SetPattern(3, {{4, 1}, {4, 8}}, 16, p);
          kSent(p).padding[2] = {0, 1};
        },
        {out + "dimensions, with padding around d2 is 2, at least 3"}},
       // One run has no limits on its wraps, but zeros need the wraps.
       {"of one long run",
        [](P p) {
          SetPattern(3, {{2048, 1}}, 2048, p);
          kSent(p).padding[0] = {1, 1};
        },
        {out + "d0 size is 2048, at most 1023"}},
       {"of what is received",
        [](P p) {
          SetPattern(2, {{4, 1}, {4, 8}}, 16, p);
          p->channels[2].descriptors[0].padding[0] = {1, 0};
        },
        {"memory (0,1) S2MM 0 descriptor 0: padding before d0 is 1, at most 0"}},
       {"on a core",
        [](P p) {
          SetPattern(1, {{4, 1}, {4, 8}}, 16, p);
          p->channels[1].descriptors[0].padding[1] = {0, 1};
        },
        {"core (0,2) MM2S 0 descriptor 2: padding after d1 is 1, at most 0"}}});
}

}  // namespace
}  // namespace tilewave::program
