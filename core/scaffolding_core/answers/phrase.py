"""What a phrase or a sentence comes down to: its quantity, its letter, its yes or no, its formula or list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from scaffolding_core.answers.choice import choice_in, choice_said, names_several
from scaffolding_core.answers.citations import without_citations
from scaffolding_core.answers.date import DAY
from scaffolding_core.answers.formula import FORMULA
from scaffolding_core.answers.number import Quantity, quantities
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.quantity import WithUnit, quantity_key
from scaffolding_core.answers.value import bare, value_key
from scaffolding_core.answers.verdict import verdict, verdict_said

__all__ = ["calculates", "said_in", "settled_in"]

_LONGEST, _MANY, _NEAR = 1_000, 40, 60
_VERBS, _PREDICATE = 4, 400

_LEAD_IN = pattern(
    r"(?:(?:that|simply|just|therefore|thus|hence|so|indeed|clearly|then|now|still|also|in fact|actually|"
    r"definitely|equal to|a total of|given by|as follows|going to be|be|to be|both|each|on|in|at|"
    r"the (?:number|date|value|time|year|set|option|choice|letter|expression|equation|function|interval|"
    r"pair|answer|"
    r"result)(?: is)?)[,:]?\s+)+",
    re.IGNORECASE,
)
"""What stands between `is` and the answer and says nothing."""

_REASON = pattern(
    r"(?:,|\s[-–—])?\s(?:because|since|as|which|so|due to|given that|meaning|making|obtained|found|that is|i\.e\.|"
    r"and not|not|rather than|instead of|in total|altogether|in all|rounded|up from|down from|"
    r"weil|denn|da|nicht|sondern|car|parce que|puisque|pas|et non|porque|ya que|pues|no|y no|perch[eé]|poich[eé]|"
    r"потому что|так как|а не)\s"
    r"|[,，](?:因为|因為|而不是|而非|所以|不是|なぜなら|왜냐하면)|,\s(?:I|we|the|it|this|and\s(?:the|I|we))\s",
    re.IGNORECASE,
)
"""Where an answer ends and its reason, or what it is not, begins."""

_BRACKETS = pattern(r"\s\(([^()]*(?:\([^()]*\)[^()]*)*)\)$")
_EXPLAINS = pattern(
    r"(?:from|see|because|since|as|rounded|approximately|approx|i\.e\.|that is|which|using|by|given|correct|final|"
    r"answer|not|[\d\s.,$£€()+*/×÷=−–-]+$)",
    re.IGNORECASE,
)
_SENTENCE_LEAD = pattern(
    r"(?:[-*•]\s|(?:so|therefore|thus|hence|then|finally|consequently|in conclusion|in total|altogether|overall|"
    r"as a result|in summary|to summari[sz]e|this means(?: that)?|we (?:get|have|find|obtain|conclude)(?: that)?|"
    r"it follows that|result|因此|所以|故|∴)[,:，]?\s*)+",
    re.IGNORECASE,
)
_CONSEQUENCE = pattern(r"[,;]?\s(?:so|therefore|thus|hence)[,]?\s", re.IGNORECASE)
_DENIES = pattern(
    r"\b(?:not|cannot|never|neither|nor|unlikely|doubt\w*|isn|aren|wasn|can|won|don|doesn|didn|wouldn|couldn|nothing|none|"
    r"nobody|without)(?:['’]t)?\b(?<!\bcan)(?<!\bdon)|n['’]t\b|\bno\s(?!\d)|[不没無无]",
    re.IGNORECASE,
)
_NOT_BUT = pattern(r"(?:\bnot|n't)\s[^,.;]{1,40}?,?\sbut\s(?:rather\s)?(.+)$", re.IGNORECASE)
_IS = (
    r"(?:\b(?:is|are|was|were|be|becomes?|equals?|totals|totaled|totalled|comes (?:out )?to|amounts? to|"
    r"has|have|had|takes?|costs?|needs?|weighs?|makes|gives?|yields?|leaves?|gets?)\b|\b(?:it|that|this|answer)['’]s\b)"
)
_VERB = pattern(
    rf"{_IS}(?!\s(?:not|no)\b)\s*:?\s+"
    r"|\b(?:written|expressed|formatted|represented|stated)\s(?:[\w/]+\s){0,4}?as\s+|(?:是|为|為|等于|等於|有|は)\s?",
    re.IGNORECASE,
)
_CLAUSE = pattern(
    rf"[,;:]|\b(?:and|but|or|because|while|that|which|who|if|when|where|until)\b|{_IS}", re.IGNORECASE
)
_EQUALS = pattern(r"(?<![<>=!:])[=≈](?!=)\s*")
_LABEL = pattern(
    r"[A-Za-z][\w'’-]{0,30}(?:\s[A-Za-z][\w'’-]{0,30}){0,4}\s?(?:\([\w\s/%$]{1,20}\)\s?)?[:=]\s+(?=\S)"
)
_CONDITION = pattern(
    r"\b(?:for|at|when|where|if|with|on|in|as|to|of|over|between|from|let|because|since|while|until|than|n)"
    r"(?:\s(?:any|all|every|some|each))?\s?\(?(?:[a-zA-Z]\s?=\s?)?$",
    re.IGNORECASE,
)
_BEFORE_FORMULA = pattern(
    r"(?:^|[:=]|\b(?:is|are|be|was|were|equals?|to|as|get|gets|gives?|obtain|obtains|have|has|yields?|becomes?|by|so|"
    r"therefore|thus|hence|therefore,|thus,|hence,|so,|find|that|expression|equation|answer|value))\s*$",
    re.IGNORECASE,
)
_GOES_ON_FROM_FORMULA = pattern(r"\s?,|\s(?:at|when|where|if|for|attained|which|because|since)\b", re.IGNORECASE)
_AFTER_FORMULA = pattern(r"\s*(?:(?:square|cubic)\s)?(?:units?)?[\s.,;:!*]*")
_TAIL = pattern(
    r"(?:\s(?:in total|in all|altogether|total|left(?: over)?|remaining|more|each|old|tall|long|wide|high|"
    r"deep|apart|away|"
    r"now|today|overall|of them|per \w+|an? (?:day|week|month|year|hour|minute|mile|piece|person|pound)|"
    r"every \w+|back|"
    r"on average|in the end|combined|together|so far))*[\s.,;:!)*'\"]*",
    re.IGNORECASE,
)
_BOUND = pattern(
    r"(?:at least|at most|more than|less than|fewer than|greater than|over|under|above|below|up to|no more than|"
    r"between|from|to|not|or|and|out of|x|half of|close to|within|beyond|(?:mini|maxi)mum of|root of|plus|minus|"
    r"plus or minus|[±<>≤≥~×–-]|\\pm|至少|至多|最多|最少|超过|不到|少于|多于|大于|小于)\s*[$€£¥₹]?$",
    re.IGNORECASE,
)
_MEASURES = pattern(
    r"(?:\b(?:is|are|was|were|be|equals?|to|gives?|get|gets|got|makes?|made|has|have|had|costs?|earns?|earned|pays?|"
    r"paid|needs?|needed|spends?|spent|takes?|took|only|exactly|about|approximately|around|total|totals|sold|saved|saves|"
    r"ate|left|contains?|reads?|read|uses?|used|receives?|received|becomes?|by|for|will|now|"
    r"(?:total|sum|speed|rate|number|amount|cost|price|average|product|profit) of)|[=≈]|"
    r"[\u4e00-\u9fff])\s*\**[$€£¥₹]?$",
    re.IGNORECASE,
)
_LOWER_WORD = pattern(r"(?:^|\s)[a-z]+\s\**$")
_ADVERBIAL = pattern(
    r"\b(?:in|over|within|after|at|during|every|for|of|from|with|on|per|than|step|steps|equation|"
    r"instead of|rather than)(?:\s(?:the|all|these|those|each|about|next|first|last|other|original|of the|"
    r"each of the))*"
    r"\s\**[$€£]?$|(?:\b(?:for|at|when|where|if|with)\s|\()\$?[a-zA-Z]\s?=\s?\$?$",
    re.IGNORECASE,
)
_CHANGED = pattern(
    r"\s?(?:dozens|tens|hundreds|thousands|millions|billions|thirds|quarters|fifths|tenths)\b", re.IGNORECASE
)
_HEAD_GOES_ON = pattern(
    r"\s(?:in|for|after|on|at|from|during|over|are|is|were|was|remain|remains|left|remaining|still|needed|required|each|"
    r"every|per|of|by|with|that|which|altogether|total|hidden|to(?!\s\d))\b"
)
_CALCULATION = pattern(
    r"[\d)%}]\s*(?:[+×÷*]|=(?!=)|\s[-−–/]\s)\s*[-$£€(\\]?[\d(]|\\(?:times|frac|div|cdot|dfrac)\b"
    r"|(?<![=!<>])\s=\s*[-$£€\\(]{0,2}\d|\b(?:multipl|subtract|divid|add(?:ed|ing)?\b|sum of)|\bstep\s?\d",
    re.IGNORECASE,
)
_RESULT = pattern(r"=\s*[-$£€¥₹\\(]{0,3}(\d[\d,]*(?:\.\d+)?)(?!\s?[-+*/×÷·^\d])")
_ARITHMETIC = pattern(r"(?:[\d\s.,()+*/×÷·^%$€£°{}=−–-]|\\(?:times|cdot|div|frac|dfrac|left|right|circ|\$))+")
_SEPARATE = pattern(r";|\b(?:and|or)\b")
_OTHERS_HAVE = pattern(r"\d[^,.;=]*\band\s[^,.;\d]+$")
_BOLD = pattern(r"\*\*(.+?)\*\*")
_COPULA_BEHIND = pattern(r"(?:입니다|이다|이에요|예요|です|である|になります|となります|だ)$")


def calculates(text: str) -> bool:
    """Whether a text works something out, so that the number its last sentence has is what it was after."""
    return bool(_CALCULATION.search(text))


def said_in(phrase: str, *, working: bool = False) -> str:
    """What a phrase that is known to be the answer comes down to; the phrase itself, bare, where that is unknown.

    Args:
        phrase: the rest of a sentence.
        working: the text it is out of calculates.
    """
    if len(phrase) > _LONGEST:
        return bare(phrase)
    said = _COPULA_BEHIND.sub("", bare(without_citations(phrase)))
    if not said:
        return bare(phrase)
    found = _value_in(said)
    if found or names_several(said):
        return found or said
    if _DENIES.search(said):
        return _corrected_in(said) or said
    if working:
        return (
            _emphasised_in(phrase)
            or choice_said(said)
            or _head_in(said)
            or _predicate_of(said)
            or _only(said)
            or said
        )
    return choice_said(said) or _stated_plainly(said) or _ends_in_quantity(said) or said


def settled_in(sentence: str, *, working: str | None = None) -> str | None:
    """What a sentence comes down to that may be the answer or not; None where it is not known to be one.

    Args:
        sentence: one of a text.
        working: the text before it, if the whole text calculates.
    """
    if len(sentence) > _LONGEST:
        return None
    said = bare(without_citations(sentence))
    lead = _SENTENCE_LEAD.match(said)
    said = said[lead.end() :] if lead else said
    if found := _whole_value(said) or _before_brackets(said) or (working is None and verdict(sentence)):
        return found
    if _DENIES.search(said):
        return _corrected_in(said)
    if found := choice_said(said) or verdict_said(said):
        return found
    if working is None:
        return _stated_plainly(said) or _formula_in(sentence)
    if (
        (clauses := _CONSEQUENCE.split(said))
        and len(clauses) > 1
        and (found := settled_in(clauses[-1], working=working))
    ):
        return found
    return (
        _emphasised_in(sentence)
        or _predicate_of(said)
        or _formula_in(sentence)
        or _result_among(said, working)
        or _only(said, measured=True)
        or verdict(sentence)
    )


def _whole_value(said: str, *, marked: bool = False) -> str | None:
    return _result_in(said) or choice_in(said, marked=marked) or (said if value_key(said) is not None else None)


def _value_in(said: str) -> str | None:
    """The first reading of a phrase, from the whole of it to less, that is a value, a letter, or yes or no."""
    if found := _whole_value(said, marked=True) or verdict(said) or _before_brackets(said):
        return found
    if names_several(said):
        return None
    return next(filter(None, (_whole_value(part, marked=True) for part in _parts(said))), None)


def _parts(said: str) -> Iterator[str]:
    if lead := _LEAD_IN.match(said):
        said = said[lead.end() :]
        yield bare(said)
    if (reason := _REASON.search(said)) and reason.start() > 0:
        said = said[: reason.start()]
        yield bare(said)
    if said[:1] in "([" and said[-1:] in ")]" and not any(sign in said[1:-1] for sign in "()[]"):
        yield bare(said[1:-1])


def _result_in(said: str) -> str | None:
    """The result behind the last `=` of a calculation, or of a chain of equations."""
    before, sign, result = said.rpartition("=")
    if not sign or "," in said or _SEPARATE.search(before):
        return None
    if "=" not in before and not _ARITHMETIC.fullmatch(before):
        return None
    result = bare(result.removesuffix("$") if before.count("$") % 2 else result)
    return result if quantity_key(result) is not None else None


def _before_brackets(said: str) -> str | None:
    """The value before brackets that say it again or explain it: `42 (forty-two)`, `7 (from step 2)`."""
    found = _BRACKETS.search(said)
    if found is None:
        return None
    value = _whole_value(bare(said[: found.start()]))
    if value is None:
        return None
    again = value_key(bare(found[1]))
    return value if _EXPLAINS.match(found[1]) or (again is not None and again == value_key(bare(value))) else None


def _corrected_in(said: str) -> str | None:
    found = _NOT_BUT.search(said)
    return _whole_value(bare(found[1])) if found else None


def _emphasised_in(phrase: str) -> str | None:
    """The one value in bold letters."""
    found = [each for each in map(bare, _BOLD.findall(phrase)) if value_key(each) is not None]
    return found[0] if len(found) == 1 else None


def _stated_plainly(said: str) -> str | None:
    """What a sentence says that something is, where that is all it says: `The total is 7`, `Temperature: 5 °C`."""
    if label := _LABEL.match(said):
        value = bare(said[label.end() :])
        if value_key(value) is not None:
            return value
    verb = _VERB.search(said)
    if verb is None or _CLAUSE.search(said[: verb.start()].removeprefix("That ")):
        return None
    rest = said[verb.end() :]
    if lead := _LEAD_IN.match(rest):
        rest = rest[lead.end() :]
    return _whole_value(_without_tail(bare(rest))) or _before_more(rest)


def _without_tail(rest: str) -> str:
    """A quantity without the words that may follow it at the end of a sentence."""
    found = quantities(rest)
    return (
        rest[: found[0].end]
        if len(found) == 1 and not found[0].start and _TAIL.fullmatch(rest, found[0].end)
        else rest
    )


def _predicate_of(said: str) -> str | None:
    """The value behind the last `is` of a sentence, else behind its last `=` or `:`."""
    for found in [*reversed(list(_VERB.finditer(said))[-_VERBS:]), *_last_equals(said)]:
        rest = said[found.end() : found.end() + _PREDICATE]
        if said.count("$", 0, found.end()) % 2:  # inside a formula
            rest = rest.removesuffix("$")
        if lead := _LEAD_IN.match(rest):
            rest = rest[lead.end() :]
        before = _before(said, found.end()).rstrip()
        if not rest or _OTHERS_HAVE.search(before):
            continue
        if value := _whole_value(_without_tail(bare(rest))) or _before_more(rest):
            return value
    return None


def _last_equals(said: str) -> list[re.Match[str]]:
    """The last `=` of a sentence, or its only `:`, unless it is a condition's or one of several values'."""
    equals = list(_EQUALS.finditer(said))
    if equals:
        last = equals[-1]
        several = len(equals) > 1 and _SEPARATE.search(said[equals[-2].end() : last.start()].replace(",", ";"))
        condition = _CONDITION.search(_before(said, last.start()).rstrip().rstrip(" $xyznkpmti"))
        return [] if several or condition else [last]
    label = _LABEL.match(said)
    return [label] if label else []


def _before_more(said: str) -> str | None:
    """The value that a phrase begins with, before it gives its reason or goes on."""
    if (reason := _REASON.search(said)) and (value := _whole_value(bare(said[: reason.start()]))):
        return value
    formula = FORMULA.match(said)
    if formula and _GOES_ON_FROM_FORMULA.match(said, formula.end()):
        return _whole_value(bare(formula[0]))
    found = quantities(said)
    if found and not found[0].start and _HEAD_GOES_ON.match(said, found[0].end):
        return found[0].text
    return None


def _formula_in(sentence: str) -> str | None:
    """The one formula that a sentence ends in, and comes to."""
    found = list(FORMULA.finditer(sentence))
    if not found or not (
        _AFTER_FORMULA.fullmatch(sentence, found[-1].end()) or _TAIL.fullmatch(sentence, found[-1].end())
    ):
        return None
    last = found[-1]
    if not _BEFORE_FORMULA.search(bare(sentence[: last.start()])):
        return None
    content = bare(next(filter(None, last.groups())))
    return _result_in(content) or (content if value_key(content) is not None else None)


def _head_in(said: str) -> str | None:
    """The quantity that a phrase begins with, and goes on to speak of: `9 eggs still hidden in the yard`."""
    found = quantities(said)
    if not found or found[0].start or not found[0].has_unit or not _HEAD_GOES_ON.match(said, found[0].end):
        return None
    return found[0].text


def _counted(said: str) -> list[Quantity]:
    """The quantities of a sentence that may be what it comes to; none where some are parts of one."""
    found = quantities(said)
    if len(found) > _MANY:
        return []
    if any(not said[first.end : second.start].strip(" ,") for first, second in pairwise(found)):
        return []  # `5 feet 3 inches` is one
    days = [day.span() for day in DAY.finditer(said)] if found else []
    if any(start <= each.start < end for each in found for start, end in days):
        return []
    return [each for each in found if not _BOUND.search(_before(said, each.start))]


def _before(said: str, position: int) -> str:
    """What stands right before a place."""
    return said[max(0, position - _NEAR) : position]


def _result_among(said: str, text: str) -> str | None:
    """The quantity of a sentence that is the result of a calculation before it, of the last such."""
    counted = [each for each in _counted(said) if not _CHANGED.match(said, each.end)]
    for result in reversed(_RESULT.findall(text)):
        same = [each for each in counted if _amount(each.text) == _amount(result)]
        if same:
            return same[-1].text
    return None


def _amount(text: str) -> object:
    key = quantity_key(text)
    return key.bare if isinstance(key, WithUnit) else key[1:] if isinstance(key, tuple) and key[0] == "%" else key


def _only(said: str, *, measured: bool = False) -> str | None:
    """The only quantity of a sentence that is no circumstance, such as `in 4 weeks`.

    Args:
        said: the sentence.
        measured: it must count something, or be what a verb measures.
    """
    counted = [each for each in _counted(said) if not _ADVERBIAL.search(_before(said, each.start))]
    if len(counted) != 1:
        return None
    before, only = _before(said, counted[0].start), counted[0]
    if measured and _CHANGED.match(said, only.end):
        return None
    is_measured = only.has_unit or not before.strip() or bool(_MEASURES.search(before))
    return only.text if is_measured or (not measured and _LOWER_WORD.search(before)) else None


def _ends_in_quantity(said: str) -> str | None:
    """The only quantity of a phrase, where it ends in it: `Joan gave Sam 43 shells`."""
    found = quantities(said)
    if len(found) != 1 or not _counted(said) or not _TAIL.fullmatch(said, found[0].end):
        return None
    before = said[: found[0].start]
    return (
        found[0].text
        if (found[0].has_unit and not _ADVERBIAL.search(before)) or _MEASURES.search(before)
        else None
    )
