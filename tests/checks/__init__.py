"""Clean rows of each layer and examples of every rule, for the tests of the automatic checks."""
