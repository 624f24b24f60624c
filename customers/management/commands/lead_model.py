"""The command that trains models of lead scores, says how far they agree with what happened, and puts them in place."""

import json

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.commands import FAILED, HubCommand
from config.jobs import apart
from customers.choices import ModelFigure, ModelKind, Stage
from customers.services import lead_model as services
from employees.commands import organization_of
from employees.models import Organization

REFUSED, BUSY = 3, 4


class Command(HubCommand):
    help = (
        "Lead score models of organizations. train: learn from what became of customers, and put the model in place if "
        "it passes the gate. evaluate: how far scores agree with what happened. backtest: what models would have told "
        "of quarters gone by. activate: have a version count. rollback: what counted before, or the documented points, "
        "until the next weekly training. verify: show on simulated brokerages that scores keep what is promised of "
        "them. As JSON, train, evaluate and backtest write a line for each organization."
    )
    codes = f"0 done, 1 refused or failed, {REFUSED} refused by the gate"
    busy = BUSY
    interrupted = gettext_lazy("Interrupted: what was done stays; run it again for the rest")

    def create_parser(self, *args, **options):
        # In place of Django's own --version, which tells the version of Django.
        return super().create_parser(*args, conflict_handler="resolve", **options)

    def add_arguments(self, parser):
        parser.add_argument("task", choices=("train", "evaluate", "backtest", "activate", "rollback", "verify"))
        parser.add_argument("--organization", metavar="ID", help="only of this one; activate and rollback need it")
        parser.add_argument("--version", type=int, metavar="N", dest="number", help="what activate puts in place")
        parser.add_argument("--dry-run", action="store_true", help="train, but store and activate nothing")
        parser.add_argument("--only", metavar="NAME", help="verify this one alone")
        parser.add_argument("--speed", action="store_true", help="verify speed as well, on a large brokerage")
        self.add_summary(parser)

    def run(self, task, organization, **options):
        organization = organization and organization_of(organization)
        if task in ("activate", "rollback") and not organization:
            raise CommandError(_("%(task)s needs --organization") % {"task": task})
        if task in ("activate", "rollback") and options["dry_run"]:
            raise CommandError(_("%(task)s cannot be tried by --dry-run: nothing was changed") % {"task": task})
        self.summary, self.dry_run, self.failed = options["summary"], options["dry_run"], []
        code = getattr(self, task)(organization, **options)
        return FAILED if self.failed else code

    def train(self, organization, dry_run, **options):
        from customers.scoring.learning import training

        def learnt(each):
            found = training.train(each, by="lead_model", dry_run=dry_run)
            return [_told(candidate.model) for candidate in found]

        told = self.each(organization, learnt, self.say_models)
        is_refused = any(models and not any(model["passed"] for model in models) for models in told)
        return REFUSED if is_refused else None

    def evaluate(self, organization, **options):
        from customers.scoring.learning import training

        self.each(organization, training.evaluate, self.say_reports)

    def backtest(self, organization, **options):
        from customers.scoring.learning import training

        def cuts(each):
            return [{"day": day.date(), "reports": reports} for day, reports in training.backtest(each)]

        def say(found):
            for cut in found:
                self.stdout.write(_("Trained until %(day)s, the three months after:") % {"day": cut["day"]})
                self.say_reports(cut["reports"])

        self.each(organization, cuts, say)

    def activate(self, organization, number, **options):
        if number is None:
            raise CommandError(_("%(task)s needs --version") % {"task": "activate"})
        try:
            model = services.activate(organization, number, by="lead_model")
        except ValidationError as error:
            code = REFUSED if error.code == "refused" else FAILED
            raise CommandError(" ".join(error.messages), returncode=code) from None
        self.say_active(model)

    def rollback(self, organization, **options):
        try:
            model = services.roll_back(organization, by="lead_model")
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.say_active(model)

    def verify(self, organization, only, speed, **options):
        from customers.scoring.verification import checks

        if only and only not in checks.NAMES:
            raise CommandError(
                _("There is no check %(name)s; there are %(names)s") % {"name": only, "names": ", ".join(checks.NAMES)}
            )
        rows = []
        for row in checks.run(only, with_speed=speed, say=lambda text: self.stderr.write(f"{text} …")):
            rows.append(row)
            if self.summary == "text":
                kept = _("holds") if row.holds else _("DOES NOT HOLD")
                self.stdout.write(f"{row.check:<52} | {row.figure:<50} | {row.required:<24} | {kept}")
        if self.summary == "json":
            self.stdout.write(json.dumps([row._asdict() for row in rows], ensure_ascii=False))
        return None if rows and all(row.holds for row in rows) else FAILED

    def each(self, organization, work, say):
        """What `work` finds of each organization, said as lines or as JSON. One that fails holds up no others."""
        found = []
        for one in [organization] if organization else Organization.objects.order_by("pk"):
            self.stderr.write(f"{one} …")
            told = apart(lambda _keys, one=one: work(one), [one.pk], self.failed)
            if not told:
                self.stderr.write(_("%(organization)s failed; the log tells of it") % {"organization": one})
            for each in told:
                self.say_found(one, each, say)
            found += told
        return found

    def say_found(self, organization, found, say):
        if self.summary == "text":
            self.stdout.write(f"{organization} ({organization.pk})")
            if not found:
                self.stdout.write(_("There is no history to learn from yet."))
            say(found)
        else:
            told = {"organization": organization.pk, "dryRun": self.dry_run, "found": found}
            self.stdout.write(json.dumps(told, ensure_ascii=False, default=str))

    def say_models(self, models):
        for model in models:
            self.stdout.write(f"{ModelKind(model['kind']).label}: {model['decision']}")
            facts = [
                (_("trained from"), model["trainFrom"].date()),
                (_("trained to"), model["trainTo"].date()),
                (_("rows"), model["rows"]),
                (_("customers"), model["customers"]),
                (_("won customers"), model["wins"]),
                (_("held to the points by"), "∞" if model["lam"] is None else model["lam"]),
            ]
            for label, value in facts:
                self.stdout.write(f"  {label}: {value}")
            for check in model["metrics"]["checks"]:
                kept = "✓" if check["holds"] else "✗"
                self.stdout.write(f"  {kept} {check['name']}: {check['figure']} ({check['required']})")
            baselines = model["baselines"]
            has_incumbent = baselines["incumbent"]["kind"] != ModelKind.POINTS
            self.say_reports(
                [model["metrics"], *([baselines["incumbent"]] if has_incumbent else []), baselines["points"]]
            )

    def say_reports(self, reports):
        """Reports beside each other, then the stages of the first."""
        if not reports:
            return
        heads = [f"{ModelKind(told['kind']).label} {told['version'] or ''}".strip() for told in reports]
        self.stdout.write(f"  {'':<28}" + "".join(f"{head:>24}" for head in heads))
        for name, label in ModelFigure.choices:
            self.stdout.write(f"  {str(label):<28}" + "".join(f"{_figure(told.get(name)):>24}" for told in reports))
        for stage, told in reports[0].get("stages", {}).items():
            line = _("%(rows)d rows, %(wins)d won, AUC %(auc)s") % {**told, "auc": _figure(told["auc"])}
            self.stdout.write(f"  {Stage(stage).label}: {line}")

    def say_active(self, model):
        version, kind = (model.version, model.kind) if model else (None, ModelKind.POINTS.value)
        self.summarize([("version", _("active version"), version), ("kind", _("level"), kind)], summary=self.summary)


def _told(model):
    return {
        "version": model.version or None,
        "kind": model.kind,
        "status": model.status,
        "passed": model.status != "rejected",
        "decision": model.decision,
        "trainFrom": model.train_from,
        "trainTo": model.train_to,
        "rows": model.n_rows,
        "customers": model.n_customers,
        "wins": model.n_wins,
        "lam": model.lam,
        "metrics": model.metrics,
        "baselines": model.baseline_metrics,
    }


def _figure(value):
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
