import type { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { explainConfig } from '../config/explain.ts';
import type { ExplainedValue } from '../config/explain.ts';
import type { ExitCode } from '../core/errors.ts';
import { sourcesOf } from './load.ts';
import { describeError } from './outcome.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import type { Options } from './own-options.ts';
import { asTable } from './table.ts';

/** Adds `config`: what the program would go by, and why. */
export function addConfigCommand(root: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(root, {
    usage: 'config',
    about: 'show the configuration, each value with where it came from; 2 when it is bad',
    examples: [
      'config',
      'config --config instagram.json --set-only',
      'config --kafka-brokers kafka-1:9092 --json',
    ],
    exits: { 0: 'printed', 2: 'printed; the configuration is bad, and why is on standard error' },
    options: (command) =>
      command
        .option('--set-only', 'leave out what nobody set: defaults and what is empty')
        .option('--json', 'print a JSON object with "values" and "problems"'),
  }).action((options: Options) => {
    const explained = explainConfig(sourcesOf(settingsOf(options, ['json', 'setOnly'])));
    const { problems } = explained;
    const values = options['setOnly'] === true ? explained.values.filter(isSet) : explained.values;
    if (options['json'] === true) {
      process.stdout.write(`${JSON.stringify({ values, problems }, null, 2)}\n`);
    } else {
      process.stdout.write(asTable([['FIELD', 'VALUE', 'FROM'], ...values.map(row)]));
    }
    if (problems.length > 0) {
      process.stderr.write(`${describeError(new ConfigError(problems))}\n`);
    }
    end(problems.length === 0 ? 0 : 2);
  });
}

function isSet({ origin }: ExplainedValue): boolean {
  return origin !== 'default' && origin !== 'unset';
}

function row({ path, value, origin, from }: ExplainedValue): readonly string[] {
  const shown = Array.isArray(value) ? value.join(', ') : text(value);
  return [path, shown === '' ? '-' : shown, words[origin](from)];
}

function text(value: unknown): string {
  if (value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const words: Readonly<Record<ExplainedValue['origin'], (from: string) => string>> = {
  unset: () => 'not set',
  default: () => 'default',
  file: (from) => `file ${from}`,
  environment: (from) => `environment ${from}`,
  'secret-file': (from) => `file that ${from} names`,
  argument: (from) => `argument ${from}`,
};
