"""The bench's own arithmetic and rules: percentiles, spreads, when a ratio may stand, what an answer says."""

import asyncio
import gzip
import itertools
import json
import math
from pathlib import Path

import mapbox_vector_tile
import pytest

from tests.bench import asks, client, compare, goals, processes, report, targets
from tests.bench.asks import Ask, OgcServer, TemplateServer
from tests.bench.cases import all_cases
from tests.bench.client import Answer, Tally, whole_answer
from tests.bench.compare import Meaning, Verdict, judge, meaning
from tests.bench.exports import Export
from tests.bench.report import Cell
from tests.bench.run import Bench, Plan
from tests.bench.sharing import Shared
from tests.bench.stats import Spread, percentile, ratio
from tests.bench.tile_cases import GENERAL


def cell(target: str, *latencies: float, clients: int = 1, case: str = "item-area") -> Cell:
    tally = Tally(list(latencies), body_bytes=100 * len(latencies), elapsed_s=1.0)
    return Cell(case, target, clients, [tally])


def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile([4, 1, 3, 2], 0.95) == 4
    assert percentile([7], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_a_spread_says_how_far_rounds_lie_apart() -> None:
    spread = Spread.over([10, 8, 12])
    assert (spread.median, spread.noise) == (10, 0.2)
    assert math.isnan(Spread.over([]).median)


def test_no_ratio_without_two_numbers() -> None:
    assert ratio(1, 4) == 0.25
    assert ratio(1, 0) is None
    assert ratio(math.nan, 4) is None


ITEMS = Ask("items", "plots")
TILE = Ask("tile", "plots", tile=(8, 1, 2))


def test_equal_answers_may_be_compared() -> None:
    verdict = judge([ITEMS], [Meaning(200, ("1", "2"))], [Meaning(200, ("1", "2"))])
    assert verdict.comparable
    assert verdict.words() == "equal"


def test_the_order_of_items_counts() -> None:
    verdict = judge([ITEMS], [Meaning(200, ("1", "2"))], [Meaning(200, ("2", "1"))])
    assert not verdict.comparable


def test_another_status_is_no_equal_answer() -> None:
    assert not judge([ITEMS], [Meaning(200, ("1",))], [Meaning(500)]).comparable


def test_a_tile_cut_short_is_compared_under_its_rule() -> None:
    short = Meaning(200, tuple(map(str, range(10_000))))
    verdict = judge([TILE], [Meaning(200, tuple(map(str, range(12_000))))], [short])
    assert verdict.comparable
    assert "stops at 10,000" in verdict.words()


def test_features_of_the_margin_are_a_declared_rule_and_missing_ones_are_not() -> None:
    more, less = Meaning(200, ("1", "2")), Meaning(200, ("1",))
    assert "margin" in judge([TILE], [more], [less]).words()
    assert not judge([TILE], [less], [more]).comparable


def test_specks_that_thinning_loses_are_a_rule_only_of_thinned_tiles() -> None:
    mine, other = Meaning(200, ("1",)), Meaning(200, ("1", "2"))
    full = Ask("tile", "plots", tile=(8, 1, 2), full=True)
    assert "specks" in judge([TILE], [mine], [other], lambda _, ids: ids == {"2"}).words()
    assert not judge([full], [mine], [other], lambda _, ids: ids == {"2"}).comparable


def test_nothing_compared_gives_no_ratio() -> None:
    assert not Verdict(0, 0).comparable


def test_unequal_answers_print_no_ratio() -> None:
    ours, theirs = cell("ours", 1.0), cell("tipg", 4.0)
    theirs.verdict = Verdict(1, 0, unexplained=("items plots: 3 features against 2",))
    assert report.against(ours, theirs).startswith("no ratio: UNEQUAL")


def test_errors_print_no_ratio() -> None:
    ours, theirs = cell("ours", 1.0), cell("tipg", 4.0)
    theirs.rounds[0].errors["status 500"] = 1
    assert report.against(ours, theirs) == "no ratio: status 500"


def test_a_ratio_names_the_rule_beside_it() -> None:
    ours, theirs = cell("ours", 1.0), cell("tipg", 4.0)
    theirs.verdict = Verdict(2, 1, rules=("the peer stops at 10,000 features, ours draws all",))
    said = report.against(ours, theirs)
    assert said.startswith("p50 × 0.25, req/s × 1")
    assert "stops at 10,000" in said


def test_errors_are_no_throughput() -> None:
    tally = Tally([1.0, 1.0, 1.0], errors={"status 500": 1}, elapsed_s=2.0)
    assert Cell("landing", "ours", 1, [tally]).rps.median == 1.0


def test_goals_are_judged_by_their_cells() -> None:
    found = [
        cell("ours", 1.0), cell("tipg", 9.0),
        cell("ours", 2.0, case="items-10-areas-identity"),
        cell("floor", 1.0, case="items-10-areas-identity"),
        cell("ours", 3.0, case="items-1000-areas-identity"),
        cell("floor", 2.0, case="items-1000-areas-identity"),
        cell("ours", *[0.5] * 1600, case="landing", clients=8),
    ]  # fmt: skip
    slow = Export("export-fgb", rows=2_000_000, bytes=1, seconds=25.0, most_mb=200.0)
    judged = {goal.words: goal.reached for goal in goals.goals(found, [slow], 301.0)}
    assert {words: reached for words, reached in judged.items() if reached is not None} == {
        "one item ≤ 1/8 of TiPg's p50": True,
        "limit=10 ≤ floor + 0.7 ms": False,
        "limit=1000 of polygons ≤ 1.5 × floor": True,
        "export-fgb ≥ 100,000 rows/s with ≤ 300 MB": False,
        "landing page ≥ 1,500 requests a second": True,
        "two web workers ≤ 300 MB (summed PSS after the run)": False,
    }


def test_the_json_file_has_the_fixed_keys(tmp_path: Path) -> None:
    report.write_json(tmp_path / "out.json", [cell("ours", 1.0, 3.0)])
    assert json.loads((tmp_path / "out.json").read_text()) == [
        {
            "case": "item-area", "target": "ours", "clients": 1, "rps": 2.0, "p50_ms": 1.0,
            "p95_ms": 3.0, "p99_ms": 3.0, "bytes": 100.0, "most_bytes": 0, "errors": 0, "cpu_ms": None,
            "features": None,
        }
    ]  # fmt: skip


def test_a_whole_response_is_read_by_its_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert whole_answer(bytearray(head + b"hel")) is None
    answer = whole_answer(bytearray(head + b"hello"))
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"hello")


def test_chunks_are_joined_and_a_body_that_looks_like_the_end_is_not_the_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"7\r\nab0\r\n\r\n\r\n"
    assert whole_answer(bytearray(head + body[:10])) is None
    answer = whole_answer(bytearray(head + body + b"2\r\ncd\r\n0\r\n\r\n"))
    assert answer is not None
    assert answer.body == b"ab0\r\n\r\ncd"


def test_no_content_needs_no_length() -> None:
    answer = whole_answer(bytearray(b"HTTP/1.1 204 No Content\r\nVary: a\r\n\r\n"))
    assert answer is not None
    assert answer.status == 204
    assert answer.header("vary") == "a"


def test_the_client_counts_answers_errors_and_bytes() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in itertools.count():
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            status = b"500 Fault" if number == 2 else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 3\r\n\r\nabc")
        writer.close()

    async def go() -> Tally:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await client.cell("127.0.0.1", port, itertools.repeat(b"GET / HTTP/1.1\r\n\r\n", 5), 1, 9)

    tally = asyncio.run(go())
    assert (len(tally.latencies_ms), tally.body_bytes, tally.errors) == (5, 15, {"status 500": 1})
    assert sorted(tally.kept) == [0, 1, 2, 3, 4]


def test_features_are_told_apart_by_their_ids_compressed_or_not() -> None:
    body = b'{"features": [{"id": 3}, {"id": "4"}]}'
    packed = Answer(200, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", gzip.compress(body))
    assert meaning(ITEMS, packed) == meaning(ITEMS, Answer(200, b"", body)) == Meaning(200, ("3", "4"))


def test_an_empty_tile_is_the_same_as_no_content() -> None:
    assert meaning(TILE, Answer(204)) == meaning(TILE, Answer(200, b"", b""))


@pytest.mark.parametrize("by_property", [False, True])
def test_ids_of_a_tile_come_from_the_feature_or_its_gid(by_property: bool) -> None:
    features = [
        {"geometry": "POINT(1 2)", "properties": {"name": "x", "gid": 300} if by_property else {"name": "x"}}
        | ({} if by_property else {"id": 300})
    ]
    tile = mapbox_vector_tile.encode([{"name": "plots", "features": features}])
    assert list(compare.tile_ids(tile)) == ["300"]


def test_each_server_has_its_own_path_for_the_same_question() -> None:
    ours, tipg = OgcServer(paths=asks.OURS), OgcServer(prefix="bench.", paths=asks.TIPG)
    assert ours(TILE) == "/xyz/plots/8/1/2.mvt"
    assert tipg(TILE) == "/collections/bench.plots/tiles/WebMercatorQuad/8/1/2"
    page = Ask("items", "plots", limit=5, bbox=(1, 2, 3, 4), equals=("status", "a b"))
    query = "?limit=5&bbox=1.000000,2.000000,3.000000,4.000000&status=a+b"
    assert ours(page) == "/collections/plots/items" + query
    assert tipg(page) == "/collections/bench.plots/items" + query


def test_a_server_that_ignores_parameters_is_asked_by_a_filter() -> None:
    server = OgcServer(paths=asks.TIPG, filter_text=True)
    path = server(Ask("items", "plots", limit=5, equals=("scientificName", "o'x")))
    asked = "filter=%22scientificName%22+%3D+%27o%27%27x%27&filter-lang=cql2-text"
    assert path == "/collections/plots/items?limit=5&" + asked


def test_a_deep_page_of_ours_is_a_link_that_was_followed_and_of_a_peer_an_offset() -> None:
    deep = Ask("items", "plots", limit=10, depth=500)
    ours = OgcServer(paths=asks.OURS, deep={("plots", 500): "?limit=10&token=x"})
    assert ours(deep) == "/collections/plots/items?limit=10&token=x"
    assert OgcServer(paths=asks.TIPG)(deep) == "/collections/plots/items?limit=10&offset=500"


def test_a_peers_template_answers_only_what_it_has_places_for() -> None:
    peer = TemplateServer(("/{layer}/{z}/{x}/{y}",))
    assert peer(TILE) == "/plots/8/1/2"
    assert peer(Ask("landing")) is None
    assert peer(Ask("item", "plots", fid="1")) is None


def test_a_peer_must_say_where_it_is() -> None:
    with pytest.raises(processes.BenchFault):
        targets.peer("x", ("localhost:8080",))


def test_a_socket_folder_goes_into_the_host_of_the_peers_url() -> None:
    assert targets.url("postgresql:///b?host=/run/pg&user=gis") == "postgresql://gis@%2Frun%2Fpg/b"


def test_a_restricted_reader_is_held_against_the_public_case_by_case() -> None:
    found = [
        cell("ours", 1.0, case="shared-item"),
        cell("province", 1.1, case="shared-item"),
        cell("ours", 2.0, case="shared-items-10"),
        cell("province", 2.6, case="shared-items-10"),
    ]
    words = "a restricted reader's request ≤ 1.2 × the public's"
    goal = next(goal for goal in goals.goals(found, [], None) if goal.words == words)
    assert goal.measured == "item 1.10 / 1.00 ms, × 1.10; items-10 2.60 / 2.00 ms, × 1.30"
    assert goal.reached is False


def test_steps_of_sharing_are_held_to_their_seconds() -> None:
    done = [Shared("sharing-release", "rows published", 31.0, 30), Shared("sharing-keys", "read", 0.017)]
    told = [(goal.words, goal.measured, goal.reached) for goal in goals.goals([], [], None, done)]
    assert ("rows published ≤ 30 s", "31.0 s", False) in told
    assert done[1].line() == "\nsharing-keys: read: 17.00 ms"


def test_a_province_asks_our_own_server_in_the_shared_cases_alone() -> None:
    ours = targets.Target("ours", 1, OgcServer(paths=asks.OURS))
    province = targets.Target(targets.RESTRICTED, 1, ours.path, key="gis_x")
    bench = Bench([ours, province], [], None, Plan(), "")  # type: ignore[arg-type]  # it's asked of nobody
    who = {case.name: [t.name for t in bench.who(case, [TILE])] for case in all_cases()}
    assert who["shared-tile-z8"] == ["ours", "province"]
    assert who["tile-points-z8"] == ["ours"]
    request = province.request(TILE, "identity")
    assert request is not None
    assert b"\r\nX-API-Key: gis_x\r\n" in request


def test_cases_have_different_names() -> None:
    names = [case.name for case in all_cases()]
    assert len(set(names)) == len(names)


def test_each_thinned_tile_has_its_row_at_full_detail() -> None:
    names = {case.name for case in all_cases()}
    thinned = [case.name for case in all_cases() if case.rule == GENERAL and case.name != "mixed"]
    assert thinned
    assert all(f"{name}-full" in names for name in thinned)


def test_the_page_on_the_benchmark_names_every_pinned_setting_and_option() -> None:
    page = (Path(__file__).parents[2] / "docs/benchmark.md").read_text("utf-8")
    for setting, value, why in targets.pinned_table():
        assert setting in page
        assert value in page
        assert why in page
    options = [
        "--case",
        "--clients",
        "--seconds",
        "--rounds",
        "--quick",
        "--scale",
        "--seed",
        "--dsn",
        "--peer",
    ]
    assert all(f"`{option}" in page for option in options)
