import threading

import pytest

from apps.core.together import Together
from tests.workers import eventually


class Poison(Exception):
    """What one bad item does."""


class Away(Exception):
    """What is nobody's fault."""


class Work:
    """Doubles numbers; stops at a gate while others gather."""

    def __init__(self, *, gate=False):
        self.pieces = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        if not gate:
            self.gate.set()

    def __call__(self, items):
        self.pieces.append(list(items))
        self.begun.set()
        assert self.gate.wait(10)
        if "poison" in items:
            raise Poison
        if "away" in items:
            raise Away("gone")
        return [2 * item for item in items]


def all_at_once(together, work, items):
    """Let the first item begin, the others gather behind it, and return what became of each."""
    outcomes = {}

    def call(place, item):
        try:
            outcomes[place] = together.do(item)
        except (Poison, Away) as problem:
            outcomes[place] = problem

    threads = [threading.Thread(target=call, args=pair) for pair in enumerate(items)]
    threads[0].start()
    assert work.begun.wait(10)
    for place, thread in enumerate(threads[1:], 1):
        thread.start()
        eventually(lambda place=place: len(together._waiting) >= place)
    work.gate.set()
    for thread in threads:
        thread.join(10)
    return [outcomes[place] for place in range(len(items))]


def test_who_comes_alone_is_served_alone():
    work = Work()
    together = Together(work, most=10)
    assert [together.do(1), together.do(2)] == [2, 4]
    assert work.pieces == [[1], [2]]


def test_those_who_come_meanwhile_are_served_by_one_piece_of_work():
    work = Work(gate=True)
    assert all_at_once(Together(work, most=100), work, [1, 2, 3, 4]) == [2, 4, 6, 8]
    assert work.pieces == [[1], [2, 3, 4]]


def test_a_piece_of_work_has_no_more_than_its_most():
    work = Work(gate=True)
    assert all_at_once(Together(work, most=2), work, [1, 2, 3, 4]) == [2, 4, 6, 8]
    assert work.pieces == [[1], [2, 3], [4]]


def test_one_bad_item_is_bad_for_itself_only():
    work = Work(gate=True)
    outcomes = all_at_once(Together(work, most=100), work, [1, 2, "poison", 4])
    assert [outcomes[0], outcomes[1], type(outcomes[2]), outcomes[3]] == [2, 4, Poison, 8]


def test_what_is_nobodys_fault_is_told_to_all_and_not_tried_again():
    work = Work(gate=True)
    outcomes = all_at_once(Together(work, most=100, blameless=(Away,)), work, [1, 2, "away"])
    assert outcomes[0] == 2
    assert [(type(one), one.args) for one in outcomes[1:]] == [(Away, ("gone",))] * 2
    assert work.pieces == [[1], [2, "away"]]


def test_after_a_failure_the_next_is_served():
    together = Together(Work(), most=10)
    with pytest.raises(Poison):
        together.do("poison")
    assert together.do(1) == 2


def test_nobody_is_lost_and_nobody_gets_anothers_result():
    together = Together(Work(), most=7)
    wrong = []

    def call(start):
        wrong.extend(item for item in range(start, start + 300) if together.do(item) != 2 * item)

    threads = [threading.Thread(target=call, args=(1000 * number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)
