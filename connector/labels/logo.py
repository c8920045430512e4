"""A shop's logo, for its slips: one small picture, checked before it is kept."""

from __future__ import annotations

import base64
import io
from datetime import datetime

from sqlalchemy import Connection

from connector.labels.desk_tables import brand_logos
from connector.storage import audit
from connector.storage.audit import Actor
from webhooks.errors import WaybillError

MOST_BYTES = 256 * 1024
_MOST_DOTS = 3000
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}


class BadLogo(WaybillError):
    """The file is no PNG or JPEG, or too large."""


def put(connection: Connection, shop_id: str, content: bytes, actor: Actor, now: datetime) -> str:
    """Keep a logo in the place of the one before; its media type. Raises BadLogo."""
    media_type = _check(content)
    connection.execute(brand_logos.delete(shop_id))
    kept = base64.b64encode(content).decode()
    connection.execute(brand_logos.insert(shop_id, media_type=media_type, content=kept, set_at=now))
    _tell(connection, shop_id, actor, now, len(content))
    return media_type


def remove(connection: Connection, shop_id: str, actor: Actor, now: datetime) -> bool:
    """Let go of it; False if there was none."""
    there = connection.execute(brand_logos.delete(shop_id)).rowcount > 0
    if there:
        _tell(connection, shop_id, actor, now, 0)
    return there


def load(connection: Connection, shop_id: str) -> bytes:
    """The picture, or nothing."""
    kept = connection.execute(brand_logos.select(shop_id, brand_logos.c.content)).scalar_one_or_none()
    return b"" if kept is None else base64.b64decode(kept)


def _check(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise BadLogo(f"A logo has at most {MOST_BYTES // 1024} KiB.")
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=tuple(_TYPES)) as picture:
            if max(picture.size) > _MOST_DOTS:
                raise BadLogo(f"A logo has at most {_MOST_DOTS} dots on a side.")
            picture.load()
            return _TYPES[str(picture.format)]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise BadLogo("A logo is a PNG or JPEG picture; this is neither, or it is damaged.") from error


def _tell(connection: Connection, shop_id: str, actor: Actor, now: datetime, size: int) -> None:
    audit.record(
        connection, now=now, actor=actor, action="brand.logo", subject=shop_id, shop_id=shop_id, detail={"bytes": size}
    )
