"""What the site needs beyond the pages of this folder.

Pages link to files outside this folder as a code host resolves them: `../benchmarks/results/FILE`. The site
takes in the files that are linked, and its links lead to them. The pages of the API name objects by their
public names, and mkdocstrings needs the modules that define them: they are looked up here.
"""

import importlib
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Files at the top of the repository that become pages.
TOP = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LINK_OUT = re.compile(r"(\]\()\.\./([^)#\s]+)")
LINK_IN = re.compile(r"(\]\()docs/")
PUBLIC_NAME = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
CODE_OR_MARKUP = re.compile(r"`[^`]*`|^ *(?:>>>|\.\.\.).*|[<*]", re.MULTILINE)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Takes in the files outside this folder that pages link to, and what those show."""
    for source, target in TOP.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    for path in sorted(_linked(files)):
        files.append(File.generated(config, str(path.relative_to(ROOT)), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with the site's links, and with the modules that define the public names."""
    if page.file.src_uri in TOP.values():
        markdown = LINK_IN.sub(r"\1", markdown)
    markdown = LINK_OUT.sub(lambda match: match[1] + TOP.get(match[2], match[2]), markdown)
    return PUBLIC_NAME.sub(lambda match: _reference(match[1]), markdown)


def _linked(files: Files) -> set[Path]:
    found = set()
    for file in files.documentation_pages():
        for _, target in LINK_OUT.findall(file.content_string):
            path = ROOT / target
            if target in TOP or not path.is_file():  # a file that is missing is reported as a broken link
                continue
            found.add(path)
            if path.suffix == ".md":  # a report lies beside its figures
                found.update(path.parent.glob("*.png"))
    return found


def _reference(public_name: str) -> str:
    """The directive for what `package.name` or `package.command.Config` is, under that name."""
    module, _, name = public_name.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    options = {"heading": public_name, "toc_label": public_name}
    if name != "Config":  # whose fields are listed one by one, as they are flags
        options["merge_init_into_class"] = "true"
    lines = "".join(f"      {option}: {value}\n" for option, value in options.items())
    return f"::: {found.__module__}.{found.__qualname__}\n    options:\n{lines}"


class PlainDocstrings(griffe.Extension):
    """Docstrings say `DIR/<class>/*`, which Markdown would take for HTML and for emphasis."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = CODE_OR_MARKUP.sub(
                lambda match: {"<": "&lt;", "*": r"\*"}.get(match[0], match[0]), obj.docstring.value
            )
