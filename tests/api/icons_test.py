"""What a home screen takes of us: the manifest and its pictures, as they are served.

After a change of `icon-maskable.svg`: `TIERWATCH_GOLDEN=write pytest tests/api/icons_test.py`, then look at the pictures.
"""

from __future__ import annotations

import json
import os
import struct
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from api.page_routes import FOLDER

if TYPE_CHECKING:
    from tests.api.served import Site

SIZES = (180, 192, 512)


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_is_of_its_size(browser: Any, site: Site, size: int) -> None:
    picture = FOLDER / f"icon-{size}.png"
    if os.environ.get("TIERWATCH_GOLDEN") == "write":
        page = browser.new_page(viewport={"width": size, "height": size})
        page.goto(f"{site.url}/pages/icon-maskable.svg")
        page.screenshot(path=picture)
        page.close()
    told = picture.read_bytes()
    assert told[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", told[16:24]) == (size, size)


def test_the_manifest_names_pictures_that_are_there(site: Site) -> None:
    told = httpx2.get(f"{site.url}/pages/manifest.webmanifest", trust_env=False)
    assert told.headers["content-type"] == "application/manifest+json"
    for one in json.loads(told.content)["icons"]:
        picture = httpx2.get(site.url + one["src"], trust_env=False)
        assert (picture.status_code, picture.headers["content-type"]) == (200, one["type"])
