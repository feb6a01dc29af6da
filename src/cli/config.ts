import { ConfigError } from '../config/config-error.ts';
import { explainConfig, type ExplainedValue } from '../config/explain.ts';
import { describeError, print, type CommandDefinition, type Invocation } from './command.ts';
import { sourcesOf } from './context.ts';
import { asTable } from './text.ts';

export const configCommand: CommandDefinition = {
  usage: 'config',
  about: 'show the configuration, each value with its source; exits with 2 when it is invalid',
  examples: [
    'config',
    'config --config instagram.json --set-only',
    'config --kafka-brokers kafka-1:9092 --json',
  ],
  exits: {
    0: 'printed',
    2: 'printed; the configuration is invalid, and the errors are on standard error',
  },
  isInstant: true,
  options: [
    ['--set-only', 'omit defaults and empty values'],
    ['--json', 'print a JSON object with "values" and "problems"'],
  ],
  run({ options: { setOnly, json }, settings }: Invocation<{ readonly setOnly?: boolean }>) {
    const explained = explainConfig(sourcesOf(settings));
    const { problems } = explained;
    const values = explained.values.filter(
      ({ origin }) => setOnly !== true || (origin !== 'default' && origin !== 'unset'),
    );
    print(json, {
      text: () => asTable([['FIELD', 'VALUE', 'FROM'], ...values.map(row)]),
      json: () => ({ values, problems }),
    });
    if (problems.length > 0) {
      process.stderr.write(`${describeError(new ConfigError(problems))}\n`);
    }
    return problems.length === 0 ? 0 : 2;
  },
};

function row({ path, value, origin, from }: ExplainedValue): readonly string[] {
  const listed = Array.isArray(value) ? value.join(', ') : (value ?? '');
  const shown = typeof listed === 'string' ? listed : JSON.stringify(listed);
  return [path, shown === '' ? '-' : shown, words[origin](from)];
}

const words: Readonly<Record<ExplainedValue['origin'], (from: string) => string>> = {
  unset: () => 'not set',
  default: () => 'default',
  file: (from) => `file ${from}`,
  environment: (from) => `environment ${from}`,
  'secret-file': (from) => `file that ${from} names`,
  argument: (from) => `argument ${from}`,
};
