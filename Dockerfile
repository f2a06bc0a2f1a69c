# One image for every process of docker-compose.yml.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 VAR_DIR=/var/lib/insideout
WORKDIR /srv/insideout

COPY requirements/base.txt requirements/extras.txt requirements/
RUN pip install --require-hashes -r requirements/base.txt -r requirements/extras.txt
COPY . .
RUN pip install --no-build-isolation --no-deps -e . \
 && useradd --system --home-dir "$VAR_DIR" insideout \
 && install -d -o insideout "$VAR_DIR"

USER insideout
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8080"]
