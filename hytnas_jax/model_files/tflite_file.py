"""A TFLite model under construction: tensors, constants, operators; the file's format is its schema's.

Needs `ai-edge-litert`, for the schema alone: `pip install 'hytnas_jax[tflite]'`.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.on_device.measure import TFLITE_IDENTIFIER
from hytnas_jax.shared_flags.format_names import MISSING
from supernet.errors import UserError
from supernet.operations import Shape

ALIGNMENT = 16  # bytes, of every buffer's data
SIGNATURE = "serving_default"


@functools.cache
def schema() -> Any:
    """The generated classes of TFLite's schema. Raises UserError where they are not installed."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise UserError(MISSING) from None
    return schema_py_generated


def read_model(model: bytes) -> Any:
    """A file as the schema's ModelT, with the data of every buffer in it, wherever the file keeps them."""
    fb = schema()
    tree = fb.ModelT.InitFromObj(fb.Model.GetRootAs(bytearray(model), 0))
    for buffer in tree.buffers:
        if buffer.offset:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return tree


def pack_model(tree: Any) -> bytes:
    """A ModelT as a file. Each buffer lies inside the flatbuffer, at a multiple of 16 bytes.

    The schema demands that alignment (`force_align`), and its Python classes do not keep it. Data behind the
    flatbuffer, as LiteRT's quantiser leaves them, are weights that TensorFlow Lite Micro cannot read.
    """
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    buffers = tree.buffers
    tree.buffers = [_AlignedBuffer(buffer.data) for buffer in buffers]
    builder.Finish(tree.Pack(builder), file_identifier=TFLITE_IDENTIFIER)
    tree.buffers = buffers
    return bytes(builder.Output())


class _AlignedBuffer:
    """A buffer that the schema's classes pack as one of their own."""

    def __init__(self, data: NDArray[np.uint8] | None) -> None:
        self._data = b"" if data is None else bytes(data)

    def Pack(self, builder: Any) -> int:
        fb = schema()
        if not self._data:
            fb.BufferStart(builder)
            return int(fb.BufferEnd(builder))
        builder.StartVector(1, len(self._data), ALIGNMENT)
        builder.head -= len(self._data)
        builder.Bytes[builder.head : builder.head + len(self._data)] = self._data
        data = builder.EndVector()
        fb.BufferStart(builder)
        fb.BufferAddData(builder, data)
        return int(fb.BufferEnd(builder))


class TFLiteFile:
    """One graph with one input and one output, float32."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: dict[int, int] = {}
        self._buffers = [schema().BufferT()]  # the first is that of tensors without data

    def tensor(self, name: str, shape: Shape) -> int:
        """A float32 tensor that something computes; returns its place."""
        return self._add_tensor(name, shape, schema().TensorType.FLOAT32, 0)

    def constant(self, name: str, values: NDArray[Any]) -> int:
        """A tensor of known values, float32 or int32; returns its place."""
        types = {"float32": schema().TensorType.FLOAT32, "int32": schema().TensorType.INT32}
        data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._buffers.append(schema().BufferT(data=data))
        return self._add_tensor(name, values.shape, types[values.dtype.name], len(self._buffers) - 1)

    def shape(self, tensor: int) -> Shape:
        """The shape of a tensor that is there."""
        return tuple(self._tensors[tensor].shape)

    def operator(self, kind: str, inputs: list[int], name: str, shape: Shape, **options: Any) -> int:
        """An operator `kind` of the schema with one output of that name and shape; returns its place."""
        output = self.tensor(name, shape)
        code = getattr(schema().BuiltinOperator, kind)
        operator = schema().OperatorT(
            opcodeIndex=self._codes.setdefault(code, len(self._codes)), inputs=inputs, outputs=[output]
        )
        table = _options(kind, options)
        if table is not None:
            operator.builtinOptions = table
            operator.builtinOptionsType = getattr(schema().BuiltinOptions, type(table).__name__[:-1])
        self._operators.append(operator)
        return output

    def fuse(self, tensor: int, function: str, name: str) -> int:
        """Makes the last operator apply an activation function to its output, which is `tensor`."""
        operator = self._operators[-1]
        assert operator.outputs == [tensor], "only the operator just written can be fused with"
        operator.builtinOptions.fusedActivationFunction = _activation(function)
        self._tensors[tensor].name = name
        return tensor

    def serialise(self, source: int, result: int) -> bytes:
        """The file's bytes, with `source` and `result` as the graph's input and output."""
        fb = schema()
        codes = [fb.OperatorCodeT(deprecatedBuiltinCode=min(c, 127), builtinCode=c) for c in self._codes]
        graph = fb.SubGraphT(
            tensors=self._tensors,
            inputs=[source],
            outputs=[result],
            operators=self._operators,
            name=self._name,
        )
        signature = fb.SignatureDefT(
            inputs=[fb.TensorMapT(self._tensors[source].name, source)],
            outputs=[fb.TensorMapT(self._tensors[result].name, result)],
            signatureKey=SIGNATURE,
        )
        model = fb.ModelT(
            version=3,
            operatorCodes=codes,
            subgraphs=[graph],
            description="hytnas_jax",
            buffers=self._buffers,
            signatureDefs=[signature],
        )
        return pack_model(model)

    def _add_tensor(self, name: str, shape: Shape, dtype: int, buffer: int) -> int:
        self._tensors.append(schema().TensorT(shape=list(shape), type=dtype, buffer=buffer, name=name))
        return len(self._tensors) - 1


def _options(kind: str, given: dict[str, Any]) -> Any:
    """The schema's table of an operator's options, None where it has none."""
    fb = schema()
    fused = _activation(given.get("fused", "NONE"))
    match kind:
        case "CONV_2D" | "DEPTHWISE_CONV_2D":
            table = (
                fb.Conv2DOptionsT() if kind == "CONV_2D" else fb.DepthwiseConv2DOptionsT(depthMultiplier=1)
            )
            table.padding = getattr(fb.Padding, given["padding"])
            table.strideW = table.strideH = given["stride"]
            return table
        case "FULLY_CONNECTED":
            return fb.FullyConnectedOptionsT()
        case "BATCH_MATMUL":
            return fb.BatchMatMulOptionsT(adjY=True)  # the second matrix is given transposed
        case "GELU":
            return fb.GeluOptionsT(approximate=False)
        case "ADD":
            return fb.AddOptionsT(fusedActivationFunction=fused)
        case "SUB":
            return fb.SubOptionsT()
        case "MUL":
            return fb.MulOptionsT()
        case "MEAN":
            return fb.ReducerOptionsT(keepDims=given["keep_dims"])
        case "SOFTMAX":
            return fb.SoftmaxOptionsT(beta=1.0)
        case "RESHAPE":
            return fb.ReshapeOptionsT(newShape=list(given["new_shape"]))
        case "CONCATENATION":
            return fb.ConcatenationOptionsT(axis=given["axis"])
        case "TRANSPOSE":
            return fb.TransposeOptionsT()
        case "SLICE":
            return fb.SliceOptionsT()
        case "RESIZE_NEAREST_NEIGHBOR":  # TensorFlow Lite Micro does not look at its options: none is set
            return fb.ResizeNearestNeighborOptionsT(alignCorners=False, halfPixelCenters=False)
        case "PAD":
            return fb.PadOptionsT()
        case _:
            return None


def _activation(name: str) -> int:
    return int(getattr(schema().ActivationFunctionType, name))
