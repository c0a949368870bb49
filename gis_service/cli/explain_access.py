"""`./gis explain-access`: who sees what of a layer or of one feature, and by which rule."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gis_service.cli.command import Context
from gis_service.errors import GisError, Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.access.explain import Explanation, Feature, Seen


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take whom, which layer, perhaps which feature."""
    parser.add_argument("--as", dest="who", metavar="WHO", required=True, help=say("explain.as", lang))
    parser.add_argument("--layer", required=True, help=say("explain.layer", lang))
    parser.add_argument("--feature", metavar="ID", help=say("explain.feature", lang))
    parser.add_argument("--json", action="store_true", help=say("explain.json", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Explain; exit code 1 where what the rules say isn't what the database role reads."""
    from gis_service.access.explain import explain, who
    from gis_service.catalog.registry import load_catalog
    from gis_service.db.sync import SyncDatabase

    layers = load_catalog(context.settings.root).layers
    if args.layer not in layers:
        raise Usage(context.say("cli.no_layer", layer=args.layer, layers=", ".join(layers)))
    with SyncDatabase(context.running_dsn()) as database:
        found = explain(database, who(database, args.who), layers[args.layer], args.feature)
    if args.json:
        sys.stdout.write(json.dumps(found.document(), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(found, context))
    agree = found.feature is None or found.feature.walls_agree
    return 0 if agree else GisError.exit_code


def lines(found: "Explanation", context: Context) -> Iterator[str]:
    """The explanation in sentences, details after a dash."""
    who = found.who
    yield context.say("explain.who", name=who.name, tier=who.tier, policy_class=who.policy_class)
    if found.seen is None:
        yield context.say("explain.closed", layer=found.layer)
    else:
        yield context.say(
            "explain.role" if found.seen.role_exists else "explain.no-role", role=found.seen.role
        )
        yield from _listed(context.say("explain.rows"), _rows(found.seen, context))
        yield from _listed(context.say("explain.columns"), _columns(found.seen, context))
        yield from _listed(context.say("explain.geometry"), [_geometry(found.seen, context)])
    if found.feature is not None:
        yield from _feature(found.feature, context)


def _listed(heading: str, details: Sequence[str]) -> Iterator[str]:
    yield heading
    yield from (f"  - {detail}" for detail in details)


def _rows(seen: "Seen", context: Context) -> list[str]:
    if seen.sight == "all":
        return [context.say("explain.rows.all")]
    told = [context.say("explain.rows.own", codes=", ".join(seen.own))] if seen.own else []
    if seen.sight == "own":
        return [*told, context.say("explain.rows.none-open")]
    told.append(context.say("explain.rows.open"))
    if seen.licence_closes:
        told.append(context.say("explain.rows.licence"))
    if seen.withheld:
        told.append(context.say("explain.rows.category", categories=", ".join(map(str, seen.withheld))))
    return told


def _columns(seen: "Seen", context: Context) -> list[str]:
    columns = seen.columns
    elsewhere = "explain.columns.replaced-elsewhere" if seen.own else "explain.columns.replaced"
    told = (
        ("explain.columns.shown", columns.shown),
        (elsewhere, [f"{name} ({column})" for name, column in columns.replaced.items()]),
        ("explain.columns.masked", columns.masked),
        ("explain.columns.hidden", columns.hidden),
    )
    return [context.say(key, names=", ".join(names)) for key, names in told if names]


def _geometry(seen: "Seen", context: Context) -> str:
    if seen.exact is not None:
        return context.say("explain.geometry.own", exact=seen.exact, column=seen.geometry)
    key = "explain.geometry.coarse" if seen.coarse else "explain.geometry.exact"
    return context.say(key, column=seen.geometry)


def _feature(feature: "Feature", context: Context) -> Iterator[str]:
    key = "explain.feature.visible" if feature.visible else "explain.feature.invisible"
    yield from _listed(context.say(key, id=feature.id), _details(feature, context))
    if not feature.walls_agree:
        yield context.say("explain.walls-differ", rules=feature.visible, read=not feature.visible)


def _details(feature: "Feature", context: Context) -> list[str]:
    codes = ", ".join(feature.jurisdictions) or context.say("explain.nowhere")
    told = [
        context.say(f"explain.because.{reason}", codes=codes, category=feature.category)
        for reason in feature.reasons
    ]
    if feature.position is not None:
        always = "-always" if feature.position == "coarse" and feature.category is None else ""
        told.append(context.say(f"explain.position.{feature.position}{always}", category=feature.category))
    if feature.altered:
        told.append(context.say("explain.altered", names=", ".join(feature.altered)))
    return told
