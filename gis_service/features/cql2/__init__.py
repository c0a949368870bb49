"""Readers of CQL2 in both encodings and the checks that a filter passes before it is compiled."""
