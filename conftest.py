"""Names the fixtures of every app's tests, which live in config/testing.py."""

pytest_plugins = ["config.testing"]
