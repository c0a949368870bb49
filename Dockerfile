# One image for the service and the worker; the database is an image of its own (docker-compose.yml).
FROM node:22-bookworm-slim AS javascript
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.12-slim-bookworm
WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock \
    && useradd --system --create-home --home-dir /var/lib/gis gis \
    && install --directory --owner gis --group gis /var/lib/gis/data
COPY --from=javascript /app/node_modules node_modules
COPY gis_service gis_service
COPY layers layers
COPY styles styles
COPY config config
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 GIS_ROOT=/app GIS_DATA=/var/lib/gis/data GIS_HOST=0.0.0.0
USER gis
EXPOSE 8080
CMD ["python", "-m", "gis_service.cli", "serve"]
