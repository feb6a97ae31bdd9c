"""What is made ready while somebody works on the last thing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from include.activation.ahead import Ahead
from include.errors import FatalError


def test_all_things_come_in_their_order_and_then_none() -> None:
    """None says that there are no more, however often one asks."""
    with Ahead(iter("abc")) as ahead:
        found = [ahead.next() for _ in range(5)]
    assert found == ["a", "b", "c", None, None]


def test_the_next_thing_is_made_while_nobody_has_asked_for_it() -> None:
    """The second one is begun as soon as the first one is taken."""
    begun = threading.Event()

    def things() -> Iterator[int]:
        yield 1
        begun.set()
        yield 2

    with Ahead(things()) as ahead:
        assert ahead.next() == 1
        assert begun.wait(timeout=30)


def test_what_the_iterator_raises_is_raised_to_whoever_asks() -> None:
    """Not before that: what was made before the error is still good."""

    def things() -> Iterator[int]:
        yield 1
        raise FatalError("no more")

    with Ahead(things()) as ahead:
        assert ahead.next() == 1
        with pytest.raises(FatalError, match="no more"):
            ahead.next()


def test_whoever_leaves_waits_until_nothing_is_being_made() -> None:
    """What the iterator reads from is free afterwards, and Python takes turns as before."""
    turn = sys.getswitchinterval()
    begun, going_on, made = threading.Event(), threading.Event(), []

    def things() -> Iterator[int]:
        yield 1
        begun.set()
        going_on.wait(timeout=30)
        made.append(2)
        yield 2

    with Ahead(things()) as ahead:
        assert ahead.next() == 1
        assert begun.wait(timeout=30)
        threading.Timer(0.05, going_on.set).start()
    assert made == [2]
    assert sys.getswitchinterval() == pytest.approx(turn)
