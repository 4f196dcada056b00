"""Texts of configurations: what they mean, where each value stands, and what is refused."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.config_text import Tree, Where, near_miss, read_tree, tree_of, tree_text
from scaffolding_core.errors import InvalidRequestError, MissingExtraError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.sampled_from(list("~-=?")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
looks_otherwise = st.from_regex(r"[-+]?[0-9.]{1,4}([eE][-+]?[0-9]{1,2})?|yes|No|on|~|null|1:30|0x1F|1_000|\.inf")


@pytest.mark.parametrize("in_json", [True, False], ids=["JSON", "YAML"])
class TestBothFormats:
    @given(data=trees | st.dictionaries(texts, looks_otherwise, max_size=3))
    def test_what_is_written_is_read_again(self, in_json, data):
        assert tree_of(tree_text(data, in_json=in_json), in_json=in_json).data == data

    @given(data=trees)
    def test_each_value_has_its_place(self, in_json, data):
        def paths(value, path=()):
            yield path
            items = (
                value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            )
            for key, each in items:
                yield from paths(each, (*path, key))

        tree = tree_of(tree_text(data, in_json=in_json), in_json=in_json)
        assert set(paths(data)) == set(tree.places)

    def test_a_key_that_stands_twice_is_told_with_its_line(self, in_json):
        with pytest.raises(InvalidRequestError, match=r"^f:3:2: the key 'a' stands here twice$"):
            tree_of('{"a": 1,\n "b": 2,\n "a": 3}', "f", in_json=in_json)

    def test_what_is_nested_without_an_end_is_refused(self, in_json):
        with pytest.raises(InvalidRequestError, match="nested too deeply"):
            tree_of("[" * 100_000, "f", in_json=in_json)

    def test_what_no_file_can_hold_is_refused(self, in_json):
        for value in (print, object(), *(["\ud83d"] if in_json else [])):
            with pytest.raises(InvalidRequestError, match="no file can hold"):
                tree_text({"a": value}, in_json=in_json)

    def test_infinity_is_a_number_and_what_is_no_number_no_value(self, in_json):
        assert tree_of(tree_text([float("inf")], in_json=in_json), in_json=in_json).data == [float("inf")]
        text = "[NaN]"
        if in_json:
            with pytest.raises(InvalidRequestError, match="NaN"):
                tree_of(text, in_json=True)
        else:
            assert tree_of(text).data == ["NaN"]


def test_places_are_lines_and_columns():
    text = '{"a": [1,\n  {"b": "x, {y"}],\n "c\\"d": true}'
    for in_json in (True, False):
        places = tree_of(text, in_json=in_json).places
        assert places[("a",)] == (1, 2)
        assert places[("a", 0)] == (1, 8)
        assert places[("a", 1, "b")] == (2, 4)
        assert places[('c"d',)] == (3, 2)


def test_yaml_means_what_json_means_and_no_more():
    text = "answers: [yes, no, on, 1:30, 2024-01-05, 010, 1e-3, true, ~, 0x1F]"
    read = ["yes", "no", "on", "1:30", "2024-01-05", 10, 0.001, True, None, "0x1F"]
    assert tree_of(text).data == {"answers": read}


def test_anchors_and_merges():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{x: 5}, *a]}"
    assert tree_of(text).data == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
        "d": {"x": 5, "y": 2},
    }


BOMB = "a0: &a0 [1, 2]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 64))
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 64)
)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a: &a [*a]", r"^f:1:4: an anchor holds itself"),
        ("a: &a {b: {c: *a}}", r"^f:1:4: an anchor holds itself"),
        ("a: &a\n  <<: *a", "none into itself"),
        ("a: {<<: 3}", "only a mapping can be merged"),
        (BOMB, "more than 100000 values"),
        (MERGE_BOMB, "more than 100000 values"),
        ("a: !!python/object/apply:os.system [x]", "^f:1:4: .*only plain values"),
        ("a: !!timestamp 2024-01-01", "only plain values"),
        ("a: !!map x", "only plain values"),
        ("a: !!seq {b: 1}", "only plain values"),
        ("a: !!int x", "only plain values"),
        ("1: 2", "^f:1:1: a key must be a text, got '1'"),
        ("? [a]\n: 1", "a key must be a text"),
        ("a: [", "^f cannot be read"),
        ("a: 1\n---\nb: 2", "^f cannot be read"),
        ("a: \x00", "^f cannot be read"),
        ("a: " + "1" * 5000, "^f cannot be read"),
    ],
)
def test_what_yaml_allows_and_no_configuration_means_is_refused(text, match):
    with pytest.raises(InvalidRequestError, match=match):
        tree_of(text, "f")


def test_files_are_told_by_their_names(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_tree(tmp_path / "a.json").data == read_tree(str(tmp_path / "a.yml")).data == {"a": 1}
    (tmp_path / "empty.yaml").write_text("")
    assert read_tree(tmp_path / "empty.yaml").data is None


@pytest.mark.parametrize("name", ["none.yaml", "folder", "latin.yaml", "empty.json"])
def test_a_file_that_cannot_be_read_is_one_typed_error_with_its_name(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes("ä: 1".encode("latin-1"))
    (tmp_path / "empty.json").write_text("")
    with pytest.raises(InvalidRequestError, match=f"{name} cannot be read") as raised:
        read_tree(tmp_path / name)
    assert isinstance(raised.value, OSError) == (name in ("none.yaml", "folder"))
    assert "\n" not in str(raised.value)


def test_yaml_is_an_extra_and_json_is_not(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "scaffolding_core.config_text.yaml_text", raising=False)
    (tmp_path / "a.json").write_text("{}")
    assert read_tree(tmp_path / "a.json").data == {}
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[yaml\]"):
        tree_of("{}")


class TestWhere:
    TREE = Tree({"a": {"b": 1}}, {(): (1, 1), ("a",): (2, 1)}, "f")

    def test_says_the_nearest_place_that_is_written(self):
        assert str(Where(self.TREE) / "a") == "f:2:1"
        assert str(Where(self.TREE) / "a" / "b" / 3) == "f:2:1"
        assert str(Where(self.TREE) / "z") == "f:1:1"

    def test_says_the_keys_where_there_is_no_file(self):
        assert str(Where() / "a" / 3 / "b") == "a.3.b"
        assert str(Where().error("it is wrong")) == "it is wrong"

    def test_an_error_keeps_its_type_and_its_first_place(self):
        with pytest.raises(MissingExtraError), Where(self.TREE)():
            raise MissingExtraError("it", "yaml")
        with pytest.raises(InvalidRequestError, match=r"^f:2:1: it is wrong$"), Where(self.TREE)():
            raise (Where(self.TREE) / "a").error("it is wrong")
        with pytest.raises(KeyError, match="it"), Where(self.TREE)():
            raise KeyError("it")

    def test_a_mapping_has_known_names(self):
        where = Where(self.TREE)
        assert where.mapping({"a": 1}, "it", ["a"]) == {"a": 1}
        for value, match in (
            ([], "must be a mapping"),
            ({1: 2}, "no text"),
            ({"ab": 1}, "has no 'ab', did you mean"),
        ):
            with pytest.raises(InvalidRequestError, match=match):
                where.mapping(value, "it", ["abc"])


def test_a_near_miss_is_named_beside_all_names():
    assert near_miss("majority-vot", ["direct", "majority_vote"]) == (
        ", did you mean 'majority_vote'? there are: direct, majority_vote"
    )
    assert near_miss("x", []) == "; there are: none"
    assert near_miss(3, ["direct"]) == "; there are: direct"


def test_json_is_yaml_too():
    data = {"a": [1, 2.5, "x", None, True, {"b": []}]}
    assert tree_of(json.dumps(data)).data == data
