# Suture in a container. glibc, because the embedded PostgreSQL (used when DATABASE_URL is not set) has no build for musl.

FROM node:24-bookworm-slim AS build
WORKDIR /suture
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY src src
COPY profiles profiles
# Scripts of dependencies are not needed and do not run; the build is asked for by name.
RUN npm ci --ignore-scripts && npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /suture
COPY --from=build /suture/package.json ./
COPY --from=build /suture/node_modules node_modules
COPY --from=build /suture/dist dist
COPY --from=build /suture/generated generated
COPY profiles profiles
COPY migrations migrations
# What the server writes; a volume keeps it.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
ENV SUTURE_DATA_DIR=/data HOST=0.0.0.0
EXPOSE 8080
# Without authentication the server refuses to listen beyond loopback: whoever runs the image says
# SUTURE_OPEN_NETWORK=true and publishes the port where only the right people reach it (docker-compose.yml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8080/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js", "serve"]
