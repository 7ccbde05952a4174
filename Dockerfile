# The daemon's image, which buildkit-ts builds itself:
#   buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=. --output type=image,name=…,push=true
ARG BASE=docker.io/library/debian:bookworm-slim
ARG NODE=docker.io/library/node:20-bookworm-slim

FROM ${NODE} AS node

FROM node AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs && npm prune --omit=dev --ignore-scripts

FROM ${BASE} AS runtime
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates crun git iptables openssh-client \
 && rm -rf /var/lib/apt/lists/*
COPY --from=node /usr/local/bin/node /usr/local/bin/

FROM runtime
COPY --from=build /src/package.json /opt/buildkit/
COPY --from=build /src/node_modules /opt/buildkit/node_modules
COPY --from=build /src/dist /opt/buildkit/dist
RUN ln -s /opt/buildkit/dist/buildkitd.js /usr/local/bin/buildkitd \
 && ln -s /opt/buildkit/dist/buildctl.js /usr/local/bin/buildctl \
 && mkdir -p /var/lib/buildkit
VOLUME /var/lib/buildkit
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s CMD ["buildctl", "debug", "workers"]
ENTRYPOINT ["buildkitd"]
