# One image for web, worker, beat and commands: see docker-compose.yml. Builds without any secret.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /
RUN /venv/bin/pip install --require-hashes -r /requirements.txt
# What only some need, such as "django-storages[s3]" for S3_BUCKET.
ARG EXTRA_PACKAGES=""
RUN if [ -n "$EXTRA_PACKAGES" ]; then /venv/bin/pip install $EXTRA_PACKAGES; fi

FROM python:3.13-slim AS runtime
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin hub
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=false HUB_DATA=/srv/hub
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
RUN python -m compileall -q . \
    # Collecting static files needs settings that are complete; none of these is kept.
    && SECRET_KEY=only-for-this-line-of-the-dockerfile-1 JWT_SIGNING_KEY=only-for-this-line-of-the-dockerfile-2 \
       ALLOWED_HOSTS=localhost DATABASE_URL=postgresql://none REDIS_URL=redis://none \
       python manage.py collectstatic --noinput \
    # A new volume takes its owner from the folder that it is mounted over.
    && install -d -o hub -g hub -m 700 /srv/hub/documents
USER hub
EXPOSE 8000
CMD ["granian", "--interface", "asgi", "--host", "0.0.0.0", "--port", "8000", "--workers-kill-timeout", "25", \
     "--backlog", "2048", "--backpressure", "8192", "--log-level", "warning", "config.asgi:application"]
