"""Make a fresh venv of wheels ready: our packages on its path, and the message generators' absolute paths mended.

Run by the ``tsukumo`` script with the venv's Python: ``prepare_venv.py PROJECT_ROOT``. Uses only the standard library and numpy.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import sysconfig
from pathlib import Path

import numpy as np


def source_folders(root: Path) -> list[Path]:
    """Folders that make our Python packages (and the cv_bridge stand-in, where no real one is) importable."""
    folders = sorted(
        init.parents[1] for init in (root / "src").glob("*/*/__init__.py") if init.parts[-2] == init.parts[-3]
    )
    stand_in = root / "underlay" / "cv_bridge"
    sys.path = [entry for entry in sys.path if entry != str(stand_in)]
    if importlib.util.find_spec("cv_bridge") is None:
        folders.append(stand_in)
    return folders


def mend_generator_paths(prefix: Path) -> int:
    """Replace the include folders of the container that built the generator wheels; returns the number of files mended."""
    numpy_include = np.get_include()
    python_include = sysconfig.get_path("include")
    mended = 0
    for file in (prefix / "share").rglob("*Export.cmake"):
        text = file.read_text()
        new = re.sub(r"/opt/python/[^;\"]*/numpy/_core/include", numpy_include, text)
        new = re.sub(r"/opt/python/[^;\"]*/include/python3\.\d+", python_include, new)
        if new != text:
            file.write_text(new)
            mended += 1
    return mended


def main() -> None:
    root, prefix = Path(sys.argv[1]), Path(sys.prefix)
    path_file = Path(sysconfig.get_path("purelib")) / "tsukumo.pth"
    path_file.unlink(missing_ok=True)
    path_file.write_text("".join(f"{folder}\n" for folder in source_folders(root)))
    mend_generator_paths(prefix)


if __name__ == "__main__":
    main()
