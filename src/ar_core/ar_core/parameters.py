"""Parameters of a node, declared once as a frozen dataclass.

>>> @dataclass(frozen=True)
... class Parameters:
...     every: int = parameter(3, "run the network on every n-th frame", minimum=1, maximum=30)

``declare(node, Parameters)`` makes ROS parameters of the fields, with type, range and description as descriptors, so that
``ros2 param describe`` and the code agree. A value from outside that does not fit is refused with one clear line and the
default is used: a kiosk must come up.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rclpy.node import Node

P = TypeVar("P")


@dataclass(frozen=True)
class Constraint:
    """What a parameter means and which values it takes."""

    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: Any, default: Any) -> Any:
        """The value in the default's type; ValueError, in words, if it does not fit."""
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(default, tuple):
            value = tuple(value) if isinstance(value, list | tuple) else value
        if type(value) is not type(default):
            raise ValueError(f"parameter {name}: {value!r} is no {type(default).__name__}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            low = -float("inf") if self.minimum is None else self.minimum
            high = float("inf") if self.maximum is None else self.maximum
            if not low <= value <= high:
                raise ValueError(f"parameter {name}: {value!r} is not between {low:g} and {high:g}")
        if self.choices and value not in self.choices:
            raise ValueError(f"parameter {name}: {value!r} is none of {', '.join(self.choices)}")
        return value


def parameter(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field (bool, int, float, str or tuple of str) that becomes a ROS parameter."""
    return field(default=default, metadata={"constraint": Constraint(description, minimum, maximum, choices)})


def constraints(parameters: Any) -> dict[str, tuple[Any, Constraint]]:
    """Name -> (default, constraint) of a parameter dataclass."""
    return {f.name: (f.default, f.metadata["constraint"]) for f in fields(parameters)}


def changed(current: P, changes: dict[str, Any]) -> P:
    """A copy with some values replaced; ValueError, in words, for one that does not fit."""
    known = constraints(current)
    checked = {}
    for name, value in changes.items():
        default, constraint = known[name]
        checked[name] = constraint.check(name, value, default)
    return dataclasses.replace(current, **checked)  # type: ignore[type-var]


def declare(node: Node, parameters: type[P]) -> P:
    """Declare the fields of a parameter dataclass on a node and return their values."""
    from rcl_interfaces.msg import ParameterDescriptor

    values = {}
    for name, (default, constraint) in constraints(parameters).items():
        plain = list(default) if isinstance(default, tuple) else default
        descriptor = _descriptor(constraint, default)
        # The range is checked here, not by rclpy, which would raise and take the node down.
        given = node.declare_parameter(name, plain, ParameterDescriptor(dynamic_typing=True)).value
        try:
            values[name] = constraint.check(name, given, default)
        except ValueError as error:
            node.get_logger().error(f"{error}; using {default!r}")
            values[name] = default
        node.undeclare_parameter(name)
        final = list(values[name]) if isinstance(default, tuple) else values[name]
        node.declare_parameter(name, final, descriptor, ignore_override=True)
    return parameters(**values)


def _descriptor(constraint: Constraint, default: Any) -> Any:
    from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

    words = constraint.description + (f" ({', '.join(constraint.choices)})" if constraint.choices else "")
    descriptor = ParameterDescriptor(description=words)
    if constraint.minimum is not None and constraint.maximum is not None:
        if isinstance(default, float):
            bounds = FloatingPointRange(from_value=float(constraint.minimum), to_value=float(constraint.maximum))
            descriptor.floating_point_range = [bounds]
        elif isinstance(default, int) and not isinstance(default, bool):
            whole = IntegerRange(from_value=int(constraint.minimum), to_value=int(constraint.maximum), step=1)
            descriptor.integer_range = [whole]
    return descriptor
