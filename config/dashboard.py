"""What the first page of the back office shows."""


def dashboard(employee):
    return {}
