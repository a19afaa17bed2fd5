# One image for web, worker and beat; compose.yaml tells them apart.
FROM python:3.11-slim-bookworm

# Pango and a Chinese font for the notices as PDF; gettext stays on the developer's machine.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends \
        fontconfig fonts-noto-cjk libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=portal.settings.production HUIDA_VAR_DIR=/var/lib/huida
WORKDIR /srv/huida
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY . .
RUN useradd --system --home /var/lib/huida huida && install -d -o huida -g huida /var/lib/huida
USER huida
VOLUME /var/lib/huida
EXPOSE 8000
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3"]
