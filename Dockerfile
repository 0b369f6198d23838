FROM node:22-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY assets assets
COPY templates templates
COPY webapp webapp
RUN node assets/build.mjs

FROM python:3.13-slim
WORKDIR /app
COPY requirements-tools.txt requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-tools.txt -r requirements.txt
COPY . .
COPY --from=assets /build/static/dist static/dist
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && pybabel compile --directory webapp/translations \
    && useradd --system --create-home --home-dir /instance yuliang
USER yuliang
ENV YULIANG_INSTANCE=/instance YULIANG_HOST=0.0.0.0
VOLUME /instance
EXPOSE 8000
HEALTHCHECK --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["yuliang", "serve"]
