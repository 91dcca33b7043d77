"""What scripts/peers compares: shapes, types and suites."""

import dataclasses
import itertools

SUITES = ("gemm", "columns", "cold", "layers", "engine64")
# Weights that are read from memory: copies of this many bytes in all are taken in turn.
COLD_BYTES = 256 << 20


@dataclasses.dataclass(frozen=True)
class Case:
    suite: str
    kind: str  # gemm, layer or heads, as in bench/peers/peer.h.
    m: int
    k: int
    n: int
    batch: int
    b_transposed: bool  # B is stored as N x K.
    a: str
    threads: int
    prepacked: bool
    copies: int = 1
    calls: int = 0  # In one sample; 0: as many as the time asks for.
    b_bits: int = 8  # That the values of weights fit; f32 ones of heads have none.

    @property
    def shape(self) -> str:
        one = f"{self.m}x{self.k}x{self.n}"
        return one if self.batch == 1 else f"{self.batch}x({one})"

    @property
    def types(self) -> str:
        if self.kind == "gemm":
            return f"{self.a}xs8"
        return "f32xs8->f32" if self.kind == "layer" else "f32xf32->f32"

    @property
    def macs(self) -> int:
        return self.batch * self.m * self.k * self.n

    @property
    def bytes(self) -> int:
        """That no implementation can avoid: operands read and C written once."""
        a = self.batch * self.m * self.k * (1 if self.kind == "gemm" else 4)
        b = self.batch * self.k * self.n * (4 if self.kind == "heads" else 1)
        return a + b + 4 * self.batch * self.m * self.n

    @property
    def data_key(self) -> str:
        return f"{self.kind}-{self.a}-{self.shape}-{int(self.b_transposed)}-{self.b_bits}"

    def words(self, directory: str) -> str:
        return (f"kind={self.kind} m={self.m} k={self.k} n={self.n} batch={self.batch} a={self.a} "
                f"b_bits={self.b_bits} b_transposed={int(self.b_transposed)} "
                f"prepacked={int(self.prepacked)} dir={directory}")


CUBES = [(n, n, n, 1, False) for n in (64, 128, 256, 512, 1024, 2048)]
PROJECTIONS = [(1500, 512, 512, 1, False), (1500, 512, 2048, 1, False),
               (1500, 2048, 512, 1, False)]
# Q K^T takes K as it is stored, one row per position.
HEADS = [(1500, 64, 1500, 8, True), (1500, 1500, 64, 8, False)]
# A matrix times a vector, and times a few.
COLUMNS = [(m, 4096, n, 1, False) for m in (17, 64, 4096) for n in (1, 4, 8, 16)]
TOKENS = [(m, 4096, 4096, 1, False) for m in (1, 16, 128)]


def cases(suite: str, threads: list[int], quick: bool) -> list[Case]:
    shapes = CUBES + PROJECTIONS + HEADS + TOKENS
    found = []
    if suite == "gemm":
        forms = [True] if quick else [True, False]
        for t, packed, a, shape in itertools.product(threads, forms, ("s8", "u8"), shapes):
            found.append(Case(suite, "gemm", *shape, a, t, packed))
    elif suite == "columns":
        for t, packed, a, shape in itertools.product(threads, (True, False), ("s8", "u8"), COLUMNS):
            found.append(Case(suite, "gemm", *shape, a, t, packed))
    elif suite == "cold":
        copies = COLD_BYTES // (4096 * 4096) + 1
        for t, a in itertools.product(threads, ("s8", "u8")):
            found.append(Case(suite, "gemm", *TOKENS[0], a, t, True, copies, 2 * copies))
    elif suite == "layers":
        for t, shape in itertools.product(threads, PROJECTIONS + TOKENS + HEADS):
            heads = shape[3] > 1
            found.append(Case(suite, "heads" if heads else "layer", *shape, "s8", t, not heads))
    elif suite == "engine64":
        found += [Case(suite, "gemm", *CUBES[0], a, 1, True, 1, 1000) for a in ("s8", "u8")]
    return found
