"""CEL expressions over a flow: compiled and checked once, evaluated by a library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from playbooks.model.hubble.filters.wording import WrongValue
from playbooks.model.hubble.proto import flow_pb2

if TYPE_CHECKING:
    from cel_expr_python import cel

LONGEST = 4096
"""Characters of an expression that Hubble takes."""
_VARIABLE = "_flow"
_STATUS = "INVALID_ARGUMENT"
_SIMPLE = {"NULL": "null_type", "TYPE": "type", "TIMESTAMP": "timestamp", "DURATION": "duration"}


@cache
def _environment() -> cel.Env:
    # Loaded only where an expression is compiled: the library is large, and starting must stay quick.
    from cel_expr_python import cel

    return cel.NewEnv(variables={_VARIABLE: cel.Type("flow.Flow")}, container="flow")


def any_expression(texts: Iterable[str]) -> Callable[[flow_pb2.Flow], bool]:
    """Whether one of these expressions is true of a flow; one that is not of truth is refused."""
    compiled = [_compiled(text) for text in texts]

    def holds(flow: flow_pb2.Flow) -> bool:
        for expression in compiled:
            found = _truth(expression, flow)
            if found is not False:
                return found is True
        return False

    return holds


def _truth(expression: cel.Expression, flow: flow_pb2.Flow) -> bool | None:
    """What an expression says of a flow; None where it cannot: then Hubble asks no further one either."""
    try:
        found = expression.eval(data={_VARIABLE: flow}).value()
    except RuntimeError:  # it took too many steps
        return None
    return found if isinstance(found, bool) else None


def _compiled(text: str) -> cel.Expression:
    if len(text) > LONGEST:
        raise WrongValue(
            f"error compiling CEL expression: expression code point size exceeds limit: size: {len(text)}, "
            f"limit {LONGEST}"
        )
    try:
        environment = _environment()
    except ImportError:
        raise WrongValue(
            "CEL expressions are evaluated here by the package cel-expr-python, which is not installed: "
            "install it, or let a Hubble server filter"
        ) from None
    try:
        expression = environment.compile(text)
    except (RuntimeError, TypeError, UnicodeError) as wrong:
        raise WrongValue(f"error compiling CEL expression: {_reason(str(wrong))}") from None
    kind = expression.return_type().name()
    if kind != "BOOL" or _may_be_null(environment, text):
        raise WrongValue(f'error compiling CEL expression: got "{_named(kind)}", wanted "bool" result type')
    return expression


def _may_be_null(environment: cel.Env, text: str) -> bool:
    """Whether the value may be absent, another type to Hubble: only such values compare with null."""
    try:
        environment.compile(f"({text}\n) == null")
    except RuntimeError:
        return False
    return True


def _named(kind: str) -> str:
    if kind == "BOOL":
        return "wrapper(bool)"
    return _SIMPLE.get(kind, kind.lower().replace("<", "(").replace(">", ")") if kind.isupper() else kind)


def _reason(text: str) -> str:
    return text.removeprefix(f"{_STATUS}: ").removesuffix(f" [{_STATUS}]")
