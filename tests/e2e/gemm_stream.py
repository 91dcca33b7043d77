"""The instruction stream of a published one-core product, from the formulas of its design.

mlir-aie's design for 16-bit A and B and 32-bit C walks over M in chunks of two row blocks; two
chunks are in flight, with five descriptors each.
"""

import struct


def write(address, value):
    return [0, 0, address, 0, value, 24]


def control(address, value, mask):
    return [3, 0, address, 0, value, mask, 28]


def sync_s2mm_0():
    return [0x80, 16, 0, 0x00010100]


def descriptor(slot, argument, offset, length, dims, iteration=(1, 1)):
    """A block write and the patch after it. Steps in words, stored less one."""
    (s0, t0), (s1, t1), t2 = dims
    address = 0x1D000 + 0x20 * slot
    iterations = (iteration[0] - 1) << 20 | iteration[1] - 1
    registers = [length, offset, 0, s0 << 20 | t0 - 1, 2 << 30 | s1 << 20 | t1 - 1,
                 2 << 24 | t2 - 1, iterations, 1 << 25]
    return [[1, 0, address, 48, *registers],
            [0x81, 48, 0, 0, 0, 0, address + 4, 0, argument, 0, offset, 0]]


def gemm_stream(m, k, n, tile_m, tile_k, tile_n):
    """The bytes of the stream for an m x k x n product on one core of npu1."""
    chunk = 2 * tile_m
    columns = n // tile_n  # Of tiles.
    repeat = (columns - 1) << 16
    ops = []
    for index in range(m // chunk):
        if index >= 2:
            ops.append(sync_s2mm_0())
        slot = 5 * (index % 2)
        for half in range(2):
            row = index * chunk + half * tile_m
            ops += descriptor(slot, 0, row * k * 2, tile_m * k // 2,
                              ((tile_k // 2, 1), (tile_m, k // 2), tile_k // 2))
            ops.append(write(0x1D214, repeat | slot))
            ops += descriptor(slot + 1, 1, 0, k * tile_n // 2,
                              ((tile_n // 2, 1), (tile_k, n // 2), tile_k * n // 2),
                              (columns, tile_n // 2))
            ops.append(write(0x1D21C, repeat | slot + 1))
            slot += 2
        ops += descriptor(slot, 2, index * chunk * n * 4, tile_m * n,
                          ((tile_n, 1), (tile_m, n), tile_n), (2, tile_m * n))
        ops += [control(0x1D200, 0x0F00, 0x1F00), write(0x1D204, 0x80010000 | slot)]
    ops += [sync_s2mm_0(), sync_s2mm_0()]
    words = [word for op in ops for word in op]
    header = [0x06030100, 0x00000104, len(ops), 4 * (len(words) + 4)]
    return struct.pack(f"<{len(words) + 4}I", *header, *words)
