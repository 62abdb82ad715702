"""Pages that stand outside of docs/, and their links, for the site that MkDocs makes."""

from __future__ import annotations

import pathlib
import posixpath
import re
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "saved_models/README.md": "saved_models.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
_LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?\)")
_BY_PATH = {(ROOT / source).resolve(): page for source, page in OUTSIDE.items()}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that stand elsewhere in the repository."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    files.remove(files.src_uris["site.py"])
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links point at pages of the site; what is no page keeps its text alone."""
    here = pathlib.Path(page.file.abs_src_path).parent
    folder = posixpath.dirname(page.file.src_uri)

    def from_here(path: str) -> str:
        return posixpath.relpath(path, folder or ".")

    def mended(link: re.Match) -> str:
        target = (here / link[2]).resolve()
        anchor = link[3] or ""
        if (target / "README.md").resolve() in _BY_PATH:
            target = target / "README.md"
        if target in _BY_PATH:
            return f"]({from_here(_BY_PATH[target])}{anchor})"
        if target.is_relative_to(ROOT / "docs") and target.exists():
            return f"]({from_here(target.relative_to(ROOT / 'docs').as_posix())}{anchor})"
        if not target.exists():
            return link[0]  # that MkDocs complains about it
        return f']({from_here("index.md")} "{target.relative_to(ROOT)} in the repository")'

    return _LINK.sub(mended, markdown)
