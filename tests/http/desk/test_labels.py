"""Label files at the desk: what they are is what is sent, and a page is never among them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from connector.http.desk.labels import _download
from connector.labels.files import LabelShelf
from connector.labels.retention import forget_of
from connector.storage.logins.people import User
from tests.http.desk.counter import Counter

pytestmark = pytest.mark.anyio
LABEL = SimpleNamespace(tracking_code='RR/1"SK', id="lab_1")


@pytest.mark.parametrize(
    ("media_type", "content", "sent_as", "name", "inline"),
    [
        ("application/pdf", b"%PDF-1.4 x", "application/pdf", "RR-1-SK-1.pdf", True),
        ("image/png", b"\x89PNG\r\n\x1a\n x", "image/png", "RR-1-SK-1.png", True),
        ("text/plain", b"^XA^FDx^XZ", "application/octet-stream", "RR-1-SK-1.zpl", False),
        ("text/html", b"<script>alert(1)</script>", "application/octet-stream", "RR-1-SK-1.bin", False),
        ("application/pdf", b"<script>alert(1)</script>", "application/octet-stream", "RR-1-SK-1.bin", False),
        ("image/svg+xml", b"<svg onload='x'/>", "application/octet-stream", "RR-1-SK-1.bin", False),
    ],
)
async def test_a_file_is_shown_only_if_it_is_what_it_says(
    media_type: str,
    content: bytes,
    sent_as: str,
    name: str,
    inline: bool,
) -> None:
    file = _download(media_type, content, LABEL, "1")
    assert (file.media_type, file.name, file.inline, file.body) == (sent_as, name, inline, content)
    assert file.sandboxed == (sent_as != "application/pdf")


async def test_a_file_that_is_gone_is_said_to_be_gone(counter: Counter, paul: User) -> None:
    """A file that was forgotten with its buyer, and one that is lost from the disk."""
    order = await counter.order()
    house = counter.house
    await counter.drain()
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        if 'value="buy"' in browser.page.text:
            await browser.send({"do": "buy"})
            await counter.drain()
        (parcel,) = counter.see(order.id).parcels
        assert parcel.label is not None
        path = f"{counter.desk.base}/labels/{parcel.label.id}/file"
        whole = await browser.open(path)
        assert whole.headers["content-security-policy"].startswith("default-src 'none'")
        for number in ("2", "0", "-1", "x", "9" * 30):
            await browser.open(f"{path}?n={number}", 404)
        shelf: LabelShelf = house.shelf
        assert parcel.files[0].sha256
        shelf.forget(parcel.files[0].sha256)
        lost = await browser.open(path, 404)
        assert "not kept any more" in lost.text
        house.here(forget_of, counter.desk.shop_id, None)
        gone = await browser.open(path, 404)
        assert "<h1>" in gone.text
