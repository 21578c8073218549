"""Prints the description of a network as a table or as JSON."""

import dataclasses
import json

from hytnas_jax import console
from hytnas_jax.describe.blocks import describe
from hytnas_jax.describe.config import Config
from hytnas_jax.describe.target import resolve_network
from hytnas_jax.model_files.microcontroller import verdict
from proxies.complexity import complexity


def describe_network(config: Config) -> None:
    """Prints the description on standard output."""
    spec = resolve_network(
        config.network,
        num_classes=config.num_classes,
        resolution=config.resolution,
        channels=config.channels,
    )
    rows, total = describe(spec), complexity(spec)
    floats = total.peak_activation_bytes, total.model_bytes
    eight_bits = total.peak_activation_bytes_int8, total.model_bytes_int8
    if config.as_json:
        blocks = [dataclasses.asdict(row) for row in rows]
        fits = {"fit": verdict(*floats), "fit_int8": verdict(*eight_bits)}
        values = {"name": spec.name, **dataclasses.asdict(total), **fits, "blocks": blocks}
        console.say(json.dumps(values, indent=1))
        return
    image = f"{spec.resolution}x{spec.resolution}x{spec.channels}"
    console.say(f"{spec.name}: {image} images, {spec.num_classes} classes")
    cells = [
        (
            row.block,
            row.layers,
            "x".join(map(str, row.shape)),
            row.num_parameters,
            row.num_macs,
            row.peak_activation_bytes,
        )
        for row in rows
    ]
    console.table(cells, ("block", "layers", "output", "parameters", "MACs", "peak bytes"))
    console.say(f"{total.num_parameters:,} parameters, {total.num_macs:,} MACs")
    for kind, (peak, size) in {"float32": floats, "int8": eight_bits}.items():
        console.say(f"{kind}: peak memory {peak:,} bytes, TFLite file {size:,} bytes: {verdict(peak, size)}")
