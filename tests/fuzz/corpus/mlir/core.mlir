// tilewave: spec family=whole_array arch=npu2 tile=64x64x64 kernel=vector output=s32 stack_bytes=3328 columns=1 k_mt=0 b_layout=packed c_buffers=1
// tilewave: configuration bb0d1e6bf638c6c4
module {
aie.device(npu2_1col) {
func.func private @f(memref<64xi8>, memref<56xi8>, memref<16xi32>, i32) attributes {link_with = "kernels.o"}
func.func private @g(memref<16xi32>) attributes {link_with = "kernels.o"}
%core_0_2 = aie.tile(0, 2)
%core_0_2_x_0 = aie.buffer(%core_0_2) {address = 4096 : i32, sym_name = "core_0_2_x_0"} : memref<64xi8>
%core_0_2_x_1 = aie.buffer(%core_0_2) {address = 4160 : i32, sym_name = "core_0_2_x_1"} : memref<64xi8>
%core_0_2_x_2 = aie.buffer(%core_0_2) {address = 4224 : i32, sym_name = "core_0_2_x_2"} : memref<64xi8>
%core_0_2_y_0 = aie.buffer(%core_0_2) {address = 4288 : i32, sym_name = "core_0_2_y_0"} : memref<16xi32>
// tilewave: parameters n v
%core_0_2_parameters = aie.buffer(%core_0_2) {address = 4352 : i32, sym_name = "core_0_2_parameters"} : memref<8xi32>
%core_0_2_s = aie.lock(%core_0_2, 0) {init = 0 : i32, sym_name = "core_0_2_s"}
%core_0_2_program = aie.core(%core_0_2) {
// tilewave: program_bytes 5000
// tilewave: kernel f tile 4x4x4 blocks 1x1x1
// tilewave: kernel g tile 4x8x8 blocks 4x8x8 b_transposed
// tilewave: ring x of x_0 x_1 x_2
// tilewave: ring y of y_0
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c3 = arith.constant 3 : index
%c8 = arith.constant 8 : index
%c1_i32 = arith.constant 1 : i32
%c2_i32 = arith.constant 2 : i32
%forever = arith.constant 9223372036854775807 : index
%loop0:1 = scf.for %i0 = %c0 to %forever step %c1 iter_args(%x_in0 = %c0) -> (index) {
aie.use_lock(%core_0_2_s, AcquireGreaterEqual, %c1_i32)
%count1 = memref.load %core_0_2_parameters[%c0] : memref<8xi32>
%trips1 = arith.index_castui %count1 : i32 to index
%loop2:1 = scf.for %i2 = %c0 to %trips1 step %c1 iter_args(%x_in2 = %x_in0) -> (index) {
%x_now3 = scf.index_switch %x_in2 -> memref<64xi8>
case 0 {
scf.yield %core_0_2_x_0 : memref<64xi8>
}
case 1 {
scf.yield %core_0_2_x_1 : memref<64xi8>
}
default {
scf.yield %core_0_2_x_2 : memref<64xi8>
}
%x_part4 = memref.view %x_now3[%c8][] : memref<64xi8> to memref<56xi8>
%scalar5 = memref.load %core_0_2_parameters[%c1] : memref<8xi32>
func.call @f(%x_now3, %x_part4, %core_0_2_y_0, %scalar5) : (memref<64xi8>, memref<56xi8>, memref<16xi32>, i32) -> ()
%x_next6 = arith.addi %x_in2, %c1 : index
%x_last6 = arith.cmpi eq, %x_next6, %c3 : index
%x_at6 = arith.select %x_last6, %c0, %x_next6 : index
// tilewave: advance y
scf.yield %x_at6 : index
}
func.call @g(%core_0_2_y_0) : (memref<16xi32>) -> ()
aie.use_lock(%core_0_2_s, Release, %c2_i32)
scf.yield %loop2#0 : index
}
aie.end
} {stack_size = 1024 : i32}
aie.runtime_sequence @sequence(%a: memref<1xi32>, %b: memref<1xi32>, %c: memref<1xi32>) {
}
}
}
