"""The parts of an HTML page that needs no other file: its frame, tables, sections.

Functions take plain text and escape it, except arguments called `html` or `body`.
"""

import base64
from collections.abc import Sequence
from html import escape

from hytnas_jax.report.style import STYLE


def page(title: str, body: str) -> str:
    """A whole HTML document."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def section(title: str, *body: str) -> str:
    """A heading and what stands under it."""
    inner = "\n".join(body)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inner}\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """`kind` is a class of the style: "lead", "dim", "warning", "missing"."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{escape(text)}</p>"


def missing(what: str, command: str) -> str:
    """Says that something has not been made yet, and what makes it."""
    return f'<p class="missing">{escape(what)} Make it with <code>{escape(command)}</code></p>'


def tiles(values: Sequence[tuple[str, str]]) -> str:
    """Large numbers, each with a line of words under it."""
    cells = [f'<div class="tile"><b>{escape(b)}</b><span>{escape(s)}</span></div>' for b, s in values]
    return f'<div class="tiles">{"".join(cells)}</div>'


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, num_text: int, wrap: bool = False) -> str:
    """A table that scrolls sideways where it is too wide.

    Args:
        headers: of the columns.
        rows: texts, as many in each as there are headers.
        num_text: the first so many columns are text, the others numbers, aligned to the right.
        wrap: long texts are broken instead.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        parts = []
        for index, cell in enumerate(cells):
            kind = "n" if index >= num_text else "wrap" if wrap and index else ""
            attribute = f' class="{kind}"' if kind else ""
            parts.append(f"<{tag}{attribute}>{escape(cell)}</{tag}>")
        return f"<tr>{''.join(parts)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return (
        f'<div class="scroll"><table>\n<thead>{line(headers, "th")}</thead>\n<tbody>\n{body}\n</tbody>\n'
        "</table></div>"
    )


def image(png: bytes, caption: str) -> str:
    """A PNG, inside the page, with a line below it."""
    data = base64.b64encode(png).decode()
    return (
        f'<figure class="plot"><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def details(summary: str, body: str) -> str:
    """What is shown only when the reader opens it."""
    return f"<details><summary>{escape(summary)}</summary>\n{body}\n</details>"
