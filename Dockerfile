# One image for every process: `docker run … worker`, `dispatcher`, `scheduler`, `dashboard`, `migrate`.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin nexara
WORKDIR /app

# The dependencies first: they change least. Wheels alone, each checked against its hash; no compiler is needed.
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: -r requirements.lock

COPY settings.py nexara.py ./
COPY models models
COPY ledger ledger
COPY providers providers
COPY lifecycle lifecycle
COPY jobs jobs
COPY schedules schedules
COPY workers workers
COPY dashboard dashboard
COPY migrations migrations
# The base image carries no compiled modules: without them every start of a process costs seconds.
RUN python -m compileall -q -j 0 /usr/local/lib/python3.11 /app

ARG RELEASE=""
ENV RELEASE=$RELEASE \
    LOG_FORMAT=json

USER 10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["python", "-m", "workers.health"]
ENTRYPOINT ["python", "-m", "nexara"]
CMD ["--help"]
