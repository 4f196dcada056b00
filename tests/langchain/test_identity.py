"""What tells one model from another where answers are cached."""

from langchain_scaffolding.identity import identity


class Judge:
    def __init__(self, strictness):
        self.strictness = strictness

    def score(self, prompt, answer):
        return self.strictness


def test_a_method_of_an_object_is_told_by_what_the_object_holds():
    assert identity(Judge(1).score) == identity(Judge(1).score)
    assert identity(Judge(1).score) != identity(Judge(2).score)


def test_an_object_that_holds_itself_has_an_end():
    judge = Judge(1)
    judge.callback = judge.score
    assert identity(judge.score) == identity(judge.score)
