"""The layer catalogue: what layers/, styles/ say, validated and frozen. No database."""
