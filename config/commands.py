"""What the operators' commands have in common: one at a time, a summary to read or to parse, and how they end."""

import json
import signal
import sys
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.jobs import only_one

DONE, FAILED, PARTLY, BUSY, INTERRUPTED = 0, 1, 2, 3, 130


class HubCommand(BaseCommand):
    """A command of operators. `run(**options)` does the work and may return an exit code; `handle` is ours.

    `codes` says in --help what exit codes of its own mean, `interrupted` what Ctrl-C leaves.
    """

    codes = "0 done, 1 refused or failed"
    # The exit code beside the same command elsewhere.
    busy = BUSY
    interrupted = gettext_lazy("Interrupted: nothing was changed")

    def create_parser(self, *args, **options):
        parser = super().create_parser(*args, **options)
        codes = f"Exit codes: {self.codes}, {self.busy} the same command is under way elsewhere, "
        codes += f"{INTERRUPTED} interrupted."
        parser.epilog = f"{parser.epilog or ''} {codes}".strip()
        return parser

    def add_summary(self, parser, option="--format"):
        """The option that asks for a summary that programs can read, or lines for people."""
        parser.add_argument(
            option, dest="summary", choices=("text", "json"), default="text", help="of the summary on stdout"
        )

    def run_from_argv(self, argv):
        # A supervisor's word to end counts as Ctrl-C, and so does a terminal that closes, but for nohup.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.default_int_handler)
        super().run_from_argv(argv)

    def handle(self, **options):
        try:
            with self.alone(options.get("organization")):
                code = self.run(**options)
        except KeyboardInterrupt:
            raise CommandError(str(self.interrupted), returncode=INTERRUPTED) from None
        except OperationalError as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise CommandError(_("The database failed: %(reason)s") % {"reason": reason}) from None
        except BrokenExecutor:
            message = _("A process of it was ended, perhaps for want of memory: what was done stays; run it again")
            raise CommandError(message) from None
        if code:
            sys.exit(code)

    @contextmanager
    def alone(self, organization_id=None):
        """Refuse to run beside the same command, of this organization or of all. Ends with the process."""
        name = type(self).__module__.rpartition(".")[2]
        with only_one(f"command {name}", organization_id) as is_only:
            if not is_only:
                message = _("Another %(command)s is under way; nothing was changed") % {"command": name}
                raise CommandError(message, returncode=self.busy)
            yield

    def summarize(self, facts, *, summary, dry_run=False):
        """Say how it went: `facts` are `(name in JSON, label, value)`."""
        if summary == "json":
            told = {"dryRun": dry_run} | {name: value for name, _label, value in facts}
            self.stdout.write(json.dumps(told, ensure_ascii=False, default=str))
            return
        if dry_run:
            self.stdout.write(_("Dry run: nothing was changed."))
        for _name, label, value in facts:
            self.stdout.write(f"{label}: {value}")
