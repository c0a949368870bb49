"""The demo: real provinces, circles of cited facts for protected areas, simulated species and plots."""
