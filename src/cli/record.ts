import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { Option } from 'commander';
import { keyFields } from '../config/config.ts';
import { secretsOfConfig } from '../credentials.ts';
import type { ExitCode } from '../engine/errors.ts';
import { createRedact, type Redact } from '../engine/redaction.ts';
import { anonymize } from '../instagram/recording/anonymize.ts';
import type { Exchange } from '../instagram/recording/exchange.ts';
import { createPseudonyms } from '../instagram/recording/pseudonyms.ts';
import { openLocalCodec } from '../registry/index.ts';
import {
  accountIds,
  parseCount,
  parseLimit,
  print,
  untilStopped,
  usage,
  type CommandDefinition,
  type Invocation,
} from './command.ts';
import { loadCommandConfig } from './context.ts';
import { chooseReading, readOnce } from './dry-run.ts';
import { pollAndReport } from './once-report.ts';
import { plural } from './text.ts';

export const recordCommand: CommandDefinition = {
  usage: 'record [streams...]',
  about:
    'poll every stream once, and write the exchanges with the API to a file, with ids, names, texts, URLs and tokens replaced; publishes nothing, and needs neither Kafka nor a registry',
  examples: [
    'record --out account.ndjson',
    'record --out account.ndjson --streams all --account 17841400000000001',
    'record users media media_insights --out media.ndjson --limit 50',
  ],
  exits: {
    0: 'every poll succeeded, and the file is written; or stopped by SIGTERM or SIGINT, without a file',
    3: 'the accounts could not be listed, or the API was unavailable; no file is written',
    4: 'the file is written, but a poll failed: the file contains the error responses of the API',
  },
  options: [
    new Option(
      '--out <file>',
      'the recording: JSON lines, readable only by the owner of the file',
    ).makeOptionMandatory(),
    ['--force', 'replace the file if it exists'],
    ['--account <ids>', 'only these accounts, separated by commas', accountIds],
    ['--limit <number>', 'end each stream of an account after this many records', parseLimit],
    [
      '--days <number>',
      'request daily values of this many days at most',
      (text) => parseCount('--days', text, { most: 800 }),
    ],
    ['--json', 'print a JSON summary'],
  ],
  settings: /^(?:instagram|streams$|stream-|polling|log)/,
  run: record,
};

interface RecordOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly account?: readonly string[];
  readonly limit?: number;
  readonly days?: number;
}

const dayMs = 86_400_000;

function record({ args, options, settings }: Invocation<RecordOptions>): Promise<ExitCode> {
  const { out, force = false, account, limit = Infinity, days = Infinity, json } = options;
  const loaded = loadCommandConfig(settings, ['token']);
  const { startDateMs, pageSize } = loaded.instagram;
  const bounds = {
    startDateMs:
      days === Infinity ? startDateMs : Math.max(startDateMs ?? 0, Date.now() - days * dayMs),
    pageSize: Math.min(pageSize, limit),
  };
  const bounded = { ...loaded, instagram: { ...loaded.instagram, ...bounds } };
  const { config, chosen } = chooseReading(bounded, args, account);
  const { encoder } = openLocalCodec([...chosen, 'dead_letters'], keyFields(config));
  const read = { config, chosen, encoder, limit, show: () => undefined };
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    using file = createRecording(out, {
      isForced: force,
      redact: createRedact(secretsOfConfig(config)),
    });
    const { exitCode } = await pollAndReport(async (observer) => {
      const either = AbortSignal.any([signal, file.failed]);
      return await readOnce(read, { observer, onExchange: file.add }, either);
    });
    const { exchanges, left_out: leftOut } = file.finish();
    const others =
      leftOut === 0 ? '' : `, ${plural(leftOut, 'answer')} without a JSON object left out`;
    print(json, {
      text: () =>
        `${out}: ${plural(exchanges, 'exchange')}${others}. Read the file before you share it.\n`,
      json: () => ({ file: out, exchanges, left_out: leftOut }),
    });
    return exitCode === 0 ? 0 : 4;
  });
}

interface RecordingOptions {
  /** True when the file may replace another. */
  readonly isForced: boolean;
  readonly redact: Redact;
}

/**
 * Creates the file of a recording, which has its name only after `finish`; disposing removes the rest.
 * @throws StopProcessError `config.invalid` for a file that exists or cannot be written
 */
function createRecording(path: string, { isForced, redact }: RecordingOptions) {
  const writtenPath = `${path}.partial`;
  const file = orReject(path, () => {
    if (existsSync(path) && !isForced) throw exists;
    rmSync(writtenPath, { force: true });
    return openSync(writtenPath, 'wx', 0o600);
  });
  const names = createPseudonyms(randomBytes(32));
  const failed = new AbortController();
  let count = 0;
  let leftOut = 0;
  return {
    /** Aborted with the error when the file cannot be written. */
    failed: failed.signal,
    /** Never throws: it is called within a request. */
    add: (exchange: Exchange | null): void => {
      if (exchange === null) leftOut += 1;
      if (exchange === null || failed.signal.aborted) return;
      try {
        const line = `${JSON.stringify(anonymize(exchange, names))}\n`;
        orReject(path, () => writeSync(file, redact(line)));
        count += 1;
      } catch (error) {
        failed.abort(error);
      }
    },
    /** Completes the file; returns the numbers of exchanges in it, and of answers left out. */
    finish() {
      failed.signal.throwIfAborted();
      orReject(path, () => {
        if (isForced) renameSync(writtenPath, path);
        // Renaming would replace a file that another program has created since.
        else copyFileSync(writtenPath, path, constants.COPYFILE_EXCL);
      });
      return { exchanges: count, left_out: leftOut };
    },
    [Symbol.dispose](): void {
      closeSync(file);
      rmSync(writtenPath, { force: true });
    },
  };
}

const exists = Object.assign(new Error('the file exists'), { code: 'EEXIST' });

function orReject<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw usage(
      code === 'EEXIST'
        ? `--out "${path}": the file exists; choose another, or replace it with --force`
        : `--out "${path}": the file cannot be written: ${message}`,
    );
  }
}
