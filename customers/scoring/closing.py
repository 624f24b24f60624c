"""When an open customer is likely to close: how long others took from the same stage, by the organization's history.

Customers who were lost compete with those who won, and those who are still open count as long as they were seen
(Aalen-Johansen), so that slow winners are not left out for being slow. Where a stage has few winners, what is usual
elsewhere counts with them. What is promised is a day, and in words no more than weeks or months.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from math import ceil, inf, log2

from django.db import connection

from config.counted import MONTH, WEEK, counted, counted_in_english
from customers.choices import Stage

# Days in which half of those who win do so, from entering a stage, where nothing else is known: guesses.
USUAL_DAYS = {
    Stage.NEW_LEAD: 45,
    Stage.QUALIFIED: 38,
    Stage.PROPERTY_MATCHING: 30,
    Stage.SITE_VISIT: 22,
    Stage.NEGOTIATION: 14,
    Stage.CONTRACT_PREP: 7,
}
# With fewer winners ahead than this, the usual days weigh as many.
ENOUGH_WINS = 20
# With fewer winners of a stage than this, an interval would promise what the next months do not keep.
INTERVAL_WINS = 200
EARLY, LATE = 0.1, 0.9
# Who has said nothing for so long is lost, whether or not anybody has written it down.
SILENT_DAYS = 180

_WEEK, _MONTH = 7, 30.4
_LONGEST_IN_WEEKS = 8
_ROUNDING = 1e-12


class Curve:
    """How soon customers are won who have entered a stage."""

    def __init__(self, outcomes, usual_days):
        """From `{whole days since entering: (won, lost, still open)}` and the median to lean on where they are few."""
        self.usual_days = usual_days
        self.days, self.shares = [], []
        at_risk, still_open, won_so_far, wins = sum(map(sum, outcomes.values())), 1.0, 0.0, []
        for day, (won, lost, unknown) in sorted(outcomes.items()):
            if won:
                won_so_far += still_open * won / at_risk
                self.days.append(day)
                self.shares.append(won_so_far)
                wins.append(won)
            still_open *= 1 - (won + lost) / at_risk
            at_risk -= won + lost + unknown
        self.wins = sum(wins)
        # How many won on the first of the days or later, on the second or later, and so on.
        self.wins_from = [*accumulate(reversed(wins), initial=0)][::-1]
        self.known = {}

    def remaining_days(self, day, share=0.5):
        """Days until this share of those will have won who win at all, having been in the stage for `day` days."""
        if (day, share) not in self.known:
            self.known[day, share] = self._remaining_days(day, share)
        return self.known[day, share]

    def interval(self, day):
        """The days in which four of five of them win, `(early, late)`; None where the winners are too few to say."""
        if self.wins < INTERVAL_WINS:
            return None
        return self.remaining_days(day, EARLY), self.remaining_days(day, LATE)

    def told(self, day):
        """How soon, in words of both languages to be put after "within": `(Arabic, English)`, with the interval."""
        if day not in self.known:
            self.known[day] = self._told(day)
        return self.known[day]

    def _told(self, day):
        ar, en = in_words(self.remaining_days(day))
        ar, en = f"{ar} تقريبًا", f"about {en}"
        if interval := self.interval(day):
            (early, early_en), (late, late_en) = map(in_words, interval)
            ar += f" (4 من كل 5: بين {early} و{late})"
            en += f" (4 of 5: between {early_en} and {late_en})"
        return ar, en

    def _remaining_days(self, day, share):
        ahead = bisect_right(self.days, day)
        wins = self.wins_from[ahead]
        if wins < ENOUGH_WINS:
            return self._pooled(day, share, ahead, wins)
        passed = self.shares[ahead - 1] if ahead else 0.0
        wanted = passed + share * (self.shares[-1] - passed)
        return self.days[bisect_left(self.shares, wanted - _ROUNDING, ahead)] - day

    def _pooled(self, day, share, ahead, wins):
        """The same where the usual days, which forget how long somebody has waited, weigh as much as `ENOUGH_WINS`."""
        passed = self.shares[ahead - 1] if ahead else 0.0
        own, since = 0.0, 0
        for next_day, won_by_then in [*zip(self.days[ahead:], self.shares[ahead:], strict=True), (inf, inf)]:
            wanted = (share * (wins + ENOUGH_WINS) - wins * own) / ENOUGH_WINS
            days = since if wanted <= 0 else -self.usual_days * log2(1 - wanted) if wanted < 1 else inf
            if max(days, since) < next_day - day:
                return max(ceil(max(days, since) - _ROUNDING), 1)
            own, since = (won_by_then - passed) / (self.shares[-1] - passed), next_day - day
        raise AssertionError("a share below 1 is reached before the end of time")


# Entries into open stages; a later down payment wins, and who was deleted or fell silent first has lost.
_DURATIONS_SQL = f"""
    WITH entries AS (
        SELECT to_stage AS stage, changed_at AS entered_at,
               min(changed_at) FILTER (WHERE to_stage NOT IN ({", ".join(f"'{stage}'" for stage in USUAL_DAYS)})) OVER (
                   PARTITION BY customer_id ORDER BY changed_at, h.id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
               ) AS won_at,
               least(c.deleted_at, greatest(c.last_contact_at, c.stage_entered_at) + interval '{SILENT_DAYS} days')
                   AS lost_at
          FROM customers c JOIN stage_history h ON h.customer_id = c.id
         WHERE c.organization_id = %s AND c.merged_into_id IS NULL AND h.changed_at <= %s
           AND hashtext(c.id) & (%s - 1) = 0
    ), ended AS (
        SELECT stage, won_at IS NOT NULL AS is_won, won_at IS NULL AND lost_at <= moment.now AS is_lost,
               greatest(floor(extract(epoch FROM coalesce(won_at, least(lost_at, moment.now)) - entered_at) / 86400), 0)
                   ::int AS days
          FROM entries CROSS JOIN (SELECT %s::timestamptz AS now) AS moment
    )
    SELECT stage, days, count(*) FILTER (WHERE is_won), count(*) FILTER (WHERE is_lost),
           count(*) FILTER (WHERE NOT is_won AND NOT is_lost)
      FROM ended GROUP BY stage, days
"""


def outcomes_of(organization_id, now, *, one_in=1):
    """What became of who entered each open stage, `{stage: {whole days: (won, lost, still open)}}`, by one statement.

    One in so many customers, a power of two, tells of it.
    """
    outcomes = {stage.value: {} for stage in USUAL_DAYS}
    with connection.cursor() as cursor:
        cursor.execute(_DURATIONS_SQL, [organization_id, now, one_in, now])
        for stage, days, *ended in cursor.fetchall():
            outcomes.setdefault(stage, {})[days] = ended
    return outcomes


def curves_of(outcomes):
    """The Curve of each open stage by its outcomes."""
    return {stage: Curve(outcomes[stage], usual_days) for stage, usual_days in USUAL_DAYS.items()}


def in_words(days):
    """About how long so many days are, in weeks or months: `(Arabic, English)`."""
    weeks = max(round(days / _WEEK), 1)
    number, noun = (weeks, WEEK) if weeks <= _LONGEST_IN_WEEKS else (round(days / _MONTH), MONTH)
    return counted(number, noun, oblique=True), counted_in_english(number, noun)
