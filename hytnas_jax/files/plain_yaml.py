"""YAML as a person reads it: what YAML 1.1 takes for something else is refused with its line, not guessed.

A key that stands twice, 010 (YAML: 8), 1:30 (90), 1_000, 0x10, yes and no (true and false), dates, .inf.
Texts in quotes are texts. Anchors and merges work, within limits; tags do not.
"""

import re
from typing import Any

import yaml

from hytnas_jax.files.text import decode, line_at
from supernet.errors import UserError, first_line

MOST_BYTES, MOST_VALUES = 200_000, 20_000
_TAGS = {
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map", "merge")
}  # what is there without a tag
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
# What a person writes for a number, a date or a text, and YAML, or the next program, reads as something else.
_SURPRISES = {
    "true or false": re.compile("yes|no|on|off|true|false|null", re.IGNORECASE),
    "a number with leading zeros": re.compile(r"[-+]?0[0-9]+([.eE].*)?"),
    "minutes and seconds": re.compile(r"[-+]?[0-9]+(:[0-9]+)+(\.[0-9]*)?"),
    "a number with underscores": re.compile(r"[-+]?[0-9][0-9_]*_[0-9_.]*"),
    "a number of another base": re.compile(r"[-+]?0[xXoObB][0-9a-fA-F_]+"),
    "no finite number": re.compile(r"[-+]?\.?(inf|nan|infinity)", re.IGNORECASE),
    "a date": re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"),
}


class _Loader(yaml.SafeLoader):
    """Gives every value without quotes to `_scalar`."""

    yaml_implicit_resolvers: dict[str, Any] = {  # noqa: RUF012 (as PyYAML has it)
        "<": [("tag:yaml.org,2002:merge", re.compile("<<"))]
    }

    def construct_scalar(self, node: Any) -> Any:
        return node.value if node.style is not None else _scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.construct_scalar)


class _Refused(Exception):
    def __init__(self, node: Any, reason: str) -> None:
        super().__init__(reason)
        self.line = node.start_mark.line + 1


def read_yaml(data: bytes, place: str) -> Any:
    """The one document in a file's bytes: mappings, lists, texts, numbers, booleans, None.

    Raises UserError, which begins with `place` and tells the line, for what is no YAML, or not that which it
    looks like.
    """
    if len(data) > MOST_BYTES:
        raise UserError(f"{place}: has {len(data)} bytes, more than {MOST_BYTES}; a space is a page of text")
    text = decode(data, place)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise UserError(f"{place}: is empty; it must hold the fields of a space (docs/spaces.md)")
        _check(node, {}, set())
        return loader.construct_document(node)
    except _Refused as error:
        raise UserError(f"{place}, line {error.line}: {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{place}{_where(error, text)}: not readable as YAML: {_reason(error)}") from None
    except RecursionError:
        raise UserError(f"{place}: not readable as YAML: lists in lists, too deep for any space") from None


def _scalar(node: Any) -> Any:
    """What a value without quotes is."""
    text = node.value
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    for what, pattern in _SURPRISES.items():
        if pattern.fullmatch(text):
            raise _Refused(
                node,
                f"{text[:40]} is {what}, or a text; write a number as 1000 or 0.5, and a text in quotes",
            )
    return text


def _check(node: Any, counts: dict[int, int], above: set[int]) -> int:
    """How many values a node has, those that aliases repeat too.

    Raises _Refused for too many, for a node that holds itself, for a tag, and for a key that stands twice.
    """
    if id(node) in above:
        raise _Refused(node, "an alias stands inside of what it repeats; write it out")
    if id(node) in counts:
        return counts[id(node)]
    if node.tag not in _TAGS:
        raise _Refused(node, f"{node.tag.replace('tag:yaml.org,2002:', '!!')} is a tag; write values without")
    if isinstance(node, yaml.MappingNode):
        _refuse_doubles(node)
    parts = node.value if isinstance(node, yaml.CollectionNode) else ()
    flat = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
    counts[id(node)] = 1 + sum(_check(part, counts, above | {id(node)}) for part in flat)
    if counts[id(node)] > MOST_VALUES:
        raise _Refused(node, f"has more than {MOST_VALUES} values, with what aliases repeat; give fewer")
    return counts[id(node)]


def _refuse_doubles(node: Any) -> None:
    first: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _Refused(key, "a key is a list or a mapping; write a field's name")
        if key.value in first:
            raise _Refused(
                key, f"{key.value!r} stands in line {first[key.value]} already; delete one of both"
            )
        first[key.value] = key.start_mark.line + 1


def _where(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f", line {line_at(text[: error.position])}"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f", line {mark.line + 1}" if mark is not None else ""


def _reason(error: yaml.YAMLError) -> str:
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or first_line(error)
    return f"{reason}; indent by spaces" if "\\t" in reason else str(reason)
