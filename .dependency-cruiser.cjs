/** Who may import whom; the same table stands in docs/architecture.md. */
const adapters = {
  instagram: 'ky',
  registry: 'avsc|@kafkajs/confluent-schema-registry',
  kafka: 'kafkajs|@platformatic/wasm-utils|oauth4webapi|aws-msk-iam-sasl-signer-js',
  observability: 'pino|prom-client|fastify|@opentelemetry',
  config: 'convict|croner',
};

const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'];

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'not of types either',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-circles-of-values',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'engine-imports-engine',
      comment: 'node: timers are the one thing of the platform that the engine uses',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { pathNot: '^(src/engine/|(node:)?timers/promises$)' },
    },
    ...Object.keys(adapters).map((name) => ({
      name: `${name}-imports-engine-and-itself`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      // The configuration has fields for each stream: their defaults stand in the declarations.
      to: {
        path: '^src/',
        pathNot: `^src/(engine|${name}${name === 'config' ? '|instagram/streams' : ''})/`,
      },
    })),
    ...Object.entries(adapters).map(([name, libraries]) => ({
      name: `${name}-has-its-own-libraries`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: { dependencyTypes: npm, pathNot: `node_modules/(${libraries})/` },
    })),
    {
      name: 'nothing-imports-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|main\\.ts$)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'commands-are-loaded-when-called',
      comment: 'a container runs the command health every half minute',
      severity: 'error',
      from: { path: '^src/(main|cli/(program|command|version|health))\\.ts$' },
      to: {
        path: '^src/(app\\.ts|cli/context|kafka|registry|observability|instagram)',
        pathNot: '^src/instagram/model/',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    {
      name: 'kafkajs-is-loaded-in-one-place',
      comment: 'client/kafkajs.ts patches modules of it before it loads it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kafka/client/kafkajs\\.ts$' },
      to: { path: 'node_modules/kafkajs/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sandbox-shares-no-understanding',
      comment: 'the simulator must not know the API the way the program does',
      severity: 'error',
      from: { path: '^sandbox/' },
      to: { path: '^src/' },
    },
    {
      name: 'chaos-and-matrix-share-no-code',
      comment: 'what checks the program from outside must not be wrong together with it',
      severity: 'error',
      from: { path: '^test/(chaos|matrix)/' },
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
