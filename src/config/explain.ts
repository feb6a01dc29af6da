import { mask } from '../engine/redaction.ts';
import type { ConfigProblem } from './config-error.ts';
import { type ConfigSources, type ValueOrigin, readConfig } from './load.ts';
import { maskStray } from './redaction.ts';

/** The effective value of one field, and its source. */
export interface ExplainedValue extends ValueOrigin {
  /** The path in the file, such as `kafka.topics.create`. */
  readonly path: string;
  readonly env: string;
  /** The raw value, or `[secret]`; null when it is not set. */
  readonly value: unknown;
}

/** The complete configuration with the source of each value, and all problems. */
interface ExplainedConfig {
  readonly values: readonly ExplainedValue[];
  readonly problems: readonly ConfigProblem[];
}

/** Reads the sources as `loadConfig` does; throws nothing and shows no secret. */
export function explainConfig(sources: ConfigSources): ExplainedConfig {
  const { settings, rawOf, originOf, values, problems } = readConfig(sources);
  const explained = settings.map((setting): ExplainedValue => {
    const { path, env, format } = setting;
    const raw = rawOf(path);
    const shown = format.secret && raw !== null ? mask : shownValue(raw, values.get(path));
    return { path, env, value: shown, ...originOf(setting) };
  });
  return { values: explained, problems };
}

/**
 * The raw value, because `15m` reads better than 900000. Lists, flags and numbers that were given
 * as strings are shown parsed. A secret in a field that is not secret is masked.
 */
function shownValue(raw: unknown, parsed: unknown): unknown {
  if (typeof raw !== 'string') return JSON.parse(maskStray(JSON.stringify(raw)));
  if (Array.isArray(parsed)) {
    return (parsed as readonly unknown[]).map((one) => maskStray(String(one)));
  }
  // An object is read as its JSON text, and no object from an empty text.
  if (typeof parsed === 'object' && parsed !== null && raw !== '')
    return JSON.parse(maskStray(raw));
  if (typeof parsed === 'boolean') return parsed;
  if (typeof parsed === 'number' && String(parsed) === raw) return parsed;
  return maskStray(raw);
}
