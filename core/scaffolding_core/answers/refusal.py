"""Whether a model declines to answer."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.messages import AssistantMessage

__all__ = ["is_refusal", "refuses"]

_CANNOT = r"""
    (?:can(?:no|['’])t|can\snot|could(?:\snot|n['’]t)|won['’]t|will\snot|am\s(?:not\sable|unable)\sto
      |['’]m\s(?:not\sable|unable)\sto|must\s(?:decline|refuse)|have\sto\s(?:decline|refuse)
      |do(?:\snot|n['’]t)\sfeel\scomfortable)
"""
_TO_ANSWER = r"""
    (?:answer|assist|help|provide|give|comply|fulfil|do\s(?:that|this|so)|support|share|discuss|engage|respond|determine
      |judge|evaluate|assess|rate|score|grade|compare
      |solve|offer|tell|say|decline|refuse|complete|make\sa\s(?:determination|decision)|generate|create|access)
"""
_LACKS = r"""
    (?:do(?:es)?\snot|doesn['’]t|don['’]t)\s
    (?:contain|provide|include|mention|specify|state|say|give|have|cover|address|answer)\s
    (?:any\s|enough\s|sufficient\s|the\s|relevant\s|specific\s|direct\s)*
    (?:information|details?|data|answer|mention|context|it\b|this\b|that\b|what|which|who|when|where|how|why|if\b|whether)
"""
_SOURCES = r"""
    (?:the|this|these|your)\s(?:\w{3,12}\s){0,2}?
    (?:contexts?|texts?|passages?|documents?|information|sources?|question|problem)
    (?:\s(?:provided|given|above|retrieved))?
"""
_ENGLISH = rf"""
    (?:(?:i(?:['’]m|\sam)\s(?:so\s|very\s|really\s|truly\s)?(?:sorry|afraid)|(?:so\s)?sorry|apologies|my\sapologies
       |i\sapologi[sz]e|unfortunately|regrettably|based\son\s[^.!?\n]{{0,60}}?|from\s[^.!?\n]{{0,40}}?
       |as\san?\s(?:ai|artificial|large\slanguage|language)\b[^.!?\n]{{0,60}}?),?\s(?:but\s|that\s|however,?\s)?)?
    (?: (?:i|we)\s?{_CANNOT}\s(?:[\w]{{1,12}}\s){{0,3}}?{_TO_ANSWER}\b
      | (?:i|we)\s(?:do\snot|don['’]t|really\sdon['’]t)\sknow
        (?:\s(?:the\sanswer|that|how|what|which|who|if|whether|for\ssure)\b|\s?[.,!]|\s?$)
      | (?:i|we)\s(?:do\snot|don['’]t)\shave\s(?:enough|sufficient|any|the|access)\b
      | i(?:['’]m|\sam)\snot\s(?:sure|certain)\b(?![^.\n]*\bbut\b)
      | (?:this|the|that|it)\s?(?:question|problem|answer|request|information|result|value)?\s?
        (?:can(?:not|\snot|['’]t)|could\snot)\sbe\s(?:answered|determined|known|provided|fulfilled)
      | (?:this|the|that)\s(?:question|problem|request)\sis\s(?:unanswerable|not\sanswerable)
      | (?:this|the|that)\s(?:information|answer|detail)\sis\snot\s(?:provided|available|given|specified
          |mentioned|stated)
      | it\sis\s(?:not\spossible|impossible)\sto\s(?:answer|determine|say|tell|know)
      | (?:there\s(?:is|are|isn['’]t|aren['’]t)|i\shave|we\shave)\s(?:not\senough|enough|insufficient
          |too\slittle|no)\s
        (?:information|data|context|details?|way\sto\s(?:answer|determine|know|tell))
      | (?:not\senough|insufficient)\s(?:information|data|context)\b
      | (?:i|we)\s(?:must|have\sto)\s(?:decline|refuse)\b | i\sam\s(?:just
          |only)\san\sai\b[^.!?\n]{{0,20}}\bcan(?:no|['’])t\b
      | it\sis\snot\s(?:specified|mentioned|stated|provided|given)\b | no\srelevant\s(?:information|context
          |documents?)\b
      | {_SOURCES}\s(?:do(?:es)?\snot|doesn['’]t|don['’]t)\s(?:say|specify|mention|tell)\s?[.!]?\s*$
      | {_SOURCES}\s{_LACKS} | none\sof\s{_SOURCES}\s(?:mentions?|contains?|provides?|answers?)
      | (?:cannot|can['’]t)\s(?:be\sdetermined|answer|determine|say|tell|help|assist)\b
      | unable\sto\s(?:answer|determine|assist|help|provide|comply)\b
    )
"""
_OTHERS = r"""
    (?:很?抱歉|对不起|對不起|很遗憾|不好意思)[，,]?\s?(?:但)?(?:我|作为[^，。]{0,12}我)?(?:无法|無法|不能|没办法|沒辦法|不知道)
  | 我?(?:无法|無法|不能|没办法)(?:回答|提供|帮助|幫助|确定|確定|协助|協助) | 我?不(?:知道|确定|確定)\s?(?:[。，!.]
      |$)
  | (?:申し訳(?:ありません|ございません)|すみません|ごめんなさい)[^。\n]{0,40}
    (?:できません|できかねます|わかりません|分かりません|お答え)
  | (?:죄송합니다|죄송하지만)[^\n]{0,40}(?:수\s?없|모르|어렵) | 모르겠
  | (?:es\stut\smir\sleid|tut\smir\sleid)[^\n]{0,60}\bnicht\b | leider\skann\sich\b[^\n]{0,60}\bnicht\b
  | ich\s(?:kann|weiß)\s[^.\n]{0,40}\bnicht(?:\s(?:beantworten|sagen|helfen|bestimmen))?\s?[.!]?\s*$
  | das\skann\sich\s(?:leider\s)?nicht\s(?:beantworten|sagen|bestimmen)
  | (?:je\s(?:suis\s)?désolée?|désolée?)[^\n]{0,40}\bne\s(?:peux|puis|sais)\b
  | je\sne\s(?:peux|puis)\spas\s(?:répondre|aider|vous\saider|fournir|déterminer) | je\sne\ssais\spas\s?[.,!]?
  | (?:lo\ssiento,?\s(?:pero\s)?)?no\spuedo\s(?:responder|ayudar|proporcionar|determinar|contestar) | no\slo\ssé
  | (?:(?:sinto|lamento)\smuito|desculpe),?\s(?:mas\s)?não\b | não\s(?:posso\s(?:responder|ajudar)|sei\s?[.,!])
  | (?:mi\sdispiace,?\s(?:ma\s)?)?non\s(?:posso\s(?:rispondere|aiutar)|è\spossibile\s(?:rispondere
      |determinare)|lo\sso)
  | (?:(?:извините|к\sсожалению),?\s(?:но\s)?)?я\sне\s(?:могу\s(?:ответить|помочь|определить)|знаю\s?[.,!]?\s*$)
"""
_REFUSAL = pattern(rf"[\s*_\"'“>#]*(?:{_ENGLISH}|{_OTHERS})", re.IGNORECASE | re.VERBOSE)
_NOTHING = pattern(
    r"[\s*_\"'“(\[]*(?:no\sanswer(?:\sfound|\savailable|\sis\spossible)?|none(?!\sof)|n/?a|null|unknown|unanswerable|"
    r"not\s(?:available|applicable|answerable|known|specified|mentioned|given|provided)|no\sinformation(?:\savailable)?|"
    r"no\scomment|i\srefuse|idk|nan|undetermined)[\s*_\"'”.!)\]]*",
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
