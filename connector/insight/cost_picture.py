"""A small picture of what buyers paid for shipping beside what it cost, week by week or month by month: SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from connector.insight.truth import Period

_WIDTH, _HEIGHT, _FOOT, _MOST = 640, 160, 18, 26
_CHARGED, _COST, _INK = "#5b7fb5", "#c9772e", "currentColor"


def draw(periods: Sequence[Period], title: str) -> str:
    """Two bars for each period, the newest at the right; `title` is what a reader without eyes on it hears."""
    shown = list(periods)[-_MOST:]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'width="{_WIDTH}" height="{_HEIGHT}"><title>{escape(title)}</title>'
    )
    if not shown:
        return f"{head}</svg>"
    most = max(1, *(each.charged.minor for each in shown), *(each.cost.minor for each in shown))
    step = _WIDTH / len(shown)
    bar = min(18.0, step * 0.38)
    pieces = [head]
    for place, each in enumerate(shown):
        middle = step * place + step / 2
        pieces.append(_bar(middle - bar, bar, each.charged.minor, most, _CHARGED, f"{each.since}: {each.charged}"))
        pieces.append(_bar(middle, bar, each.cost.minor, most, _COST, f"{each.since}: {each.cost}"))
        if len(shown) <= 9 or place % -(-len(shown) // 9) == 0:
            pieces.append(
                f'<text x="{middle:.1f}" y="{_HEIGHT - 4}" font-size="10" text-anchor="middle" fill="{_INK}">'
                f"{each.since:%d.%m.}</text>"
            )
    floor = _HEIGHT - _FOOT
    pieces.append(f'<path d="M0 {floor}.5H{_WIDTH}" stroke="{_INK}" stroke-width="0.5"/></svg>')
    return "".join(pieces)


def _bar(x: float, width: float, minor: int, most: int, colour: str, said: str) -> str:
    height = max(0.0, (_HEIGHT - _FOOT - 6) * minor / most)
    top = _HEIGHT - _FOOT - height
    return (
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">'
        f"<title>{escape(said)}</title></rect>"
    )
