// whole_array-32x64x32-vector-s32-npu1-2col-kmt128-row-2c: printed by tilewave for mlir-aie 1.4.2 (commit 7e00b57955e1).
// Lines that begin with "tilewave:" say what MLIR has no place for.
// tilewave: spec family=whole_array arch=npu1 tile=32x64x32 kernel=vector output=s32 stack_bytes=1024 columns=2 k_mt=128 b_layout=row c_buffers=2
// tilewave: configuration 284fb388c98885b8
module {
  aie.device(npu1_2col) {
    func.func private @matmul_vector_s8_s32(memref<512xi32>, memref<512xi32>, memref<1024xi32>) attributes {link_with = "kernels.o"}
    func.func private @zero_s32(memref<1024xi32>) attributes {link_with = "kernels.o"}
    %shim_0_0 = aie.tile(0, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
    %mem_0_1 = aie.tile(0, 1)
    %core_0_2 = aie.tile(0, 2)
    %core_0_3 = aie.tile(0, 3)
    %core_0_4 = aie.tile(0, 4)
    %core_0_5 = aie.tile(0, 5)
    %shim_1_0 = aie.tile(1, 0) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 15>}
    %mem_1_1 = aie.tile(1, 1)
    %core_1_2 = aie.tile(1, 2)
    %core_1_3 = aie.tile(1, 3)
    %core_1_4 = aie.tile(1, 4)
    %core_1_5 = aie.tile(1, 5)
    %mem_0_1_a0_0 = aie.buffer(%mem_0_1) {address = 0 : i32, sym_name = "mem_0_1_a0_0"} : memref<1024xi32>
    %mem_0_1_a0_1 = aie.buffer(%mem_0_1) {address = 4096 : i32, sym_name = "mem_0_1_a0_1"} : memref<1024xi32>
    %mem_0_1_a1_0 = aie.buffer(%mem_0_1) {address = 8192 : i32, sym_name = "mem_0_1_a1_0"} : memref<1024xi32>
    %mem_0_1_a1_1 = aie.buffer(%mem_0_1) {address = 12288 : i32, sym_name = "mem_0_1_a1_1"} : memref<1024xi32>
    %mem_0_1_b_0 = aie.buffer(%mem_0_1) {address = 16384 : i32, sym_name = "mem_0_1_b_0"} : memref<1024xi32>
    %mem_0_1_b_1 = aie.buffer(%mem_0_1) {address = 20480 : i32, sym_name = "mem_0_1_b_1"} : memref<1024xi32>
    %mem_0_1_c0_0 = aie.buffer(%mem_0_1) {address = 24576 : i32, sym_name = "mem_0_1_c0_0"} : memref<1024xi32>
    %mem_0_1_c0_1 = aie.buffer(%mem_0_1) {address = 28672 : i32, sym_name = "mem_0_1_c0_1"} : memref<1024xi32>
    %mem_0_1_c1_0 = aie.buffer(%mem_0_1) {address = 32768 : i32, sym_name = "mem_0_1_c1_0"} : memref<1024xi32>
    %mem_0_1_c1_1 = aie.buffer(%mem_0_1) {address = 36864 : i32, sym_name = "mem_0_1_c1_1"} : memref<1024xi32>
    %mem_0_1_c2_0 = aie.buffer(%mem_0_1) {address = 40960 : i32, sym_name = "mem_0_1_c2_0"} : memref<1024xi32>
    %mem_0_1_c2_1 = aie.buffer(%mem_0_1) {address = 45056 : i32, sym_name = "mem_0_1_c2_1"} : memref<1024xi32>
    %mem_0_1_c3_0 = aie.buffer(%mem_0_1) {address = 49152 : i32, sym_name = "mem_0_1_c3_0"} : memref<1024xi32>
    %mem_0_1_c3_1 = aie.buffer(%mem_0_1) {address = 53248 : i32, sym_name = "mem_0_1_c3_1"} : memref<1024xi32>
    %mem_1_1_a2_0 = aie.buffer(%mem_1_1) {address = 0 : i32, sym_name = "mem_1_1_a2_0"} : memref<1024xi32>
    %mem_1_1_a2_1 = aie.buffer(%mem_1_1) {address = 4096 : i32, sym_name = "mem_1_1_a2_1"} : memref<1024xi32>
    %mem_1_1_a3_0 = aie.buffer(%mem_1_1) {address = 8192 : i32, sym_name = "mem_1_1_a3_0"} : memref<1024xi32>
    %mem_1_1_a3_1 = aie.buffer(%mem_1_1) {address = 12288 : i32, sym_name = "mem_1_1_a3_1"} : memref<1024xi32>
    %mem_1_1_b_0 = aie.buffer(%mem_1_1) {address = 16384 : i32, sym_name = "mem_1_1_b_0"} : memref<1024xi32>
    %mem_1_1_b_1 = aie.buffer(%mem_1_1) {address = 20480 : i32, sym_name = "mem_1_1_b_1"} : memref<1024xi32>
    %mem_1_1_c0_0 = aie.buffer(%mem_1_1) {address = 24576 : i32, sym_name = "mem_1_1_c0_0"} : memref<1024xi32>
    %mem_1_1_c0_1 = aie.buffer(%mem_1_1) {address = 28672 : i32, sym_name = "mem_1_1_c0_1"} : memref<1024xi32>
    %mem_1_1_c1_0 = aie.buffer(%mem_1_1) {address = 32768 : i32, sym_name = "mem_1_1_c1_0"} : memref<1024xi32>
    %mem_1_1_c1_1 = aie.buffer(%mem_1_1) {address = 36864 : i32, sym_name = "mem_1_1_c1_1"} : memref<1024xi32>
    %mem_1_1_c2_0 = aie.buffer(%mem_1_1) {address = 40960 : i32, sym_name = "mem_1_1_c2_0"} : memref<1024xi32>
    %mem_1_1_c2_1 = aie.buffer(%mem_1_1) {address = 45056 : i32, sym_name = "mem_1_1_c2_1"} : memref<1024xi32>
    %mem_1_1_c3_0 = aie.buffer(%mem_1_1) {address = 49152 : i32, sym_name = "mem_1_1_c3_0"} : memref<1024xi32>
    %mem_1_1_c3_1 = aie.buffer(%mem_1_1) {address = 53248 : i32, sym_name = "mem_1_1_c3_1"} : memref<1024xi32>
    %core_0_2_a_0 = aie.buffer(%core_0_2) {address = 1088 : i32, sym_name = "core_0_2_a_0"} : memref<512xi32>
    %core_0_2_a_1 = aie.buffer(%core_0_2) {address = 3136 : i32, sym_name = "core_0_2_a_1"} : memref<512xi32>
    %core_0_2_b_0 = aie.buffer(%core_0_2) {address = 5184 : i32, sym_name = "core_0_2_b_0"} : memref<512xi32>
    %core_0_2_b_1 = aie.buffer(%core_0_2) {address = 7232 : i32, sym_name = "core_0_2_b_1"} : memref<512xi32>
    %core_0_2_c_0 = aie.buffer(%core_0_2) {address = 9280 : i32, sym_name = "core_0_2_c_0"} : memref<1024xi32>
    %core_0_2_c_1 = aie.buffer(%core_0_2) {address = 13376 : i32, sym_name = "core_0_2_c_1"} : memref<1024xi32>
    %core_0_3_a_0 = aie.buffer(%core_0_3) {address = 1088 : i32, sym_name = "core_0_3_a_0"} : memref<512xi32>
    %core_0_3_a_1 = aie.buffer(%core_0_3) {address = 3136 : i32, sym_name = "core_0_3_a_1"} : memref<512xi32>
    %core_0_3_b_0 = aie.buffer(%core_0_3) {address = 5184 : i32, sym_name = "core_0_3_b_0"} : memref<512xi32>
    %core_0_3_b_1 = aie.buffer(%core_0_3) {address = 7232 : i32, sym_name = "core_0_3_b_1"} : memref<512xi32>
    %core_0_3_c_0 = aie.buffer(%core_0_3) {address = 9280 : i32, sym_name = "core_0_3_c_0"} : memref<1024xi32>
    %core_0_3_c_1 = aie.buffer(%core_0_3) {address = 13376 : i32, sym_name = "core_0_3_c_1"} : memref<1024xi32>
    %core_0_4_a_0 = aie.buffer(%core_0_4) {address = 1088 : i32, sym_name = "core_0_4_a_0"} : memref<512xi32>
    %core_0_4_a_1 = aie.buffer(%core_0_4) {address = 3136 : i32, sym_name = "core_0_4_a_1"} : memref<512xi32>
    %core_0_4_b_0 = aie.buffer(%core_0_4) {address = 5184 : i32, sym_name = "core_0_4_b_0"} : memref<512xi32>
    %core_0_4_b_1 = aie.buffer(%core_0_4) {address = 7232 : i32, sym_name = "core_0_4_b_1"} : memref<512xi32>
    %core_0_4_c_0 = aie.buffer(%core_0_4) {address = 9280 : i32, sym_name = "core_0_4_c_0"} : memref<1024xi32>
    %core_0_4_c_1 = aie.buffer(%core_0_4) {address = 13376 : i32, sym_name = "core_0_4_c_1"} : memref<1024xi32>
    %core_0_5_a_0 = aie.buffer(%core_0_5) {address = 1088 : i32, sym_name = "core_0_5_a_0"} : memref<512xi32>
    %core_0_5_a_1 = aie.buffer(%core_0_5) {address = 3136 : i32, sym_name = "core_0_5_a_1"} : memref<512xi32>
    %core_0_5_b_0 = aie.buffer(%core_0_5) {address = 5184 : i32, sym_name = "core_0_5_b_0"} : memref<512xi32>
    %core_0_5_b_1 = aie.buffer(%core_0_5) {address = 7232 : i32, sym_name = "core_0_5_b_1"} : memref<512xi32>
    %core_0_5_c_0 = aie.buffer(%core_0_5) {address = 9280 : i32, sym_name = "core_0_5_c_0"} : memref<1024xi32>
    %core_0_5_c_1 = aie.buffer(%core_0_5) {address = 13376 : i32, sym_name = "core_0_5_c_1"} : memref<1024xi32>
    %core_1_2_a_0 = aie.buffer(%core_1_2) {address = 1088 : i32, sym_name = "core_1_2_a_0"} : memref<512xi32>
    %core_1_2_a_1 = aie.buffer(%core_1_2) {address = 3136 : i32, sym_name = "core_1_2_a_1"} : memref<512xi32>
    %core_1_2_b_0 = aie.buffer(%core_1_2) {address = 5184 : i32, sym_name = "core_1_2_b_0"} : memref<512xi32>
    %core_1_2_b_1 = aie.buffer(%core_1_2) {address = 7232 : i32, sym_name = "core_1_2_b_1"} : memref<512xi32>
    %core_1_2_c_0 = aie.buffer(%core_1_2) {address = 9280 : i32, sym_name = "core_1_2_c_0"} : memref<1024xi32>
    %core_1_2_c_1 = aie.buffer(%core_1_2) {address = 13376 : i32, sym_name = "core_1_2_c_1"} : memref<1024xi32>
    %core_1_3_a_0 = aie.buffer(%core_1_3) {address = 1088 : i32, sym_name = "core_1_3_a_0"} : memref<512xi32>
    %core_1_3_a_1 = aie.buffer(%core_1_3) {address = 3136 : i32, sym_name = "core_1_3_a_1"} : memref<512xi32>
    %core_1_3_b_0 = aie.buffer(%core_1_3) {address = 5184 : i32, sym_name = "core_1_3_b_0"} : memref<512xi32>
    %core_1_3_b_1 = aie.buffer(%core_1_3) {address = 7232 : i32, sym_name = "core_1_3_b_1"} : memref<512xi32>
    %core_1_3_c_0 = aie.buffer(%core_1_3) {address = 9280 : i32, sym_name = "core_1_3_c_0"} : memref<1024xi32>
    %core_1_3_c_1 = aie.buffer(%core_1_3) {address = 13376 : i32, sym_name = "core_1_3_c_1"} : memref<1024xi32>
    %core_1_4_a_0 = aie.buffer(%core_1_4) {address = 1088 : i32, sym_name = "core_1_4_a_0"} : memref<512xi32>
    %core_1_4_a_1 = aie.buffer(%core_1_4) {address = 3136 : i32, sym_name = "core_1_4_a_1"} : memref<512xi32>
    %core_1_4_b_0 = aie.buffer(%core_1_4) {address = 5184 : i32, sym_name = "core_1_4_b_0"} : memref<512xi32>
    %core_1_4_b_1 = aie.buffer(%core_1_4) {address = 7232 : i32, sym_name = "core_1_4_b_1"} : memref<512xi32>
    %core_1_4_c_0 = aie.buffer(%core_1_4) {address = 9280 : i32, sym_name = "core_1_4_c_0"} : memref<1024xi32>
    %core_1_4_c_1 = aie.buffer(%core_1_4) {address = 13376 : i32, sym_name = "core_1_4_c_1"} : memref<1024xi32>
    %core_1_5_a_0 = aie.buffer(%core_1_5) {address = 1088 : i32, sym_name = "core_1_5_a_0"} : memref<512xi32>
    %core_1_5_a_1 = aie.buffer(%core_1_5) {address = 3136 : i32, sym_name = "core_1_5_a_1"} : memref<512xi32>
    %core_1_5_b_0 = aie.buffer(%core_1_5) {address = 5184 : i32, sym_name = "core_1_5_b_0"} : memref<512xi32>
    %core_1_5_b_1 = aie.buffer(%core_1_5) {address = 7232 : i32, sym_name = "core_1_5_b_1"} : memref<512xi32>
    %core_1_5_c_0 = aie.buffer(%core_1_5) {address = 9280 : i32, sym_name = "core_1_5_c_0"} : memref<1024xi32>
    %core_1_5_c_1 = aie.buffer(%core_1_5) {address = 13376 : i32, sym_name = "core_1_5_c_1"} : memref<1024xi32>
    // tilewave: parameters tiles k_steps
    %core_0_2_parameters = aie.buffer(%core_0_2) {address = 1024 : i32, sym_name = "core_0_2_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_0_3_parameters = aie.buffer(%core_0_3) {address = 1024 : i32, sym_name = "core_0_3_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_0_4_parameters = aie.buffer(%core_0_4) {address = 1024 : i32, sym_name = "core_0_4_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_0_5_parameters = aie.buffer(%core_0_5) {address = 1024 : i32, sym_name = "core_0_5_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_1_2_parameters = aie.buffer(%core_1_2) {address = 1024 : i32, sym_name = "core_1_2_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_1_3_parameters = aie.buffer(%core_1_3) {address = 1024 : i32, sym_name = "core_1_3_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_1_4_parameters = aie.buffer(%core_1_4) {address = 1024 : i32, sym_name = "core_1_4_parameters"} : memref<8xi32>
    // tilewave: parameters tiles k_steps
    %core_1_5_parameters = aie.buffer(%core_1_5) {address = 1024 : i32, sym_name = "core_1_5_parameters"} : memref<8xi32>
    %mem_0_1_a0_empty = aie.lock(%mem_0_1, 0) {init = 2 : i32, sym_name = "mem_0_1_a0_empty"}
    %mem_0_1_a0_full = aie.lock(%mem_0_1, 1) {init = 0 : i32, sym_name = "mem_0_1_a0_full"}
    %mem_0_1_a1_empty = aie.lock(%mem_0_1, 2) {init = 2 : i32, sym_name = "mem_0_1_a1_empty"}
    %mem_0_1_a1_full = aie.lock(%mem_0_1, 3) {init = 0 : i32, sym_name = "mem_0_1_a1_full"}
    %mem_0_1_b_empty = aie.lock(%mem_0_1, 4) {init = 2 : i32, sym_name = "mem_0_1_b_empty"}
    %mem_0_1_b_full = aie.lock(%mem_0_1, 5) {init = 0 : i32, sym_name = "mem_0_1_b_full"}
    %mem_0_1_c0_empty = aie.lock(%mem_0_1, 6) {init = 2 : i32, sym_name = "mem_0_1_c0_empty"}
    %mem_0_1_c0_full = aie.lock(%mem_0_1, 7) {init = 0 : i32, sym_name = "mem_0_1_c0_full"}
    %mem_0_1_c1_empty = aie.lock(%mem_0_1, 8) {init = 2 : i32, sym_name = "mem_0_1_c1_empty"}
    %mem_0_1_c1_full = aie.lock(%mem_0_1, 9) {init = 0 : i32, sym_name = "mem_0_1_c1_full"}
    %mem_0_1_c2_empty = aie.lock(%mem_0_1, 10) {init = 2 : i32, sym_name = "mem_0_1_c2_empty"}
    %mem_0_1_c2_full = aie.lock(%mem_0_1, 11) {init = 0 : i32, sym_name = "mem_0_1_c2_full"}
    %mem_0_1_c3_empty = aie.lock(%mem_0_1, 12) {init = 2 : i32, sym_name = "mem_0_1_c3_empty"}
    %mem_0_1_c3_full = aie.lock(%mem_0_1, 13) {init = 0 : i32, sym_name = "mem_0_1_c3_full"}
    %mem_1_1_a2_empty = aie.lock(%mem_1_1, 0) {init = 2 : i32, sym_name = "mem_1_1_a2_empty"}
    %mem_1_1_a2_full = aie.lock(%mem_1_1, 1) {init = 0 : i32, sym_name = "mem_1_1_a2_full"}
    %mem_1_1_a3_empty = aie.lock(%mem_1_1, 2) {init = 2 : i32, sym_name = "mem_1_1_a3_empty"}
    %mem_1_1_a3_full = aie.lock(%mem_1_1, 3) {init = 0 : i32, sym_name = "mem_1_1_a3_full"}
    %mem_1_1_b_empty = aie.lock(%mem_1_1, 4) {init = 2 : i32, sym_name = "mem_1_1_b_empty"}
    %mem_1_1_b_full = aie.lock(%mem_1_1, 5) {init = 0 : i32, sym_name = "mem_1_1_b_full"}
    %mem_1_1_c0_empty = aie.lock(%mem_1_1, 6) {init = 2 : i32, sym_name = "mem_1_1_c0_empty"}
    %mem_1_1_c0_full = aie.lock(%mem_1_1, 7) {init = 0 : i32, sym_name = "mem_1_1_c0_full"}
    %mem_1_1_c1_empty = aie.lock(%mem_1_1, 8) {init = 2 : i32, sym_name = "mem_1_1_c1_empty"}
    %mem_1_1_c1_full = aie.lock(%mem_1_1, 9) {init = 0 : i32, sym_name = "mem_1_1_c1_full"}
    %mem_1_1_c2_empty = aie.lock(%mem_1_1, 10) {init = 2 : i32, sym_name = "mem_1_1_c2_empty"}
    %mem_1_1_c2_full = aie.lock(%mem_1_1, 11) {init = 0 : i32, sym_name = "mem_1_1_c2_full"}
    %mem_1_1_c3_empty = aie.lock(%mem_1_1, 12) {init = 2 : i32, sym_name = "mem_1_1_c3_empty"}
    %mem_1_1_c3_full = aie.lock(%mem_1_1, 13) {init = 0 : i32, sym_name = "mem_1_1_c3_full"}
    %core_0_2_a_empty = aie.lock(%core_0_2, 0) {init = 2 : i32, sym_name = "core_0_2_a_empty"}
    %core_0_2_a_full = aie.lock(%core_0_2, 1) {init = 0 : i32, sym_name = "core_0_2_a_full"}
    %core_0_2_b_empty = aie.lock(%core_0_2, 2) {init = 2 : i32, sym_name = "core_0_2_b_empty"}
    %core_0_2_b_full = aie.lock(%core_0_2, 3) {init = 0 : i32, sym_name = "core_0_2_b_full"}
    %core_0_2_c_empty = aie.lock(%core_0_2, 4) {init = 2 : i32, sym_name = "core_0_2_c_empty"}
    %core_0_2_c_full = aie.lock(%core_0_2, 5) {init = 0 : i32, sym_name = "core_0_2_c_full"}
    %core_0_2_start = aie.lock(%core_0_2, 6) {init = 0 : i32, sym_name = "core_0_2_start"}
    %core_0_3_a_empty = aie.lock(%core_0_3, 0) {init = 2 : i32, sym_name = "core_0_3_a_empty"}
    %core_0_3_a_full = aie.lock(%core_0_3, 1) {init = 0 : i32, sym_name = "core_0_3_a_full"}
    %core_0_3_b_empty = aie.lock(%core_0_3, 2) {init = 2 : i32, sym_name = "core_0_3_b_empty"}
    %core_0_3_b_full = aie.lock(%core_0_3, 3) {init = 0 : i32, sym_name = "core_0_3_b_full"}
    %core_0_3_c_empty = aie.lock(%core_0_3, 4) {init = 2 : i32, sym_name = "core_0_3_c_empty"}
    %core_0_3_c_full = aie.lock(%core_0_3, 5) {init = 0 : i32, sym_name = "core_0_3_c_full"}
    %core_0_3_start = aie.lock(%core_0_3, 6) {init = 0 : i32, sym_name = "core_0_3_start"}
    %core_0_4_a_empty = aie.lock(%core_0_4, 0) {init = 2 : i32, sym_name = "core_0_4_a_empty"}
    %core_0_4_a_full = aie.lock(%core_0_4, 1) {init = 0 : i32, sym_name = "core_0_4_a_full"}
    %core_0_4_b_empty = aie.lock(%core_0_4, 2) {init = 2 : i32, sym_name = "core_0_4_b_empty"}
    %core_0_4_b_full = aie.lock(%core_0_4, 3) {init = 0 : i32, sym_name = "core_0_4_b_full"}
    %core_0_4_c_empty = aie.lock(%core_0_4, 4) {init = 2 : i32, sym_name = "core_0_4_c_empty"}
    %core_0_4_c_full = aie.lock(%core_0_4, 5) {init = 0 : i32, sym_name = "core_0_4_c_full"}
    %core_0_4_start = aie.lock(%core_0_4, 6) {init = 0 : i32, sym_name = "core_0_4_start"}
    %core_0_5_a_empty = aie.lock(%core_0_5, 0) {init = 2 : i32, sym_name = "core_0_5_a_empty"}
    %core_0_5_a_full = aie.lock(%core_0_5, 1) {init = 0 : i32, sym_name = "core_0_5_a_full"}
    %core_0_5_b_empty = aie.lock(%core_0_5, 2) {init = 2 : i32, sym_name = "core_0_5_b_empty"}
    %core_0_5_b_full = aie.lock(%core_0_5, 3) {init = 0 : i32, sym_name = "core_0_5_b_full"}
    %core_0_5_c_empty = aie.lock(%core_0_5, 4) {init = 2 : i32, sym_name = "core_0_5_c_empty"}
    %core_0_5_c_full = aie.lock(%core_0_5, 5) {init = 0 : i32, sym_name = "core_0_5_c_full"}
    %core_0_5_start = aie.lock(%core_0_5, 6) {init = 0 : i32, sym_name = "core_0_5_start"}
    %core_1_2_a_empty = aie.lock(%core_1_2, 0) {init = 2 : i32, sym_name = "core_1_2_a_empty"}
    %core_1_2_a_full = aie.lock(%core_1_2, 1) {init = 0 : i32, sym_name = "core_1_2_a_full"}
    %core_1_2_b_empty = aie.lock(%core_1_2, 2) {init = 2 : i32, sym_name = "core_1_2_b_empty"}
    %core_1_2_b_full = aie.lock(%core_1_2, 3) {init = 0 : i32, sym_name = "core_1_2_b_full"}
    %core_1_2_c_empty = aie.lock(%core_1_2, 4) {init = 2 : i32, sym_name = "core_1_2_c_empty"}
    %core_1_2_c_full = aie.lock(%core_1_2, 5) {init = 0 : i32, sym_name = "core_1_2_c_full"}
    %core_1_2_start = aie.lock(%core_1_2, 6) {init = 0 : i32, sym_name = "core_1_2_start"}
    %core_1_3_a_empty = aie.lock(%core_1_3, 0) {init = 2 : i32, sym_name = "core_1_3_a_empty"}
    %core_1_3_a_full = aie.lock(%core_1_3, 1) {init = 0 : i32, sym_name = "core_1_3_a_full"}
    %core_1_3_b_empty = aie.lock(%core_1_3, 2) {init = 2 : i32, sym_name = "core_1_3_b_empty"}
    %core_1_3_b_full = aie.lock(%core_1_3, 3) {init = 0 : i32, sym_name = "core_1_3_b_full"}
    %core_1_3_c_empty = aie.lock(%core_1_3, 4) {init = 2 : i32, sym_name = "core_1_3_c_empty"}
    %core_1_3_c_full = aie.lock(%core_1_3, 5) {init = 0 : i32, sym_name = "core_1_3_c_full"}
    %core_1_3_start = aie.lock(%core_1_3, 6) {init = 0 : i32, sym_name = "core_1_3_start"}
    %core_1_4_a_empty = aie.lock(%core_1_4, 0) {init = 2 : i32, sym_name = "core_1_4_a_empty"}
    %core_1_4_a_full = aie.lock(%core_1_4, 1) {init = 0 : i32, sym_name = "core_1_4_a_full"}
    %core_1_4_b_empty = aie.lock(%core_1_4, 2) {init = 2 : i32, sym_name = "core_1_4_b_empty"}
    %core_1_4_b_full = aie.lock(%core_1_4, 3) {init = 0 : i32, sym_name = "core_1_4_b_full"}
    %core_1_4_c_empty = aie.lock(%core_1_4, 4) {init = 2 : i32, sym_name = "core_1_4_c_empty"}
    %core_1_4_c_full = aie.lock(%core_1_4, 5) {init = 0 : i32, sym_name = "core_1_4_c_full"}
    %core_1_4_start = aie.lock(%core_1_4, 6) {init = 0 : i32, sym_name = "core_1_4_start"}
    %core_1_5_a_empty = aie.lock(%core_1_5, 0) {init = 2 : i32, sym_name = "core_1_5_a_empty"}
    %core_1_5_a_full = aie.lock(%core_1_5, 1) {init = 0 : i32, sym_name = "core_1_5_a_full"}
    %core_1_5_b_empty = aie.lock(%core_1_5, 2) {init = 2 : i32, sym_name = "core_1_5_b_empty"}
    %core_1_5_b_full = aie.lock(%core_1_5, 3) {init = 0 : i32, sym_name = "core_1_5_b_full"}
    %core_1_5_c_empty = aie.lock(%core_1_5, 4) {init = 2 : i32, sym_name = "core_1_5_c_empty"}
    %core_1_5_c_full = aie.lock(%core_1_5, 5) {init = 0 : i32, sym_name = "core_1_5_c_full"}
    %core_1_5_start = aie.lock(%core_1_5, 6) {init = 0 : i32, sym_name = "core_1_5_start"}
    aie.flow(%shim_0_0, DMA : 0, %mem_0_1, DMA : 0)
    aie.flow(%mem_0_1, DMA : 0, %core_0_2, DMA : 0)
    aie.flow(%mem_0_1, DMA : 0, %core_1_2, DMA : 0)
    aie.flow(%mem_0_1, DMA : 1, %core_0_3, DMA : 0)
    aie.flow(%mem_0_1, DMA : 1, %core_1_3, DMA : 0)
    aie.flow(%shim_0_0, DMA : 1, %mem_0_1, DMA : 1)
    aie.flow(%mem_0_1, DMA : 4, %core_0_2, DMA : 1)
    aie.flow(%mem_0_1, DMA : 4, %core_0_3, DMA : 1)
    aie.flow(%mem_0_1, DMA : 4, %core_0_4, DMA : 1)
    aie.flow(%mem_0_1, DMA : 4, %core_0_5, DMA : 1)
    aie.flow(%core_0_2, DMA : 0, %mem_0_1, DMA : 2)
    aie.flow(%core_0_3, DMA : 0, %mem_0_1, DMA : 3)
    aie.flow(%core_0_4, DMA : 0, %mem_0_1, DMA : 4)
    aie.flow(%core_0_5, DMA : 0, %mem_0_1, DMA : 5)
    aie.flow(%mem_0_1, DMA : 5, %shim_0_0, DMA : 0)
    aie.flow(%shim_1_0, DMA : 0, %mem_1_1, DMA : 0)
    aie.flow(%mem_1_1, DMA : 0, %core_0_4, DMA : 0)
    aie.flow(%mem_1_1, DMA : 0, %core_1_4, DMA : 0)
    aie.flow(%mem_1_1, DMA : 1, %core_0_5, DMA : 0)
    aie.flow(%mem_1_1, DMA : 1, %core_1_5, DMA : 0)
    aie.flow(%shim_1_0, DMA : 1, %mem_1_1, DMA : 1)
    aie.flow(%mem_1_1, DMA : 4, %core_1_2, DMA : 1)
    aie.flow(%mem_1_1, DMA : 4, %core_1_3, DMA : 1)
    aie.flow(%mem_1_1, DMA : 4, %core_1_4, DMA : 1)
    aie.flow(%mem_1_1, DMA : 4, %core_1_5, DMA : 1)
    aie.flow(%core_1_2, DMA : 0, %mem_1_1, DMA : 2)
    aie.flow(%core_1_3, DMA : 0, %mem_1_1, DMA : 3)
    aie.flow(%core_1_4, DMA : 0, %mem_1_1, DMA : 4)
    aie.flow(%core_1_5, DMA : 0, %mem_1_1, DMA : 5)
    aie.flow(%mem_1_1, DMA : 5, %shim_1_0, DMA : 0)
    %mem_0_1_dma = aie.memtile_dma(%mem_0_1) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%mem_0_1_a0_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a0_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 0 : i32}
      aie.use_lock(%mem_0_1_a0_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%mem_0_1_a1_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a1_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 1 : i32}
      aie.use_lock(%mem_0_1_a1_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^bd2:
      aie.use_lock(%mem_0_1_a0_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a0_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 2 : i32}
      aie.use_lock(%mem_0_1_a0_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%mem_0_1_a1_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a1_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 3 : i32}
      aie.use_lock(%mem_0_1_a1_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(MM2S, 0, ^bd4, ^channel2)
    ^bd4:
      aie.use_lock(%mem_0_1_a0_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a0_0 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 4 : i32}
      aie.next_bd ^bd5
    ^bd5:
      aie.dma_bd(%mem_0_1_a0_0 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 5 : i32}
      aie.use_lock(%mem_0_1_a0_empty, Release, %c1_i32)
      aie.next_bd ^bd6
    ^bd6:
      aie.use_lock(%mem_0_1_a0_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a0_1 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 6 : i32}
      aie.next_bd ^bd7
    ^bd7:
      aie.dma_bd(%mem_0_1_a0_1 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 7 : i32}
      aie.use_lock(%mem_0_1_a0_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^channel2:
      aie.dma_start(MM2S, 1, ^bd24, ^channel3)
    ^bd24:
      aie.use_lock(%mem_0_1_a1_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a1_0 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 24 : i32}
      aie.next_bd ^bd25
    ^bd25:
      aie.dma_bd(%mem_0_1_a1_0 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 25 : i32}
      aie.use_lock(%mem_0_1_a1_empty, Release, %c1_i32)
      aie.next_bd ^bd26
    ^bd26:
      aie.use_lock(%mem_0_1_a1_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_a1_1 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 26 : i32}
      aie.next_bd ^bd27
    ^bd27:
      aie.dma_bd(%mem_0_1_a1_1 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 27 : i32}
      aie.use_lock(%mem_0_1_a1_empty, Release, %c1_i32)
      aie.next_bd ^bd24
    ^channel3:
      aie.dma_start(S2MM, 1, ^bd28, ^channel4)
    ^bd28:
      aie.use_lock(%mem_0_1_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_b_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 28 : i32}
      aie.use_lock(%mem_0_1_b_full, Release, %c1_i32)
      aie.next_bd ^bd29
    ^bd29:
      aie.use_lock(%mem_0_1_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_b_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 29 : i32}
      aie.use_lock(%mem_0_1_b_full, Release, %c1_i32)
      aie.next_bd ^bd28
    ^channel4:
      aie.dma_start(MM2S, 4, ^bd8, ^channel5)
    ^bd8:
      aie.use_lock(%mem_0_1_b_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_b_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [16, 4, 8, 2] strides = [64, 2, 8, 1]) {bd_id = 8 : i32}
      aie.use_lock(%mem_0_1_b_empty, Release, %c1_i32)
      aie.next_bd ^bd9
    ^bd9:
      aie.use_lock(%mem_0_1_b_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_b_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [16, 4, 8, 2] strides = [64, 2, 8, 1]) {bd_id = 9 : i32}
      aie.use_lock(%mem_0_1_b_empty, Release, %c1_i32)
      aie.next_bd ^bd8
    ^channel5:
      aie.dma_start(S2MM, 2, ^bd10, ^channel6)
    ^bd10:
      aie.use_lock(%mem_0_1_c0_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c0_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 10 : i32}
      aie.use_lock(%mem_0_1_c0_full, Release, %c1_i32)
      aie.next_bd ^bd11
    ^bd11:
      aie.use_lock(%mem_0_1_c0_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c0_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 11 : i32}
      aie.use_lock(%mem_0_1_c0_full, Release, %c1_i32)
      aie.next_bd ^bd10
    ^channel6:
      aie.dma_start(S2MM, 3, ^bd30, ^channel7)
    ^bd30:
      aie.use_lock(%mem_0_1_c1_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c1_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 30 : i32}
      aie.use_lock(%mem_0_1_c1_full, Release, %c1_i32)
      aie.next_bd ^bd31
    ^bd31:
      aie.use_lock(%mem_0_1_c1_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c1_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 31 : i32}
      aie.use_lock(%mem_0_1_c1_full, Release, %c1_i32)
      aie.next_bd ^bd30
    ^channel7:
      aie.dma_start(S2MM, 4, ^bd12, ^channel8)
    ^bd12:
      aie.use_lock(%mem_0_1_c2_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c2_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 12 : i32}
      aie.use_lock(%mem_0_1_c2_full, Release, %c1_i32)
      aie.next_bd ^bd13
    ^bd13:
      aie.use_lock(%mem_0_1_c2_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c2_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 13 : i32}
      aie.use_lock(%mem_0_1_c2_full, Release, %c1_i32)
      aie.next_bd ^bd12
    ^channel8:
      aie.dma_start(S2MM, 5, ^bd32, ^channel9)
    ^bd32:
      aie.use_lock(%mem_0_1_c3_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c3_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 32 : i32}
      aie.use_lock(%mem_0_1_c3_full, Release, %c1_i32)
      aie.next_bd ^bd33
    ^bd33:
      aie.use_lock(%mem_0_1_c3_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c3_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 33 : i32}
      aie.use_lock(%mem_0_1_c3_full, Release, %c1_i32)
      aie.next_bd ^bd32
    ^channel9:
      aie.dma_start(MM2S, 5, ^bd34, ^end)
    ^bd34:
      aie.use_lock(%mem_0_1_c0_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c0_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 34 : i32}
      aie.use_lock(%mem_0_1_c0_empty, Release, %c1_i32)
      aie.next_bd ^bd35
    ^bd35:
      aie.use_lock(%mem_0_1_c1_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c1_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 35 : i32}
      aie.use_lock(%mem_0_1_c1_empty, Release, %c1_i32)
      aie.next_bd ^bd36
    ^bd36:
      aie.use_lock(%mem_0_1_c2_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c2_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 36 : i32}
      aie.use_lock(%mem_0_1_c2_empty, Release, %c1_i32)
      aie.next_bd ^bd37
    ^bd37:
      aie.use_lock(%mem_0_1_c3_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c3_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 37 : i32}
      aie.use_lock(%mem_0_1_c3_empty, Release, %c1_i32)
      aie.next_bd ^bd38
    ^bd38:
      aie.use_lock(%mem_0_1_c0_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c0_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 38 : i32}
      aie.use_lock(%mem_0_1_c0_empty, Release, %c1_i32)
      aie.next_bd ^bd39
    ^bd39:
      aie.use_lock(%mem_0_1_c1_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c1_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 39 : i32}
      aie.use_lock(%mem_0_1_c1_empty, Release, %c1_i32)
      aie.next_bd ^bd40
    ^bd40:
      aie.use_lock(%mem_0_1_c2_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c2_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 40 : i32}
      aie.use_lock(%mem_0_1_c2_empty, Release, %c1_i32)
      aie.next_bd ^bd41
    ^bd41:
      aie.use_lock(%mem_0_1_c3_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_0_1_c3_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 41 : i32}
      aie.use_lock(%mem_0_1_c3_empty, Release, %c1_i32)
      aie.next_bd ^bd34
    ^end:
      aie.end
    }
    %mem_1_1_dma = aie.memtile_dma(%mem_1_1) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%mem_1_1_a2_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a2_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 0 : i32}
      aie.use_lock(%mem_1_1_a2_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%mem_1_1_a3_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a3_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 1 : i32}
      aie.use_lock(%mem_1_1_a3_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^bd2:
      aie.use_lock(%mem_1_1_a2_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a2_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 2 : i32}
      aie.use_lock(%mem_1_1_a2_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%mem_1_1_a3_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a3_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 3 : i32}
      aie.use_lock(%mem_1_1_a3_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(MM2S, 0, ^bd4, ^channel2)
    ^bd4:
      aie.use_lock(%mem_1_1_a2_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a2_0 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 4 : i32}
      aie.next_bd ^bd5
    ^bd5:
      aie.dma_bd(%mem_1_1_a2_0 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 5 : i32}
      aie.use_lock(%mem_1_1_a2_empty, Release, %c1_i32)
      aie.next_bd ^bd6
    ^bd6:
      aie.use_lock(%mem_1_1_a2_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a2_1 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 6 : i32}
      aie.next_bd ^bd7
    ^bd7:
      aie.dma_bd(%mem_1_1_a2_1 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 7 : i32}
      aie.use_lock(%mem_1_1_a2_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^channel2:
      aie.dma_start(MM2S, 1, ^bd24, ^channel3)
    ^bd24:
      aie.use_lock(%mem_1_1_a3_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a3_0 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 24 : i32}
      aie.next_bd ^bd25
    ^bd25:
      aie.dma_bd(%mem_1_1_a3_0 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 25 : i32}
      aie.use_lock(%mem_1_1_a3_empty, Release, %c1_i32)
      aie.next_bd ^bd26
    ^bd26:
      aie.use_lock(%mem_1_1_a3_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_a3_1 : memref<1024xi32> offset = 0 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 26 : i32}
      aie.next_bd ^bd27
    ^bd27:
      aie.dma_bd(%mem_1_1_a3_1 : memref<1024xi32> offset = 16 len = 512 sizes = [8, 8, 4, 2] strides = [128, 2, 32, 1]) {bd_id = 27 : i32}
      aie.use_lock(%mem_1_1_a3_empty, Release, %c1_i32)
      aie.next_bd ^bd24
    ^channel3:
      aie.dma_start(S2MM, 1, ^bd28, ^channel4)
    ^bd28:
      aie.use_lock(%mem_1_1_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_b_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 28 : i32}
      aie.use_lock(%mem_1_1_b_full, Release, %c1_i32)
      aie.next_bd ^bd29
    ^bd29:
      aie.use_lock(%mem_1_1_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_b_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 29 : i32}
      aie.use_lock(%mem_1_1_b_full, Release, %c1_i32)
      aie.next_bd ^bd28
    ^channel4:
      aie.dma_start(MM2S, 4, ^bd8, ^channel5)
    ^bd8:
      aie.use_lock(%mem_1_1_b_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_b_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [16, 4, 8, 2] strides = [64, 2, 8, 1]) {bd_id = 8 : i32}
      aie.use_lock(%mem_1_1_b_empty, Release, %c1_i32)
      aie.next_bd ^bd9
    ^bd9:
      aie.use_lock(%mem_1_1_b_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_b_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [16, 4, 8, 2] strides = [64, 2, 8, 1]) {bd_id = 9 : i32}
      aie.use_lock(%mem_1_1_b_empty, Release, %c1_i32)
      aie.next_bd ^bd8
    ^channel5:
      aie.dma_start(S2MM, 2, ^bd10, ^channel6)
    ^bd10:
      aie.use_lock(%mem_1_1_c0_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c0_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 10 : i32}
      aie.use_lock(%mem_1_1_c0_full, Release, %c1_i32)
      aie.next_bd ^bd11
    ^bd11:
      aie.use_lock(%mem_1_1_c0_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c0_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 11 : i32}
      aie.use_lock(%mem_1_1_c0_full, Release, %c1_i32)
      aie.next_bd ^bd10
    ^channel6:
      aie.dma_start(S2MM, 3, ^bd30, ^channel7)
    ^bd30:
      aie.use_lock(%mem_1_1_c1_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c1_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 30 : i32}
      aie.use_lock(%mem_1_1_c1_full, Release, %c1_i32)
      aie.next_bd ^bd31
    ^bd31:
      aie.use_lock(%mem_1_1_c1_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c1_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 31 : i32}
      aie.use_lock(%mem_1_1_c1_full, Release, %c1_i32)
      aie.next_bd ^bd30
    ^channel7:
      aie.dma_start(S2MM, 4, ^bd12, ^channel8)
    ^bd12:
      aie.use_lock(%mem_1_1_c2_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c2_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 12 : i32}
      aie.use_lock(%mem_1_1_c2_full, Release, %c1_i32)
      aie.next_bd ^bd13
    ^bd13:
      aie.use_lock(%mem_1_1_c2_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c2_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 13 : i32}
      aie.use_lock(%mem_1_1_c2_full, Release, %c1_i32)
      aie.next_bd ^bd12
    ^channel8:
      aie.dma_start(S2MM, 5, ^bd32, ^channel9)
    ^bd32:
      aie.use_lock(%mem_1_1_c3_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c3_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 32 : i32}
      aie.use_lock(%mem_1_1_c3_full, Release, %c1_i32)
      aie.next_bd ^bd33
    ^bd33:
      aie.use_lock(%mem_1_1_c3_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c3_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 33 : i32}
      aie.use_lock(%mem_1_1_c3_full, Release, %c1_i32)
      aie.next_bd ^bd32
    ^channel9:
      aie.dma_start(MM2S, 5, ^bd34, ^end)
    ^bd34:
      aie.use_lock(%mem_1_1_c0_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c0_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 34 : i32}
      aie.use_lock(%mem_1_1_c0_empty, Release, %c1_i32)
      aie.next_bd ^bd35
    ^bd35:
      aie.use_lock(%mem_1_1_c1_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c1_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 35 : i32}
      aie.use_lock(%mem_1_1_c1_empty, Release, %c1_i32)
      aie.next_bd ^bd36
    ^bd36:
      aie.use_lock(%mem_1_1_c2_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c2_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 36 : i32}
      aie.use_lock(%mem_1_1_c2_empty, Release, %c1_i32)
      aie.next_bd ^bd37
    ^bd37:
      aie.use_lock(%mem_1_1_c3_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c3_0 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 37 : i32}
      aie.use_lock(%mem_1_1_c3_empty, Release, %c1_i32)
      aie.next_bd ^bd38
    ^bd38:
      aie.use_lock(%mem_1_1_c0_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c0_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 38 : i32}
      aie.use_lock(%mem_1_1_c0_empty, Release, %c1_i32)
      aie.next_bd ^bd39
    ^bd39:
      aie.use_lock(%mem_1_1_c1_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c1_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 39 : i32}
      aie.use_lock(%mem_1_1_c1_empty, Release, %c1_i32)
      aie.next_bd ^bd40
    ^bd40:
      aie.use_lock(%mem_1_1_c2_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c2_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 40 : i32}
      aie.use_lock(%mem_1_1_c2_empty, Release, %c1_i32)
      aie.next_bd ^bd41
    ^bd41:
      aie.use_lock(%mem_1_1_c3_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%mem_1_1_c3_1 : memref<1024xi32> offset = 0 len = 1024 sizes = [8, 4, 4, 8] strides = [128, 8, 32, 1]) {bd_id = 41 : i32}
      aie.use_lock(%mem_1_1_c3_empty, Release, %c1_i32)
      aie.next_bd ^bd34
    ^end:
      aie.end
    }
    %core_0_2_dma = aie.mem(%core_0_2) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_0_2_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_0_2_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_0_2_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_0_2_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_0_2_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_0_2_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_0_2_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_0_2_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_0_2_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_0_2_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_0_2_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_2_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_0_2_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_0_3_dma = aie.mem(%core_0_3) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_0_3_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_3_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_0_3_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_0_3_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_3_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_0_3_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_0_3_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_3_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_0_3_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_0_3_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_3_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_0_3_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_0_3_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_3_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_0_3_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_0_3_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_3_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_0_3_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_0_4_dma = aie.mem(%core_0_4) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_0_4_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_4_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_0_4_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_0_4_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_4_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_0_4_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_0_4_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_4_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_0_4_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_0_4_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_4_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_0_4_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_0_4_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_4_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_0_4_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_0_4_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_4_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_0_4_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_0_5_dma = aie.mem(%core_0_5) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_0_5_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_5_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_0_5_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_0_5_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_5_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_0_5_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_0_5_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_5_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_0_5_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_0_5_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_5_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_0_5_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_0_5_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_5_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_0_5_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_0_5_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_0_5_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_0_5_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_1_2_dma = aie.mem(%core_1_2) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_1_2_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_2_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_1_2_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_1_2_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_2_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_1_2_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_1_2_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_2_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_1_2_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_1_2_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_2_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_1_2_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_1_2_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_2_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_1_2_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_1_2_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_2_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_1_2_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_1_3_dma = aie.mem(%core_1_3) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_1_3_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_3_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_1_3_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_1_3_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_3_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_1_3_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_1_3_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_3_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_1_3_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_1_3_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_3_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_1_3_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_1_3_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_3_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_1_3_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_1_3_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_3_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_1_3_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_1_4_dma = aie.mem(%core_1_4) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_1_4_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_4_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_1_4_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_1_4_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_4_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_1_4_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_1_4_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_4_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_1_4_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_1_4_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_4_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_1_4_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_1_4_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_4_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_1_4_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_1_4_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_4_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_1_4_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_1_5_dma = aie.mem(%core_1_5) {
      %c1_i32 = arith.constant 1 : i32
      aie.dma_start(S2MM, 0, ^bd0, ^channel1)
    ^bd0:
      aie.use_lock(%core_1_5_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_5_a_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 0 : i32}
      aie.use_lock(%core_1_5_a_full, Release, %c1_i32)
      aie.next_bd ^bd1
    ^bd1:
      aie.use_lock(%core_1_5_a_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_5_a_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 1 : i32}
      aie.use_lock(%core_1_5_a_full, Release, %c1_i32)
      aie.next_bd ^bd0
    ^channel1:
      aie.dma_start(S2MM, 1, ^bd2, ^channel2)
    ^bd2:
      aie.use_lock(%core_1_5_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_5_b_0 : memref<512xi32> offset = 0 len = 512) {bd_id = 2 : i32}
      aie.use_lock(%core_1_5_b_full, Release, %c1_i32)
      aie.next_bd ^bd3
    ^bd3:
      aie.use_lock(%core_1_5_b_empty, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_5_b_1 : memref<512xi32> offset = 0 len = 512) {bd_id = 3 : i32}
      aie.use_lock(%core_1_5_b_full, Release, %c1_i32)
      aie.next_bd ^bd2
    ^channel2:
      aie.dma_start(MM2S, 0, ^bd4, ^end)
    ^bd4:
      aie.use_lock(%core_1_5_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_5_c_0 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 4 : i32}
      aie.use_lock(%core_1_5_c_empty, Release, %c1_i32)
      aie.next_bd ^bd5
    ^bd5:
      aie.use_lock(%core_1_5_c_full, AcquireGreaterEqual, %c1_i32)
      aie.dma_bd(%core_1_5_c_1 : memref<1024xi32> offset = 0 len = 1024) {bd_id = 5 : i32}
      aie.use_lock(%core_1_5_c_empty, Release, %c1_i32)
      aie.next_bd ^bd4
    ^end:
      aie.end
    }
    %core_0_2_program = aie.core(%core_0_2) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_0_2_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_0_2_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_0_2_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_0_2_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_0_2_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_0_2_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_0_2_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_0_2_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_2_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_2_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_2_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_2_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_0_2_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_0_2_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_0_2_a_empty, Release, %c1_i32)
            aie.use_lock(%core_0_2_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_0_2_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_0_3_program = aie.core(%core_0_3) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_0_3_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_0_3_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_0_3_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_0_3_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_0_3_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_0_3_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_0_3_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_0_3_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_3_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_3_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_3_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_3_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_0_3_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_0_3_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_0_3_a_empty, Release, %c1_i32)
            aie.use_lock(%core_0_3_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_0_3_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_0_4_program = aie.core(%core_0_4) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_0_4_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_0_4_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_0_4_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_0_4_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_0_4_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_0_4_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_0_4_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_0_4_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_4_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_4_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_4_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_4_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_0_4_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_0_4_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_0_4_a_empty, Release, %c1_i32)
            aie.use_lock(%core_0_4_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_0_4_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_0_5_program = aie.core(%core_0_5) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_0_5_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_0_5_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_0_5_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_0_5_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_0_5_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_0_5_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_0_5_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_0_5_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_5_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_5_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_0_5_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_0_5_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_0_5_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_0_5_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_0_5_a_empty, Release, %c1_i32)
            aie.use_lock(%core_0_5_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_0_5_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_1_2_program = aie.core(%core_1_2) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_1_2_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_1_2_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_1_2_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_1_2_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_1_2_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_1_2_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_1_2_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_1_2_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_2_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_2_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_2_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_2_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_1_2_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_1_2_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_1_2_a_empty, Release, %c1_i32)
            aie.use_lock(%core_1_2_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_1_2_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_1_3_program = aie.core(%core_1_3) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_1_3_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_1_3_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_1_3_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_1_3_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_1_3_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_1_3_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_1_3_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_1_3_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_3_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_3_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_3_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_3_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_1_3_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_1_3_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_1_3_a_empty, Release, %c1_i32)
            aie.use_lock(%core_1_3_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_1_3_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_1_4_program = aie.core(%core_1_4) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_1_4_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_1_4_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_1_4_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_1_4_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_1_4_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_1_4_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_1_4_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_1_4_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_4_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_4_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_4_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_4_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_1_4_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_1_4_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_1_4_a_empty, Release, %c1_i32)
            aie.use_lock(%core_1_4_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_1_4_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    %core_1_5_program = aie.core(%core_1_5) {
      // tilewave: program_bytes 9216
      // tilewave: kernel zero_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: kernel matmul_vector_s8_s32 tile 32x64x32 blocks 4x8x8
      // tilewave: ring a of a_0 a_1
      // tilewave: ring b of b_0 b_1
      // tilewave: ring c of c_0 c_1
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %forever = arith.constant 9223372036854775807 : index
      %loop0:3 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%a_in0 = %c0, %b_in0 = %c0, %c_in0 = %c0) -> (index, index, index) {
        aie.use_lock(%core_1_5_start, AcquireGreaterEqual, %c1_i32)
        %count1 = memref.load %core_1_5_parameters[%c0] : memref<8xi32>
        %trips1 = arith.index_castui %count1 : i32 to index
        %loop2:3 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%a_in2 = %a_in0, %b_in2 = %b_in0, %c_in2 = %c_in0) -> (index, index, index) {
          aie.use_lock(%core_1_5_c_empty, AcquireGreaterEqual, %c1_i32)
          %c_now3 = scf.index_switch %c_in2 -> memref<1024xi32>
          case 0 {
            scf.yield %core_1_5_c_0 : memref<1024xi32>
          }
          default {
            scf.yield %core_1_5_c_1 : memref<1024xi32>
          }
          func.call @zero_s32(%c_now3) : (memref<1024xi32>) -> ()
          %count4 = memref.load %core_1_5_parameters[%c1] : memref<8xi32>
          %trips4 = arith.index_castui %count4 : i32 to index
          %loop5:3 = scf.for %i5 = %c0 to %trips4 step %c1 iter_args(%a_in5 = %a_in2, %b_in5 = %b_in2, %c_in5 = %c_in2) -> (index, index, index) {
            aie.use_lock(%core_1_5_a_full, AcquireGreaterEqual, %c1_i32)
            aie.use_lock(%core_1_5_b_full, AcquireGreaterEqual, %c1_i32)
            %a_now6 = scf.index_switch %a_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_5_a_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_5_a_1 : memref<512xi32>
            }
            %b_now7 = scf.index_switch %b_in5 -> memref<512xi32>
            case 0 {
              scf.yield %core_1_5_b_0 : memref<512xi32>
            }
            default {
              scf.yield %core_1_5_b_1 : memref<512xi32>
            }
            %c_now8 = scf.index_switch %c_in5 -> memref<1024xi32>
            case 0 {
              scf.yield %core_1_5_c_0 : memref<1024xi32>
            }
            default {
              scf.yield %core_1_5_c_1 : memref<1024xi32>
            }
            func.call @matmul_vector_s8_s32(%a_now6, %b_now7, %c_now8) : (memref<512xi32>, memref<512xi32>, memref<1024xi32>) -> ()
            aie.use_lock(%core_1_5_a_empty, Release, %c1_i32)
            aie.use_lock(%core_1_5_b_empty, Release, %c1_i32)
            %a_next9 = arith.addi %a_in5, %c1 : index
            %a_last9 = arith.cmpi eq, %a_next9, %c2 : index
            %a_at9 = arith.select %a_last9, %c0, %a_next9 : index
            %b_next10 = arith.addi %b_in5, %c1 : index
            %b_last10 = arith.cmpi eq, %b_next10, %c2 : index
            %b_at10 = arith.select %b_last10, %c0, %b_next10 : index
            scf.yield %a_at9, %b_at10, %c_in5 : index, index, index
          }
          aie.use_lock(%core_1_5_c_full, Release, %c1_i32)
          %c_next11 = arith.addi %loop5#2, %c1 : index
          %c_last11 = arith.cmpi eq, %c_next11, %c2 : index
          %c_at11 = arith.select %c_last11, %c0, %c_next11 : index
          scf.yield %loop5#0, %loop5#1, %c_at11 : index, index, index
        }
        scf.yield %loop2#0, %loop2#1, %loop2#2 : index, index, index
      }
      aie.end
    } {stack_size = 1024 : i32}
    aie.shim_dma_allocation @shim_0_0_mm2s_0(%shim_0_0, MM2S, 0)
    aie.shim_dma_allocation @shim_0_0_mm2s_1(%shim_0_0, MM2S, 1)
    aie.shim_dma_allocation @shim_0_0_s2mm_0(%shim_0_0, S2MM, 0)
    aie.shim_dma_allocation @shim_1_0_mm2s_0(%shim_1_0, MM2S, 0)
    aie.shim_dma_allocation @shim_1_0_mm2s_1(%shim_1_0, MM2S, 1)
    aie.shim_dma_allocation @shim_1_0_s2mm_0(%shim_1_0, S2MM, 0)
    aie.runtime_sequence @sequence(%a: memref<1xi32>, %b: memref<1xi32>, %c: memref<1xi32>) {
      // Streams are made by tilewave for each product and loaded beside this.
    }
  }
}
