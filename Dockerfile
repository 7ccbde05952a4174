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

# What both images add to their runtime.
FROM runtime AS programs
COPY --from=build /src/package.json /image/opt/buildkit/
COPY --from=build /src/node_modules /image/opt/buildkit/node_modules
COPY --from=build /src/dist /image/opt/buildkit/dist
COPY cmd/buildctl-daemonless/buildctl-daemonless.sh /image/usr/local/bin/
RUN for name in buildkitd buildctl; do ln -s /opt/buildkit/dist/$name.js /image/usr/local/bin/$name; done

FROM runtime AS rootless-runtime
RUN apt-get update \
 && apt-get install -y --no-install-recommends fuse-overlayfs iproute2 libcap2-bin rootlesskit slirp4netns uidmap \
 && rm -rf /var/lib/apt/lists/*
# As setuid programs, these two need CAP_SYS_ADMIN, which containers do not have.
RUN chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap \
 && setcap cap_setuid=ep /usr/bin/newuidmap \
 && setcap cap_setgid=ep /usr/bin/newgidmap
RUN useradd --uid 1000 --create-home user \
 && for ids in /etc/subuid /etc/subgid; do echo user:100000:65536 >$ids; done \
 && mkdir -p /run/user/1000 /home/user/.local/share/buildkit \
 && chown -R user:user /run/user/1000 /home/user \
 && chmod 0700 /run/user/1000

# --opt target=rootless: the daemon of an ordinary user, in a user namespace.
FROM rootless-runtime AS rootless
COPY --from=programs /image /
ENV HOME=/home/user USER=user XDG_RUNTIME_DIR=/run/user/1000
USER 1000:1000
VOLUME /home/user/.local/share/buildkit
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s CMD ["buildctl", "debug", "workers"]
ENTRYPOINT ["rootlesskit", "buildkitd"]

FROM runtime
COPY --from=programs /image /
VOLUME /var/lib/buildkit
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s CMD ["buildctl", "debug", "workers"]
ENTRYPOINT ["buildkitd"]
