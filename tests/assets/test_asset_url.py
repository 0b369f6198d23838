"""The built file behind a bundle's name."""

import json
from pathlib import Path

import pytest
from flask import Flask

from webapp.foundation.assets import AssetsNotBuilt, asset_url


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return Flask("shop", static_folder=str(tmp_path))


def build(app: Flask, names: dict[str, str]) -> None:
    folder = Path(app.static_folder or "") / "dist"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(names))


def test_a_name_leads_to_the_file_with_its_hash(app: Flask) -> None:
    build(app, {"app.css": "app-5BKIVY5Q.css"})
    with app.test_request_context():
        assert asset_url("app.css").endswith("/dist/app-5BKIVY5Q.css")


def test_the_url_lies_below_the_prefix_a_proxy_serves_us_under(app: Flask) -> None:
    build(app, {"app.css": "app-5BKIVY5Q.css"})
    with app.test_request_context(environ_overrides={"SCRIPT_NAME": "/yuliang"}):
        assert asset_url("app.css").startswith("/yuliang/")


def test_a_page_of_a_clone_without_built_assets_says_how_to_build_them(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(AssetsNotBuilt, match="run `make assets`"):
        asset_url("app.css")


def test_a_bundle_that_was_not_built_is_named(app: Flask) -> None:
    build(app, {"app.css": "app-5BKIVY5Q.css"})
    with (
        app.test_request_context(),
        pytest.raises(AssetsNotBuilt, match=r"has no maps\.js: run `make assets`"),
    ):
        asset_url("maps.js")
