"""The leak suite: a world with hidden rows, every request that reads it, changes others may not notice.

To join a route: yield its requests in the module of its area (or in a new one that `requests.AREAS` names),
or say in `coverage.WITHOUT_ROWS` why it shows no row of anybody's. What a province alone may know of, and
isn't a row of a layer, is changed in `hidden.happenings`.
"""
