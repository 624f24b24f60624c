"""What close dates and the risk of losing a customer have to show: on customers whose history nobody had seen yet.

Curves are estimated from what was known on CUT; judged are customers who came later and were followed to the end, for
whoever takes recent winners alone flatters whoever predicts early.
"""

from collections import defaultdict
from datetime import date, timedelta
from statistics import median

from django.db import connection

from customers.choices import ChurnRisk, Stage
from customers.scoring.closing import curves_of, outcomes_of
from customers.scoring.context import USUAL_GAPS, Calendar, Plans
from customers.scoring.insights import churn_of, silence_of
from customers.scoring.learning.metrics import auc
from customers.scoring.verification import Row
from customers.scoring.verification.brokerage import DAYS, ORGANIZATION, customer_id, moment, seen, tables, write
from customers.scoring.verification.simulator import moments, simulate
from employees.models import Organization
from employees.workdays import is_workday

CUSTOMERS, SEED = 6_000, 7
CUT, FOLLOWED_DAYS = 365, 270
LARGEST_ERROR, FIXED_DAYS, OF_FIXED = 12, 45, 0.5
LEAST_COVERED, MOST_COVERED, WINS = 0.75, 0.90, 300
SILENT_DAYS, WORSE_THAN_RECENCY = 30, 0.02
_STAGES = Stage.values


def rows(say):
    """The Rows of close dates and of churn."""
    lives = simulate(CUSTOMERS, days=DAYS, seed=SEED)
    say(f"curves of {CUSTOMERS:,} customers as of day {CUT}")
    curves = _curves_of(lives)
    newcomers = [life for life in lives if CUT <= life.first_day <= DAYS - FOLLOWED_DAYS]
    yield from _close_dates(curves, newcomers)
    say(f"churn of {len(newcomers):,} customers who came later")
    yield from _churn(newcomers)


def _curves_of(lives):
    """The Curves of each stage from what was written down by CUT."""
    customers, history = [], []
    for life in lives:
        stages = [(day, place) for day, place in life.stages if day <= CUT]
        if not stages:
            continue
        key, contacts = customer_id(life), [contact.day for contact in life.contacts if contact.day <= CUT]
        last = moment(max(contacts)) if contacts else None
        customers.append((key, ORGANIZATION, last, moment(stages[-1][0])))
        history += [(f"{key}_{place}", key, _STAGES[place], moment(day)) for day, place in stages]
    with tables(), connection.cursor() as cursor:
        write(cursor.cursor, "customers", ("id", "organization_id", "last_contact_at", "stage_entered_at"), customers)
        write(cursor.cursor, "stage_history", ("id", "customer_id", "to_stage", "changed_at"), history)
        return curves_of(outcomes_of(ORGANIZATION, moment(CUT)))


def _close_dates(curves, lives):
    organization = Organization(holidays=_holidays())
    errors, fixed, covered, misplaced = [], [], [], 0
    for life, day in moments(lives, seed=SEED):
        entered, place = max(stage for stage in life.stages if stage[0] <= day)
        curve, waited = curves[_STAGES[place]], int(day - entered)
        calendar = Calendar(organization, moment(day))
        closing_on = date.fromisoformat(calendar.workday_in(curve.remaining_days(waited)))
        misplaced += closing_on < calendar.today or not is_workday(organization, closing_on)
        if life.won_on is None:
            continue
        won_on = calendar.day_of(moment(life.won_on))
        errors.append(abs((closing_on - won_on).days))
        fixed.append(abs((calendar.today + timedelta(days=FIXED_DAYS) - won_on).days))
        if curve.wins >= WINS:
            early, late = curve.interval(waited)
            covered.append(early <= int(life.won_on - entered) - waited <= late)
    error, of_fixed, share = median(errors), median(errors) / median(fixed), sum(covered) / max(len(covered), 1)
    number = f"of {len(errors)}"
    yield Row("close date: median error in days", f"{error:.0f} {number}", f"≤ {LARGEST_ERROR}", error <= LARGEST_ERROR)
    label = f"close date: error beside {FIXED_DAYS} days for all"
    yield Row(label, f"{of_fixed:.2f} {number}", f"≤ {OF_FIXED}", of_fixed <= OF_FIXED)
    required = f"{LEAST_COVERED} to {MOST_COVERED}, from {WINS} wins on"
    holds = LEAST_COVERED <= share <= MOST_COVERED
    yield Row("close date: within 80 % intervals", f"{share:.3f} of {len(covered)}", required, holds)
    yield Row("close date: past, weekends or holidays", str(misplaced), "0", not misplaced)


def _holidays():
    """Holidays of these years: the Founding Day, the National Day, and a week in spring and in summer."""
    first = moment(0).year
    weeks = [(3, 20), (5, 27)]
    return [
        *(date(year, month, day) for year in range(first, first + 4) for month, day in ((2, 22), (9, 23))),
        *(
            date(year, month, day) + timedelta(days=days)
            for year in range(first, first + 4) for month, day in weeks for days in range(7)
        ),
    ]  # fmt: skip


def _churn(lives):
    """Who is not heard of for a month, nor won, by the band and by the silence that were told before.

    Of who has been heard of within a month: that the others stay silent is easily foretold.
    """
    looks = [(life, day) for life, day in moments(lives, every=7, seed=SEED)
             if day + SILENT_DAYS <= life.first_day + FOLLOWED_DAYS]  # fmt: skip
    fell_silent, silences, recencies, bands = [], [], [], defaultdict(list)
    for one in seen(lives, looks):
        facts, until = one.facts, one.day + SILENT_DAYS
        talks = any(contact.kind in ("inbound", "answered") and one.day < contact.day <= until
                    for contact in one.life.contacts)  # fmt: skip
        is_lost = not talks and not (one.life.won_on is not None and one.life.won_on <= until)
        silent, usual = silence_of(facts, USUAL_GAPS)
        if silent > SILENT_DAYS:
            continue
        plans = Plans(missed_last_appointment=facts.last_visit_no_show)
        bands[churn_of(facts, plans, USUAL_GAPS, facts.at.date()).risk].append(is_lost)
        fell_silent.append(is_lost)
        silences.append(silent / usual)
        recencies.append(silent)
    shares = [sum(bands[risk]) / max(len(bands[risk]), 1) for risk in ChurnRisk.values]
    told = ", ".join(f"{risk} {share:.2f}" for risk, share in zip(ChurnRisk.values, shares, strict=True))
    figure = f"{told} of {len(fell_silent)}"
    yield Row("churn: who fell silent, by band", figure, "rising", shares == sorted(set(shares)))
    by_rhythm, least = auc(fell_silent, silences), auc(fell_silent, recencies) - WORSE_THAN_RECENCY
    yield Row("churn: AUC by the customer's rhythm", f"{by_rhythm:.3f}", f"≥ {least:.3f}, by recency less "
              f"{WORSE_THAN_RECENCY}", by_rhythm >= least)  # fmt: skip
