"""A sandbox label is a real document: right size, a barcode that can be read, and any name in the world."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from barcode.codex import Code128
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from carriers.address import Address
from carriers.measure import Weight
from carriers.parcel import Parcel, Shipment
from carriers.sandbox import SandboxCarrier
from carriers.sandbox.drawing import LabelText, draw, printable
from tests.carriers.sandbox.conftest import shipment
from tests.conftest import FrozenClock

CODE = "SBX1234567890123"


def text(clock: FrozenClock, of: Shipment | None = None) -> LabelText:
    return LabelText(of or shipment(), "Express", CODE, clock.now())


@pytest.mark.parametrize(("dpi", "size"), [(203, (812, 1218)), (300, (1200, 1800))])
def test_a_png_label_is_four_by_six_inches(clock: FrozenClock, dpi: int, size: tuple[int, int]) -> None:
    picture = Image.open(io.BytesIO(draw(text(clock), "png", dpi)))
    assert (picture.format, picture.size, picture.mode) == ("PNG", size, "1")
    assert [round(value) for value in picture.info["dpi"]] == [dpi, dpi]


@pytest.mark.parametrize("dpi", [203, 300])
def test_a_pdf_label_is_one_page_of_four_by_six_inches(clock: FrozenClock, dpi: int) -> None:
    content = draw(text(clock), "pdf", dpi)
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    (box,) = re.findall(rb"/MediaBox \[ ?([\d. ]+)\]", content)
    assert [round(float(side)) for side in box.split()] == [0, 0, 288, 432]


def test_the_same_label_has_the_same_bytes(clock: FrozenClock) -> None:
    for label_format in ("pdf", "png"):
        assert draw(text(clock), label_format, 203) == draw(text(clock), label_format, 203)


def test_the_barcode_is_code_128_of_the_tracking_number_and_nothing_covers_it(clock: FrozenClock) -> None:
    for dpi in (203, 300):
        picture = Image.open(io.BytesIO(draw(text(clock), "png", dpi))).convert("L")
        modules = Code128(CODE).build()[0]
        for y in (850, 940, 1040):
            inner = range(round(60 * dpi / 203), picture.width - round(60 * dpi / 203))
            row = ["0" if picture.getpixel((x, round(y * dpi / 203))) else "1" for x in inner]
            bars = "".join(row).strip("0")
            module = len(bars) // len(modules)
            assert len(bars) == module * len(modules)
            assert module >= 2
            assert bars[module // 2 :: module] == modules


def test_void_sample_lies_across_the_label(clock: FrozenClock) -> None:
    """Where nothing else is printed, the middle of the page still has dots of the watermark."""
    picture = Image.open(io.BytesIO(draw(text(clock), "png", 203))).convert("L")
    corner = picture.crop((560, 220, 780, 360))
    dots = corner.histogram()[0]
    assert 200 < dots < corner.width * corner.height / 5


def test_accents_fall_away_and_greek_is_spelled_out() -> None:
    assert printable("Škoda  Łęcka\n") == "Skoda Lecka"
    assert printable("Αθήνα, Ερμού 25") == "Athina, Ermoy 25"
    assert printable("Երևան 東京") == "?????? ??"
    assert printable("\u202eevil\x00") == "evil"


anything = st.text(st.characters(), max_size=60)


@settings(max_examples=15, deadline=None)
@given(anything, anything, anything, st.integers(0, 30_000))
def test_no_name_can_keep_a_label_from_being_drawn(name: str, street: str, reference: str, grams: int) -> None:
    clock = FrozenClock(datetime(2026, 11, 23, tzinfo=UTC))
    to = Address("AM", name, street, name, street, street, name, name)
    odd = Shipment(to, to, Parcel(Weight(grams)), reference, "AMD")
    assert draw(text(clock, odd), "png", 203).startswith(b"\x89PNG")


@pytest.mark.anyio
async def test_the_carrier_serves_the_label_that_was_asked_for(carrier: SandboxCarrier) -> None:
    for label_format, media_type, start in (("pdf", "application/pdf", b"%PDF"), ("png", "image/png", b"\x89PNG")):
        created = await carrier.create(shipment(reference=label_format, label_format=label_format))
        await carrier.purchase(created.handle, created.rates[0], lambda: True)
        sold = await carrier.look_up(created.handle)
        (file,) = sold.files  # type: ignore[union-attr]
        assert file.media_type == media_type
        served, content = await carrier.fetch_file(file.url)
        assert served == media_type
        assert content.startswith(start)
