import { afterAll, beforeAll } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig, type ConfigSources } from '../../../src/config/load.ts';

export const token = 'EAAtesttoken0123456789abcdef';

/** The required fields of a configuration. */
export const env = {
  INSTAGRAM_ACCESS_TOKEN: token,
  KAFKA_BROKERS: 'localhost:9092',
  SCHEMA_REGISTRY_URL: 'http://localhost:8081',
};

/** A folder of its own for the files of a test file. */
export function useFolder() {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const path = (name: string): string => join(folder, name);
  return {
    path,
    /** Writes a text as it is and anything else as JSON; the file's name. */
    write: (name: string, content: unknown): string => {
      writeFileSync(path(name), typeof content === 'string' ? content : JSON.stringify(content));
      return path(name);
    },
  };
}

export function load(sources: Partial<ConfigSources> = {}) {
  return loadConfig({ env, args: {}, ...sources });
}

export function failure(sources: Partial<ConfigSources>): ConfigError {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was taken');
}

export function problemPaths(sources: Partial<ConfigSources>): readonly string[] {
  return failure(sources).problems.map((problem) => problem.path);
}
