"""One class per failure that a caller can act on: the docstring is the message, the rest are attributes.

Exit codes, which scripts may rely on: 1 a fault of ours, 2 wrong usage, 3 not running, 4 data or
configuration refused, 5 the machine or the database isn't as it must be.
"""

from inspect import cleandoc
from typing import ClassVar


class GisError(Exception):
    """{detail}"""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    problem_type: ClassVar[str | None] = None  # the URI that a standard gives this failure

    def __init__(self, detail: object = "", **values: object) -> None:
        self.detail = str(detail)
        self.values = values
        super().__init__(self.message())

    @classmethod
    def template(cls) -> str:
        """Give the sentence of the nearest class that has one, its places still open."""
        return next(cleandoc(base.__doc__) for base in cls.__mro__ if base.__doc__)

    def message(self) -> str:
        """Fill the template; a class whose template has no place for the detail says it after a colon."""
        text = self.template()
        filled = text.format(detail=self.detail, **self.values)
        if self.detail and "{detail}" not in text:
            return f"{filled.rstrip('.')}: {self.detail}"
        return filled

    def __str__(self) -> str:
        return self.message()


class Usage(GisError):
    """{detail}"""

    status, code, exit_code = 400, "usage", 2


class InvalidParameter(GisError):
    """{detail}"""

    status, code, exit_code = 400, "invalid-parameter", 2


class Unprojectable(GisError):
    """Some coordinates have no place in the reference system asked for; choose one made for that area."""

    status, code, exit_code = 400, "unprojectable", 2


class BrokenShape(GisError):
    """PostGIS can't compute with a geometry: {reason}"""

    code = "broken-shape"


class NotFound(GisError):
    """Not found: {detail}"""

    status, code, exit_code = 404, "not-found", 2


class Unauthorized(GisError):
    """The API key is missing, wrong or revoked."""

    status, code, exit_code = 401, "unauthorized", 2


class Forbidden(GisError):
    """Not allowed: {detail}"""

    status, code, exit_code = 403, "forbidden", 2


class MethodNotAllowed(GisError):
    """This address doesn't answer that method: {detail}"""

    status, code, exit_code = 405, "method-not-allowed", 2


class NotAcceptable(GisError):
    """No answer in an accepted format: {detail}"""

    status, code, exit_code = 406, "not-acceptable", 2


class Conflict(GisError):
    """{detail}"""

    status, code, exit_code = 409, "conflict", 4


class RuleBroken(Conflict):
    """The database refused the change: {detail}"""

    code = "rule-broken"


class PreconditionFailed(GisError):
    """{detail}"""

    status, code, exit_code = 412, "precondition-failed", 4


class TooLarge(GisError):
    """Too large: {detail}"""

    status, code, exit_code = 413, "too-large", 4


class UnsupportedMedia(GisError):
    """Unsupported content: {detail}"""

    status, code, exit_code = 415, "unsupported-media", 4


class DataRefused(GisError):
    """The data were refused, nothing was loaded: {detail}"""

    status, code, exit_code = 422, "data-refused", 4


class ConfigRefused(GisError):
    """The configuration has mistakes:
    {detail}"""

    status, code, exit_code = 500, "config-refused", 4

    def __init__(self, *mistakes: str) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


class NotRunning(GisError):
    """gis-service isn't running here; start it with `./gis up`."""

    status, code, exit_code = 503, "not-running", 3


class MachineFault(GisError):
    """{detail}"""

    status, code, exit_code = 503, "machine", 5


class PortTaken(MachineFault):
    """Port {port} is taken by another program; choose another, as in `./gis up --port {other}`."""

    code = "port-taken"


class DatabaseDown(MachineFault):
    """The database doesn't answer: {detail}"""

    code = "database-down"


class PostgisMissing(MachineFault):
    """The database has no PostGIS 3.3 or newer; as its owner run `CREATE EXTENSION postgis`: {detail}"""

    code = "postgis-missing"


class DiskFull(MachineFault):
    """No space left on the disk; nothing was changed: {detail}"""

    status, code = 507, "disk-full"


class Timeout(GisError):
    """The answer took longer than {seconds} s and was stopped; ask for less."""

    status, code, exit_code = 503, "timeout", 1


class Busy(GisError):
    """Too many requests are waiting; ask again in a few seconds."""

    status, code, exit_code = 503, "busy", 1
