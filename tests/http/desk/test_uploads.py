"""Files given to the desk: numbers line by line with their faults, a logo; nothing of another site or too large."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connector.labels import logo
from connector.labels.tables import labels
from connector.storage.audit import Actor
from tests.http.desk.counter import Counter, counter_at
from tests.http.desk.world import Browser, DeskWorld

pytestmark = pytest.mark.anyio
ANNA = Actor("person", "anna")


@pytest.fixture
async def counter(steady_data: Path, tmp_path: Path) -> AsyncIterator[Counter]:
    """A counter whose labels are bought by clicks."""
    async with counter_at(steady_data, tmp_path / "data") as found:
        await found.settle({"buy": "manual"})
        yield found


async def give(browser: Browser, content: bytes, name: str = "numbers.csv", **options: Any) -> Any:
    return await browser.send({}, files={"file": (name, content)}, **options)


async def test_numbers_of_a_file_are_kept_told_to_the_store_and_faulty_lines_are_shown(counter: Counter) -> None:
    order = await counter.order()
    paul = counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")
    text = f"order,carrier,number\n{order.name},Post,RR100\n#9999,Post,RR200\n,Post,RR300\n"
    async with counter.desk.signed_in(paul) as browser:
        path = f"{counter.desk.base}/orders/numbers"
        await browser.open(path)
        answer = await give(browser, text.encode())
        assert answer.status_code == 200
        assert "Numbers kept: 1; known before: 0." in answer.text
        assert "#9999" in answer.text
        assert "Name the order." in answer.text
        await browser.open(path)
        again = await browser.follow(await give(browser, text.partition("#9999")[0].encode()))
        assert again.request.url.path == f"{counter.desk.base}/orders"
    await counter.drain()
    kept = counter.house.here(lambda one: one.execute(labels.select(counter.desk.shop_id)).all())
    assert [row.tracking_code for row in kept] == ["RR100"]
    told = await counter.shop.store.find_fulfilment(order.external_id, "RR100")
    assert told is not None


async def test_a_file_of_another_kind_changes_nothing_and_says_why(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    path = f"{counter.desk.base}/orders/numbers"
    async with counter.desk.signed_in(anna) as browser:
        for content, said in ((b"order,number\n1,2\n", "no column carrier"), (b"", "Choose a file.")):
            await browser.open(path)
            answer = await give(browser, content)
            assert answer.status_code == 422
            assert said in answer.text
        await browser.open(path)
        strange = await give(browser, b"order,carrier,number\n", headers={"origin": "https://evil.example"})
        assert strange.status_code == 403
        assert (await give(browser, b"x" * 600_000)).status_code == 413
        broken = await browser.client.post(
            path,
            content=b"--x\r\nhalf",
            headers={"origin": browser.origin, "content-type": "multipart/form-data; boundary=x"},
        )
        assert broken.status_code == 400
        elsewhere = f"{counter.desk.base}/orders"
        await browser.open(elsewhere)
        refused = await browser.client.post(elsewhere, files={"file": b"x"}, headers={"origin": browser.origin})
        assert refused.status_code == 400


async def test_the_owner_gives_a_logo_and_takes_it_away(desk: DeskWorld, packer: Any) -> None:
    anna = desk.add_user("olga@example.com", "owner")
    picture = _png()
    async with desk.signed_in(anna) as browser:
        await browser.open(f"{desk.base}/logo")
        refused = await give(browser, b"no picture", "logo.png")
        assert refused.status_code == 422
        await browser.follow(await give(browser, picture, "logo.png"))
        assert desk.house.here(logo.load, desk.shop_id) == picture
        await browser.follow(await browser.send({"do": "remove"}))
        assert desk.house.here(logo.load, desk.shop_id) == b""
    async with desk.signed_in(packer) as browser:
        await browser.open(f"{desk.base}/logo", status=403)


def _png() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()
