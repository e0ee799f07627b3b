"""What people read in a bundle: the index page and notices."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from ..modules.lock import Lock
from .manifest import MANIFEST, Manifest

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:56em;margin:2em auto;padding:0 1em}"
    "code,pre{background:#f3f3f3;padding:.1em .3em}pre{padding:.6em;overflow:auto}"
    "td{padding:0 1em 0 0;vertical-align:top}td.n{text-align:right}"
    "td.h{font:12px monospace;color:#666}"
)


def index_page(manifest: Manifest, where: str) -> str:
    """The page of a bundle that is used at `where`: a folder or an address. UTF-8."""
    laptops = ", ".join(f"{name} with Python {python}" for name, python in manifest.wheels)
    boards = (
        f"{manifest.official} for {', '.join(manifest.boards)}" if manifest.official else "none"
    )
    shown = [name for name in manifest.files if not name.startswith("wheels/")]
    wheels = [name for name in manifest.files if name.startswith("wheels/")]
    wheels_bytes = sum(manifest.files[name][0] for name in wheels)
    rows = "".join(_row(name, *manifest.files[name]) for name in sorted(shown))
    if wheels:
        rows += (
            f'<tr><td><a href="wheels/">wheels/</a></td><td class="n">{wheels_bytes:,}</td>'
            f"<td>{len(wheels)} files</td></tr>"
        )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Workshop bundle</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>The workshop, without Internet</h1>
<ol>
<li>Get <a href="workshop.zip">workshop.zip</a> and unpack it.</li>
<li>In the folder <code>workshop</code> run
<pre>python3 workshop.py --bundle {escape(where)} demo</pre>
(on Windows <code>py workshop.py …</code>). It needs Python, and nothing else.</li>
<li>Then open the notebooks: <code>python3 workshop.py lab</code>.</li>
</ol>
<p>For laptops: {escape(laptops or "none; wheels come from elsewhere")}.
Official modules: {escape(boards)}.</p>
<p>Every file is checked against the hashes in <code>workshop.zip</code> before it is used;
<a href="{MANIFEST}">{MANIFEST}</a> has them all.</p>
<table>{rows}</table>
</body></html>
"""


def listing_page(folder: str, files: dict[str, tuple[int, str]]) -> str:
    """Links to files of one folder, as pip and uv read them."""
    links = "".join(
        f'<a href="{quote(name)}#sha256={sha256}">{escape(name)}</a><br>\n'
        for name, (_, sha256) in sorted(files.items())
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(folder)}'
        f"</title></head><body>\n{links}</body></html>\n"
    )


def modules_notice(lock: Lock) -> str:
    """Where the official modules are from, and under which licence."""
    return (
        f"Native modules of emlearn-micropython {lock.version}, unchanged, from {lock.base}\n"
        f"Licence: {lock.licence}; its text and the copyright: {lock.project}\n"
    )


def _row(name: str, size_bytes: int, sha256: str) -> str:
    return (
        f'<tr><td><a href="{quote(name)}">{escape(name)}</a></td>'
        f'<td class="n">{size_bytes:,}</td><td class="h">{sha256}</td></tr>\n'
    )
