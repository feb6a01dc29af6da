import { StopProcessError } from '../engine/errors.ts';
import { nearestName } from '../engine/nearest-name.ts';
import { showName } from './redaction.ts';

/** One error in the configuration. Contains no secret. */
export interface ConfigProblem {
  /** The field, such as `kafka.brokers`, or an unknown name. */
  readonly path: string;
  /** The environment variable that sets the field; null when there is none. */
  readonly env: string | null;
  /** The received value, masked when it may be a secret. */
  readonly received: string;
  readonly expected: string;
  /** The advice. */
  readonly action: string;
}

/** Ends the process with exit code 2; lists every problem, one per line. */
export class ConfigError extends StopProcessError {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super('config.invalid', [`${count} in the configuration:`, ...problems.map(line)].join('\n'), {
      exitCode: 2,
    });
    this.problems = problems;
  }
}

function line(problem: ConfigProblem): string {
  const name = problem.env === null ? problem.path : `${problem.path} (${problem.env})`;
  return `- ${name}: got ${problem.received}, expected ${problem.expected}; ${problem.action}`;
}

/** The problem of an unknown key or name, with the nearest of the known ones. */
export function unknownName(
  kind: 'key' | 'name',
  name: string,
  received: string,
  known: readonly string[],
): ConfigProblem {
  const nearest = nearestName(name, known);
  const shown = kind === 'key' ? JSON.stringify(nearest) : nearest;
  const suggestion = nearest === undefined ? '' : `; did you mean ${shown}?`;
  const action = `remove or correct it${suggestion}`;
  const expected = `a ${kind} of docs/configuration.md`;
  return { path: showName(name), env: null, received, expected, action };
}
