"""Write the meshes of all our themes into their folders."""

from __future__ import annotations

from ar_character.theme import FOLDER
from ar_character.workshop import band, beast, olympics, ramadan
from ar_character.workshop.tools import write

THEMES = {"band": band.MESHES, "beast": beast.MESHES, "olympics": olympics.MESHES, "ramadan": ramadan.MESHES}


def main() -> None:
    """All of them."""
    for theme, meshes in THEMES.items():
        (FOLDER / theme).mkdir(parents=True, exist_ok=True)
        for name, make in meshes.items():
            write(FOLDER / theme / f"{name}.glb", make())


if __name__ == "__main__":
    main()
