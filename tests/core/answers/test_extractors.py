"""Finding answers."""

import copy
import pickle
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from pydantic import BaseModel

from scaffolding_core import (
    AssistantMessage,
    Boxed,
    FirstOf,
    FromFunction,
    InvalidRequestError,
    Json,
    LastNumber,
    Parsed,
    Regex,
    Stated,
    Structure,
    ToolCall,
    ToolCalls,
    WholeText,
    default_extractor,
)
from scaffolding_core.answers import FromMessage


def said(text, calls=None):
    return AssistantMessage(text, None, calls)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{42}.", "42"),
        (r"\boxed{1}, no: \boxed{ \frac{1}{2} }", r"\frac{1}{2}"),
        (r"\fbox{yes} and \boxed {x^{2}+{y}}", "x^{2}+{y}"),
        (r"first \boxed{7} then cut short \boxed{8", "7"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\boxed{3}}", "3"),
        (r"\boxed{\begin{pmatrix}1\\{2}\end{pmatrix}}", r"\begin{pmatrix}1\\{2}\end{pmatrix}"),
        (r"a { stray brace, \boxed{5}", "5"),
        (r"\boxed{}", None),
        ("no box", None),
    ],
)
def test_the_last_complete_box(text, answer):
    assert Boxed().extract(said(text)) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 42.", "42"),
        ("The answer is: **3.5**.\nDone", "3.5"),
        ("work\n#### 1,234", "1,234"),
        ("Answer: Paris", "Paris"),
        ("the answer is 3. No, the answer is 4. Yes", "4"),
        ("**Answer:**\n\n42", "42"),
        ("The answer is 42.\nAnswer:", "42"),
        ("The answer isn't 5", None),
        ("The answer is not 5", None),
        ("**The answer is 42**", "42"),
        ("nothing here", None),
        ("The answer is $5.00.", "$5.00"),
        ("The answer is $5$.", "5"),
        ("The answer is $$", None),
        ("The answer is **7** apples.", "7 apples"),
        ("The answer is 7, because 3 + 4 = 7.", "7"),
        ("The answer is B since A is wrong.", "B"),
        ("The correct option is (C) 5 cm.", "(C) 5 cm"),
        ("One option is 5.", None),
    ],
)
def test_what_is_stated_as_the_answer(text, answer):
    assert Stated().extract(said(text)) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3 and -4.5", "-4.5"),
        ("1,000 or 50%", "50%"),
        ("half: 1/2", "1/2"),
        ("x2 b", None),
        ("about 1e3.", "1e3"),
        ("1, so .5", ".5"),
        ("so...5", "5"),
        ("x = −3", "−3"),
        ("a-4", "4"),
        ("2 1/2 cups", "2 1/2"),
        (r"so 2\frac{1}{2}.", r"2\frac{1}{2}"),
        (r"-\frac12", r"-\frac12"),
        ("2½", "2½"),
        ("at 3:30 pm", "3:30 pm"),
        ("It is 12:45.", "12:45"),
        ("on 2024-05-06", "2024-05-06"),
        ("5/6/2024", "5/6/2024"),
        ("10–20 or 3-4", "3-4"),
        ("3.0 × 10^8 m/s", "3.0 × 10^8"),
        (r"$3\times 10^{8}$", r"3\times 10^{8}"),
        ("$3 million", "3 million"),
        ("1 000 000 people", "1 000 000"),
        ("1.000,50", "1.000,50"),
        ("3,5", "3,5"),
        ("7, 8, 9", "9"),
        ("10 - 3 = 7", "7"),
        ("192.168.0.1", "192.168.0.1"),
        (r"50\%", r"50\%"),
        ("v1.2.3", None),
    ],
)
def test_the_last_number(text, answer):
    assert LastNumber().extract(said(text)) == answer


@pytest.mark.parametrize(
    ("text", "path", "answer"),
    [
        ('so {"a": {"b": [1, 2]}} ok', "", {"a": {"b": [1, 2]}}),
        ('```json\n{"a": {"b": [1, 2]}}\n```', "a.b[1]", 2),
        ('{"a": 1} then {"a": 2}', "a", 2),
        ('{"a": 1}', "b", None),
        ("{broken", "", None),
        ("[1, 2]", "[0]", 1),
        ('{"a": 1} Sources: [1]', "", {"a": 1}),
        ('{"a": 1} Sources: [7]', "[0]", 7),
        ('{"a": 1} see {"b": 2}', "a", 1),
        ('{"a": null}', "a", None),
        ('{"a": 0}', "a", 0),
        ('{"a": [1]}', "a[3]", None),
        ('{"a": "}"} {x}', "a", "}"),
        ("{x} " * 300 + '{"a": 1}', "a", 1),
        ('{"a": NaN}', "", None),
        ("[" * 400 + "]" * 400, "", None),
    ],
)
def test_the_last_json_value_or_a_part_of_it(text, path, answer):
    assert Json(path).extract(said(text)) == answer


def test_a_json_path_that_cannot_be_read_is_refused():
    with pytest.raises(InvalidRequestError, match=r"a\.b\[0\]\.c"):
        Json("a[b]")


def test_a_pydantic_model_as_plain_data():
    class City(BaseModel):
        name: str
        size: int = 1

    assert Parsed(City).extract(said('{"name": "Paris"}')) == {"name": "Paris", "size": 1}
    assert Parsed(City).extract(said('{"nam": "Paris"}')) is None
    assert Parsed(City).extract(said("Paris")) is None
    assert Parsed(City).extract(said('{"name": "Paris"} or {"nam": 1} [1]')) == {"name": "Paris", "size": 1}
    with pytest.raises(InvalidRequestError, match="pydantic"):
        Parsed("City")


def test_a_strict_pydantic_model_reads_text_as_json_does():
    class Day(BaseModel, strict=True):
        on: date

    assert Parsed(Day).extract(said('{"on": "2024-02-29"}')) == {"on": "2024-02-29"}


def test_tool_calls_without_ids_in_a_fixed_order_and_invalid_ones_abstain():
    one = [ToolCall("1", "b", '{"y": 1, "x": 2}'), ToolCall("2", "a", "{}")]
    other = [ToolCall("8", "a", ""), ToolCall("9", "b", '{"x":2,"y":1}')]
    assert ToolCalls().extract(said(None, one)) == ToolCalls().extract(said(None, other))
    assert ToolCalls().extract(said(None, [ToolCall("1", "a", '"Paris"')])) is None
    assert ToolCalls().extract(said(None, [ToolCall("1", "a", "{")])) is None
    assert ToolCalls().extract(said("text")) is None
    deep = '{"a":' + "[" * 400 + "]" * 400 + "}"
    for arguments in ('{"a":' * 100_000, deep, '{"a": NaN}', "1" * 5000):
        assert ToolCalls().extract(said(None, [ToolCall("1", "a", arguments)])) is None


def test_tool_calls_are_a_multiset():
    once, twice = [ToolCall("1", "a", "{}")], [ToolCall("1", "a", "{}"), ToolCall("2", "a", "{}")]
    assert ToolCalls().extract(said(None, once)) != ToolCalls().extract(said(None, twice))


def test_by_default_the_most_deliberate_statement_counts():
    extract = default_extractor().extract
    assert extract(said(r"answer: 1, \boxed{2}, 3")) == "2"
    assert extract(said("the answer is 1. 3 of them")) == "1"
    assert extract(said("1 or 2")) == "1 or 2"
    assert extract(said("Paris")) == "Paris"
    assert extract(said("")) is None
    assert extract(said("I call 3", [ToolCall("1", "a", "{}")])) == [["a", {}]]
    assert extract(said("I call 3", [ToolCall("1", "a", "{")])) is None
    assert extract(said(' {"name": "the answer is 1", "n": 2}\n')) == {"name": "the answer is 1", "n": 2}
    assert extract(said("{1, 2}")) == "{1, 2}"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes, 5 is prime.", "Yes"),
        ("No, 51 is 3 times 17.", "No"),
        ("The answer is yes, 5 is prime.", "yes"),
        ("The answer is 5, no more.", "5"),
        ("**No**", "No"),
        ("True. 2 + 2 = 4", "True"),
        ("no\nsince 7 < 8", "no"),
        ("No. 5 of them", "No. 5 of them"),
        ("Nothing but 5", "Nothing but 5"),
        ("No one saw 5", "No one saw 5"),
        ("Yes, the answer is 5", "5"),
        ("It takes 5 minutes.", "5 minutes"),
        ("It is 60 miles per hour, so fast", "60 miles per hour"),
        ("She has 18 eggs.", "18 eggs"),
        ("It costs $1,234.50.", "$1,234.50"),
        ("so $5$", "5"),
        (r"so $5 \text{ cm}$ in all", "5 cm"),
        ("it is $3 + 4 = 7$", "7"),
        ("100°C", "100°C"),
        ("2 m² of it", "2 m² of it"),
    ],
)
def test_by_default_a_verdict_counts_before_a_number_and_a_number_has_its_unit(text, answer):
    assert default_extractor().extract(said(text)) == answer


def test_the_first_that_finds_one_and_functions_of_ones_own():
    extractor = FirstOf(Boxed(), FromFunction(lambda text: text[:2] or None, costly=False), WholeText())
    assert extractor.extract(said("yes")) == "ye"
    assert not extractor.costly
    assert FirstOf(Boxed(), FromFunction(str)).costly
    assert FirstOf(Boxed(), Regex("a")).costly
    assert FromMessage(lambda message: message.reasoning).extract(AssistantMessage("a", "b")) == "b"
    assert FromFunction(len, costly=True).costly
    with pytest.raises(InvalidRequestError):
        FirstOf()


def test_a_pattern_gives_its_first_group_of_the_last_match():
    assert Regex(r"x=(\d+)").extract(said("x=1 x=22")) == "22"
    assert Regex(r"\d+").extract(said("x=1 x=22")) == "22"
    assert Regex(r"z").extract(said("x=1")) is None
    assert Regex(r"\d*").extract(said("x=1 x=22 ")) == "22"
    assert Regex("A", re.IGNORECASE).extract(said("a")) == "a"


@pytest.mark.parametrize(
    ("pattern", "timeout"),
    [("(", 1), (b"a", 1), ("a", 0), ("a", float("nan")), ("a", float("inf")), ("a", "1"), ("a{9999999999}", 1)],
)
def test_a_pattern_or_timeout_that_makes_no_sense_is_refused(pattern, timeout):
    with pytest.raises(InvalidRequestError):
        Regex(pattern, timeout=timeout)


def test_a_pattern_searches_the_end_of_a_text_of_any_length():
    assert Regex(r"\d+").extract(said("1" + "x" * 3_000_000 + "22")) == "22"
    assert Regex(r"\d+").extract(said("1" + "x" * 3_000_000)) is None


def test_a_pattern_works_off_the_main_thread():
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda i: Regex(r"x=(\d+)", timeout=60).extract(said(f"x={i}")), range(40))
        assert list(found) == [str(i) for i in range(40)]


def test_a_pattern_that_backtracks_for_ever_has_no_answer_in_bounded_time():
    assert Regex(r"(a+)+$", timeout=0.5).extract(said("a" * 40 + "b")) is None
    assert Regex(r"b").extract(said("ab")) == "b"


def test_a_pattern_that_hangs_keeps_no_other_waiting():
    endless = Regex(r"(a+)+$", timeout=60)
    assert endless.extract(said("a")) == "a"
    hanging = threading.Thread(target=endless.extract, args=(said("a" * 40 + "b"),))
    hanging.start()
    assert Regex(r"b").extract(said("ab")) == "b"
    assert hanging.is_alive()
    endless._pool.close()
    hanging.join()


def test_a_regex_may_be_copied_and_pickled():
    regex = Regex("X", re.IGNORECASE, timeout=7)
    for same in (copy.deepcopy(regex), pickle.loads(pickle.dumps(regex))):
        assert (same.pattern, same.timeout) == (regex.pattern, 7)
        assert same.extract(said("x")) == "x"


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{" * 20_000,
        "{" * 100_000,
        "1," * 50_000,
        "1" * 100_000,
        "answer is " * 20_000,
        "[" * 100_000,
        '{"a":' * 20_000,
        "\\" * 100_000,
        "-+.eE/%" * 15_000,
        r"\boxed" * 16_000,
        r"\boxed{" + " " * 100_000,
        "}" * 100_000,
        "answer" + " " * 100_000,
        "#### " * 20_000,
        "[1," * 30_000,
        "[1 " * 30_000,
        '{"' * 50_000,
        '[NaN,"' * 16_000,
        '["a", {x} ' * 10_000,
        "1/" * 50_000,
        "1,111" * 20_000,
        "." * 100_000,
        "1 " * 50_000,
        "1'" * 50_000,
        "1:" * 50_000,
        "111 " * 25_000,
        "$5 " * 30_000,
        "5 cm " * 20_000,
        "1×10^" * 20_000,
        r"\frac{1}{" * 11_000,
        "yes" * 33_000,
        "answer is 5 because " * 5_000,
        "the answer is $" * 6_000,
    ],
)
def test_hostile_text_costs_bounded_time(text):
    class Model(BaseModel):
        a: int

    for extractor in (Boxed(), Stated(), LastNumber(), Json("a"), Parsed(Model), WholeText(), default_extractor()):
        started = time.thread_time()
        extractor.extract(said(text))
        assert time.thread_time() - started < 2, extractor


@pytest.mark.parametrize("said_then", ["", "I cannot say.", None])
def test_json_in_a_thought_is_no_answer(said_then):
    thought = '<think>Perhaps {"a": 1}?' + ("" if said_then is None else f"</think>{said_then}")

    class Model(BaseModel):
        a: int

    for extractor in (Json(), Json("a"), Structure(), Parsed(Model)):
        assert extractor.extract(AssistantMessage(thought)) is None
    told = '<think>Perhaps {"a": 1}?</think>{"a": "<s>2</s>"}'
    assert Structure().extract(AssistantMessage(told)) == {"a": "<s>2</s>"}


def test_a_structure_comes_from_the_only_tool_call_or_from_json_in_the_text():
    def called(*arguments):
        return AssistantMessage('{"b": 2}', None, [ToolCall("1", "f", each) for each in arguments])

    assert Structure().extract(AssistantMessage('So: {"a": 1}.')) == {"a": 1}
    assert Structure().extract(called('{"a": 1}')) == {"a": 1}
    for message in (AssistantMessage("[1]"), AssistantMessage("1"), called("{"), called("[]"), called("{}", "{}")):
        assert Structure().extract(message) is None
