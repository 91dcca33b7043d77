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
aie.use_lock(%core_0_2_ab_empty, AcquireGreaterEqual,