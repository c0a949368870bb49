"""Holds the declared conformance classes against the tests that say `@pytest.mark.proves(uri)`.

Hooks of pytest, taken in by tests/conftest.py: at the end of a whole run, every declared class must have a
proof that passed and none that failed, and every proved class must be declared.
"""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from gis_service.features.conformance import CLASSES

_uris: dict[str, frozenset[str]] = {}  # by test
_outcomes: dict[str, str] = {}  # by test: failed in any phase, else that of the call


def uris_of(item: pytest.Item) -> frozenset[str]:
    """The classes that a test proves."""
    return frozenset(str(uri) for mark in item.iter_markers("proves") for uri in mark.args)


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


def pytest_collection_finish(session: pytest.Session) -> None:
    _uris.update({item.nodeid: uris for item in session.items if (uris := uris_of(item))})


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.nodeid in _uris and (report.when == "call" or report.outcome != "passed"):
        failed = "failed" in (report.outcome, _outcomes.get(report.nodeid))
        _outcomes[report.nodeid] = "failed" if failed else report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not is_whole(session.config) or session.shouldstop:
        return
    proofs: dict[str, list[str]] = {}
    for nodeid, uris in _uris.items():
        for uri in uris:
            proofs.setdefault(uri, []).append(_outcomes.get(nodeid, "not run"))
    if wrong := faults(CLASSES, proofs):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None, "it is part of pytest"
        reporter.write_sep("=", "conformance", red=True)
        for fault in wrong:
            reporter.write_line(fault)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
