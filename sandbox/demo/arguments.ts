import { parseArgs } from 'node:util';

const logins = ['facebook', 'instagram'] as const;

/** The logins of the API: one token for all accounts, or a token for each account. */
export type SandboxLogin = (typeof logins)[number];

/** The options that the demo and the sandbox share. */
export interface SandboxArguments {
  /** World seconds per real second. */
  readonly speed: number;
  /** The topic prefix in the cluster of the environment; undefined starts a separate cluster. */
  readonly givenCluster?: string;
  /** The login whose tokens the program gets. */
  readonly login: SandboxLogin;
  readonly help: boolean;
}

/** The options of the demo. */
export interface DemoArguments extends SandboxArguments {
  /** True: polls every stream once, then ends. */
  readonly once: boolean;
  /** Folder for every topic's records; implies nothing else. */
  readonly out?: string;
  /** File of recorded exchanges for the world. */
  readonly recording?: string;
  /** True and false: opens the status page in any case or never; absent: where there is a screen. */
  readonly open?: boolean;
}

const sharedUsage = `  --speed N           let N seconds of the simulated world pass in a second: 1 unless given, which is
                      real time; beyond it records have times ahead of the clock that polls them
  --given-cluster PREFIX
                      use the cluster of KAFKA_BROKERS and SCHEMA_REGISTRY_URL, with topics named
                      PREFIX.<stream>, none of which may exist; without it a cluster is started and
                      both variables are ignored
  --login LOGIN       facebook (one token for all accounts) or instagram (a token for each account):
                      facebook unless given`;

export const USAGE = `usage: npm run demo -- [--once] [--out DIR] [--recording FILE.ndjson] [--speed N] [--given-cluster PREFIX]
       [--login LOGIN] [--open | --no-open]

  --once              poll every stream once, print what reached Kafka, and end
  --out DIR           also write every topic's decoded keys and values to DIR/<topic>.jsonl
                      (with --once, or when the demo is stopped)
  --recording FILE    make the world out of recorded exchanges instead of a seed; its clock stands still
  --open, --no-open   open the status page in a browser, or only print its address; unless given, it
                      is opened from a terminal with a screen: not in CI, by SSH, or with --once
${sharedUsage}`;

export const SANDBOX_USAGE = `usage: npm run --silent sandbox -- [--speed N] [--given-cluster PREFIX] [--login LOGIN]

${sharedUsage}`;

const sharedOptions = {
  speed: { type: 'string' },
  'given-cluster': { type: 'string' },
  login: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @throws TypeError on an unknown option, or a wrong or missing value */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean' },
      out: { type: 'string' },
      recording: { type: 'string' },
      open: { type: 'boolean' },
      'no-open': { type: 'boolean' },
      ...sharedOptions,
    },
    strict: true,
  });
  const { once = false, out, recording, speed } = values;
  if (recording !== undefined && speed !== undefined) {
    throw new TypeError('--speed: the clock of a --recording stands still; leave one of them out');
  }
  return {
    ...readShared(values),
    once,
    ...(out === undefined ? {} : { out }),
    ...(recording === undefined ? {} : { recording }),
    ...readOpen(values),
  };
}

function readOpen(values: {
  readonly open?: boolean;
  readonly 'no-open'?: boolean;
  readonly once?: boolean;
}): Pick<DemoArguments, 'open'> {
  const { open = false, 'no-open': isPrinted = false, once = false } = values;
  if (open && (once || isPrinted)) {
    throw new TypeError(
      '--open: neither with --once, which has no status page, nor with --no-open',
    );
  }
  return open || isPrinted ? { open } : {};
}

/** @throws TypeError as {@link parseDemoArguments} */
export function parseSandboxArguments(args: readonly string[]): SandboxArguments {
  return readShared(parseArgs({ args: [...args], options: sharedOptions, strict: true }).values);
}

interface SharedValues {
  readonly speed?: string;
  readonly 'given-cluster'?: string;
  readonly login?: string;
  readonly help?: boolean;
}

function readShared({
  speed,
  help = false,
  login = 'facebook',
  'given-cluster': prefix,
}: SharedValues): SandboxArguments {
  return {
    help,
    login: readLogin(login),
    speed: speed === undefined ? 1 : readSpeed(speed),
    ...(prefix === undefined ? {} : { givenCluster: readPrefix(prefix) }),
  };
}

const maxSpeed = 86_400;

function readSpeed(text: string): number {
  const speed = Number(text);
  if (text.trim() !== '' && speed > 0 && speed <= maxSpeed) return speed;
  throw new TypeError(
    `--speed: got "${text}", expected a number above 0 and up to ${maxSpeed}: world seconds per second`,
  );
}

function readLogin(text: string): SandboxLogin {
  const login = logins.find((one) => one === text);
  if (login !== undefined) return login;
  throw new TypeError(`--login: got "${text}", expected one of ${logins.join(', ')}`);
}

/** The limit leaves room for the stream in Kafka's 249 characters. */
const prefixForm = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/;
/** The program's default prefix: invented records must not reach the topics of real ones. */
const realPrefix = 'instagram';

function readPrefix(text: string): string {
  if (prefixForm.test(text) && text !== realPrefix) return text;
  throw new TypeError(
    `--given-cluster: got "${text}", expected a prefix of topics other than "${realPrefix}": letters, digits, ".", "_" and "-", 100 at most; for example demo`,
  );
}
