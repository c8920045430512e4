# Waybill on Debian 12: one unprivileged process group, everything it keeps in /var/lib/waybill.
FROM debian:12-slim

ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -qq -y --no-install-recommends ca-certificates fonts-dejavu-core python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --user-group --home-dir /var/lib/waybill --shell /usr/sbin/nologin waybill \
 && install -d -o waybill -g waybill -m 0750 /var/lib/waybill

WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock scripts/install-locked ./
RUN python3 -m venv /opt/waybill \
 && ./install-locked /opt/waybill requirements.lock
COPY . .
RUN /opt/waybill/bin/python -m pip install --quiet --no-build-isolation --no-deps . \
 && rm -rf build *.egg-info

WORKDIR /var/lib/waybill
ENV PATH=/opt/waybill/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 WAYBILL_DATA_DIR=/var/lib/waybill
USER waybill
VOLUME /var/lib/waybill
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["waybill", "up", "--host", "0.0.0.0", "--port", "8080"]
