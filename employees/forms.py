"""How people sign in to the back office: with the guards of the API's sign-in."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import Throttled

from config.api.throttling import client_address
from employees.models import Employee
from employees.services import MAX_PASSWORD, check_credentials, is_password_of, normal_password, set_password

_THROTTLED = {"throttled": _("Too many tries. Please wait a minute and try again.")}


class SignInForm(AdminAuthenticationForm):
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        **_THROTTLED,
        "invalid_login": _("Wrong e-mail or password, or an account that does not work in the back office."),
    }

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["username"].widget.attrs["dir"] = "ltr"

    def clean(self):
        """The employee with this e-mail and password, counted against the limits of the API's sign-in."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            try:
                self.user_cache = check_credentials(email, password, address=client_address(self.request))
            except Throttled:
                raise ValidationError(self.error_messages["throttled"], code="throttled") from None
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class PasswordForm(PasswordChangeForm):
    """One's own password, with the old one; every other session ends."""

    error_messages = {**PasswordChangeForm.error_messages, **_THROTTLED}

    def clean_old_password(self):
        """Counted like a sign-in: whoever finds a browser open could try here."""
        try:
            is_right = is_password_of(self.user, self.cleaned_data["old_password"])
        except Throttled:
            raise ValidationError(self.error_messages["throttled"], code="throttled") from None
        if not is_right:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return self.cleaned_data["old_password"]

    def clean_new_password1(self):
        password = normal_password(self.cleaned_data["new_password1"])
        if len(password) > MAX_PASSWORD:
            raise ValidationError(_("At most %(count)d characters") % {"count": MAX_PASSWORD})
        return password

    def clean_new_password2(self):
        return normal_password(self.cleaned_data["new_password2"])

    def save(self, commit=True):
        employee = Employee.objects.get(pk=self.user.pk)
        set_password(employee, self.cleaned_data["new_password1"], actor=employee)
        # This session goes on, and knows itself by the new one.
        self.user.password = employee.password
        return self.user
