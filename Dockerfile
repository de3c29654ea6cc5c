# The four programs of imagefarm, one file with four names, in a small image with nothing else in it but certificates: no
# shell, no distribution.
#
#   docker build -t imagefarm .
#   docker run --rm imagefarm farm --help
#
# libwebp is linked into it, statically. Without it, with the slower WebP encoder in Go and no C at all:
#
#   docker build -t imagefarm --build-arg CGO_ENABLED=0 --build-arg TAGS=nodynamic .

FROM golang:1.26-bookworm AS build

# 1 installs the C libraries that TAGS may name and links them statically.
ARG CGO_ENABLED=1
RUN if [ "$CGO_ENABLED" = 1 ]; then \
        apt-get update && \
        apt-get install -y --no-install-recommends gcc libc6-dev pkg-config libwebp-dev && \
        rm -rf /var/lib/apt/lists/*; \
    fi

WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

# nodynamic: never look for shared libraries at run time, there are none in the image.
ARG TAGS=nodynamic,libwebp
COPY . .
# The go command stamps version and revision from .git; where git cannot read that (a worktree), it goes without.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    set -eu; \
    vcs=true; git status --porcelain >/dev/null 2>&1 || vcs=false; \
    link='-s -w'; tags="$TAGS"; \
    if [ "$CGO_ENABLED" = 1 ]; then \
        link="$link -linkmode external -extldflags -static"; tags="$tags,netgo,osusergo"; \
    fi; \
    mkdir -p /image/usr/local/bin /image/etc/ssl/certs /image/tmp; \
    chmod 1777 /image/tmp; \
    cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/; \
    go build -trimpath -buildvcs="$vcs" -tags "$tags" -ldflags "$link" -o /image/usr/local/bin/ ./farm; \
    for name in ventilator worker sink; do ln -s farm "/image/usr/local/bin/$name"; done

FROM scratch
LABEL org.opencontainers.image.title="imagefarm" \
      org.opencontainers.image.description="A distributed image-processing farm: ventilator, workers, sink" \
      org.opencontainers.image.source="https://github.com/imagefarm/imagefarm"
COPY --from=build /image/ /
ENV PATH=/usr/local/bin
USER 65532:65532
# control, events, tasks, results; HTTP of sink, ventilator, worker
EXPOSE 5555 5556 5557 5558 8080 8081 8082
CMD ["farm", "--help"]
