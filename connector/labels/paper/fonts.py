"""Fonts for what we print ourselves: found on the machine, chosen by the characters that are to be printed.

Debian's fonts-dejavu-core has Latin, Greek, Cyrillic, Armenian and Arabic letters in one font; Noto's families stand in
for it, and for what it lacks. Without any, PDF's own Helvetica prints Western European letters, and `?` for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_BASES = (("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"))
_MORE = tuple(
    (f"NotoSans{script}-Regular.ttf", f"NotoSans{script}-Bold.ttf")
    for script in ("Arabic", "Armenian", "Hebrew", "Georgian", "Devanagari", "Thai", "Bengali", "Tamil", "Symbols")
)
_BOUND_LEFT = "\u200e\u200f\u200d\u200c\u2066\u2067\u2068\u2069\ufeff"  # They steer, and are not drawn.


@dataclass(frozen=True, slots=True)
class Face:
    """A font in two weights; `bold` is the regular file where there is no bold one."""

    regular: Path
    bold: Path


@dataclass(frozen=True, slots=True)
class Fonts:
    """What was found. `faces` is empty where there is no font at all: then only Western European letters print."""

    faces: tuple[Face, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether Armenian and Arabic can be printed."""
        return not self.missing("Աա ابجد")

    def missing(self, text: str) -> str:
        """The characters that nothing here can print, each once."""
        known = [_characters(face.regular) for face in self.faces]
        wanted = dict.fromkeys(each for each in text if not each.isspace() and each not in _BOUND_LEFT)
        if not known:
            return "".join(each for each in wanted if not _in_core(each))
        return "".join(each for each in wanted if not any(ord(each) in some for some in known))

    def needed(self, texts: Iterable[str]) -> tuple[Face, ...]:
        """The faces that print these texts: the first, and each further one that has what the ones before lack."""
        left = {ord(each) for text in texts for each in text if not each.isspace()}
        chosen: list[Face] = []
        for face in self.faces:
            known = _characters(face.regular)
            if not chosen or left & known:
                chosen.append(face)
                left -= known
        return tuple(chosen)


def find_fonts(folders: str | Sequence[Path]) -> Fonts:
    """The fonts in these folders, or in `FOLDER:FOLDER` as the setting has it; looked for once a process."""
    chosen = tuple(Path(each) for each in (folders.split(":") if isinstance(folders, str) else folders) if str(each))
    return _find(chosen)


@lru_cache(maxsize=8)
def _find(folders: tuple[Path, ...]) -> Fonts:
    there: dict[str, Path] = {}
    for folder in folders:
        if folder.is_dir():
            for path in sorted(folder.rglob("*.ttf")):
                there.setdefault(path.name, path)
    found = []
    for regular, bold in (*_BASES, *_MORE):
        if regular in there:
            found.append(Face(there[regular], there.get(bold, there[regular])))
    return Fonts(tuple(found))


@lru_cache(maxsize=32)
def _characters(path: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())


def _in_core(character: str) -> bool:
    return character.encode("latin-1", "ignore") != b""
