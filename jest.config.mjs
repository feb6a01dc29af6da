/** Jest in ESM mode; needs `node --experimental-vm-modules` (see scripts/test.ts). */
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Jest runs on Node ${process.versions.node}, expected 24 or newer: npm test uses the project's own, or put node_modules/.bin first in PATH.\n`,
  );
  process.exit(1);
}

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testSequencer: '<rootDir>/test/support/slowest-first.ts',
  testTimeout: 60_000,
};
