"""A label file is what its bytes say, or it is refused: half a PDF, an error page, a ZPL without its end."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from connector.labels.documents import Document, read_document
from tests.simulators.easypost_labels import label

PDF, PNG, ZPL = (label(kind, "Box 1") for kind in ("PDF", "PNG", "ZPL"))


@pytest.mark.parametrize(("content", "kind"), [(PDF, "pdf"), (PNG, "png"), (ZPL, "zpl"), (label("EPL2", "x"), "epl2")])
def test_a_whole_label_is_known_by_its_bytes(content: bytes, kind: str) -> None:
    found = read_document(content)
    assert isinstance(found, Document)
    assert (found.kind, found.pages) == (kind, 1)


def test_every_label_of_a_printer_file_counts() -> None:
    found = read_document(ZPL * 3)
    assert isinstance(found, Document)
    assert found.pages == 3


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "html"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "html"),
        (b'{"error": "gone"}', "unknown"),
        (PDF[: len(PDF) // 2], "truncated"),
        (PDF[:-6], "truncated"),
        (b"%PDF-1.4\n%%EOF\n", "damaged"),
        (PNG[: len(PNG) // 2], "truncated"),
        (ZPL.replace(b"^XZ", b""), "truncated"),
        (ZPL + b"^XA^FO1,1", "truncated"),
        (b"^XA ^XZ", "no_pages"),
        (b"\nN\nA50,50", "truncated"),
    ],
)
def test_what_is_no_label_is_refused(content: bytes, fault: str) -> None:
    assert read_document(content) == fault


def test_a_picture_with_a_broken_row_is_refused() -> None:
    out = io.BytesIO()
    Image.effect_noise((300, 300), 80).save(out, "PNG")
    whole = bytearray(out.getvalue())
    middle = len(whole) // 2
    whole[middle : middle + 40] = bytes(40)
    assert read_document(bytes(whole)) == "damaged"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(PDF)))
def test_no_bytes_make_the_reader_stumble(noise: bytes, at: int) -> None:
    for content in (noise, b"%PDF-" + noise + b"%%EOF", PDF[:at] + noise + PDF[at:]):
        assert isinstance(read_document(content), Document | str)
