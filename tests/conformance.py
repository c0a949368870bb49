"""Holds the declared conformance classes against the tests that say `@pytest.mark.proves(uri)`.

Hooks of pytest, taken in by tests/conftest.py: at the end of a whole run, every declared class must have a
proof that passed and none that failed, and every proved class must be declared.
"""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from gis_service.features.conformance import CLASSES

PROVES = "proves"

_proofs: dict[str, dict[str, str]] = {}  # by class, by test: failed in any phase, else what the call gave


def uris_of(item: pytest.Item) -> frozenset[str]:
    """The classes that a test proves."""
    return frozenset(str(uri) for mark in item.iter_markers(PROVES) for uri in mark.args)


def faults(declared: Iterable[str], proofs: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong, a sentence each; `proofs` gives the outcomes of the tests of a class."""
    declared = set(declared)
    found = [f"proved but not declared: {uri}" for uri in sorted(proofs.keys() - declared)]
    for uri in sorted(declared):
        outcomes = proofs.get(uri, ())
        if "failed" in outcomes:
            found.append(f"declared but a proof failed: {uri}")
        elif "passed" not in outcomes:
            found.append(f"declared but not proved: {uri}")
    return found


def is_whole(config: pytest.Config) -> bool:
    """Whether this run has all tests but the long ones, as `./gis test` starts it."""
    narrowed = ("keyword", "collectonly", "deselect", "ignore", "lf", "maxfail")
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and config.option.markexpr in ("", "not long")
        and not any(config.getoption(name, None) for name in narrowed)
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write on each test what it proves: its reports carry it, from other processes too."""
    for item in items:
        item.user_properties += [(PROVES, uri) for uri in sorted(uris_of(item))]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call" and report.outcome == "passed":
        return
    for name, uri in report.user_properties:
        if name == PROVES:
            outcomes = _proofs.setdefault(str(uri), {})
            failed = "failed" in (report.outcome, outcomes.get(report.nodeid))
            outcomes[report.nodeid] = "failed" if failed else report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    one_of_several = hasattr(session.config, "workerinput")  # the process that gathers their reports judges
    if one_of_several or not is_whole(session.config) or session.shouldstop:
        return
    if wrong := faults(CLASSES, {uri: list(outcomes.values()) for uri, outcomes in _proofs.items()}):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None, "it is part of pytest"
        reporter.write_sep("=", "conformance", red=True)
        for fault in wrong:
            reporter.write_line(fault)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
