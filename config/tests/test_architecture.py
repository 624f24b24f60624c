"""The promises of the house: who may import whom, and that requests reach rows through their scope only."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ["employees", "customers", "actions", "documents", "realtime"]
MAY_IMPORT = {
    "employees": {"config", "employees"},
    "customers": {"config", "employees", "customers"},
    "actions": {"config", "employees", "customers", "actions"},
    "documents": {"config", "employees", "customers", "documents"},
    "realtime": {"config", "employees", "customers", "actions", "documents", "realtime"},
}
# Files of config that wire everything; nobody imports them, and they may import every app.
ROOF = {"settings", "test_settings", "urls", "asgi", "celery", "testing", "dashboard", "demo", "management", "tests"}
LAYERS = ["choices", "querysets", "models", "services", "views"]


def modules():
    for path in sorted(ROOT.glob("*/**/*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in {"config", *APPS} and "migrations" not in parts:
            yield path, parts


def imports_of(path):
    """Dotted names of the project's modules that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_roof(parts):
    return parts[0] == "config" and len(parts) > 1 and parts[1] in ROOF


def is_test(parts):
    return "tests" in parts or parts[-1] == "testing"


def test_apps_import_one_way():
    for path, parts in modules():
        if is_roof(parts) or is_test(parts) or parts[:2] == ("config", "__init__"):
            continue
        allowed = MAY_IMPORT.get(parts[0], {"config"})
        strangers = {name for name in imports_of(path) if name.split(".")[0] in {"config", *APPS} - allowed}
        assert not strangers, f"{'/'.join(parts)} imports {strangers}"
        roof = {name for name in imports_of(path) if is_roof(tuple(name.split(".")))}
        assert not roof, f"{'/'.join(parts)} imports the roof: {roof}"


def test_inside_an_app_layers_import_downwards_and_nobody_imports_views():
    for path, parts in modules():
        if is_test(parts) or parts[0] not in APPS or parts[-1] == "urls":
            continue
        imported = {name.split(".")[1] for name in imports_of(path) if name.split(".")[0] == parts[0] and "." in name}
        layer = next((part for part in parts[1:] if part in LAYERS), None)
        assert "views" not in imported or layer == "views", f"{'/'.join(parts)} imports views"
        if layer:
            above = set(LAYERS[LAYERS.index(layer) + 1 :])
            assert not imported & above, f"{'/'.join(parts)} imports upwards: {imported & above}"


def test_views_reach_rows_through_their_scope_only():
    found = 0
    for path, parts in modules():
        if "views" not in parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "objects"
            ):
                found += 1
                assert node.attr in {"visible_to", "claimable_by"}, (
                    f"{'/'.join(parts)}:{node.lineno} .objects.{node.attr}"
                )
    assert found >= 4


def test_every_module_says_what_it_owns():
    silent = [
        "/".join(parts)
        for path, parts in modules()
        if not is_test(parts)
        and parts[-1] not in {"apps"}
        and not ast.get_docstring(ast.parse(path.read_text()))
        and path.read_text().strip()
    ]
    assert silent == []
