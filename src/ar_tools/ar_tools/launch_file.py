"""Reads the subset of ROS 2's YAML launch format that our launch files use, where there is no ``ros2 launch``.

Actions: arg (with choices), let, set_env, node (with param, remap, env, if/unless), group, include. Substitutions: ``$(var x)``,
``$(env X)``, ``$(env X default)``, ``$(dirname)``, ``$(find-pkg-share pkg)``. Anything else is a clear error, so that a file
that works here works there (https://docs.ros.org/en/jazzy, "Launch file different formats").
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TYPES: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: _boolean(text),
}
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class LaunchError(ValueError):
    """A launch file or argument that cannot be used; the text names file and place."""


@dataclass(frozen=True)
class Process:
    """One node to be run as a process of its own."""

    package: str
    executable: str
    name: str
    namespace: str
    parameters: dict[str, Any]
    parameter_files: tuple[Path, ...]
    remaps: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]
    ros_arguments: tuple[str, ...]
    environment: dict[str, str]
    respawn: bool
    respawn_delay: float
    renamed: bool = True  # the node gets the process's name; else nodes keep their own


@dataclass
class Scope:
    """What is known at a place of the file."""

    directory: Path
    share: Callable[[str], Path]
    given: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    declared: dict[str, str] = field(default_factory=dict)


def read_launch_file(path: Path, arguments: Mapping[str, str], share: Callable[[str], Path]) -> list[Process]:
    """The processes that a launch file describes.

    ``share`` finds a package's share folder. LaunchError for an unknown argument, action, key or substitution.
    """
    scope = Scope(path.parent.resolve(), share, arguments)
    processes = _include(path, scope)
    if unknown := set(arguments) - set(scope.declared):
        names = "\n".join(f"  {name}: {text}" for name, text in scope.declared.items())
        raise LaunchError(f"{path.name} has no argument '{min(unknown)}'; it has\n{names}")
    return processes


def _include(path: Path, scope: Scope) -> list[Process]:
    try:
        data = yaml.safe_load(path.read_text())
        actions = data["launch"]
    except OSError as error:
        raise LaunchError(f"launch file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LaunchError(f"launch file {path}: not YAML ({' '.join(str(error).split())})") from None
    except (KeyError, TypeError):
        raise LaunchError(f"launch file {path}: has no list 'launch:'") from None
    return _actions(actions, scope, str(path))


def _actions(actions: Any, scope: Scope, where: str) -> list[Process]:
    processes: list[Process] = []
    for action in actions:
        if not isinstance(action, dict) or len(action) != 1:
            raise LaunchError(f"{where}: expected one action, found {action!r}")
        ((kind, body),) = action.items()
        if kind not in ACTIONS:
            raise LaunchError(f"{where}: action '{kind}' is not supported here (there are {', '.join(ACTIONS)})")
        processes += ACTIONS[kind](body, scope, f"{where}: {kind}")
    return processes


def _arg(body: dict[str, Any], scope: Scope, where: str) -> list[Process]:
    name = _known(body, where, "name", "default", "description", "choice")["name"]
    scope.declared[name] = body.get("description", "")
    if name in scope.given:
        scope.values[name] = scope.given[name]
    elif name not in scope.values:
        if "default" not in body:
            raise LaunchError(f"{where}: argument '{name}' must be given ({name}:=...)")
        scope.values[name] = _text(body["default"], scope, where)
    choices = [choice["value"] for choice in body.get("choice", [])]
    if choices and scope.values[name] not in choices:
        raise LaunchError(f"{where}: {name}:={scope.values[name]} is none of {', '.join(choices)}")
    return []


def _let(body: dict[str, Any], scope: Scope, where: str) -> list[Process]:
    _known(body, where, "name", "value", "if", "unless")
    if _wanted(body, scope, where):
        scope.values[body["name"]] = _text(body["value"], scope, where)
    return []


def _set_env(body: dict[str, Any], scope: Scope, where: str) -> list[Process]:
    _known(body, where, "name", "value", "if", "unless")
    if _wanted(body, scope, where):
        scope.environment[body["name"]] = _text(body["value"], scope, where)
    return []


def _group(body: Any, scope: Scope, where: str) -> list[Process]:
    if isinstance(body, list):
        # ROS writes a group as a list of actions, its conditions and namespace among them.
        inner = Scope(**{**vars(scope), "values": dict(scope.values), "environment": dict(scope.environment)})
        flags = {k: v for item in body for k, v in item.items() if k in ("if", "unless", "scoped")}
        actions = [item for item in body if not set(item) <= {"if", "unless", "scoped", "push_ros_namespace"}]
        for item in body:
            if "push_ros_namespace" in item:
                pushed = _text(item["push_ros_namespace"]["namespace"], scope, where)
                inner.namespace = f"{scope.namespace}/{pushed}".rstrip("/")
        return _actions(actions, inner, where) if _wanted(flags, scope, where) else []
    raise LaunchError(f"{where}: expected a list of actions")


def _include_action(body: dict[str, Any], scope: Scope, where: str) -> list[Process]:
    _known(body, where, "file", "arg", "if", "unless")
    if not _wanted(body, scope, where):
        return []
    path = Path(_text(body["file"], scope, where))
    inner = Scope(**{**vars(scope), "directory": path.parent.resolve(), "values": dict(scope.values)})
    for argument in body.get("arg", []):
        inner.values[argument["name"]] = _text(argument["value"], scope, where)
    return _include(path, inner)


def _node(body: dict[str, Any], scope: Scope, where: str) -> list[Process]:
    keys = ("pkg", "exec", "name", "namespace", "param", "remap", "env", "args", "ros_args", "respawn", "respawn_delay")
    _known(body, where, *keys, "output", "if", "unless")
    if not _wanted(body, scope, where):
        return []
    name = _text(body.get("name", body["exec"]), scope, where)
    where = f"{where} '{name}'"
    parameters: dict[str, Any] = {}
    files: list[Path] = []
    for entry in body.get("param", []):
        if "from" in _known(entry, where, "from", "name", "value", "type"):
            files.append(Path(_text(entry["from"], scope, where)))
        else:
            parameters[entry["name"]] = _value(entry, scope, where)
    environment = {e["name"]: _text(e["value"], scope, where) for e in body.get("env", [])}
    return [
        Process(
            package=_text(body["pkg"], scope, where),
            executable=_text(body["exec"], scope, where),
            name=name,
            renamed="name" in body,
            namespace=_text(body.get("namespace", scope.namespace), scope, where),
            parameters=parameters,
            parameter_files=tuple(files),
            remaps=tuple((_text(r["from"], scope, where), _text(r["to"], scope, where)) for r in body.get("remap", [])),
            arguments=tuple(_text(body.get("args", ""), scope, where).split()),
            ros_arguments=tuple(_text(body.get("ros_args", ""), scope, where).split()),
            environment={**scope.environment, **environment},
            respawn=_boolean(_text(body.get("respawn", "false"), scope, where)),
            respawn_delay=float(_text(body.get("respawn_delay", "0"), scope, where)),
        )
    ]


ACTIONS: dict[str, Callable[[Any, Scope, str], list[Process]]] = {
    "arg": _arg,
    "let": _let,
    "set_env": _set_env,
    "group": _group,
    "include": _include_action,
    "node": _node,
}


def _value(entry: dict[str, Any], scope: Scope, where: str) -> Any:
    """A parameter's value: of the stated type, or what YAML makes of the text, as launch_ros does."""
    if isinstance(entry["value"], list):
        return entry["value"]
    text = _text(entry["value"], scope, where)
    if "type" not in entry:
        return yaml.safe_load(text) if isinstance(entry["value"], str) else entry["value"]
    try:
        return TYPES[entry["type"]](text)
    except (KeyError, ValueError):
        raise LaunchError(f"{where}: parameter {entry['name']}: '{text}' is no {entry['type']}") from None


def _text(value: Any, scope: Scope, where: str) -> str:
    """The text with its substitutions replaced."""
    if isinstance(value, bool):
        return str(value).lower()

    def replace(match: re.Match[str]) -> str:
        kind, *words = match[1].split()
        words = [word.strip("'\"") for word in words]
        if kind == "var" and len(words) == 1:
            if words[0] not in scope.values:
                raise LaunchError(f"{where}: there is no argument or variable '{words[0]}'")
            return scope.values[words[0]]
        if kind == "env" and 1 <= len(words) <= 2:
            found = scope.environment.get(words[0], os.environ.get(words[0], words[1] if len(words) == 2 else None))
            if found is None:
                raise LaunchError(f"{where}: the environment variable {words[0]} is not set")
            return found
        if kind == "dirname" and not words:
            return str(scope.directory)
        if kind == "find-pkg-share" and len(words) == 1:
            return str(scope.share(words[0]))
        raise LaunchError(f"{where}: substitution $({match[1]}) is not supported here")

    return re.sub(r"\$\(([^()]*)\)", replace, str(value))


def _wanted(body: dict[str, Any], scope: Scope, where: str) -> bool:
    if "if" in body and not _boolean(_text(body["if"], scope, where)):
        return False
    return "unless" not in body or not _boolean(_text(body["unless"], scope, where))


def _boolean(text: str) -> bool:
    if text.lower() not in TRUE + FALSE:
        raise LaunchError(f"'{text}' is neither true nor false")
    return text.lower() in TRUE


def _known(body: dict[str, Any], where: str, *keys: str) -> dict[str, Any]:
    if unknown := set(body) - set(keys):
        raise LaunchError(f"{where}: key '{min(unknown)}' is not supported here")
    return body
