"""What a chain returns, as the answer."""

from langchain_core.messages import AIMessage, HumanMessage

from langchain_scaffolding.translation.results import part_of


def test_of_a_list_of_messages_the_last_is_the_answer():
    said = AIMessage("7")
    assert part_of([HumanMessage("3 + 4?"), said], None) is said
    assert part_of({"messages": [HumanMessage("3 + 4?"), said]}, "messages") is said


def test_a_list_of_anything_else_is_the_answer_itself():
    assert part_of([1, 2], None) == [1, 2]
    assert part_of([], None) == []
