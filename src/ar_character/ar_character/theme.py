"""Themes: what a character wears, holds and does, and what flies around it; read from a folder with a `theme.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ar_character.theme_file import Section
from ar_character.theme_parts import Dressing, Emitter, Motion, Prop, read_dressing

FOLDER = Path(__file__).parent / "themes"
PLAIN = "plain"


@dataclass(frozen=True)
class Theme:
    """One member of a theme, ready to be put on a character."""

    name: str
    member: str
    props: tuple[Prop, ...]
    motions: tuple[Motion, ...]
    emitters: tuple[Emitter, ...]


def find(name: str) -> tuple[Path, str]:
    """The theme.yaml of a theme of ours or of a user's folder (or file), and the member asked for after a colon."""
    folder, _, member = name.partition(":")
    try:
        own = FOLDER / folder / "theme.yaml"
        path = Path(folder).expanduser()
        file = own if own.is_file() and "/" not in folder else path / "theme.yaml" if path.is_dir() else path
        there = file.is_file()
    except (OSError, RuntimeError, ValueError):  # no name of a file, nobody's home, or not ours to look into
        there = False
    if not there:
        raise ValueError(
            f"theme '{name[:200]}': no theme of ours ({', '.join([PLAIN, *ours()])}) and no folder with a theme.yaml"
        )
    return file, member


def named(name: str) -> str:
    """The same theme, by a name that holds in any folder; ValueError where there is none or it is broken."""
    if load(name) is None:
        return PLAIN
    file, member = find(name)
    folder = file.parent.name if file.parent.parent == FOLDER else str(file.resolve())
    return folder + (f":{member}" if member else "")


def ours() -> list[str]:
    """Names of the themes that ship."""
    return sorted(f.parent.name for f in FOLDER.glob("*/theme.yaml"))


def load(name: str, number: int = 0) -> Theme | None:
    """A theme by its name or path; None for plain. Of several members the one named (`band:singer`), else the number-th, over
    and over. ValueError names the file and the key that is wrong.
    """
    if name in ("", PLAIN):
        return None
    members = _members(name)
    return members[number % len(members)]


@cache
def _members(name: str) -> tuple[Theme, ...]:
    """All members of a theme, or the one that is named; a theme without members is its only one."""
    file, wanted = find(name)
    top = Section.of(file)
    top.text("about", "a theme")
    members = top.sections("members")
    shared = read_dressing(top, {})
    top.done()
    if wanted and wanted not in members:
        raise top.fail("members", f"there is no '{wanted}'; there are {', '.join(members) or 'none'}")
    each = {key: read_dressing(section, shared[0]) for key, section in members.items()}  # a broken one is told at once
    for section in members.values():
        section.done()
    chosen = [wanted] if wanted else list(each) or [""]
    return tuple(_theme(file.parent.name, member, [shared, each[member]] if member else [shared]) for member in chosen)


def _theme(name: str, member: str, dressings: list[Dressing]) -> Theme:
    """What a member wears and does; what comes later takes the place of what has the same name."""
    props = tuple({k: p for d in dressings for k, p in d[0].items()}.values())
    motions = tuple({k: m for d in dressings for k, m in d[1].items()}.values())
    emitters = tuple({k: e for d in dressings for k, e in d[2].items()}.values())
    return Theme(name, member, props, motions, emitters)
