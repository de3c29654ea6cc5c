# The four programs of imagefarm, one file with four names, in a small image with little else in it: certificates, and the C
# libraries that decode and encode WebP, HEIC and AVIF in the workers' children. No shell, no distribution.
#
#   docker build -t imagefarm .
#   docker run --rm imagefarm farm --help
#
# Without the libraries, with slower codecs and no C at all:
#
#   docker build -t imagefarm --build-arg TAGS=nodynamic .

FROM golang:1.26-bookworm AS build

# nodynamic makes a static program that loads no shared libraries.
ARG TAGS=
RUN if [ -z "$TAGS" ]; then \
        apt-get update && \
        apt-get install -y --no-install-recommends libdav1d6 libheif1 libwebp7 libjxl0.7 && \
        rm -rf /var/lib/apt/lists/*; \
    fi

WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY . .
# The go command stamps version and revision from .git; where git cannot read that (a worktree), it goes without.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    set -eu; \
    vcs=true; git status --porcelain >/dev/null 2>&1 || vcs=false; \
    mkdir -p /image/usr/local/bin /image/etc/ssl/certs /image/tmp; \
    chmod 1777 /image/tmp; \
    cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/; \
    CGO_ENABLED=0 go build -trimpath -buildvcs="$vcs" -tags "$TAGS" -ldflags '-s -w' -o /image/usr/local/bin/ ./farm; \
    for name in ventilator worker sink; do ln -s farm "/image/usr/local/bin/$name"; done

# The libraries, and those that they and the program need, where the loader looks for them.
RUN set -eu; \
    if [ -z "$TAGS" ]; then \
        libraries="$(cd /usr/lib/*-linux-gnu && ls "$PWD"/libdav1d.so.6 "$PWD"/libheif.so.1 "$PWD"/libwebp.so.7 "$PWD"/libjxl.so.0.7)"; \
        { echo "$libraries"; ldd /image/usr/local/bin/farm $libraries | grep -o '/[^ :]*\.so[^ :]*'; } | sort -u | \
        while read -r file; do \
            mkdir -p "/image$(dirname "$file")"; cp -L "$file" "/image$file"; \
        done; \
    fi

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
