"""A signature holds for the bytes and a known secret, and for nothing else."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.signatures import (
    Invalid,
    Valid,
    Verdict,
    check_easypost,
    check_sandbox,
    check_shopify,
    easypost_signature,
    sandbox_signature,
    shopify_signature,
)

Check = Callable[[bytes, str | None, Sequence[str]], Verdict]
Sign = Callable[[bytes, str], str]
SCHEMES: list[tuple[Check, Sign]] = [
    (check_shopify, shopify_signature),
    (check_easypost, easypost_signature),
    (check_sandbox, sandbox_signature),
]
schemes = st.sampled_from(SCHEMES)


def test_easyposts_official_vector_holds(reference: Path) -> None:
    folder = reference / "easypost" / "webhooks"
    vector = json.loads((folder / "hmac_vectors.json").read_text())["v1"]
    raw = (folder / vector["body_file"]).read_bytes()
    assert check_easypost(raw, vector["signature"], [vector["secret"]]) == Valid(0)
    must_fail = vector["must_fail"]
    for secret in (unicodedata.normalize(form, vector["secret"]) for form in ("NFC", "NFD", "NFKC", "NFKD")):
        assert check_easypost(raw, must_fail["signature_with_NFC_secret"], [secret]) == Invalid("signature_wrong")
    assert check_easypost(raw, vector["signature"], [must_fail["wrong_secret"]]) == Invalid("signature_wrong")


def test_the_documented_shape_of_shopifys_signature() -> None:
    """RFC 4231, test case 2, in base64."""
    digest = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    signature = shopify_signature(b"what do ya want for nothing?", "Jefe")
    assert base64.b64decode(signature) == digest


@given(schemes, st.binary(max_size=200), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_signature_holds_with_the_old_secret_while_it_is_rotated(
    scheme: tuple[Check, Sign], raw: bytes, new: str, old: str
) -> None:
    check, sign = scheme
    assert check(raw, sign(raw, new), [new, old]) == Valid(0)
    if sign(raw, old) != sign(raw, new):
        assert check(raw, sign(raw, old), [new, old]) == Valid(1)


@given(schemes, st.binary(min_size=1, max_size=200), st.integers(0, 199), st.integers(1, 255))
def test_one_changed_byte_breaks_the_signature(scheme: tuple[Check, Sign], raw: bytes, at: int, change: int) -> None:
    check, sign = scheme
    changed = bytearray(raw)
    changed[at % len(raw)] ^= change
    assert check(bytes(changed), sign(raw, "secret"), ["secret"]) == Invalid("signature_wrong")


@given(schemes, st.binary(max_size=50), st.text(st.characters(), max_size=80))
def test_no_header_can_make_a_check_raise(scheme: tuple[Check, Sign], raw: bytes, header: str) -> None:
    verdict = scheme[0](raw, header, ["secret"])
    assert verdict in {Invalid("signature_missing"), Invalid("signature_wrong")}


@pytest.mark.parametrize("header", ["é", "\udcff", "\u017fha256=00", "sha256=", "hmac-sha256-hex=é", "=", "\x00"])
@pytest.mark.parametrize("check", [check_shopify, check_easypost, check_sandbox])
def test_a_header_that_is_not_ascii_is_wrong_and_not_an_error(check: Check, header: str) -> None:
    assert check(b"{}", header, ["secret"]) == Invalid("signature_wrong")


@pytest.mark.parametrize("check", [check_shopify, check_easypost, check_sandbox])
def test_nothing_is_valid_without_a_header_or_a_secret(check: Check) -> None:
    assert check(b"{}", None, ["secret"]) == Invalid("signature_missing")
    assert check(b"{}", " ", ["secret"]) == Invalid("signature_missing")
    assert check(b"{}", shopify_signature(b"{}", ""), [""]) == Invalid("no_secret")
    assert check(b"{}", "x", []) == Invalid("no_secret")
