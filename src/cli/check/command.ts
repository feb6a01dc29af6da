import { openReading } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import type { ExitCode } from '../../engine/errors.ts';
import { printable, printableLines } from '../../engine/printable.ts';
import { isPerAccount } from '../../engine/stream-name.ts';
import { openLocalCodec } from '../../registry/index.ts';
import { jsonText, untilStopped, type CommandDefinition, type Invocation } from '../command.ts';
import { loadCommandConfig, thisInstance, topicRoles } from '../context.ts';
import { openQuietly } from '../open-quietly.ts';
import { plural, styleFor, type Style } from '../text.ts';
import { apiSteps, createApiObserver, versionStep } from './api-steps.ts';
import { exitCodeFor, runSteps, type CheckLine } from './checklist.ts';
import { kafkaSteps } from './kafka-steps.ts';
import { registrySteps } from './registry-steps.ts';

export const checkCommand: CommandDefinition = {
  usage: 'check',
  about:
    'check every connection, permission and topic in order, and say what to fix; changes nothing',
  examples: [
    'check',
    'check --config instagram.json',
    'check --json | jq ".lines[] | select(.status == \\"failed\\")"',
  ],
  exits: {
    0: 'nothing failed; there may be warnings',
    2: 'bad configuration or usage, or every failure is one of configuration',
    3: 'a check of Kafka, the registry or the API failed',
  },
  options: [['--json', 'print a JSON object with "ok" and "lines"']],
  run: check,
};

function check({ options: { json = false }, settings }: Invocation): Promise<ExitCode> {
  const config = loadCommandConfig(settings);
  const style = styleFor(process.stdout, process.env);
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const onLine = (line: CheckLine): void => {
      if (!json) process.stdout.write(describeLine(line, style));
    };
    const lines = await runAll(config, onLine, signal);
    const exitCode = exitCodeFor(lines);
    const end = json ? jsonText({ ok: exitCode === 0, lines }) : `${closing(lines)}\n`;
    process.stdout.write(end);
    return exitCode;
  });
}

async function runAll(
  config: Config,
  onLine: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<readonly CheckLine[]> {
  await using stack = new AsyncDisposableStack();
  // Creates no topic: only the probe of this adapter is used.
  const wanted = { roles: topicRoles(config), topics: 'create' } as const;
  const { kafka, registry } = openQuietly(stack, config, wanted, signal);
  const existing = { roles: ['state'], topics: 'look' } as const;
  const { kafka: stateKafka } = openQuietly(stack, config, existing, signal);
  const observer = createApiObserver();
  const silent = { ...config, log: { ...config.log, level: 'silent' as const } };
  const options = { ...thisInstance(), onUsage: observer.onUsage, observer };
  const reading = stack.use(openReading(silent, options, openLocalCodec([]).encoder));
  const nowMs = Date.now;
  const accountIds = async (stop: AbortSignal): Promise<readonly string[]> => {
    if (!isPerAccount(config.kafka.topicTemplate)) return [];
    const { accounts } = await reading.directory.list(stop);
    return accounts.map(({ id }) => id);
  };
  const steps = [
    ...kafkaSteps({ config, kafka, stateKafka, nowMs, accountIds }),
    ...registrySteps(config, registry, accountIds),
    versionStep(config.instagram.apiVersion, nowMs),
    ...apiSteps({ config, reading, observer, nowMs }),
  ];
  return await runSteps(steps, onLine, signal);
}

/** Formats a line of the report, followed by the action of a failure or warning. */
export function describeLine(line: CheckLine, style: Style): string {
  const { id, status, subject, detail, action } = line;
  const colour = { ok: style.good, warning: style.bad, failed: style.bad, skipped: style.dim };
  const about = subject === null ? '' : `${printable(subject)}: `;
  const first = `${colour[status](status.padEnd(7))} ${id.padEnd(19)} ${about}${printableLines(detail)}\n`;
  return action !== null ? `${first}${' '.repeat(8)}${printableLines(action)}\n` : first;
}

export function closing(lines: readonly CheckLine[]): string {
  const count = (counted: CheckLine['status']) =>
    lines.filter(({ status }) => status === counted).length;
  const [failed, warnings] = [count('failed'), count('warning')];
  if (failed > 0) return `${failed} of ${lines.length} failed.`;
  if (warnings > 0) return `Nothing failed; ${plural(warnings, 'warning')}.`;
  return 'Everything is as it must be.';
}
