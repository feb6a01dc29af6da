/** The addresses of a running demo. */
export interface LiveDemo {
  readonly statusUrl: string;
  readonly apiUrl: string;
  /** The program's settings. */
  readonly env: Readonly<Record<string, string>>;
  /** True when the simulated world changes with its clock. */
  readonly isLive: boolean;
}

const TITLE = 'What to do next';
/** The settings that `tail` needs. */
const TAIL_SETTINGS = [
  'KAFKA_BROKERS',
  'SCHEMA_REGISTRY_URL',
  'KAFKA_TOPIC_TEMPLATE',
  'KAFKA_TRANSACTIONAL_ID_PREFIX',
];
const READ_ON = [
  'Read on:',
  '  docs/sandbox.md           change the world in other ways: limits, faults, tokens, webhooks',
  '  docs/consuming.md         read the topics with your own consumer',
  '  docs/instagram-setup.md   get a token for your own account',
];
const ADVANCE = '{"advance_ms": 600000}';

/** Formats the next steps beside a running demo, each with a command for a second terminal. */
export function describeNextSteps({ statusUrl, apiUrl, env, isLive }: LiveDemo): string[] {
  return [
    `${TITLE}, in a second terminal in this folder:`,
    '',
    'Open the status page:',
    `  ${statusUrl}/`,
    'Tail a topic; Ctrl-C ends it:',
    `  ${tailCommand(env)}`,
    ...(isLive
      ? [
          'Change the world: ten minutes pass, with new posts, whose records follow in about 10 seconds:',
          `  curl -X POST ${apiUrl}/_sandbox/clock -d '${ADVANCE}'`,
        ]
      : []),
    ...READ_ON,
  ];
}

/**
 * Formats the next steps after the demo's end.
 *
 * @param env - the program's settings for a cluster that stays
 */
export function describeStepsAfterwards(env?: LiveDemo['env']): string[] {
  return [
    env === undefined ? `${TITLE}; this Kafka and its records are gone:` : `${TITLE}:`,
    '',
    ...(env === undefined
      ? []
      : ['Read a topic:', `  ${tailCommand(env)} --from-beginning --no-follow`]),
    'Watch the world change, with a status page and topics to tail, until Ctrl-C:',
    '  npm run demo',
    ...READ_ON,
  ];
}

function tailCommand(env: LiveDemo['env']): string {
  const settings = TAIL_SETTINGS.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [`${name}='${value}'`];
  });
  return `${settings.join(' ')} npx node src/main.ts tail media`;
}
