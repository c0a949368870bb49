"""Proposed changes: from a draft through review to a release, and back."""
