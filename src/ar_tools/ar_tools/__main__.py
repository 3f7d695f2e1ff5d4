"""The ``tsukumo`` command, once the environment is set up (the script of that name at the top does it)."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ar_camera import calibrate
from ar_tools import graph
from ar_tools.bags import commands as bag_commands
from ar_tools.bench import parser as bench_parser
from ar_tools.compress import parser as compress_parser
from ar_tools.eval import parser as eval_parser

DEFAULT_FRAMES = 3
"""Frames on their way in lock-step: enough for two cores to be busy."""


def main() -> None:
    """Parse the command line and run one command; a ValueError of any of them is one line and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="tsukumo", description="Point a camera at any real object and it comes alive."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="bring an object to life and leave video, .glb and figures in out/")
    demo.add_argument(
        "--source", default="embedded", help="embedded, V4L2 device, video, folder of images, bag or ROS topic"
    )
    demo.add_argument("--camera-info", default="", help="calibration (camera_info YAML)")
    demo.add_argument("--topic", default="", help="of a bag: the pictures to take (default: the topic with the most)")
    demo.add_argument("--headless", action="store_true", help="no page: run the input once and exit")
    demo.add_argument("--seconds", type=float, default=0.0, help="stop after so many seconds")
    demo.add_argument("--out", default="out", help="folder for the results (default: out)")
    demo.add_argument(
        "--host", default="127.0.0.1", help="address of the page; 0.0.0.0: reachable from outside, with a token"
    )
    demo.add_argument("--port", type=int, default=8080, help="port of the page")
    _add_window(demo)
    _add_theme(demo)
    _add_lockstep(demo)
    _add_single(demo)
    demo.add_argument("--verbose", action="store_true", help="show everything that the nodes say")

    up = commands.add_parser("up", help="run a launch file until Ctrl-C")
    up.add_argument("words", nargs="*", metavar="[FILE] ARG:=VALUE", help="launch file and arguments")
    _add_window(up)

    awaken = commands.add_parser("awaken", help="make the character of one photograph")
    awaken.add_argument("photo", help="a photograph; or an artist's rigged .glb, which is made ready for guest:=FILE")
    awaken.add_argument("--tap", help="X,Y: the object at this pixel")
    awaken.add_argument("--box", help="X,Y,W,H: the object in this box")
    awaken.add_argument("-o", "--output", default="out.glb")
    awaken.add_argument("--height", type=float, default=0.12, help="height of the object, metres")
    awaken.add_argument("--up", choices=("y", "z"), default="y", help="of a .glb: the axis that is up (default: y)")
    awaken.add_argument(
        "--turn", type=float, default=0.0, metavar="DEGREES", help="of a .glb: if it does not look along +z"
    )
    _add_theme(awaken)

    gallery = commands.add_parser("gallery", help="characters of many pictures, looked at from all sides and checked")
    gallery.add_argument("images", help="folder of cut-outs (RGBA) or photographs")
    gallery.add_argument(
        "--out", default="gallery", metavar="DIR", help="folder for what comes of it (default: gallery)"
    )
    gallery.add_argument("--height", type=float, default=0.10, help="height of the objects, metres")
    _add_theme(gallery)

    bag_commands.add_parsers(commands)

    replay = commands.add_parser("replay", help="play a recorded bag to the stages, or to some of them")
    replay.add_argument("bag", type=Path)
    _add_theme(replay)
    replay.add_argument("--rate", type=float, default=1.0, help="times the recorded pace")
    _add_lockstep(replay, "--window")
    replay.add_argument(
        "--stages", default="detect,segment,slam,character,render", metavar="STAGE,…",
        help="those that run (default: all); the others say what they said in the bag",
    )  # fmt: skip
    replay.add_argument(
        "--remap", nargs="+", action="extend", default=[], metavar="FROM:=TO", help="a topic of the bag, another name"
    )
    replay.add_argument("--out", type=Path, metavar="BAG2", help="record what comes of it")
    _add_single(replay)
    replay.add_argument("--verbose", action="store_true", help="show everything that the nodes say")

    bench_parser.add(commands)
    check = commands.add_parser("check-stage", help="does a node keep the topic contract of the stage it replaces?")
    check.add_argument("stage", choices=("detect", "segment", "slam", "character", "render"))
    which = check.add_mutually_exclusive_group()
    which.add_argument(
        "--package", default="", metavar="PKG", help="the executable `node` of a package (default: ours)"
    )
    which.add_argument("--executable", nargs=2, metavar=("PKG", "EXE"), help="another executable of a package")
    which.add_argument("--command", dest="command_line", default="", metavar="LINE", help="a command that starts it")
    check.add_argument("--verbose", action="store_true", help="show everything that the node says")
    eval_parser.add(commands)
    compress_parser.add(commands)
    calibrate.add(commands)
    commands.add_parser("doctor", help="say what is wrong with this machine and what to do")
    commands.add_parser("setup", help="install what is missing, nothing else")
    commands.add_parser("test", help="pass all tests; what stands behind it goes to pytest")

    options, rest = parser.parse_known_args()
    if rest and options.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    if options.command in ("demo", "replay"):
        options.lockstep = _lockstep(parser, options)
    alone = options.command in ("replay", "check-stage")
    if options.command in ("demo", "bench"):
        alone = not graph.is_topic(options.source)
    graph.set_environment(graph.project_root(), alone=alone)
    try:
        sys.exit(run(options))
    except ValueError as error:
        sys.exit(f"tsukumo: {error}")


def _add_theme(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--theme", default="plain", help="what characters wear and do: plain, band, …, or a folder with a theme.yaml"
    )


def _add_window(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--window", action="store_true", help="the pictures on this machine's display, too; a click taps, Escape ends"
    )


def _add_lockstep(command: argparse.ArgumentParser, *also: str) -> None:
    command.add_argument(
        "--lockstep", action="store_true", help="every stage handles every frame: two runs give the same bytes"
    )
    command.add_argument(
        "--frames", *also, type=int, metavar="W", help="in lock-step, W frames (3) on their way at most"
    )


def _add_single(command: argparse.ArgumentParser) -> None:
    command.add_argument("--single", action="store_true", help="all stages in one process (composition:=single)")


def _lockstep(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """The frames on their way as the nodes' parameter has them: 0 where they are not counted."""
    if options.frames is None:
        return DEFAULT_FRAMES if options.lockstep else 0
    if not options.lockstep:
        parser.error("--frames belongs to --lockstep")
    if options.frames < 1:
        parser.error(f"--frames {options.frames}: at least 1")
    return int(options.frames)


def run(options: argparse.Namespace) -> int:
    """One command; the exit code. What a command needs is imported when it is called: OpenVINO alone takes half a second."""
    if options.command == "demo":
        from ar_tools.demo import demo

        return demo(options)
    if options.command == "up":
        return up(options.words, window=options.window)
    if options.command == "awaken":
        from ar_tools.awaken import awaken

        return awaken(options)
    if options.command == "gallery":
        from ar_tools.gallery import gallery

        return gallery(options)
    if options.command in bag_commands.COMMANDS:
        return bag_commands.run(options)
    if options.command == "replay":
        from ar_tools.replay.command import replay

        return replay(options)
    if options.command == "bench":
        from ar_tools.bench.command import bench

        return bench(options)
    if options.command == "check-stage":
        from ar_tools.check_stage.command import check_stage

        return check_stage(options)
    if options.command == "eval":
        return eval_parser.run(options)
    if options.command in ("profile", "compress"):
        return compress_parser.run(options)
    if options.command == "calibrate":
        return calibrate.calibrate(options)
    if options.command == "doctor":
        from ar_tools.doctor import doctor

        return doctor()
    if options.command == "test":
        from ar_tools.testing import test

        return test(options.rest)
    return 0


def up(words: list[str], *, window: bool) -> int:
    """Run a launch file until Ctrl-C, until its window is closed, or until nothing is left to run."""
    root = graph.project_root()
    file = Path(words.pop(0)) if words and ":=" not in words[0] else root / "launch" / "tsukumo.launch.yaml"
    arguments = graph.with_token({**graph.arguments_from(words), **graph.window_argument(window)})
    with graph.fresh_snapshots(), graph.start(file, arguments, graph.Log()) as supervisor:
        try:
            while supervisor.running() and not supervisor.closed(graph.WINDOW):
                time.sleep(0.2)
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    main()
