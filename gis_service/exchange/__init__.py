"""Read any vector file, map its fields, clean its geometry and merge it into a layer's table."""
