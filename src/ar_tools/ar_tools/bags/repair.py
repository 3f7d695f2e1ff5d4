"""``tsukumo bag repair``: a readable bag of what is there, made beside the old one until it is whole."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from ar_tools.bags import metadata as metadata_file
from ar_tools.bags.model import BagError, Definition, FileRecord, Metadata, Salvage
from ar_tools.bags.reader import SUFFIXES, Bag, storage_files
from ar_tools.bags.salvage import salvage
from ar_tools.bags.writer import FLUSH_S, BagWriter, ros_distro


@dataclass
class Repaired:
    """What became of a bag: where it is, what was saved (messages by topic, log times in ns) and what was wrong."""

    path: Path
    kept: Path | None = None  # where the old one is now
    counts: dict[str, int] = field(default_factory=dict)
    start: int = 0
    duration: int = 0
    problems: list[str] = field(default_factory=list)
    expected: int = 0  # messages, as the old metadata.yaml says

    @property
    def messages(self) -> int:
        """Saved, of all topics."""
        return sum(self.counts.values())

    def lines(self) -> list[str]:
        """For the terminal."""
        if not self.problems:
            return [f"{self.path}: nothing to repair ({self.messages} messages)"]
        lines = [f"found: {problem}" for problem in self.problems]
        lines.append(f"saved: {self.messages} messages of {len(self.counts)} topics over {self.duration / 1e9:.3f} s")
        if self.expected > self.messages:
            lines.append(f"lost: {self.expected - self.messages} of {self.expected} messages that metadata.yaml counts")
        if self.kept is not None:
            lines.append(f"the damaged bag is kept as {self.kept}")
        return [*lines, f"the repaired bag is {self.path}"]


def repair(path: Path, output: Path | None = None) -> Repaired:
    """Repair a bag (a folder, or a single storage file, of which a folder is made).

    The new bag takes the place of the old folder, which stays beside it as ``….damaged``, unless ``output`` names another.
    Nothing is changed before the new bag is whole. A bag that lacks only its metadata.yaml just gets one. BagError, and
    everything is as it was, if nothing can be read or there is no room.
    """
    if not path.exists():
        raise BagError(f"{path}: there is no such bag")
    path = path.absolute()
    files = storage_files(path) if path.is_dir() else [path]
    if not files or any(file.suffix not in SUFFIXES for file in files):
        raise BagError(f"{path}: there is no storage file ({', '.join(SUFFIXES)}) to save anything from")
    if len({file.suffix for file in files}) > 1:
        raise BagError(f"{path}: has storage files of two kinds; repair one file at a time")
    old = _old_metadata(path)
    if old is not None and old.compression_mode:
        raise BagError(f"{path}: bags that rosbag2 has compressed cannot be repaired")
    target = output.absolute() if output else path.with_name(f"{path.stem}_repaired") if path.is_file() else path
    if target != path and target.exists():
        raise BagError(f"{target} exists already; name another with -o")
    new = target.with_name(f".{target.name}.{os.getpid()}")
    result = Repaired(target, expected=old.messages if old else 0, problems=_missing_files(old, files))
    try:
        with contextlib.ExitStack() as closing:
            found = _salvaged(files, target.parent, result, closing)
            if target == path and not result.problems and _only_metadata(path, old, files, result):
                return result
            _write(found, new, target.name, result, old)
        if target == path:
            result.kept = _free_name(path)
            os.replace(path, result.kept)
        os.replace(new, target)
    except OSError as error:
        raise BagError(f"{path}: cannot be repaired ({error.strerror or error}); nothing was changed") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    result.problems = result.problems or ["nothing wrong; copied"]
    return result


def _old_metadata(path: Path) -> Metadata | None:
    try:
        return metadata_file.read(path) if path.is_dir() else None
    except BagError:
        return None


def _missing_files(old: Metadata | None, files: list[Path]) -> list[str]:
    named = {Path(file.path).name for file in old.files} if old else set()
    return [f"{name}, which metadata.yaml names, is missing" for name in sorted(named - {file.name for file in files})]


def _salvaged(files: list[Path], scratch: Path, result: Repaired, closing: contextlib.ExitStack) -> list[Salvage]:
    """What can be read of each file; BagError if it is nothing of any."""
    found, errors = [], []
    for file in files:
        try:
            part = closing.enter_context(salvage(file, scratch))
        except BagError as error:
            errors.append(str(error))
        else:
            found.append(part)
            result.problems += [f"{file.name}: {problem}" for problem in part.problems]
    if not found:
        raise BagError("; ".join(errors))
    result.problems += errors
    return found


def _only_metadata(path: Path, old: Metadata | None, files: list[Path], result: Repaired) -> bool:
    """For storage files without a fault: read them as everybody does, and write metadata.yaml anew if it is not right."""
    distro = old.ros_distro if old and old.ros_distro else ros_distro()
    fresh = Metadata(SUFFIXES[files[0].suffix], ros_distro=distro)
    try:
        for file in files:
            with Bag(file) as part:
                record = FileRecord(file.name)
                for message in part.messages():
                    record.count(message.log_time)
                if record.messages != sum(part.counts.values()):
                    raise BagError(
                        f"{file}: its index counts {sum(part.counts.values())} messages, not {record.messages}"
                    )
                fresh.files.append(record)
                for name, topic in part.topics.items():
                    fresh.topics.setdefault(name, topic)
                    fresh.counts[name] = fresh.counts.get(name, 0) + part.counts[name]
    except BagError as error:
        result.problems.append(str(error))
        return False
    result.counts, result.start, result.duration = fresh.counts, fresh.start, fresh.duration
    if (
        old is None
        or old.files != fresh.files
        or {n: c for n, c in old.counts.items() if c} != {n: c for n, c in fresh.counts.items() if c}
    ):
        metadata_file.write(path, fresh)
        result.problems.append("metadata.yaml was missing, damaged or not up to date; made anew")
    return True


def _write(found: list[Salvage], new: Path, name: str, result: Repaired, old: Metadata | None) -> None:
    """Write what was found to a new bag; OSError if there is no room."""
    distro = old.ros_distro if old and old.ros_distro else ros_distro()
    with BagWriter(new, found[0].storage, ros_distro=distro, name=name) as writer:
        for number, part in enumerate(found):
            if number:
                writer.split()
            flush_at = time.monotonic() + FLUSH_S
            for topic in part.topics.values():
                if topic.name not in writer.metadata.topics:
                    writer.add_topic(topic, part.definitions.get(topic.type) or Definition(topic.type))
            for message in part.messages():
                if message.topic in writer.metadata.topics:
                    writer.write(message.topic, message.log_time, message.publish_time, message.data)
                if time.monotonic() > flush_at:
                    writer.flush()
                    flush_at = time.monotonic() + FLUSH_S
            writer.flush()
    result.counts = dict(writer.metadata.counts)
    result.start, result.duration = writer.metadata.start, writer.metadata.duration


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.damaged{n or ''}") for n in itertools.count())
    return next(name for name in names if not name.exists())
