"""Equal words of many nodes take the memory of one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from playbooks.model.sharing import LONG, Words


class Part(msgspec.Struct, frozen=True):
    name: str
    labels: tuple[str, ...] | None = None
    options: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    parts: tuple[Part, ...]
    numbers: tuple[int | bool, ...]
    said: str


def whole(mark: str) -> Whole:
    """Equal to every other one, of strings of its own."""
    word = "".join(["some", "thing", mark])
    part = Part(word, ("".join(["k8s:app=", mark]),), {"key": "".join(["value", mark])})
    return Whole((part,), (1, True, 0, False), "".join(["said", mark] * LONG))


def test_equal_words_and_lists_of_them_are_kept_once() -> None:
    words = Words()
    one, other = whole("x"), whole("x")
    assert one.parts[0].name is not other.parts[0].name
    assert (words.share(one), words.share(other)) == (one, other)
    assert one == other == whole("x")
    assert one.parts[0].name is other.parts[0].name
    assert one.parts[0].labels is other.parts[0].labels
    assert one.parts[0].options is not None
    assert other.parts[0].options is not None
    assert one.parts[0].options["key"] is other.parts[0].options["key"]


def test_what_is_only_equal_stays_what_it_was() -> None:
    words = Words()
    words.share((0, 1))
    told = whole("x")
    words.share(told)
    assert [type(number) for number in told.numbers] == [int, bool, int, bool]


def test_words_are_known_up_to_a_number() -> None:
    words = Words(limit=2)
    first = words.share("".join(["a", "bc"]))
    words.share("def")
    words.share("ghi")
    again = words.share("".join(["a", "bc"]))
    assert again == first
    assert again is not first


def test_something_endlessly_deep_is_left_alone() -> None:
    thing: tuple[object, ...] = ("deep",)
    for _ in range(5000):
        thing = (thing,)
    assert Words().share(thing) is not None
