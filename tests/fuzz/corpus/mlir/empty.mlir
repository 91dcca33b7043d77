// tilewave: spec family=k_stream arch=npu1 tile=64x64x64 kernel=vector output=s32 stack_bytes=3328 columns=1 k_mt=0 b_layout=packed c_buffers=1
// tilewave: configuration 57e1564cf29a1a5a
module {
aie.device(npu1_1col) {
aie.runtime_sequence @sequence(%a: memref<1xi32>, %b: memref<1xi32>, %c: memref<1xi32>) {
}
}
}
