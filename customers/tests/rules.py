"""The rules of filters that several lists share, read plainly in Python."""

from datetime import datetime, time, timedelta, timezone

from config.arabic import begun_forms, fold

RIYADH = timezone(timedelta(hours=3))


def holds(text, part):
    """One or two characters match beginnings of words only."""
    return part in text if len(part) >= 3 else f" {part}" in f" {text}"


def is_customer_found(row, text):
    """Folded names, any form of the phone, or the e-mail contains the text."""
    plain = text.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
    texts = [fold(row["name"]), fold(row["nameEn"]), row["phone"], row["email"].lower()]
    if len([c for c in plain if c.isdigit()]) >= 4 and not plain.strip("0123456789+- ()"):
        digits = "".join(c for c in plain if c.isdigit())
        for prefix in ("00966", "966", "00", "0"):
            if digits.startswith(prefix):
                digits = digits.removeprefix(prefix).removeprefix("0")
                break
        return any(digits in text for text in texts)
    folded = fold(text)
    is_named = any(holds(name, part) for name in texts[:2] for part in begun_forms(folded) if part)
    return is_named or folded and holds(texts[-1], folded) or holds(texts[-1], text.lower())


def starts_by(moment, bound):
    return moment is not None and moment >= (bound if isinstance(bound, datetime) else midnight(bound))


def ends_by(moment, bound):
    if moment is None:
        return False
    return moment <= bound if isinstance(bound, datetime) else moment < midnight(bound + timedelta(days=1))


def is_empty(start, end):
    """Whether no moment lies from the one bound to the other."""
    return not ends_by(start if isinstance(start, datetime) else midnight(start), end)


def midnight(day):
    return datetime.combine(day, time.min, RIYADH)


def has_budget(row):
    return row["budgetMin"] is not None or row["budgetMax"] is not None
