// tilewave: spec family=packed_tile arch=npu1 tile=16x16x16 kernel=vector output=s32 stack_bytes=3328 columns=1 k_mt=0 b_layout=packed c_buffers=1
// tilewave: configuration 0565412ca9168867
module {
aie.device(npu1_1col) {
func.func private @matmul_vector_s8_s32(memref<512xi8>, memref<256xi8>, memref<256xi32>) attributes {link_with = "kernels.o"}
func.func private @zero_s32(memref<256xi32>) attributes {link_with = "kernels.o"}
%shim_0_0 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
%core_0_2 = aie.tile(0, 2)
%core_0_2_ab_0 = aie.buffer(%core_0_2) {address = 3328 : i32, sym_name = "core_0_2_ab_0"} : memref<512xi8>
%core_0_2_ab_1 = aie.buffer(%core_0_2) {address = 3840 : i32, sym_name = "core_0_2_ab_1"} : memref<512xi8>
%core_0_2_c_0 = aie.buffer(%core_0_2) {address = 4352 : i32, sym_name = "core_0_2_c_0"} : memref<256xi32>
%core_0_2_ab_empty = aie.lock(%core_0_2, 0) {init = 2 : i32, sym_name = "core_0_2_ab_empty"}
%core_0_2_ab_full = aie.lock(%core_0_2, 1) {init = 0 : i32, sym_name = "core_0_2_ab_full"}
%core_0_2_c_empty = aie.lock(%core_0_2, 2) {init = 1 : i32, sym_name = "core_0_2_c_empty"}
%core_0_2_c_full = aie.lock(%core_0_2, 3) {init = 0 : i32, sym_name = "core_0_2_c_full"}
aie.flow(%shim_0_0, DMA : 0, %core_0_2, DMA : 0)
aie.flow(%core_0_2, DMA : 0, %shim_0_0, DMA : 0)
%core_0_2_dma = aie.mem(%core_0_2) {
%c1_i32 = arith.constant 1 : i32
aie.dma_start(S2MM, 0, ^bd0, ^channel1)
^bd0:
aie.use_lock(%core_0_2_ab_empty, AcquireGreaterEqual, %c1_i32)
aie.dma_bd(%core_0_2_ab_0 : memref<512xi8> offset = 0 len = 512) {bd_id = 0 : i32}
aie.use_lock(%core_0_2_ab_full, Release, %c1_i32)
aie.next_bd ^bd1
^bd1:
aie.use_lock(%core_0_2_ab_empty, AcquireGreaterEqual, %c1_i32)
aie.dma_bd(%core_0_2_ab_1 : memref<512xi8> offset = 0 len = 512) {bd_id = 1 : i32}
aie.use_lock(%core_0_2_ab_full, Release, %c1_i32)
aie.next_bd ^bd0
^channel1:
aie.dma_start(MM2S, 0, ^bd2, ^end)
^bd2:
aie.use_lock(%core_0_2_c_full, AcquireGreaterEqual, %c1_i32)
aie.dma_bd(%core_0_2_c_0 : memref<256xi32> offset = 0 len = 256) {bd_id = 2 : i32}
aie.use_lock(%core_0_2_c_empty, Release, %c1_i32)
aie.next_bd ^bd2
^end:
aie.end
}
%core_0_2_program = aie.core(%core_0_2) {
// tilewave: program_bytes 9216
// tilewave: kernel zero_s32 tile 16x16x16 blocks 4x8x8
// tilewave: kernel matmul_vector_s8_s32 tile 16x16x16 blocks 4x8x8
// tilewave: ring ab of ab_0 ab_1
// tilewave: ring c of c_0
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c2 = arith.constant 2 : index
%c256 = arith.constant 256 : index
%c1_i32 = arith.constant 1 : i32
%forever = arith.constant 9223372036854775807 : index
%loop0:1 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%ab_in0 = %c0) -> (index) {
aie.use_lock(%core_0_2_c_empty, AcquireGreaterEqual, %c1_i32)
func.call @zero_s32(%core_0_2_c_0) : (memref<256xi32>) -> ()
aie.use_lock(%core_0_2_ab_full, AcquireGreaterEqual, %c1_i32)
%ab_now1 = scf.index_switch %ab_in0 -> memref<512xi8>
case 0 {
scf.yield %core_0_2_ab_0 : memref<512xi8>
}
default {
scf.yield %core_0_2_ab_1 : memref<512xi8>
}
%ab_part2 = memref.view %ab_now1[%c256][] : memref<512xi8> to memref<256xi8>
func.call @matmul_vector_s8_s32(%ab_now1, %ab_part2, %core_0_2_c_0) : (memref<512xi8>, memref<256xi8>, memref<256xi32>) -> ()
aie.use_lock(%core_0_2_ab_empty, Release, %c1_i32)
%ab_next3 = arith.addi %ab_in0, %c1 : index
%ab_last3 = arith.cmpi eq, %ab_next3, %c2 : index
%ab_at3 = arith.select %ab_last3, %c0, %ab_next3 : index
aie.use_lock(%core_0_2_c_full, Release, %c1_i32)
// tilewave: advance c
scf.yield %ab_at3 : index
}
aie.end
} {stack_size = 3328 : i32}
aie.shim_dma_allocation @shim_0_0_mm2s_0(%shim_0_0, MM2S, 0)
aie.shim_dma_allocation @shim_0_0_s2mm_0(%shim_0_0, S2MM, 0)
aie.runtime_sequence @sequence(%ab: memref<1xi32>, %c: memref<1xi32>) {
}
}
}