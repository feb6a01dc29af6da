# The producer: `docker build -t instagram-kafka-producer .`
# The sandbox's simulator of the Graph API: `docker build --target sandbox .`

# Node comes with the image, so the npm package `node` and every other install script are left alone.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
# What is in the image, for whoever scans it: /app/sbom.cdx.json.
RUN npm sbom --sbom-format cyclonedx --omit dev --package-lock-only > sbom.cdx.json

# Runs from its sources, which Node can, and takes its libraries from the development dependencies.
FROM build AS sandbox
COPY sandbox ./sandbox
USER 10001:10001
ENV HOST=0.0.0.0 PORT=8090
EXPOSE 8090
STOPSIGNAL SIGTERM
CMD ["node", "sandbox/graph-api-server.ts"]

# The last stage is the one that a build without --target makes: Node, the program and what both need
# of Debian's libraries. There is no shell, no package manager and no npm in it.
FROM gcr.io/distroless/cc-debian12:nonroot AS producer
# Of the release; the workflow of a tag sets them.
ARG VERSION= REVISION= SOURCE=
LABEL org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.source="$SOURCE" \
  org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot" \
  org.opencontainers.image.title="instagram-kafka-producer" \
  org.opencontainers.image.description="Publishes Instagram Graph API data to Kafka: Avro records and their state in one transaction." \
  org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
ENV NODE_ENV=production HTTP_HOST=0.0.0.0 HTTP_PORT=8080 PATH=/usr/local/bin:/usr/bin:/bin
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/sbom.cdx.json /app/package.json ./
COPY avro ./avro
COPY config ./config
COPY web ./web
COPY --from=build /app/dist ./dist
# A number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# /livez of HTTP_PORT. Not /readyz: a broker that is away is no reason to restart this program.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "dist/main.js", "health"]
# V8 lets the space for new objects grow past 100 MB where a machine has much memory; 4 MB are as fast.
# It also lets old objects grow to several times what is in use before it collects them: with 10,000
# single requests 330 MB, and 200 MB with a growth of 60 percent, in the same time.
# SIGUSR1 would open a debugger, and with it the memory that holds the tokens.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=60", "--disable-sigusr1", "dist/main.js"]
CMD ["run"]
