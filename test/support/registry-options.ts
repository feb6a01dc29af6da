import type { RegistryOptions } from '../../src/registry/index.ts';

/** Never aborted. */
export const noSignal = new AbortController().signal;

/** Options of an adapter for a registry at `url`, with a timeout that tests can wait for. */
export function registryOptions(
  url: string,
  changes: Partial<RegistryOptions> = {},
): RegistryOptions {
  return {
    url,
    timeoutMs: 5000,
    login: { kind: 'none' },
    tls: null,
    compatibility: 'FULL_TRANSITIVE',
    mode: 'register',
    topicTemplate: 'test.{stream}',
    roles: ['users'],
    keyFields: {},
    ...changes,
  };
}
