"""What a real server is made of: the settings that are documented, docker-compose.yml, the image and the proxy."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from celery.bin.celery import celery
from django.core.management import get_commands
from granian.cli import cli as granian

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("customers-hub:")}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
# Read where they matter: in config/asgi.py, and by the web server itself.
ELSEWHERE = {"WEB_THREADS", "GRANIAN_WORKERS"}
# What docker-compose.yml asks for, and no process of ours reads.
COMPOSE_ONLY = {
    "POSTGRES_PASSWORD",
    "POSTGRES_CONNECTIONS",
    "CACHE_MEMORY",
    "WEB_WORKERS",
    "WORKER_CONCURRENCY",
    "HUB_PORT",
    "HUB_TAG",
}


def settings_read():
    """`{name: default}` of every variable that settings.py reads; the default as it is written."""
    code = (ROOT / "config" / "settings.py").read_text()
    found = dict(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"(?:, ([^\n]*?))?\)', code))
    return found | dict.fromkeys(re.findall(r'secret\("(\w+)"', code), "")


def rows_of_the_table():
    """`{name: default}` as docs/production.md tells them."""
    section = (ROOT / "docs" / "production.md").read_text().partition("\n## Settings")[2].partition("\n## ")[0]
    rows = {}
    for names, defaults in re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", section, re.MULTILINE):
        words, told = re.findall(r"`(\w+)`", names), [default.strip() for default in defaults.split(",")]
        rows |= zip(words, told * len(words) if len(told) == 1 else told, strict=True)
    return rows


def test_every_setting_is_documented_and_nothing_else_is():
    assert rows_of_the_table().keys() == settings_read().keys() | {"WEB_THREADS"}


@pytest.mark.parametrize(
    "name", ["TRUSTED_PROXIES", "SECURE_HSTS_SECONDS", "WEB_STATEMENT_TIMEOUT_MS", "WEB_DEADLINE_SECONDS", "LOG_LEVEL",
             "DEBUG", "CLAMD_ADDRESS", "HUB_DEMO", "HUB_RATE_LIMITS", "HUB_CACHE"]
)  # fmt: skip
def test_the_documented_default_is_the_one_that_is_read(name):
    written = settings_read()[name].strip('"').replace("_", "").lower()
    assert rows_of_the_table()[name].replace("_", "").lower() == written


def test_the_example_of_an_environment_names_every_setting_and_no_other():
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == settings_read().keys() | COMPOSE_ONLY | {"WEB_THREADS"}


def test_what_compose_asks_for_can_be_set_and_what_it_sets_is_read():
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE))
    assert asked <= settings_read().keys() | COMPOSE_ONLY | {"WEB_THREADS"}
    assert COMPOSE_ONLY <= asked
    for name, service in OURS.items():
        assert service["environment"].keys() <= settings_read().keys() | ELSEWHERE, name
        assert service["environment"]["DEBUG"] == "false"


def test_secrets_are_asked_for_and_have_no_default():
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "ALLOWED_HOSTS", "POSTGRES_PASSWORD"):
        assert set(re.findall(rf"\$\{{{name}(:.)", COMPOSE)) == {":?"}


def test_nothing_of_ours_is_root_or_writes_into_its_image():
    for name, service in OURS.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and not service.get("user"), name
    assert re.findall(r"^USER (\w+)", DOCKERFILE, re.MULTILINE) == ["hub"]


def commands():
    """The words of each command that a container of ours is started or asked by."""
    (default,) = re.findall(r"^CMD (\[.*\])", DOCKERFILE, re.MULTILINE)
    yield yaml.safe_load(default)
    for service in OURS.values():
        test = service.get("healthcheck", {}).get("test", ["CMD"])
        asked = test[1:] if test[0] == "CMD" else shlex.split(test[1])
        yield from filter(None, [service.get("command"), asked])


def test_every_command_and_option_in_the_containers_exists():
    seen = set()
    for program, *words in commands():
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        seen.add(program)
        if program == "granian":
            assert options <= _options_of(granian) and words[-1] == "config.asgi:application"
        elif program == "celery":
            assert words[:2] == ["-A", "config"]
            assert options <= _options_of(celery.commands[words[2]])
        elif words[0] == "manage.py":
            assert words[1] in get_commands()
        else:
            assert (program, words[0]) == ("python", "-c")
            compile(words[1], "healthcheck", "exec")
    assert seen == {"granian", "celery", "python"}


def _options_of(command):
    return {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}


def test_what_the_image_is_made_of_is_there():
    copied = {word for words in re.findall(r"^COPY ([^-].*) \S+$", DOCKERFILE, re.MULTILINE) for word in words.split()}
    assert copied == {"requirements.txt", "."}
    listed = (ROOT / ".dockerignore").read_text().splitlines()
    assert listed.count("*") == 1
    kept = {line[1:] for line in listed if line.startswith("!")}
    assert all((ROOT / name).exists() for name in kept)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks"}
    assert kept == packages | {"templates", "manage.py", "requirements.txt"}


def test_the_proxy_lets_through_what_the_hub_takes():
    conf = (ROOT / "deploy" / "nginx.conf").read_text()
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", conf)
    from django.conf import settings

    assert settings.MAX_FORM_BYTES <= int(megabytes) * 1024 * 1024
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", conf)
    assert int(seconds) > settings.WEB_DEADLINE_SECONDS
    mounted = {volume.partition(":")[0] for volume in SERVICES["nginx"]["volumes"]}
    assert all((ROOT / path).exists() for path in mounted)
    assert SERVICES["web"]["ports"] == ["127.0.0.1:${HUB_PORT:-8000}:8000"]
