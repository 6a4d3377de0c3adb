# Node 24 runs the TypeScript as it is, so nothing is built. The development packages stay out: the Node among
# them is for machines that have another one.
FROM node:24-slim

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && rm -rf /root/.npm
COPY LICENSE ./
COPY openapi ./openapi
COPY src ./src

RUN mkdir /data && chown node:node /data
VOLUME /data
USER node

# The compile cache is beside the data because that is what can be written where the root file system cannot.
ENV HOST=0.0.0.0 PORT=3000 STORE=sqlite:/data/gateway.db NODE_COMPILE_CACHE=/data/.cache/node
EXPOSE 3000

# Alive, not ready: a platform that is out of reach is no reason to restart the gateway.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# As a list, so that Node is the process that gets SIGTERM.
CMD ["node", "src/main.ts"]
