"""The two lists of filters as flags build them: any of the first has to match, and none of the second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from playbooks.model.hubble.filters.flag import FieldValue, Flag, Side
from playbooks.model.hubble.filters.flags import EXCLUSIVE
from playbooks.model.hubble.filters.wording import WrongValue, quoted
from playbooks.model.hubble.proto import flow_pb2

_ENDS = ("source", "destination")
_NAMED = ("pod", "service")


@dataclass(slots=True)
class FilterList:
    """One list while its flags arrive: what the left and the right filter hold."""

    left: flow_pb2.FlowFilter = field(default_factory=flow_pb2.FlowFilter)
    right: flow_pb2.FlowFilter = field(default_factory=flow_pb2.FlowFilter)
    namespaces: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    """By the ends they are for: `("source",)`, `("source", "destination")`."""
    given: list[str] = field(default_factory=list)
    """Names of the flags so far."""

    def add(self, flag: Flag, text: str) -> None:
        """Take one flag's value; what does not fit the others is refused."""
        if flag.name not in self.given:
            self.given.append(flag.name)
        self._check_exclusive()
        value = flag.read(text)
        if flag.side is Side.NAMESPACE:
            self.namespaces.setdefault(flag.fields, []).append(str(value))
        else:
            try:
                _append(self.left, flag.fields[0], value)
                _append(self.right, flag.fields[-1], value)
            except UnicodeEncodeError:
                raise WrongValue("string field contains invalid UTF-8") from None
        for side in (self.left, self.right):
            self._check_namespaces(side)

    def filters(self) -> list[flow_pb2.FlowFilter]:
        """The list's filters: none, one, or two that differ."""
        if not self.given:
            return []
        left, right = flow_pb2.FlowFilter(), flow_pb2.FlowFilter()
        left.CopyFrom(self.left)
        right.CopyFrom(self.right)
        for end in reversed(_ENDS):
            for side in (left, right):
                _prefix(side, end, self.namespaces.get((end,), ()))
        either = self.namespaces.get(_ENDS, ())
        _prefix(left, "source", either)
        _prefix(right, "destination", either)
        return [left] if left == right else [left, right]

    def _check_exclusive(self) -> None:
        for group in EXCLUSIVE:
            found = [name for name in group if name in self.given]
            if len(found) > 1:
                raise WrongValue(f"filters --{found[0]} and --{found[1]} cannot be combined")

    def _check_namespaces(self, side: flow_pb2.FlowFilter) -> None:
        wrong = list(self._conflicts(side))
        for end in _ENDS:
            wrong += _inconsistent(getattr(side, f"{end}_pod"), getattr(side, f"{end}_service"))
        if wrong:
            raise WrongValue("\n".join(wrong))

    def _conflicts(self, side: flow_pb2.FlowFilter) -> Iterable[str]:
        for ends in (_ENDS, ("source",), ("destination",)):
            for end in ends:
                for kind in _NAMED:
                    names = getattr(side, f"{end}_{kind}")
                    if wrong := _conflict(self.namespaces.get(ends, ()), names):
                        yield wrong


def _append(side: flow_pb2.FlowFilter, path: str, value: FieldValue) -> None:
    parent, _, name = path.rpartition(".")
    getattr(getattr(side, parent) if parent else side, name).append(value)


def _prefix(side: flow_pb2.FlowFilter, end: str, namespaces: Iterable[str]) -> None:
    namespaces = tuple(namespaces)
    if not namespaces:
        return
    pods, services = getattr(side, f"{end}_pod"), getattr(side, f"{end}_service")
    if not pods and not services:
        pods.append("")
    try:
        for names in (pods, services):
            names[:] = [full for name in names for full in _full(name, namespaces)]
    except UnicodeEncodeError:
        raise WrongValue("string field contains invalid UTF-8") from None


def _full(name: str, namespaces: tuple[str, ...]) -> Iterable[str]:
    return (name,) if "/" in name else (f"{namespace}/{name}" for namespace in namespaces)


def _namespace(name: str) -> str:
    namespace, slash, _ = name.partition("/")
    return namespace if slash else ""


def _conflict(namespaces: Iterable[str], names: Iterable[str]) -> str:
    for namespace in namespaces:
        for name in names:
            if _namespace(name) not in ("", namespace):
                return f"namespace conflict: {quoted(namespace)} does not contain {quoted(name)}"
    return ""


def _inconsistent(pods: Iterable[str], services: Iterable[str]) -> Iterable[str]:
    for pod in pods:
        for service in services:
            if (namespace := _namespace(pod)) and namespace != _namespace(service):
                yield f"namespace of service {quoted(service)} conflict with pod {quoted(namespace)}"
                return
