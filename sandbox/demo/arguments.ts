import { parseArgs } from 'node:util';

/** What the demo was asked for. */
export interface DemoArguments {
  /** One poll of every stream, then the end. */
  readonly once: boolean;
  /** Where every topic's records are written; implies nothing else. */
  readonly out?: string;
  /** Recorded exchanges that the world is made of. */
  readonly recording?: string;
  readonly help: boolean;
}

export const USAGE = `usage: npm run demo -- [--once] [--out DIR] [--recording FILE.ndjson]

  --once              poll every stream once, print what reached Kafka, and end
  --out DIR           also write every topic's decoded keys and values to DIR/<topic>.jsonl
                      (with --once, or when the demo is stopped)
  --recording FILE    make the world out of recorded exchanges instead of a seed`;

/** @throws TypeError on an option that does not exist or lacks its value */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean' },
      out: { type: 'string' },
      recording: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    strict: true,
  });
  return {
    once: values.once ?? false,
    help: values.help ?? false,
    ...(values.out === undefined ? {} : { out: values.out }),
    ...(values.recording === undefined ? {} : { recording: values.recording }),
  };
}
