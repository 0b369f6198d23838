"""Where the built style sheets and scripts lie: named by their content (assets/build.mjs)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from flask import current_app, url_for


class AssetsNotBuilt(RuntimeError):
    """static/dist lacks what a page asks for. Stays so until `make assets` and a restart."""


def asset_url(name: str) -> str:
    """The URL of the bundle `name`, such as "app.css". Needs a request; raises AssetsNotBuilt."""
    folder = Path(current_app.static_folder or "static") / "dist"
    try:
        built = _manifest(folder)[name]
    except KeyError:
        raise AssetsNotBuilt(f"{folder} has no {name}: run `make assets`") from None
    return url_for("static", filename=f"dist/{built}")


@cache
def _manifest(folder: Path) -> dict[str, str]:
    """Bundle name to built name, read once: WhiteNoise too knows only the files found at its start."""
    try:
        names: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssetsNotBuilt(f"{folder} holds no built assets: run `make assets`") from None
    return names
