"""Periodic work about customers. Each may run late, or again."""

from config.counts import report
from config.jobs import apart, job
from customers import counting, refreshing, transferring
from customers.services import customer as services
from customers.services import matching, merge, scoring, search
from employees.models import Organization


@job
def fold_counts():
    """Add up what has gathered in the counts that statistics are read from."""
    return counting.fold_counts()


@job
def purge_deleted():
    """Remove deleted customers that have been kept for as long as their organization keeps them."""
    return sum(services.purge_deleted())


@job
def prune_name_words():
    """Forget words that no customer's name holds any more: one organization at a time, for writers wait meanwhile."""
    return sum(map(search.prune_name_words, Organization.objects.all()))


@job
def prune_merge_snapshots():
    """Forget what undoing would need of merges that are too old for it."""
    return merge.prune_snapshots()


@job
def refresh_stats():
    """Compare counts with the truth, say what differs, and set it right."""
    return report(refreshing.refresh())


@job
def score_touched():
    """Score the customers that something was changed about."""
    return scoring.recompute_touched().scored


@job
def score_everybody():
    """Score every customer: without events, scores decay."""
    return scoring.recompute_all().changed


@job
def prune_lead_scores():
    """Remove what is too old for models to learn from, and what is kept of customers who are gone."""
    return scoring.prune()


@job
def run_transfers():
    """Run the import or export that has waited longest, if any: one at a time, so that other jobs find workers."""
    return transferring.run_next()


@job
def prune_transfers():
    """Remove files of transfers that ended a day ago."""
    return transferring.prune()


@job
def match_waiting():
    """Match listings and customers that have changed."""
    return matching.match_waiting()


@job
def train_lead_models():
    """Watch the lead score models of all organizations, and train new ones: in place only past the gate."""
    # numpy is no matter of whoever only imports tasks.
    from customers.scoring.learning import drift, training

    def watch_and_train(keys):
        (organization,) = Organization.objects.filter(pk__in=keys)
        drift.watch(organization, by="train_lead_models")
        training.train(organization, by="train_lead_models")

    for key in Organization.objects.order_by("pk").values_list("pk", flat=True):
        apart(watch_and_train, [key])
