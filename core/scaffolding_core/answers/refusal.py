"""Whether a model declines to answer."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.messages import AssistantMessage

__all__ = ["is_refusal", "refuses"]

_CANNOT = (
    r"(?:can(?:no|['’])t|can\snot|could\s?n[o'’]t|could\snot|won['’]t|will\snot|am\s(?:not\sable|unable)\sto|['’]m\s(?:not\sable"
    r"|unable)\sto|am\sunable\sto|must\s(?:decline|refuse)|have\sto\sdecline|do\snot\sfeel\scomfortable|don['’]t\sfeel\scomfortable)"
)
_TO_ANSWER = (
    r"(?:answer|assist|help|provide|give|solve|complete|comply|fulfil|determine|do\sthat|do\sthis|support|share|discuss|"
    r"engage|create|generate|write|continue|respond|offer|tell|say|find|identify|verify|access|decline|refuse|"
    r"make\sa\s(?:determination|decision))"
)
_ENGLISH = rf"""
    (?:(?:i(?:['’]m|\sam)\s(?:so\s|very\s|really\s)?sorry|sorry|apologies|my\sapologies|i\sapologi[sz]e|unfortunately|
       regrettably|as\san?\s(?:ai|artificial|large\slanguage|language)\b[^.!?\n]{{0,60}}?),?\s(?:but\s|that\s|however,?\s)?)?
    (?: i\s?(?:{_CANNOT})\s?(?:[\w]{{1,12}}\s){{0,3}}?(?:{_TO_ANSWER})?\b
      | i\s(?:do\snot|don['’]t|really\sdon['’]t)\s(?:know|have\s(?:enough|sufficient|any|the|access))\b
      | i(?:['’]m|\sam)\snot\s(?:sure|certain|able)\b(?![^.\n]*\bbut\b)
      | i(?:['’]d|\swould)\srather\snot\b
      | (?:this|the|that|it)\s?(?:question|problem|answer|request|solution|result|value)?\s?(?:can(?:not|\snot|['’]t)|could\snot)\sbe\s
        (?:answered|determined|solved|found|calculated|computed|completed|fulfilled|known)
      | it\sis\s(?:not\spossible|impossible)\sto\s(?:answer|determine|say|tell|solve|know|calculate)
      | (?:there\s(?:is|are)|i\shave|we\shave)\s(?:not\senough|no|insufficient|too\slittle)\s(?:information|data|context|details?|way)
      | not\senough\s(?:information|data|context)\b | insufficient\s(?:information|data|context)\b
      | (?:the|this)\s(?:provided\s|given\s|supplied\s)?(?:context|text|passage|documents?|information|sources?|question)
        (?:\s(?:provided|given|above))?\s(?:does\snot|do\snot|doesn['’]t|don['’]t)\s
        (?:contain|provide|mention|include|specify|state|say|give|answer|have)
      | cannot\s(?:be\sdetermined|answer|determine|say|tell|help)\b | can['’]t\s(?:say|tell|help|answer)\b
      | unable\sto\s(?:answer|determine|assist|help|provide|solve|comply)\b
    )
"""
_OTHERS = r"""
    (?:抱歉|对不起|對不起|很遗憾)?[，,]?\s?(?:但)?(?:我|作为.{0,12}我)?(?:无法|無法|不能|没办法|不知道|不确定)(?:回答|提供|帮助|确定|協助|协助|$|。)?
  | (?:申し訳(?:ありません|ございません)|すみません)
  | (?:죄송합니다|죄송하지만)
  | (?:es\stut\smir\sleid|tut\smir\sleid|leider\skann\sich|ich\skann\s(?:diese\s|die\s)?(?:frage|anfrage)?\s?(?:leider\s)?nicht|ich\sweiß\s(?:es\s)?nicht)
  | (?:je\s(?:suis\s)?désolée?|désolée?\b|je\sne\speux\spas|je\sne\ssais\spas|je\sn['’]ai\spas\s(?:assez|d['’]information))
  | (?:lo\ssiento|no\spuedo\s(?:responder|ayudar|proporcionar)|no\slo\ssé)
  | (?:(?:sinto|lamento)\smuito|desculpe|não\s(?:posso|sei))
  | (?:mi\sdispiace|non\sposso\s(?:rispondere|aiutar)|non\slo\sso)
  | (?:извините|к\sсожалению|я\sне\s(?:могу|знаю))
"""
_REFUSAL = pattern(rf"[\s*_\"'“>#]*(?:{_ENGLISH}|{_OTHERS})", re.IGNORECASE | re.VERBOSE)
_NOTHING = pattern(
    r"[\s*_\"'“(\[]*(?:no\sanswer(?:\sfound|\savailable|\sis\spossible)?|none(?!\sof)|n/?a|null|unknown|unanswerable|"
    r"not\s(?:available|applicable|answerable|known|specified|mentioned|given|provided)|no\sinformation(?:\savailable)?|"
    r"no\scomment|i\srefuse|idk|nan|undetermined|error)[\s*_\"'”.!)\]]*",
    re.IGNORECASE,
)
_LOOKED_AT = 600


def is_refusal(message: AssistantMessage) -> bool:
    """Whether a message declines to answer; one that calls tools does not."""
    said = None if message.tool_calls else without_thoughts(message.text)
    return said is not None and refuses(said)


def refuses(text: str) -> bool:
    """Whether a text, without thoughts, begins by declining to answer, or is a word such as `None` or `unknown`.

    Ask it of texts that state no answer: `I'm not sure, but the answer is 5` answers.
    """
    head = text[:_LOOKED_AT]
    return bool(_REFUSAL.match(head) or (len(text) < _LOOKED_AT and _NOTHING.fullmatch(text)))
