"""The demo: real provinces, cited facts of protected areas as indicative circles, and simulated species and plots."""
