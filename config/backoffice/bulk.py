"""Buttons of a list that change many rows: what is to be done is asked for on a page of its own, a service does it."""

from functools import wraps

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.backoffice.forms import REFUSALS, complaints_of


class Unasked(forms.Form):
    """Nothing is to be known but which rows."""

    def __init__(self, *args, request, **options):
        super().__init__(*args, **options)
        self.request = request


def bulk_action(label, form_class, *, permission):
    """An action of a HubAdmin: `run(self, request, ids, **cleaned)` returns an Outcome, a response, a sentence or None.

    The form is made with `request`. What the service refuses is said above the form, what it leaves out afterwards.
    """

    def decorate(run):
        @admin.action(description=label)
        @wraps(run)
        def action(self, request, queryset):
            limit = request.user.bulk_limit
            ids = list(queryset.order_by().values_list("pk", flat=True)[: limit + 1])
            if len(ids) > limit:
                messages.error(request, too_many(limit))
                return None
            asked = "apply" in request.POST
            form = form_class(request.POST if asked else None, request=request)
            if asked and form.is_valid():
                try:
                    outcome = run(self, request, ids, **form.cleaned_data)
                except REFUSALS as refusal:
                    for complaint in complaints_of(refusal, request):
                        form.add_error(None, complaint["message"])
                else:
                    if isinstance(outcome, HttpResponseBase):
                        return outcome
                    _tell(request, ids, outcome)
                    return None
            context = {
                **self.admin_site.each_context(request),
                "title": label,
                "opts": self.opts,
                "form": form,
                "media": self.media + form.media,
                "count": len(ids),
                "ids": ids,
                "checkbox_name": ACTION_CHECKBOX_NAME,
                "action": run.__name__,
            }
            return TemplateResponse(request, "admin/hub/bulk.html", context)

        action.permission = permission
        return action

    return decorate


def too_many(limit):
    """What is said of more rows than one bulk call may name."""
    return _("At most %(count)d rows can be changed at once.") % {"count": limit}


def _tell(request, ids, outcome):
    if isinstance(outcome, str):
        messages.success(request, outcome)
        return
    done = len(ids) if outcome is None else len(outcome[0])
    if done:
        messages.success(request, ngettext("%(count)d row changed.", "%(count)d rows changed.", done) % {"count": done})
    missing, refused = (outcome[1], outcome[2]) if outcome is not None else ((), {})
    if refused:
        text = ngettext("%(count)d row was refused.", "%(count)d rows were refused.", len(refused))
        messages.warning(request, text % {"count": len(refused)})
    if missing:
        text = ngettext("%(count)d row is not there any more.", "%(count)d rows are not there any more.", len(missing))
        messages.warning(request, text % {"count": len(missing)})
