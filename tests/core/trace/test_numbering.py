"""Each call of a run has a key of its own."""

from scaffolding_core.trace.numbering import Keys
from scaffolding_core.trace.record import Key


def test_no_key_is_handed_out_twice_whether_in_turn_or_out_of_it():
    keys = Keys({"known": 5})
    assert keys.following("known") == Key("known", 5)
    assert keys.take(Key("new", 1))
    assert not keys.take(Key("new", 1))
    assert [keys.following("new").index for _ in range(3)] == [0, 2, 3]
    assert not keys.take(Key("new", 0))
    assert not keys.take(Key("new", 1))
