// k_stream-64x64x64-vector-s32-npu1: printed by tilewave for mlir-aie 1.4.2 (commit 7e00b57955e1).
// Lines that begin with "tilewave:" say what MLIR has no place for.
// tilewave: spec family=k_stream arch=npu1 tile=64x64x64 kernel=vector output=s32 stack_bytes=3328 columns=1 k_mt=0 b_layout=packed c_buffers=1
// tilewave: configuration 57e1564cf29a1a5a
module {
  aie.device(npu1_1col) {
    func.func private @matmul_vector_s8_s32(memref<1024xi32>, memref<1024xi32>, memref<4096xi32>) attributes {link_with = "kernels.o"}
    func.func private @zero_s32(memref<4096xi32>) attributes {link_with = "kernels.o"}
    %shim_0_0 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
    %core_0_2 = aie.tile(0, 2)
    %core_0_2_a_0 = aie.buffer(%core_0_2) {address = 3328 : i32, sym_name = "core_0_2_a_0"} : memref<1024xi32>
    %core_0_2_a_1 = aie.buffer(%core_0_2) {address = 7424 : i32, sym_name = "core_0_2_a_1"} : memref<1024xi32>
    %core_0_2_b_0 = aie.buffer(%core_0_2) {address = 11520 : i32, sym_name = "core_0_2_b_0"} : memref<1024xi32>
    %core_0_2_b_1 = aie.buffer(%core_0_2) {address = 15616 : i32, sym_name = "core_0_2_b_1"} : memref<1024xi32>
    %core_0_2_c_0 = aie.buffer(%core_0_2) {address = 19712 : i32, sym_name = "core_0_2_c_0"} : memref<4096xi32>
    // tilewave: parameters k_steps
    %core_0_2_parameters = aie.buffer(%core_0_2) {address = 36096 : i32, sym_name = "core_0_2_parameters"} : memref<8xi32>
    %core_0_2_a_empty = aie.lock(%core_0_2, 0) {init = 2 : i32, sym_name = "core_0_2_a_empty"}
    %core_0_2_a_full = aie.lock(%core_0_2, 1) {init = 0 : i32, sym_name = "core_0_2_a_full"}
    %core_0_2_b_empty = aie.lock(%core_0_2, 2) {init = 2 : i32, sym_name = "core_0_2_b_empty"}
    %core_0_2_b_full = aie.lock(%core_0_2, 3) {init = 0 : i32, sym_name = "core_0_2_b_full"}
    %core_0_2_c_empty = aie.lock(%core_0_2, 4) {init = 1 : i32, sym_name = "core_0_2_c_empty"}
    %core_0_2_c_full = aie.lock(%core_0_2, 5) {init = 0 : i32, sym_name = "core_0_2_c_full"}
    %core_0_2_start = aie.lock(%core_0_2, 6) {init = 0 : i32, sym_name = "core_0_2_start"}
    aie.flow(%shim_0_0, DMA : 0, %core_0_2, DMA : 0)
    aie.flow(%shim_0_0, DMA : 1, %core_0_2, DMA : 1)
    aie.flow(%core_0_2, DMA : 0, %shim_0_0, DMA : 0)
    %core_0_2_dma = aie.mem(%core_0_2) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_0_2_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_a_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 0 : i32}
      aie.use_lock(%core_0_2_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_0_2_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_a_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 1 : i32}
      aie.use_lock(%core_0_2_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_0_2_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_b_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 2 : i32}
      aie.use_lock(%core_0_2_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_0_2_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_b_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 3 : i32}
      aie.use_lock(%core_0_2_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_0_2_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_c_0 : memref<4096xi32> offset = 0 len = 4096) {bd_id = 4 : i32}
      aie.use_lock(%core_0_2_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_0_2_program = aie.core(%core_0_2) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 64x64x64 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 64x64x64 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:2 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0) -> (index, index) {
        aie.use_lock(%core_0_2_start, AcquireGreaterEqual, %c1_i32)
        aie.use_lock(%core_0_2_c_empty, AcquireGreaterEqual, %c1_i32)
        func.call @zero_s32(%core_0_2_c_0) : (memref<4096xi32>) -> ()
        %count1 = memref.load %core_0_2_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:2 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0) -> (index, index) {
          aie.use_lock(%core_0_2_a_full, AcquireGreaterEqual, %c1_i32)
          aie.use_lock(%core_0_2_b_full, AcquireGreaterEqual, %c1_i32)
          %a_now3 = scf.index_switch %a_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_0_2_a_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_0_2_a_1 : memref<1024xi32>
          }
          %b_now4 = scf.index_switch %b_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_0_2_b_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_0_2_b_1 : memref<1024xi32>
          }
          func.call @matmul_vector_s8_s32(%a_now3, %b_now4, %core_0_2_c_0) : (memref<1024xi32>, memref<1024xi32>, memref<4096xi32>) -> ()
          aie.use_lock(%core_0_2_a_empty, Release, %c1_i32)
          aie.use_lock(%core_0_2_b_empty, Release, %c1_i32)
          %a_next5 = arith.addi %a_in2, %c1 : index
          %a_last5 = arith.cmpi eq, %a_next5, %c2 : index
          %a_at5 = arith.select %a_last5, %c0, %a_next5 : index
          %b_next6 = arith.addi %b_in2, %c1 : index
          %b_last6 = arith.cmpi eq, %b_next6, %c2 : index
          %b_at6 = arith.select %b_last6, %c0, %b_next6 : index
          scf.yield %a_at5, %b_at6 : index, index
        }
        aie.use_lock(%core_0_2_c_full, Release, %c1_i32)
        // tilewave: advance c
        scf.yield %loop2#0, %loop2#1 : index, index
      }
      aie.end
    } {stack_size = 3328 : i32}
    aie.shim_dma_allocation @shim_0_0_mm2s_0(%shim_0_0, MM2S, 0)
    aie.shim_dma_allocation @shim_0_0_mm2s_1(%shim_0_0, MM2S, 1)
    aie.shim_dma_allocation @shim_0_0_s2mm_0(%shim_0_0, S2MM, 0)
    aie.runtime_sequence @sequence(%a: memref<1xi32>, %b: memref<1xi32>, %c: memref<1xi32>) {
      // Streams are made by tilewave for each product and loaded beside this.
    }
  }
}
