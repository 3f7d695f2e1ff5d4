"""``tsukumo check-stage``: starts a node, plays the rest of the graph to it, prints what it makes of the topic contract."""

from __future__ import annotations

import argparse
import sys

from ar_core.running import check_middleware
from ar_tools.check_stage.expected import EXPECTED
from ar_tools.check_stage.faults import bad_input
from ar_tools.check_stage.good import Check
from ar_tools.check_stage.rig import Rig
from ar_tools.check_stage.rows import FAIL, NOTE, PASS, Row, failed, sentence, table
from ar_tools.check_stage.subject import Subject
from ar_tools.replay.player import ros


def check_stage(options: argparse.Namespace) -> int:
    """Run the command; the exit code: 0 the contract is kept, 1 it is not, 2 the node cannot be started."""
    check_middleware()
    package, executable = options.executable or (options.package, "")
    try:
        subject = Subject(options.stage, package, executable, options.command_line)
    except ValueError as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    with ros(), subject:
        rig = Rig(options.stage, EXPECTED[options.stage])
        try:
            rows = _rows(Check(options.stage, rig, subject))
        except KeyboardInterrupt:
            return 130
        finally:
            rig.close()
    print(table(rows))
    print(f"tsukumo: {sentence(options.stage, rows)}")
    if options.verbose or rows[0].verdict == FAIL:
        print("\n".join(f"    {line}" for line in subject.said), file=sys.stderr)
    return int(failed(rows))


def _rows(check: Check) -> list[Row]:
    rows = check.starts()
    if failed(rows):
        return rows
    rows += check.topics()
    rows += check.frames()
    check.rig.forget()
    rows += bad_input(check)
    return [*rows, _ends(check.subject)]


def _ends(subject: Subject) -> Row:
    if not subject.alive:
        return Row(NOTE, "ends", "it was dead already")
    code = subject.stop()
    if code == 0:
        return Row(PASS, "ends", "on SIGINT, with code 0")
    return Row(NOTE, "ends", f"on SIGINT with code {code}; a node that was told to end says 0")
