# musefs in a container: reads /music (and remote origins), keeps its state in /state, mounts at /export/music.
# The mount reaches the host when /export is a bind mount with rshared propagation; config/docker-compose.yml
# has every option that it takes.
FROM python:3.12-slim-bookworm AS build

# pyfuse3 is published as source only.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libfuse3-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# What musefs depends on has its own layer: it changes seldom, and takes most of the time.
COPY pyproject.toml ./
COPY config/constraints.txt config/
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
        > requirements.txt \
    && python -m venv /opt/musefs \
    && /opt/musefs/bin/pip install --no-cache-dir --constraint config/constraints.txt --requirement requirements.txt
COPY README.md LICENSE ./
COPY origins origins
COPY musefs musefs
RUN /opt/musefs/bin/pip install --no-cache-dir --no-deps .

# There is no USER here: mount(2) takes CAP_SYS_ADMIN, and root with that capability alone works with
# no-new-privileges on every engine. `--user musefs` works where /dev/fuse is open to all and /state and
# /export belong to uid 1000: through the setuid fusermount3, so not with no-new-privileges, unless the
# engine hands capabilities to users (Podman does, Docker does not).
FROM python:3.12-slim-bookworm

# The group root may write: root without CAP_DAC_OVERRIDE is bound by the modes of the folders.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends fuse3 \
    && rm -rf /var/lib/apt/lists/* \
    && echo user_allow_other >> /etc/fuse.conf \
    && useradd --uid 1000 --user-group --no-create-home --home-dir /state musefs \
    && install -d -o musefs -g root -m 0775 /state /music /export
COPY --from=build /opt/musefs /opt/musefs
COPY config/docker.yaml /etc/musefs/musefs.yaml
ENV PATH=/opt/musefs/bin:$PATH

VOLUME ["/state"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["musefs", "status", "--socket", "/state/control.sock", "--json"]
ENTRYPOINT ["musefs"]
CMD ["mount", "/etc/musefs/musefs.yaml", "/export/music"]
