"""ONNX Runtime as a worker: the commands of worker_main.cc.

The Python package brings no C headers, so the calls are made from Python, through an IO binding
made once; two clock reads around a loop of calls. What Python adds to a call (a few microseconds)
is in the figures of the smallest shapes.

Where there are several ways to say the same product, all are tried and the fastest is kept.
"""

import ctypes
import os
import sys
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
POISON = 0xA5


def aligned(shape, dtype) -> numpy.ndarray:
    count = int(numpy.prod(shape)) * numpy.dtype(dtype).itemsize
    raw = numpy.empty(count + 64, numpy.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + count].view(dtype).reshape(shape)


def load(path: str, shape, dtype) -> numpy.ndarray:
    data = aligned(shape, dtype)
    data[...] = numpy.fromfile(path, dtype).reshape(shape)
    return data


class Case:
    def __init__(self, words: dict[str, str]):
        self.kind = words["kind"]
        self.m, self.k, self.n, self.batch = (int(words[key]) for key in "m k n batch".split())
        self.b_transposed = words["b_transposed"] == "1"
        self.prepacked = words["prepacked"] == "1"
        folder = words["dir"]
        a_type = {"s8": numpy.int8, "u8": numpy.uint8}[words["a"]]
        if self.kind != "gemm":
            a_type = numpy.float32
        b_type = numpy.float32 if self.kind == "heads" else numpy.int8
        self.a = load(os.path.join(folder, "a"), self.shape(self.m, self.k), a_type)
        stored = (self.n, self.k) if self.b_transposed else (self.k, self.n)
        self.b = load(os.path.join(folder, "b"), self.shape(*stored), b_type)
        c_type = numpy.int32 if self.kind == "gemm" else numpy.float32
        self.c = aligned(self.shape(self.m, self.n), c_type)
        if self.kind == "layer":
            self.scale_b = numpy.fromfile(os.path.join(folder, "scale_b"), numpy.float32)
            self.bias = numpy.fromfile(os.path.join(folder, "bias"), numpy.float32)

    def shape(self, rows: int, columns: int) -> tuple:
        return (rows, columns) if self.batch == 1 else (self.batch, rows, columns)

    def straight(self, b: numpy.ndarray) -> numpy.ndarray:
        return numpy.ascontiguousarray(numpy.swapaxes(b, -1, -2)) if self.b_transposed else b


class Graph:
    """Nodes and constants; inputs are given when it is bound."""

    def __init__(self):
        self.nodes, self.constants, self.inputs = [], [], {}

    def node(self, name: str, inputs: list[str], outputs: list[str], domain: str = "", **more):
        self.nodes.append(helper.make_node(name, inputs, outputs, domain=domain, **more))

    def constant(self, name: str, value) -> str:
        self.constants.append(numpy_helper.from_array(numpy.asarray(value), name))
        return name

    def input(self, name: str, value: numpy.ndarray) -> str:
        self.inputs[name] = value
        return name

    def bind(self, output: numpy.ndarray, threads: int) -> "Bound":
        def info(name, value):
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(name, kind, value.shape)

        graph = helper.make_graph(self.nodes, "product",
                                  [info(*item) for item in self.inputs.items()],
                                  [info("c", output)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18),
                                                        helper.make_opsetid(CONTRIB, 1)])
        model.ir_version = 8
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return Bound(model, options, self.inputs, output)


class Bound:
    def __init__(self, model: onnx.ModelProto, options, inputs: dict, output: numpy.ndarray):
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                                    providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        for name, value in inputs.items():
            self.binding.bind_input(name, "cpu", 0, value.dtype.type, value.shape,
                                    value.ctypes.data)
        self.binding.bind_output("c", "cpu", 0, output.dtype.type, output.shape,
                                 output.ctypes.data)

    def run(self) -> None:
        self.session.run_with_iobinding(self.binding)


def as_unsigned(b: numpy.ndarray) -> numpy.ndarray:
    return (b.view(numpy.uint8) ^ 0x80).view(numpy.uint8)


def gemm_forms(case: Case) -> dict:
    """MatMulInteger with B as it is or as u8 with the zero point 128; and a signed A as it is or
    made u8 by a flip of its sign bits in the call, as the fast kernels want a u8 on the left."""
    signed = case.a.dtype == numpy.int8

    def make(flip: bool, unsigned: bool):
        def graph() -> Graph:
            g = Graph()
            if flip:
                a = g.input("a", case.a.view(numpy.uint8))
                g.node("BitwiseXor", [a, g.constant("sign", numpy.uint8(128))], ["flipped"])
                a = "flipped"
            else:
                a = g.input("a", case.a)
            if case.prepacked:
                value = case.straight(case.b)
                b = g.constant("b", as_unsigned(value) if unsigned else value)
            else:
                b = g.input("b", case.b)
                if case.b_transposed:
                    order = [1, 0] if case.batch == 1 else [0, 2, 1]
                    g.node("Transpose", [b], ["turned"], perm=order)
                    b = "turned"
            zero_a = numpy.uint8(128) if flip else numpy.zeros((), case.a.dtype)
            inputs = [a, b]
            if flip or unsigned:
                inputs.append(g.constant("zero_a", zero_a))
            if unsigned:
                inputs.append(g.constant("zero_b", numpy.uint8(128)))
            g.node("MatMulInteger", inputs, ["c"])
            return g
        return graph

    forms = {}
    for flip in (False, True) if signed else (False,):
        # Without prepacking B would have to change in the call, too.
        for unsigned in (False, True) if case.prepacked else (False,):
            name = (f"MatMulInteger, A {'flipped to u8' if flip else 'as it is'}, "
                    f"B {'u8 zero 128' if unsigned else 's8'}")
            forms[name] = make(flip, unsigned)
    return forms


def layer_forms(case: Case) -> dict:
    """DynamicQuantizeMatMul with the bias and Gelu, or without and BiasGelu."""

    def make(unsigned: bool, bias_apart: bool):
        def graph() -> Graph:
            g = Graph()
            inputs = [g.input("a", case.a),
                      g.constant("b", as_unsigned(case.b) if unsigned else case.b),
                      g.constant("scale", case.scale_b),
                      g.constant("zero", numpy.full(case.n, 128, numpy.uint8)) if unsigned else ""]
            bias = g.constant("bias", case.bias)
            if bias_apart:
                g.node("DynamicQuantizeMatMul", inputs, ["x"], CONTRIB)
                g.node("BiasGelu", ["x", bias], ["c"], CONTRIB)
            else:
                g.node("DynamicQuantizeMatMul", inputs + [bias], ["x"], CONTRIB)
                g.node("Gelu", ["x"], ["c"], CONTRIB)
            return g
        return graph

    return {f"DynamicQuantizeMatMul, B {'u8' if unsigned else 's8'}, "
            f"{'BiasGelu' if apart else 'Gelu'}": make(unsigned, apart)
            for unsigned in (False, True) for apart in (False, True)}


def heads_forms(case: Case) -> dict:
    """Both operands quantised per tensor, then MatMulIntegerToFloat."""

    def make(turn_late: bool):
        def graph() -> Graph:
            g = Graph()
            a, b = g.input("a", case.a), g.input("b", case.b)
            order = list(range(case.a.ndim - 2)) + [case.a.ndim - 1, case.a.ndim - 2]
            if case.b_transposed and not turn_late:
                g.node("Transpose", [b], ["bt"], perm=order)
                b = "bt"
            g.node("DynamicQuantizeLinear", [a], ["qa", "sa", "za"])
            g.node("DynamicQuantizeLinear", [b], ["qb", "sb", "zb"])
            qb = "qb"
            if case.b_transposed and turn_late:
                g.node("Transpose", ["qb"], ["qbt"], perm=order)
                qb = "qbt"
            g.node("MatMulIntegerToFloat", ["qa", qb, "sa", "sb", "za", "zb"], ["c"], CONTRIB)
            return g
        return graph

    if case.b_transposed:
        return {"MatMulIntegerToFloat, bytes transposed": make(True),
                "MatMulIntegerToFloat, floats transposed": make(False)}
    return {"MatMulIntegerToFloat": make(True)}


def best_of(bound: Bound) -> float:
    bound.run()
    times = []
    while len(times) < 3 or (len(times) < 30 and sum(times) < 20e6):
        start = time.perf_counter_ns()
        bound.run()
        times.append(time.perf_counter_ns() - start)
    return min(times)


class Worker:
    def __init__(self, threads: int):
        self.threads = threads
        self.drop()

    def drop(self, *_) -> str:
        self.case, self.bound, self.next = None, [], 0
        return "ok"

    def hello(self, *_) -> str:
        return "ok " + onnxruntime.__version__

    def prepare(self, words: dict[str, str]) -> str:
        self.drop()
        self.case = Case(words)
        self.case.c.view(numpy.uint8).fill(POISON)
        forms = {"gemm": gemm_forms, "layer": layer_forms, "heads": heads_forms}
        best, errors = None, []
        for name, graph in forms[self.case.kind](self.case).items():
            try:
                bound = graph().bind(self.case.c, self.threads)
                found = (best_of(bound), name, graph, bound)
            except Exception as error:  # A form that this version refuses.
                errors.append(f"{name}: {error}")
                continue
            best = found if best is None or found[0] < best[0] else best
        if best is None:
            return "unsupported " + "; ".join(errors)
        self.bound = [best[3]]
        while len(self.bound) < int(words["copies"]):
            self.bound.append(best[2]().bind(self.case.c, self.threads))
        numerics = "row" if self.case.kind == "gemm" else "tensor"
        return f"ok numerics={numerics} {best[1]}"

    def verify(self, words: dict[str, str]) -> str:
        ctypes.memset(self.case.c.ctypes.data, POISON, self.case.c.nbytes)
        self.bound[0].run()
        self.case.c.tofile(words["file"])
        return "ok"

    def run(self, words: dict[str, str]) -> str:
        calls, bound = int(words["calls"]), self.bound
        order = [bound[(self.next + i) % len(bound)].run for i in range(calls + 1)]
        self.next = (self.next + calls + 1) % len(bound)
        order[0]()
        start = time.perf_counter_ns()
        for call in order[1:]:
            call()
        return f"ok {time.perf_counter_ns() - start}"


def main() -> None:
    worker = Worker(int(sys.argv[1]))
    verbs = {"hello": worker.hello, "case": worker.prepare, "verify": worker.verify,
             "run": worker.run, "drop": worker.drop}
    for line in sys.stdin:
        verb, *pairs = line.split()
        try:
            reply = verbs[verb](dict(pair.split("=", 1) for pair in pairs))
        except Exception as error:  # Whatever it is, the driver is to hear of it.
            reply = f"error {type(error).__name__}: {error}"
        print(reply.replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
