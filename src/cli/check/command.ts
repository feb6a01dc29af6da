import type { Config } from '../../config/config.ts';
import type { ExitCode } from '../../engine/errors.ts';
import { printable, printableLines } from '../../engine/printable.ts';
import { streamNames, type TopicRole } from '../../engine/stream-name.ts';
import { openLocalCodec } from '../../registry/index.ts';
import { option, stoppable, untilStopped, type CommandDefinition, type Given } from '../command.ts';
import { loadCommandConfig, openReader } from '../load.ts';
import { openQuietly } from '../quiet-adapters.ts';
import { styleFor, type Style } from '../terminal.ts';
import { inspectAll } from '../token/command.ts';
import { apiSteps, createBatchKeeper, createQuotaKeeper } from './api-steps.ts';
import { exitCodeFor, goThrough, type CheckLine, type Step } from './checklist.ts';
import { kafkaSteps } from './kafka-steps.ts';
import { registrySteps } from './registry-steps.ts';
import { versionStep } from './version-step.ts';

/** `check`: every connection, permission and topic. */
export const checkCommand: CommandDefinition = {
  usage: 'check',
  about:
    'look at every connection, permission and topic, one after another, and say what to do; changes nothing',
  examples: [
    'check',
    'check --config instagram.json',
    'check --json | jq ".lines[] | select(.status == \\"failed\\")"',
  ],
  exits: {
    0: 'nothing failed; there may be warnings',
    2: 'bad configuration or usage, or only the configuration has to be changed',
    3: 'something outside refused, is away or is not as it must be',
    ...stoppable,
  },
  options: [option('--json', 'print a JSON object with "ok" and "lines"')],
  run: check,
};

function check({ options: { json = false }, settings }: Given): Promise<ExitCode> {
  const config = loadCommandConfig(settings);
  const style = styleFor(process.stdout, process.env);
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const tell = (line: CheckLine): void => {
      if (!json) process.stdout.write(describeLine(line, style));
    };
    const lines = await lookAtAll(config, tell, signal);
    const exitCode = exitCodeFor(lines);
    if (json) process.stdout.write(`${JSON.stringify({ ok: exitCode === 0, lines }, null, 2)}\n`);
    else process.stdout.write(`${closing(lines)}\n`);
    return exitCode;
  });
}

async function lookAtAll(
  config: Config,
  tell: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<readonly CheckLine[]> {
  const enabled = streamNames.filter((name) => config.streams[name].enabled);
  const roles: readonly TopicRole[] = [...enabled, 'state', 'dead_letters'];
  await using stack = new AsyncDisposableStack();
  // Nothing is created: only the probe of this one is used.
  const { kafka, registry } = openQuietly(config, { roles, topics: 'create' }, signal);
  const { kafka: stateKafka } = openQuietly(config, { roles: ['state'], topics: 'look' }, signal);
  const quota = createQuotaKeeper();
  const batches = createBatchKeeper();
  const silent = { ...config, log: { ...config.log, level: 'silent' as const } };
  const { encoder } = openLocalCodec([]);
  const reading = openReader(silent, encoder, { onUsage: quota.onUsage, observer: batches });
  for (const one of [registry, kafka, stateKafka, reading]) stack.use(one);
  const nowMs = Date.now;
  const inspectTokens = (s: AbortSignal) => inspectAll(config, undefined, s);
  const steps: readonly Step[] = [
    ...kafkaSteps({ config, kafka, stateKafka, nowMs }),
    ...registrySteps(config, registry),
    versionStep(config.instagram.apiVersion, nowMs),
    ...apiSteps({ config, reading, inspectTokens, quota, batches, nowMs }),
  ];
  return await goThrough(steps, tell, signal);
}

/** A line, and below one that failed or warns what to do. */
export function describeLine(line: CheckLine, style: Style): string {
  const { id, status, subject, detail, action } = line;
  const colour = { ok: style.good, warning: style.bad, failed: style.bad, skipped: style.dim };
  const about = subject === null ? '' : `${printable(subject)}: `;
  const first = `${colour[status](status.padEnd(7))} ${id.padEnd(19)} ${about}${printableLines(detail)}\n`;
  return action !== null ? `${first}${' '.repeat(8)}${printableLines(action)}\n` : first;
}

/** The last line of the report. */
export function closing(lines: readonly CheckLine[]): string {
  const count = (wanted: CheckLine['status']) =>
    lines.filter(({ status }) => status === wanted).length;
  const [failed, warnings] = [count('failed'), count('warning')];
  if (failed > 0) return `${failed} of ${lines.length} failed.`;
  if (warnings > 0)
    return `Nothing failed; ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`;
  return 'Everything is as it must be.';
}
