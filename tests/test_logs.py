"""What is logged can be read by people and machines, and holds no personal data and no token."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from connector.logs import set_up_logs
from connector.redaction import PERSONAL, describe_trace, redact_fields, redact_text, redact_value
from webhooks.errors import NoAnswer

TOKEN = "0f7tq4hsa2mpfxzk9c3wdnrvbe6gj8y1"


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """Give the process its logging back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.getLogger("uvicorn.access").disabled = False
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def json_log(level: Literal["debug", "info"] = "info") -> io.StringIO:
    stream = io.StringIO()
    set_up_logs("json", level, stream)
    return stream


def test_a_line_has_time_level_event_and_fields() -> None:
    stream = json_log()
    structlog.get_logger("waybill").info("label bought", parcel_id="par_1", attempt=2)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "label bought", "level": "info", "parcel_id": "par_1", "attempt": 2}


def test_text_lines_name_event_and_fields() -> None:
    stream = io.StringIO()
    set_up_logs("text", "info", stream)
    structlog.get_logger().warning("carrier out", carrier="sandbox")
    assert "carrier out" in stream.getvalue()
    assert "carrier=sandbox" in stream.getvalue()


def test_lines_below_the_level_are_left_out() -> None:
    stream = json_log()
    structlog.get_logger().debug("quiet")
    logging.getLogger("elsewhere").debug("quiet")
    assert stream.getvalue() == ""


def test_a_library_s_line_takes_the_same_path() -> None:
    stream = json_log()
    logging.getLogger("library").warning("POST /hooks/shp_1/%s from ann@example.com", TOKEN)
    (line,) = lines(stream)
    assert line["event"] == "POST /hooks/shp_1/*** from ***"
    assert line["logger"] == "library"


def test_the_server_s_access_log_is_off() -> None:
    stream = json_log()
    logging.getLogger("uvicorn.access").info("POST /rates/shp_1/%s", TOKEN)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("field", sorted(PERSONAL))
def test_a_personal_field_is_left_out_at_any_depth(field: str) -> None:
    stream = json_log()
    structlog.get_logger().info("seen", **{field: "Ann"}, nested={"list": [{field: "Ann"}]})
    assert "Ann" not in stream.getvalue()


@pytest.mark.parametrize(
    "field", ["token", "rates_token", "client_secret", "password", "authorization", "api_key", "keys", "hmac"]
)
def test_a_secret_s_value_is_hidden(field: str) -> None:
    assert redact_fields({field: "s3cret"}) == {field: "***"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"/rates/shp_1/{TOKEN}", "/rates/shp_1/***"),
        (f"http://127.0.0.1:8080/hooks/carrier/{TOKEN}?a=b", "http://127.0.0.1:8080/hooks/carrier/***?a=b"),
        ("postgresql://waybill:h.unter2@db/waybill", "postgresql://***@db/waybill"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("token shpat_0123abc refused", "token shpat_*** refused"),
        ("key EZTK0123abc refused", "key EZTK*** refused"),
        ("sent to ann.b+c@mail.example.com.", "sent to ***"),
        ("GET /apps/app_1/hooks 200", "GET /apps/app_1/hooks 200"),
    ],
)
def test_tokens_credentials_and_addresses_are_cut_out_of_text(text: str, clean: str) -> None:
    assert redact_text(text) == clean


@given(st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=32, max_size=32))
def test_no_callback_token_passes(token: str) -> None:
    text = json.dumps(redact_fields({"url": f"https://h/rates/shp_1/{token}", "path": [f"/hooks/carrier/{token}"]}))
    assert token not in text


def test_an_object_of_unknown_content_is_named_by_its_type() -> None:
    @dataclass
    class Person:
        first: str

    assert redact_value(Person("Ann")) == "<Person>"
    assert redact_value(b"Ann") == "<bytes>"


def test_an_error_is_logged_by_type_and_place_without_its_values() -> None:
    stream = json_log()
    try:
        int("Ann")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed too")
    first, second = lines(stream)
    for line in (first, second):
        assert line["trace"][0] == "ValueError"
        assert "tests/test_logs.py" in line["trace"][1]
    assert "Ann" not in stream.getvalue()


def test_our_own_errors_keep_their_message() -> None:
    error = NoAnswer("The carrier did not answer.", detail=f"POST /hooks/carrier/{TOKEN}")
    error.__cause__ = KeyError("Ann")
    assert describe_trace(error) == ["KeyError", "NoAnswer: The carrier did not answer. (POST /hooks/carrier/***)"]


def test_every_part_of_a_group_is_told() -> None:
    trace = describe_trace(
        ExceptionGroup("Ann", [ValueError("Ann"), ConnectionRefusedError(111, "Connection refused")])
    )
    assert trace == ["ExceptionGroup", "ValueError", "ConnectionRefusedError: Connection refused"]
