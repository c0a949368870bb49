"""Our layers inside an existing pygeoapi: the provider `gis_service.plugin.provider.GisServiceProvider`."""
