"""What to do next for customers: the first rule that holds, in words of both languages, unless it was said already."""

from re import sub

from django.utils.translation import get_language

from actions.conditions import DOCUMENTS, Case, Clock
from actions.rules import RULE, RULES
from actions.signs import signs_of
from config.counted import DAY, PROPERTY, TIME, counted, counted_in_english
from customers.choices import Stage
from customers.scoring import Advice

_OF_STAGE = {str(stage): [rule for rule in RULES if stage in rule.stages] for stage in Stage}
_FIELDS = {
    "budget": ("الميزانية", "budget"),
    "propertyType": ("نوع العقار", "property type"),
    "area": ("المدينة أو الحي", "city or district"),
    "timeline": ("موعد القرار", "timeline"),
    "size": ("الغرف أو المساحة", "rooms or area"),
}
_LABELS = DOCUMENTS | _FIELDS
_NOUNS = {"days": DAY, "times": TIME, "properties": PROPERTY}


def words_of(rule, facts):
    """What a rule says of the facts of an advice, in Arabic and in English."""
    if not facts:
        return rule.ar, rule.en
    ar, en = {}, {}
    for name, value in facts.items():
        if name in _NOUNS:
            ar[name] = counted(value, _NOUNS[name], oblique=name != "properties")
            en[name] = counted_in_english(value, _NOUNS[name])
        elif name in ("documents", "fields"):
            labels = [_LABELS[word] for word in value]
            ar[name], en[name] = "، ".join(label[0] for label in labels), ", ".join(label[1] for label in labels)
        elif name == "property":
            ar[name], en[name] = value
    return rule.ar.format(**ar), rule.en.format(**en)


def label_of(key):
    """What a rule says, without what it is about, in the language of the reader."""
    rule = RULE.get(key)
    if rule is None:
        return key
    text = rule.ar if (get_language() or "").startswith("ar") else rule.en
    return sub(r"[:\s]*\{\w+\}", " …", text)


def advise(organization, scored, now):
    """What to do next for customers of an organization who were scored: `{customer id: Advice}`."""
    signs, clock = signs_of(organization, [each.facts for each in scored], now), Clock.of(organization, now)
    found = {each.facts.customer_id: advice_for(Case.of(each, signs, clock)) for each in scored}
    return {key: advice for key, advice in found.items() if advice}


def advice_for(case):
    """The Advice of the first rule that holds and was not said already; None for who must not be contacted."""
    is_silent = case.key in case.signs.silent
    for rule in _OF_STAGE[case.facts.stage]:
        if is_silent and not rule.serves:
            continue
        found = rule.found(case)
        if not found:
            continue
        anchor, facts = found
        if (case.key, rule.key, anchor) not in case.signs.said or rule is RULES[-1]:
            return Advice(rule.key, anchor, *words_of(rule, facts), facts)
    return None
