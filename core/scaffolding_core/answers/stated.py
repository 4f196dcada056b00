"""Stated: what follows the last "the answer is", or `####`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.sentences import first_sentence
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.value import bare
from scaffolding_core.messages import AssistantMessage

__all__ = ["Stated", "Statement", "statements"]

_HINT = pattern(
    r"answer|#### |<final|<output|<response|finish\[|sentiment|label|categor|class|predict|decision|"
    r"rating|score|grade|choice|letter|topic|intent|emotion|"
    r"language|letter|correct|right|best|result|solution|total|conclusion|答|정답|답|解|antwort|répons|reponse|respuest|"
    r"respost|rispost|ответ|відповідь|odpowied|svar|cevap|الجواب|الإجابة|उत्तर|đáp án|jawab|คำตอบ|結果|结果|選|选",
    re.IGNORECASE,
)
_IS = r"(?:is|are|was|were|will\sbe|would\sbe|must\sbe|should\sbe|becomes?|equals?|comes\sout\s(?:to\sbe|to|as))"
# A few words between, as in "the answer to this question is", but none that begins a clause of its own.
_GAP = (
    r"(?:\s?\([^()\n]{0,40}\))?(?:,?[ \t]{1,3}(?!(?:is|are|was|were|isn|not|if|options?|choices?|keys?|sheet|"
    r"it|this\squestion,"
    r"\swe|yet|no|cannot|can|would|could|should|must|will|becomes?|equals?|comes)\b)[\w'’/.%\-]{1,24},?){0,8}?"
)
_ENGLISH = rf"""
    (?P<tag><(?:final[_ ]?)?(?:answer|result|solution|final|output|response)>)
  | (?P<finish>\b[Ff]inish\[)
  | (?P<hash>\#\#\#\#)(?!\#)
  | (?<![\w/])(?<!to\ )(?<!can\ )(?<!cannot\ )(?<!ll\ )(?P<word>(?:final[ ]|correct[ ]|right[ ]|best[ ]){{0,3}}
      (?:answers?|(?:(?<=correct[ ])|(?<=right[ ])|(?<=best[ ]))(?:option|choice|one)))
      (?:["'”’*_`]{{0,4}})
      (?: \s?[:：=](?!=) | {_GAP}(?:\s?[:：](?=[\s*_$\\]) | \s?=(?!=)
          | [ \t]{{1,4}}{_IS}\b(?!\s?(?:not\b|n't|n’t)))
        | [ \t]{{1,4}}[-–—](?=\s) | [ \t]{{0,4}}\|
        | [ \t]{{0,4}}\*{{0,3}}[ \t]{{0,4}}\n )
  | (?:\A|(?<=\n))\s{{0,4}}(?P<short>A(?:ns(?:wer)?)?):[ \t]+(?=\S)
  | (?:^|(?<=\n))[\s\#*_>|]{{0,8}}(?P<label>(?:final\s|overall\s|grand\s)?(?:result|solution|conclusion
      |verdict|total))
      [*_]{{0,2}}\s?(?:[:：=]|\s\**\|)
  | (?:^|(?<=\n))[\s\#*_>]{{0,8}}(?P<field>sentiment|label|category|class(?:ification)?|prediction|decision
      |rating|score|
      grade|choice|letter|topic|intent|emotion|language)[*_]{{0,2}}\s?[:：](?=[^\n]*\w)
"""
_OTHERS = r"""
    (?P<cjk>(?:正确|正確|最终|最終|最后|最後)?(?:的)?(?:答案|答え|正解|結果|结果)(?:应该|應該|就|应|應|便)?\s?(?:(?:是|为|為|は|选|選)(?!不|非)\s?[：:]?|：|:|等于|等於|=)
      |(?:^|(?<=\n))答\s?[：:] | (?:정답|답)\s?(?:은|는|:|：))
  | (?P<inverted>\b(?:lautet|ist)\s(?:also\s|somit\s)?(?:die\s)?(?:richtige\s|endgültige\s)?antwort\b\s?:?)
  | (?P<comma>\b(?:antwort|antwoord|svaret?|réponse|reponse|respuesta|resposta|risposta|ответ|відповідь|odpowiedź|
      odpowiedz|cevap|jawaban(?:nya)?|đáp\sán|câu\strả\slời)
      (?:[ \t]+(?!(?:ist|est|es|is|é|è|är|lautet)\b)[\w'’]{1,20}){0,4}?
      (?:\s?[:：=—] | \s-\s | [ \t]+(?<!\bno\s)(?<!n['’])(?:ist|lautet|luidt|is|est|es|é|è|är|to|brzmi
          |adalah|là|равен|равна|это)\b(?!\s(?:nicht|pas|no)\b)))
  | (?P<arabic>(?:الجواب|الإجابة|الاجابة)(?:\s(?:الصحيح|الصحيحة|النهائي|النهائية))?\s?(?:هو|هي|:)
      |उत्तर\s?(?::|है)|คำตอบ(?:คือ|\s?:))
"""
_MARK = pattern(f"{_ENGLISH} | {_OTHERS}", re.IGNORECASE | re.VERBOSE)
_FIELD = pattern(
    r"^[\s#*_>-]{0,8}(?!(?:the\s|my\s)?(?:reason|explan|confid|rational|thought|analy|step|note|justif|evidence|answer|final))"
    r"[A-Za-z][\w ()/-]{0,30}[*_]{0,2}\s?:(?=[^\n]*\w)",
    re.IGNORECASE | re.MULTILINE,
)
_EMPHASIS_ENDS = pattern(r"\*{1,3}(?=[.!]?\Z)")
_NUMBER = pattern(r"\b\d{1,2}(?=\s?[:：])")
_PART = pattern(r"[\s#*]{0,6}(?:\(?[a-z0-9]{1,2}\)|\d{1,2}\.|Part\s\w{1,2}|[QP]\d{1,2})", re.IGNORECASE)
_LEAD = pattern(r"[\s*_:=>`]*")
_CLOSING_TAG = pattern(r"</(?:final[_ ]?)?(?:answer|result|solution|final|output|response)>", re.IGNORECASE)
_SUPPOSED = pattern(
    r"\b(?:if|suppose|supposing|assume|assuming|let's\ssay|whether|unless|had|were|check\sthat|verify\sthat)\b[^.!?\n]*$",
    re.IGNORECASE,
)
_RETRACTED = pattern(
    r"[\s*]*(?:wait\b|hold on|no[,:]\s|actually,|correction\b|hmm\b|scratch that)|[^.\n]{0,40}\bthat(?:'s|"
    r"\sis)\s(?:wrong|incorrect)",
    re.IGNORECASE,
)
_NEXT_QUESTION = pattern(r"(?:\n[ \t]{0,20}|[ \t])(?:Q|Question|Problem|Input|User|Human)\s?\d{0,3}:\s")
_ANNOUNCED = pattern(
    r"(?:as follows|the following|given below|below|this|simply|therefore|thus)[\s*:.]*\n[\s*]*", re.IGNORECASE
)
_HEADING = pattern(r"\s*\d{1,3}[.)]\s+[A-Za-z]")
_REASON = pattern(r",?\s(?:because|since)\s", re.IGNORECASE)
_DECIMAL_COMMA = pattern(r"(?<=\d),(?=\d{1,2}(?!\d)|\d{4,})")
_LONGEST = 1_000
_SEARCHED = 20_000
_LOOKED_AT = 8


class Statement(NamedTuple):
    """What a text states as its answer.

    Attributes:
        phrase: the rest of its sentence, with its markup; empty where the statement was cut short.
        start: where its mark begins.
        end: where what is stated begins.
        part: which part of a question it answers, as its line is marked: `1.`, `(a)`, `Answer 2`; mostly empty.
    """

    phrase: str
    start: int
    end: int
    part: str = ""


class Stated(Extractor):
    """What follows the last "answer is", "answer:" or `####` (as GSM8K writes it), to the end of the sentence.

    A reason behind it (`because`, `since`) is left out. Other languages' words for it count, too. What is only
    supposed, asked or taken back is passed over, and so is what a model goes on to write behind its answer,
    another question with its answer. Of a longer text, the last 20,000 characters are searched.
    """

    costly = False

    how = "stated"

    def extract(self, message: AssistantMessage) -> str | None:
        """The rest of the sentence, without markup around it; None if nothing is stated."""
        said = without_thoughts(message.text) or ""
        phrases = (bare(_REASON.split(found.phrase, maxsplit=1)[0]) for found in statements(said))
        return next(filter(None, phrases), None)


def statements(text: str) -> Iterator[Statement]:
    """The statements of an answer in a text, from the last to the first."""
    if not _HINT.search(text[-_SEARCHED:]):  # told much sooner than by the pattern
        return
    start = max(0, len(text) - _SEARCHED)
    marks = list(_MARK.finditer(text, start))
    if any(mark["field"] for mark in marks) and len(_FIELD.findall(text[start:])) != 1:
        marks = [mark for mark in marks if not mark["field"]]  # a record has several answers
    end = _end_of_answer(text, marks)
    for mark in reversed(marks[-_LOOKED_AT:]):
        if mark.end() > end or _SUPPOSED.search(text, _line_start(text, mark.start()), mark.start()):
            continue
        begin = _LEAD.match(text, mark.end(), end).end()  # type: ignore[union-attr]  # it matches the empty text, too
        said = _phrase(text[begin : min(end, begin + _LONGEST)], mark, text[mark.end() : begin])
        if said is not None:
            yield Statement(said, mark.start(), begin, _part(text, mark))


def _part(text: str, mark: re.Match[str]) -> str:
    number = _NUMBER.search(mark[0])
    line = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    found = number or _PART.match(line)
    return found[0].strip() if found else ""


def _end_of_answer(text: str, marks: list[re.Match[str]]) -> int:
    """Where the answer ends and the model begins to ask and answer itself."""
    if marks and (following := _NEXT_QUESTION.search(text, marks[0].end())):
        return following.start()
    return len(text)


def _line_start(text: str, position: int) -> int:
    return max(text.rfind("\n", 0, position), position - 200, 0)


def _phrase(rest: str, mark: re.Match[str], before: str) -> str | None:
    """What is stated; None where the mark states nothing.

    Args:
        rest: of the text.
        mark: of the statement.
        before: markup between the two.
    """
    if mark["tag"]:
        closing = _CLOSING_TAG.search(rest)
        return rest[: closing.start()].strip() if closing else rest.strip()
    if mark["finish"]:
        return rest.split("]", 1)[0]
    if mark["hash"] and _HEADING.match(rest):
        return None
    if mark[0].endswith("|"):
        rest = rest.split("|", 1)[0]
    if announced := _ANNOUNCED.match(rest):
        rest = rest[announced.end() :]
    sentence = first_sentence(rest)
    if sentence.endswith("?") or _RETRACTED.match(rest[len(sentence) :]):
        return None
    if "*" in before:
        sentence = _EMPHASIS_ENDS.sub("", sentence)
    sentence = sentence.rstrip("!") if sentence.endswith("!") else sentence
    if sentence.count("**") % 2:  # the other half stands before the mark
        sentence = sentence.replace("**", "", 1)
    return _DECIMAL_COMMA.sub(".", sentence) if mark["comma"] or mark["inverted"] else sentence
