// tilewave: spec family=whole_array arch=npu1 tile=64x64x64 kernel=vector output=s32 stack_bytes=3328 columns=1 k_mt=0 b_layout=packed c_buffers=1
// tilewave: configuration a89d1b9a256e2059
module {
aie.device(npu1_1col) {
%shim_0_0 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
%mem_0_1 = aie.tile(0, 1)
%mem_0_1_x = aie.buffer(%mem_0_1) {address = 0 : i32, sym_name = "mem_0_1_x"} : memref<256xi32>
%mem_0_1_e = aie.lock(%mem_0_1, 0) {init = 1 : i32, sym_name = "mem_0_1_e"}
%mem_0_1_f = aie.lock(%mem_0_1, 1) {init = 0 : i32, sym_name = "mem_0_1_f"}
aie.flow(%shim_0_0, DMA : 0, %mem_0_1, DMA : 0)
aie.flow(%mem_0_1, DMA : 1, %shim_0_0, DMA : 0)
aie.flow(%mem_0_1, DMA : 1, %shim_0_0, DMA : 1)
%mem_0_1_dma = aie.memtile_dma(%mem_0_1) {
%c1_i32 = arith.constant 1 : i32
%c2_i32 = arith.constant 2 : i32
aie.dma_start(S2MM, 0, ^bd0, ^channel1)
^bd0:
aie.use_lock(%mem_0_1_e, AcquireGreaterEqual, %c1_i32)
aie.dma_bd(%mem_0_1_x : memref<256xi32> offset = 0 len = 256) {bd_id = 0 : i32}
aie.use_lock(%mem_0_1_f, Release, %c1_i32)
aie.next_bd ^end
^channel1:
aie.dma_start(MM2S, 1, ^bd24, ^end)
^bd24:
aie.use_lock(%mem_0_1_f, AcquireGreaterEqual, %c1_i32)
aie.dma_bd(%mem_0_1_x : memref<256xi32> offset = 0 len = 256 sizes = [8, 4, 4, 2] strides = [32, 2, 8, 1] pad [<const_pad_before = 0, const_pad_after = 0>, <const_pad_before = 0, const_pad_after = 5>, <const_pad_before = 3, const_pad_after = 4>, <const_pad_before = 1, const_pad_after = 2>]) {bd_id = 24 : i32, iteration = #aie.bd_iteration<size = 4, stride = 1, current = 0>}
aie.use_lock(%mem_0_1_e, Release, %c2_i32)
aie.next_bd ^bd24
^end:
aie.end
}
aie.shim_dma_allocation @shim_0_0_mm2s_0(%shim_0_0, MM2S, 0)
aie.shim_dma_allocation @shim_0_0_s2mm_0(%shim_0_0, S2MM, 0)
aie.shim_dma_allocation @shim_0_0_s2mm_1(%shim_0_0, S2MM, 1)
aie.runtime_sequence @sequence(%a: memref<1xi32>, %b: memref<1xi32>, %c: memref<1xi32>) {
}
}
}
