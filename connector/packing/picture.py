"""An isometric picture of a packed carton as SVG: drawn from the far corner to the near one, numbered with a legend."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from connector.packing.result import PackedCarton, Placed

_COS, _SIN = 0.8660254, 0.5
_WIDE, _HIGH = 520.0, 470.0
_MARGIN = 24.0
_LINE = 20
_HUES = (205, 28, 140, 340, 265, 50, 180, 0, 95, 300)
_LABELS = 400
_STYLE = 'role="img" font-family="sans-serif" font-size="12"'

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """From millimetres in the carton to the picture."""

    scale: float
    left: float
    top: float

    def at(self, x: float, y: float, z: float) -> Point:
        return (
            self.left + (x - y) * _COS * self.scale,
            self.top + ((x + y) * _SIN - z) * self.scale,
        )


_NO_NAMES: Mapping[str, str] = {}


def draw(parcel: PackedCarton, title: str, names: Mapping[str, str] = _NO_NAMES, *, bare: bool = False) -> str:
    """The picture of one parcel: seen from the corner that is farthest from where x, y and z begin.

    `names` are the goods' by key, for the legend; `bare` leaves title and legend to who sets the picture in a text.
    """
    width, length, depth = parcel.inner
    wide = (width + length) * _COS
    high = (width + length) * _SIN + depth
    scale = min((_WIDE - 2 * _MARGIN) / wide, (_HIGH - 2 * _MARGIN) / high)
    top = _MARGIN if bare else 2 * _LINE + _MARGIN
    sheet = _Sheet(scale, _MARGIN + length * _COS * scale, top + depth * scale)
    keys = legend(parcel)
    legend_top = top + high * scale + _MARGIN
    total_height = legend_top if bare else legend_top + _LINE * (len(keys) + 1)
    total_width = 2 * _MARGIN + wide * scale if bare else _WIDE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width:.0f} {total_height:.0f}" {_STYLE}>',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(_described(parcel))}</desc>",
        f'<rect width="{total_width:.0f}" height="{total_height:.0f}" fill="#fff"/>',
        _walls(sheet, width, length, depth),
    ]
    if not bare:
        parts += [
            f'<text x="{_MARGIN:.0f}" y="{_LINE}" font-size="14" font-weight="bold">{escape(title)}</text>',
            f'<text x="{_MARGIN:.0f}" y="{2 * _LINE}" fill="#555">{escape(_described(parcel))}</text>',
        ]
    numbers = {key: number for number, key in enumerate(keys, 1)}
    labelled = len(parcel.placed) <= _LABELS
    parts += [_box(sheet, placed, numbers[placed.key], labelled=labelled) for placed in back_to_front(parcel.placed)]
    parts.append(_front(sheet, width, length, depth))
    for line, key in enumerate(() if bare else keys):
        y = legend_top + _LINE * line
        units = sum(each.units for each in parcel.placed if each.key == key)
        name = escape(names.get(key, key))
        parts.append(
            f'<rect x="{_MARGIN:.0f}" y="{y:.1f}" width="14" height="14" fill="{_colour(line + 1, 70)}" stroke="#333"/>'
            f'<text x="{_MARGIN + 22:.0f}" y="{y + 12:.1f}">{line + 1}: {name} ({units})</text>'
        )
    parts.append("</svg>\n")
    return "\n".join(parts)


def legend(parcel: PackedCarton) -> list[str]:
    """The keys of the goods in the order of their numbers, from 1."""
    return list(dict.fromkeys(each.key for each in parcel.placed))


def back_to_front(placed: Sequence[Placed]) -> list[Placed]:
    """An order in which each box is drawn before what stands in front of it, seen from the far upper corner."""
    waiting = sorted(placed, key=lambda each: (each.x + each.y + each.z, each.z, each.y, each.x))
    behind: list[set[int]] = [set() for _ in waiting]
    for i, one in enumerate(waiting):
        for j in range(i):
            other = waiting[j]
            first, second = _hides(other, one), _hides(one, other)
            if first and not second:
                behind[i].add(j)
            elif second and not first:
                behind[j].add(i)
    done: list[Placed] = []
    drawn: set[int] = set()
    rest = list(range(len(waiting)))
    while rest:
        free = next((i for i in rest if behind[i] <= drawn), rest[0])
        rest.remove(free)
        drawn.add(free)
        done.append(waiting[free])
    return done


def _hides(back: Placed, front: Placed) -> bool:
    """Whether a plane parts the two with `front` on the viewer's side."""
    return back.x + back.width <= front.x or back.y + back.length <= front.y or back.z + back.depth <= front.z


def _box(sheet: _Sheet, placed: Placed, number: int, *, labelled: bool) -> str:
    x1, y1, z1 = placed.x, placed.y, placed.z
    x2, y2, z2 = x1 + placed.width, y1 + placed.length, z1 + placed.depth
    faces = (
        (((x2, y1, z1), (x2, y2, z1), (x2, y2, z2), (x2, y1, z2)), 62),
        (((x1, y2, z1), (x2, y2, z1), (x2, y2, z2), (x1, y2, z2)), 52),
        (((x1, y1, z2), (x2, y1, z2), (x2, y2, z2), (x1, y2, z2)), 76),
    )
    drawn = "".join(
        f'<polygon points="{_points(sheet, corners)}" fill="{_colour(number, light)}"/>' for corners, light in faces
    )
    label = ""
    if labelled:
        u, v = sheet.at((x1 + x2) / 2, (y1 + y2) / 2, z2)
        size = min(14.0, 0.4 * sheet.scale * min(placed.width, placed.length))
        if size >= 4:
            label = (
                f'<text x="{u:.1f}" y="{v + size / 3:.1f}" font-size="{size:.1f}" text-anchor="middle">{number}</text>'
            )
    return f'<g stroke="#333" stroke-width="0.7" stroke-linejoin="round">{drawn}</g>{label}'


def _walls(sheet: _Sheet, width: int, length: int, depth: int) -> str:
    """Floor and the two far walls."""
    floor = ((0, 0, 0), (width, 0, 0), (width, length, 0), (0, length, 0))
    left = ((0, 0, 0), (0, length, 0), (0, length, depth), (0, 0, depth))
    right = ((0, 0, 0), (width, 0, 0), (width, 0, depth), (0, 0, depth))
    return "".join(
        f'<polygon points="{_points(sheet, corners)}" fill="{fill}" stroke="#997a52"/>'
        for corners, fill in ((floor, "#efe3d0"), (left, "#f5ecdd"), (right, "#faf4ea"))
    )


def _front(sheet: _Sheet, width: int, length: int, depth: int) -> str:
    """The near edges, dashed."""
    paths = (
        ((width, 0, depth), (width, length, depth), (0, length, depth)),
        ((width, length, 0), (width, length, depth)),
    )
    return "".join(
        f'<polyline points="{_points(sheet, corners)}" fill="none" stroke="#997a52" stroke-dasharray="5 4"/>'
        for corners in paths
    )


def _points(sheet: _Sheet, corners: Sequence[tuple[float, float, float]]) -> str:
    return " ".join(f"{u:.1f},{v:.1f}" for u, v in (sheet.at(*corner) for corner in corners))


def _colour(number: int, light: int) -> str:
    """A hue for each number, as `#rrggbb`: what sets pictures in PDF reads no other way to write it."""
    hue = (_HUES[(number - 1) % len(_HUES)] + 17 * ((number - 1) // len(_HUES))) % 360
    shares = colorsys.hls_to_rgb(hue / 360, light / 100, 0.55)
    return "#" + "".join(f"{round(255 * share):02x}" for share in shares)


def _described(parcel: PackedCarton) -> str:
    return (
        f"{parcel.units} units, {parcel.fill:.0%} full, {parcel.gross} g with the carton's {parcel.carton.tare} g,"
        f" billed {parcel.billed} g"
    )
