from pathlib import Path

import pytest

from ar_tools.graph import project_root, share_folder
from ar_tools.launch_file import LaunchError, Process, read_launch_file


def read(tmp_path: Path, text: str, **arguments: str) -> list[Process]:
    file = tmp_path / "test.launch.yaml"
    file.write_text(text)
    return read_launch_file(file, arguments, lambda package: Path("/share") / package)


def test_our_own_launch_file() -> None:
    root = project_root()
    processes = read_launch_file(
        root / "launch/tsukumo.launch.yaml", {"segment_pkg": "mine", "port": "0"}, share_folder
    )
    by_name = {p.name: p for p in processes}
    assert list(by_name) == ["director", "web", "record", "detect", "segment", "slam", "character", "render", "camera"]
    assert by_name["segment"].package == "mine"
    assert by_name["web"].parameters["port"] == 0
    assert by_name["camera"].parameters["loop"] is True
    assert by_name["camera"].parameter_files == (root / "launch/config/tsukumo.yaml",)
    assert by_name["detect"].respawn
    assert by_name["detect"].respawn_delay == 0.5
    profile = by_name["detect"].environment["FASTRTPS_DEFAULT_PROFILES_FILE"]
    assert Path(profile).is_file()
    without = read_launch_file(root / "launch/tsukumo.launch.yaml", {"web": "false"}, share_folder)
    assert not {"web", "record"} & {p.name for p in without}


def test_every_action_and_substitution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "42")
    (tmp_path / "inner.launch.yaml").write_text(
        "launch:\n- arg: {name: who, default: nobody}\n- node: {pkg: p, exec: $(var who), name: inner}\n"
    )
    processes = read(
        tmp_path,
        """
launch:
- arg: {name: speed, default: "1.5", choice: [{value: "1.5"}, {value: "2"}]}
- arg: {name: wanted, default: "false"}
- let: {name: twice, value: $(var speed)$(var speed)}
- set_env: {name: A, value: $(env FROM_OUTSIDE)}
- set_env: {name: B, value: $(env NOWHERE fallback)}
- include: {file: $(dirname)/inner.launch.yaml, arg: [{name: who, value: me}]}
- group:
  - push_ros_namespace: {namespace: robot}
  - node: {pkg: p, exec: e, name: grouped}
- node:
    pkg: p
    exec: e
    name: full
    param:
    - {name: number, value: $(var speed)}
    - {name: text, value: $(var speed), type: str}
    - {name: list, value: [1, 2]}
    - from: $(find-pkg-share other)/x.yaml
    remap: [{from: a, to: b}]
    env: [{name: C, value: d}]
    args: one two
    if: $(var wanted)
""",
        wanted="true",
    )
    inner, grouped, full = processes
    assert inner.executable == "me"
    assert grouped.namespace == "/robot"
    assert full.namespace == ""
    assert full.parameters == {"number": 1.5, "text": "1.5", "list": [1, 2]}
    assert full.parameter_files == (Path("/share/other/x.yaml"),)
    assert full.remaps == (("a", "b"),)
    assert full.environment == {"A": "42", "B": "fallback", "C": "d"}
    assert full.arguments == ("one", "two")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("launch:\n- executable: {cmd: ls}", "action 'executable' is not supported"),
        ("launch:\n- node: {pkg: p, exec: e, machine: m}", "key 'machine'"),
        ("launch:\n- node: {pkg: p, exec: $(eval 1+1)}", "substitution \\$\\(eval 1\\+1\\)"),
        ("launch:\n- node: {pkg: p, exec: $(var nothing)}", "no argument or variable 'nothing'"),
        ("launch:\n- arg: {name: needed}", "'needed' must be given"),
        ("launch:\n- arg: {name: a, default: x, choice: [{value: y}, {value: z}]}", "a:=x is none of y, z"),
        ("launch:\n- node: {pkg: p, exec: e, if: maybe}", "neither true nor false"),
        ("launch:\n- node: {pkg: p, exec: e, param: [{name: n, value: x, type: int}]}", "'x' is no int"),
        ("nothing: here", "has no list 'launch:'"),
        ("launch: [}", "not YAML"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LaunchError, match=words):
        read(tmp_path, text)


def test_unknown_arguments_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"no argument 'b'; it has\n  a: first"):
        read(tmp_path, "launch:\n- arg: {name: a, default: x, description: first}", b="1")
    with pytest.raises(LaunchError, match="No such file"):
        read_launch_file(tmp_path / "none.yaml", {}, share_folder)


@pytest.mark.parametrize("composition", ["separate", "single"])
def test_the_weights_that_are_asked_for_reach_whoever_has_networks(composition: str) -> None:
    file = project_root() / "launch/tsukumo.launch.yaml"
    for weights in ("research", "clean"):
        given = {} if weights == "research" else {"weights": weights}
        processes = read_launch_file(file, {"composition": composition, **given}, share_folder)
        told = {p.name: p.parameters["weights"] for p in processes if "weights" in p.parameters}
        assert set(told.values()) == {weights}
        assert set(told) == ({"detect", "segment"} if composition == "separate" else {"together"})
    with pytest.raises(LaunchError, match="weights:=mine is none of research, clean"):
        read_launch_file(file, {"weights": "mine"}, share_folder)
