"""The demo: real provinces, protected areas as indicative circles of cited facts, simulated species, plots."""
