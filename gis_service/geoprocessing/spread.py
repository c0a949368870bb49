"""The sums of zones on several machines: a Dask scheduler that is there already hands them out in portions.

Every machine is given what a statistic sums over once, and runs the function that one machine runs, on a part
of the zones; what a worker had when it died another makes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any, Final

from gis_service.errors import Busy, GisError
from gis_service.geoprocessing.coverage import Portion, Work, portion

PORTIONS_A_THREAD: Final = 4  # so that none waits long for the last, nor much is lost with a worker
SECONDS: Final = 10.0  # to reach the scheduler, and to see a worker there


class NoDask(GisError):
    """A cluster is asked through Dask, which isn't installed: `pip install distributed` puts it beside
    the service.
    """

    status, code, exit_code = 501, "no-dask", 2


class ClusterAway(Busy):
    """No scheduler with workers answers at {address}, or all workers that held the data are gone."""

    code, exit_code = "cluster-away", 5


Done = Callable[[int, int], None]
"""How many portions are done, of how many."""


def _silent(_done: int, _of: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class OnCluster:
    """A Spread over the workers of the scheduler at an address such as tcp://10.0.0.5:8786."""

    address: str
    tell: Done = _silent

    def __call__(self, work: Work) -> Sequence[Portion]:
        try:
            dask: Any = import_module("distributed")
        except ImportError as err:
            raise NoDask from err
        lost = OSError, dask.client.FutureCancelledError, dask.KilledWorker
        try:
            with dask.Client(self.address, timeout=SECONDS, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=SECONDS)
                return self._summed(dask, client, work)
        except lost as err:
            raise ClusterAway(address=self.address) from err

    def _summed(self, dask: Any, client: Any, work: Work) -> list[Portion]:
        ends = _ends(work.count, sum(client.nthreads().values()))
        held = client.scatter(work, broadcast=True, hash=False)
        asked = [client.submit(portion, held, first, end, pure=False) for first, end in pairwise(ends)]
        made: dict[str, Portion] = {}
        with client.as_current():
            for future, result in dask.as_completed(asked, with_results=True):
                made[future.key] = result
                self.tell(len(made), len(asked))
        return [made[future.key] for future in asked]


def _ends(count: int, threads: int) -> list[int]:
    """Where portions begin, and the end; one that is empty where there is no zone."""
    portions = max(1, min(count, PORTIONS_A_THREAD * threads))
    return [count * at // portions for at in range(portions + 1)]
