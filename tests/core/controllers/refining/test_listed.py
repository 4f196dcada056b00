"""Lists as models write them."""

import pytest

from scaffolding_core.controllers.refining.listed import listed


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1. one\n2) two\n(3) three", ["one", "two", "three"]),
        ("- one\n* two\n• three", ["one", "two", "three"]),
        ("Here they are:\n\n1. one\n\n2. two", ["one", "two"]),
        ("1. one\n   and more\n2. two", ["one and more", "two"]),
        ("**1.** one\n**Question 2:** two\nQ3: three", ["one", "two", "three"]),
        ("1. **one**\n2. one\n3. **one**", ["one"]),
        ("one\n\n  two  ", ["one", "two"]),
        ("1. from 1. to 2.\n2. in 1984. Or so", ["from 1. to 2.", "in 1984. Or so"]),
        ("one\n1984: a year", ["one", "1984: a year"]),
        ("1.5 is a number", ["1.5 is a number"]),
        ("- \n1. ", []),
        ("", []),
        ("\n \n", []),
    ],
)
def test_items_begin_with_a_number_or_a_bullet_and_else_with_the_line(text, items):
    assert listed(text) == items


def test_a_hostile_text_takes_no_time():
    assert len(listed("*" * 100_000 + "\n" + "a" * 100_000)) == 1
    assert len(listed(" " * 100_000 + "1. x")) == 1
