import { StopProcessError } from '../engine/errors.ts';

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
