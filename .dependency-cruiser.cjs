/** Who may import whom; the same table stands in docs/architecture.md. */
const adapters = ['instagram', 'registry', 'kafka', 'observability', 'tracing'];

/** An adapter's own npm packages. */
const libraries = {
  instagram: 'ky',
  registry: 'ky|avsc|@kafkajs/confluent-schema-registry',
  kafka: 'kafkajs|@platformatic/wasm-utils',
  observability: 'pino|prom-client|fastify',
  tracing: '@opentelemetry',
};

const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'];

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-is-pure',
      comment: 'core imports core: no I/O, no node:, no npm',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'streams-are-declarations',
      severity: 'error',
      from: { path: '^src/streams/' },
      to: { pathNot: '^src/(core|streams)/' },
    },
    {
      name: 'runtime-knows-ports-only',
      comment: 'node: timers are the one thing of the platform that the runtime takes',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { pathNot: '^(src/(core|runtime)/|(node:)?timers/promises$)' },
    },
    ...adapters.map((name) => ({
      name: `${name}-keeps-to-itself`,
      comment: 'an adapter knows core and the ports, never another adapter',
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: { path: '^src/', pathNot: `^src/(core/|${name}/|runtime/ports\\.ts$)` },
    })),
    ...adapters.map((name) => ({
      name: `${name}-has-its-own-library`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: { dependencyTypes: npm, pathNot: `node_modules/(${libraries[name]})/` },
    })),
    {
      name: 'kafkajs-is-loaded-in-one-place',
      comment: 'client-library.ts patches modules of it before it loads it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kafka/client-library\\.ts$' },
      to: { path: 'node_modules/kafkajs/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'config-knows-names-only',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: '^src/(core|config)/' },
    },
    {
      name: 'sandbox-shares-no-understanding',
      comment: 'the simulator must not know the API the way the program does',
      severity: 'error',
      from: { path: '^sandbox/' },
      to: { path: '^src/' },
    },
    {
      name: 'chaos-shares-no-code',
      comment: 'what checks the program from outside must not be wrong together with it',
      severity: 'error',
      from: { path: '^test/chaos/' },
      to: { path: '^src/', reachable: true },
    },
    {
      name: 'sources-know-no-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|sandbox|bench|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
