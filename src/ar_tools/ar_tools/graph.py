"""A graph on the pip route: the environment its processes need, and a launch file brought to life."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from ar_tools.launch_file import LaunchError, Process, read_launch_file
from ar_tools.supervisor import Supervisor

DOMAIN = 77
OWN_DOMAINS = range(20, 70)  # for runs that must not meet another on the same machine
WINDOW = "window"  # the node that shows the pictures on this machine's display
COLOURS = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")


def project_root() -> Path:
    """The clone's top folder."""
    return Path(os.environ.get("TSUKUMO_ROOT", Path(__file__).resolve().parents[3]))


def set_environment(root: Path, *, alone: bool = False) -> None:
    """Our own corner of the network, unless the user chose one; the transport profile that lets pictures through.

    ``alone``: a domain that no other run on this machine is likely to have, so that two demos do not mix.
    """
    own = OWN_DOMAINS[os.getpid() % len(OWN_DOMAINS)]
    os.environ.setdefault("ROS_DOMAIN_ID", str(own if alone else DOMAIN))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(root / "launch" / "dds" / "fastdds.xml"))
    os.environ.setdefault("ROS_LOG_DIR", str(root / "log"))
    os.environ.setdefault("RCUTILS_CONSOLE_OUTPUT_FORMAT", "{severity}: {message}")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def is_topic(source: str) -> bool:
    """Whether a source names a ROS topic: an absolute name, and no file or device of that path."""
    named = re.fullmatch(r"(/[A-Za-z_]\w*)+", source) is not None
    return named and not source.startswith("/dev/") and not Path(source).exists()


def source_arguments(source: str, camera_info: str) -> dict[str, str]:
    """Launch arguments for a source as a user names it, relative to where they are."""
    source = "topic:" + source if is_topic(source) else source
    return {
        "source": str(Path(source).resolve()) if Path(source).exists() and not source.startswith("/dev/") else source,
        "camera_info": str(Path(camera_info).resolve()) if camera_info else "",
    }


@contextlib.contextmanager
def fresh_snapshots() -> Iterator[None]:
    """A folder, in memory where it can be, for what must survive a stage's process but not this run; unless one is given."""
    if os.environ.get("TSUKUMO_SNAPSHOTS"):
        yield
        return
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tsukumo-", dir=memory, ignore_cleanup_errors=True) as folder:
        os.environ["TSUKUMO_SNAPSHOTS"] = folder
        # Should this process be killed, the pipe closes: then somebody else removes the folder, once the nodes have gone.
        heir = subprocess.Popen(
            ["sh", "-c", 'read -r _; sleep 3; rm -rf -- "$0"', folder], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            yield
        finally:
            del os.environ["TSUKUMO_SNAPSHOTS"]
            heir.kill()
            heir.communicate()


def share_folder(package: str) -> Path:
    """A package's share folder: in the source tree ``launch/`` for ar_bringup, else the package's own folder."""
    if package == "ar_bringup":
        return project_root() / "launch"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise LaunchError(f"package '{package}' is not found")
    return Path(spec.origin).parent


def described(launch_file: Path, arguments: Mapping[str, str]) -> list[Process]:
    """The processes of a launch file."""
    return read_launch_file(launch_file, arguments, share_folder)


def processes(launch_file: Path, arguments: Mapping[str, str]) -> list[Process]:
    """The processes of a launch file, each checked to exist."""
    found = described(launch_file, arguments)
    for process in found:
        check_module(process)
    return found


def check_module(process: Process) -> None:
    """LaunchError if what a process shall run does not exist."""
    module = f"{process.package}.{process.executable}"
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None:
        raise LaunchError(
            f"node '{process.name}': there is no module {module} (TSUKUMO_PATH adds folders with your own)"
        )


def arguments_from(words: list[str]) -> dict[str, str]:
    """``name:=value`` words as a dictionary; LaunchError for anything else."""
    arguments = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name.isidentifier():
            raise LaunchError(f"'{word}' is no launch argument (name:=value)")
        arguments[name] = value
    return arguments


class Log:
    """Writes what the nodes say, each line under the node's name, in one go."""

    def __init__(self, *, quiet: bool = False, file: Path | None = None) -> None:
        self.colour = sys.stderr.isatty()
        self.quiet = quiet
        self.file = file.open("w") if file else None
        self.names: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self.lock:
            if name not in self.names:
                self.names.append(name)
            if self.file:
                self.file.write(f"{name}: {line}\n")
                self.file.flush()
            if self.quiet and not line.startswith(("WARN", "ERROR", "FATAL", "Traceback", "ended with")):
                return
            prefix = f"{name:>9} | "
            if self.colour:
                prefix = f"\033[{COLOURS[self.names.index(name) % len(COLOURS)]}m{prefix}\033[0m"
            sys.stderr.write(f"{prefix}{line}\n")


def check_port(port: int) -> None:
    """ValueError, in words, if the page cannot be served there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ValueError(f"port {port} is in use (another demo?): choose another with --port") from None


def window_argument(wanted: bool) -> dict[str, str]:
    """The launch argument for a window, if one is wanted; where there is no display that is said, and none is asked for."""
    if not wanted:
        return {}
    from ar_render.window import NO_DISPLAY, display

    if not display():
        print(f"tsukumo: no window: {NO_DISPLAY}; going on without it", file=sys.stderr)
        return {}
    return {WINDOW: "true"}


def with_token(arguments: dict[str, str]) -> dict[str, str]:
    """The arguments, with a token for a page beyond loopback: one that outlives restarts of the page's process."""
    if arguments.get("host", "127.0.0.1") in ("127.0.0.1", "localhost", "::1") or arguments.get("token"):
        return arguments
    return {**arguments, "token": secrets.token_urlsafe(9)}


def start(launch_file: Path, arguments: Mapping[str, str], log: Log) -> Supervisor:
    """A supervisor of the launch file's processes, to be used as a context manager."""
    return Supervisor(processes(launch_file, arguments), log)
