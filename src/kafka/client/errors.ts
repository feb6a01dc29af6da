import {
  type ErrorCode,
  FailError,
  isClassifiedError,
  messageOf,
  RetryError,
  StopProcessError,
  StopStreamError,
} from '../../engine/errors.ts';
import { describeOffset } from '../../engine/clock-offset.ts';
import { codeOf, isTlsCode, tlsAdvice } from '../../engine/tls.ts';
import { describeNeeds, narrowNeeds, type RequiredPermission } from './acls.ts';
import { ThrottledError } from './deadline.ts';
import { KafkaJSError, KafkaJSProtocolError } from './kafkajs.ts';
import type { KafkaOptions } from '../options.ts';

/** Classes of failures, with the `type` of a protocol error or the `name` of an error of kafkajs. */
const failures = {
  unavailable: ['DeadlineError', 'LeaderMovedError'],
  missing: ['UNKNOWN_TOPIC_OR_PARTITION'],
  forgotten: ['INVALID_PRODUCER_ID_MAPPING', 'UNKNOWN_PRODUCER_ID'],
  replicas: ['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  throttled: ['ThrottledError'],
  clock: ['INVALID_TIMESTAMP'],
  fenced: ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'],
  'too-large': ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'],
  unauthorized: [
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'SECURITY_DISABLED',
  ],
  unauthenticated: [
    'SASL_AUTHENTICATION_FAILED',
    'UNSUPPORTED_SASL_MECHANISM',
    'ILLEGAL_SASL_STATE',
    'KafkaJSSASLAuthenticationError',
  ],
  tls: [],
  misconfigured: [
    'INVALID_TRANSACTION_TIMEOUT',
    'INVALID_SESSION_TIMEOUT',
    'INCONSISTENT_GROUP_PROTOCOL',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type KafkaFailure = keyof typeof failures;

const failuresByName = new Map(
  Object.entries(failures).flatMap(([failure, names]) =>
    names.map((name) => [name as string, failure as KafkaFailure] as const),
  ),
);

/** Errors that lose the broker's answer (a search, a deadline), and the class that the answer implies. */
const errorsWithoutAnswer: Readonly<
  Record<string, readonly [words: RegExp, failure: KafkaFailure]>
> = {
  KafkaJSGroupCoordinatorNotFound: [/not authorized|authorization failed/i, 'unauthorized'],
  DeadlineError: [/fewer in-sync replicas/i, 'replicas'],
};

function* causes(error: unknown): Generator<Error> {
  for (let current = error; current instanceof Error; current = current.cause) yield current;
}

/** Returns the broker's name of an error, which kafkajs puts in `type`. */
function typeOf(error: Error): string | undefined {
  return 'type' in error && typeof error.type === 'string' ? error.type : undefined;
}

function classifyOne(error: Error): KafkaFailure | undefined {
  if (isTlsCode(codeOf(error))) return 'tls';
  const byName = failuresByName.get(typeOf(error) ?? '') ?? failuresByName.get(error.name);
  // kafkajs 2.2.4 reports PRODUCER_FENCED only by its number.
  return byName ?? (error.message === 'Unknown error code 90' ? 'fenced' : undefined);
}

/**
 * True when kafkajs threw the error, by its stack. On some connection failures kafkajs throws plain
 * errors ("Broker not connected", a TypeError in `listTopics`), which only their origin identifies.
 */
function isThrownByKafkajs(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const frame = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return /[\\/]node_modules[\\/]kafkajs[\\/]/.test(frame ?? '');
}

/**
 * Returns the class of an error; undefined for one that did not come from kafkajs (a bug). Some
 * errors of kafkajs replace the last error of a broker.
 */
export function classify(error: unknown, lastBrokerError = ''): KafkaFailure | undefined {
  for (const one of causes(error)) {
    const [words, implied] = errorsWithoutAnswer[one.name] ?? [];
    if (words?.test(lastBrokerError) === true) return implied;
    const failure = classifyOne(one);
    if (failure !== undefined) return failure;
  }
  return error instanceof KafkaJSError || isThrownByKafkajs(error) ? 'unavailable' : undefined;
}

/** True when another client, or another attempt, may succeed at once. */
export function isTransient(error: unknown, lastBrokerError?: string): boolean {
  const failure = classify(error, lastBrokerError);
  return failure === 'unavailable' || failure === 'missing' || failure === 'replicas';
}

export interface FailureContext {
  readonly options: Pick<KafkaOptions, 'brokers' | 'clientId' | 'security'>;
  /** The operation, such as "committing to instagram.media". */
  readonly doing: string;
  readonly needs: readonly RequiredPermission[];
  /** Advice for a missing topic; by default, that for a deleted topic. */
  readonly ifMissing?: string;
  readonly lastBrokerError?: string | undefined;
  /** Milliseconds by which this machine's clock is ahead of the Graph API's; null when unknown. */
  readonly clockAheadMs?: number | null;
}

/** Translates a failure of kafkajs into the error classes of engine/errors.ts; returns any other error unchanged. */
export function translate(error: unknown, context: FailureContext): unknown {
  // An error of the login's token request is classified already.
  const translated = [...causes(error)].find(isClassifiedError);
  if (translated !== undefined) return translated;
  const failure = classify(error, context.lastBrokerError);
  return failure === undefined ? error : errors[failure](error, context);
}

type Text = (error: unknown, context: FailureContext) => string;
type ErrorFactory = (error: unknown, context: FailureContext) => Error;

function retry(code: ErrorCode, text: Text): ErrorFactory {
  return (cause, context) => new RetryError(code, text(cause, context), { cause });
}

function stopProcess(code: ErrorCode, exitCode: 2 | 3, text: Text): ErrorFactory {
  return (cause, context) => new StopProcessError(code, text(cause, context), { exitCode, cause });
}

const ifDeleted =
  'If a topic was deleted, create it again with the same partitions, or restart this program.';

const unavailable = retry(
  'kafka.unavailable',
  (error, context) =>
    `${answeredTo(error, context)} ${withBrokerError(error, context)}${adviceOn(error, context)}`,
);

const errors: Readonly<Record<KafkaFailure, ErrorFactory>> = {
  unauthorized: stopProcess('kafka.unauthorized', 3, (error, context) => {
    const rejections = [context.lastBrokerError, ...[...causes(error)].map((one) => typeOf(one))];
    const needs = narrowNeeds(context.needs, rejections.filter(Boolean).join(' '));
    const reason = context.lastBrokerError ?? messageOf(error);
    return `${refusedBy(context)}: ${reason}. Allow ${describeNeeds(needs, context.options)}`;
  }),
  unauthenticated: stopProcess(
    'kafka.unauthenticated',
    3,
    (error, context) =>
      `${kafkaAt(context)} refused the login: ${loginWords(error)}. ${loginAdvice(context)}`,
  ),
  tls: stopProcess('kafka.tls', 3, (error, context) => {
    const failed = [...causes(error)].find((one) => isTlsCode(codeOf(one)));
    const problem = messageOf(failed ?? error).replace(/^Connection error: /, '');
    const code = codeOf(failed) ?? '';
    return (
      `TLS with ${kafkaAt(context)} failed (${code}): ${problem}. To fix it: ` +
      `${tlsAdvice('KAFKA', code, problem)}.`
    );
  }),
  fenced: (cause, { doing }) =>
    new StopStreamError(
      'kafka.fenced',
      `Kafka rejected ${doing}: another producer has acquired its transactional.id. This instance ` +
        'releases the partition and continues with its other ones.',
      { cause },
    ),
  misconfigured: stopProcess(
    'config.invalid',
    2,
    (error, context) =>
      `${refusedBy(context)}: ${messageOf(error)}. Keep KAFKA_TRANSACTION_TIMEOUT at or ` +
      "below the broker's transaction.max.timeout.ms and KAFKA_GROUP_SESSION_TIMEOUT between its " +
      'group.min.session.timeout.ms and group.max.session.timeout.ms; and keep other programs out ' +
      'of the group.',
  ),
  missing: retry(
    'kafka.unavailable',
    (error, context) =>
      `${kafkaAt(context)} does not know a topic or partition that ` +
      `${context.doing} needs: ${messageOf(error)}. ${context.ifMissing ?? ifDeleted}`,
  ),
  forgotten: retry(
    'kafka.unavailable',
    (error, context) =>
      `${answeredTo(error, context)} The broker drops a producer that was silent for ` +
      'transactional.id.expiration.ms or producer.id.expiration.ms; a new one takes its place, and ' +
      'nothing is lost.',
  ),
  replicas: retry(
    'kafka.not-enough-replicas',
    (error, context) =>
      `${answeredTo(error, context)} ${withBrokerError(error, context)}Fewer replicas of a partition are in ` +
      'sync than min.insync.replicas asks for. Start the brokers that are down; to list the ' +
      `partitions: kafka-topics.sh --bootstrap-server ${context.options.brokers.join(',')} ` +
      '--describe --under-min-isr-partitions',
  ),
  throttled: (cause, context) => {
    const { brokers, clientId, security } = context.options;
    return new RetryError(
      'kafka.throttled',
      `${kafkaAt(context)} throttles this client (client.id ${clientId}, ` +
        `${security.principal()}) by a quota: ${messageOf(cause)}, while ${context.doing}. Raise the ` +
        `quota (kafka-configs.sh --bootstrap-server ${brokers.join(',')} --describe --entity-type ` +
        `clients --entity-name ${clientId}; the same with --entity-type users), lower ` +
        'KAFKA_MAX_BATCH_RECORDS, or raise KAFKA_TRANSACTION_TIMEOUT.',
      { cause, retryAfterMs: throttleLeftMs(cause) },
    );
  },
  clock: (cause, context) => {
    const message = `${refusedBy(context)}: ${messageOf(cause)}. ${clockAdvice(context)}`;
    return new FailError('kafka.clock', message, { cause });
  },
  'too-large': unavailable,
  unavailable,
};

/** Returns the remaining throttle time, in milliseconds; at least a second. */
function throttleLeftMs(error: unknown): number {
  const found = [...causes(error)].find((one) => one instanceof ThrottledError);
  return Math.max(1000, Math.ceil(found?.leftMs ?? 0));
}

/**
 * Advice for answers of a broker, which prove that the network and the login work. Found by the
 * type in kafkajs, or by the words of the broker's last error when the error loses it.
 */
const adviceByAnswer: readonly {
  readonly types: readonly string[];
  readonly words: RegExp;
  readonly advice: string;
}[] = [
  {
    types: ['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION', 'REPLICA_NOT_AVAILABLE'],
    words: /\bleader\b/i,
    advice:
      'A partition has no leader or gets another one. If it stays, list the partitions without one: ' +
      'kafka-topics.sh --describe --unavailable-partitions.',
  },
  {
    types: ['LeaderMovedError'],
    words: /^$/,
    advice: 'The next try goes to the new leader.',
  },
  {
    types: [
      'GROUP_COORDINATOR_NOT_AVAILABLE',
      'GROUP_LOAD_IN_PROGRESS',
      'NOT_COORDINATOR_FOR_GROUP',
    ],
    words: /\bcoordinator\b/i,
    advice:
      'A broker starts, or a coordinator moves. If it stays, look for partitions of __consumer_offsets ' +
      'and __transaction_state without a leader.',
  },
  {
    types: ['KAFKA_STORAGE_ERROR'],
    words: /^disk error/i,
    advice: "A broker cannot write to its disk: look at the broker's log and disk.",
  },
];

const adviceOnAnswer = 'The brokers can be reached. If it stays, look at the log of the broker.';
const adviceOnSilence =
  'Check that the brokers are up, that they can be reached, and that KAFKA_SECURITY_PROTOCOL is theirs.';

function adviceOn(error: unknown, { lastBrokerError = '' }: FailureContext): string {
  const chain = [...causes(error)];
  const answer = lacksAnswer(error) ? lastBrokerError : '';
  const names = chain.map((one) => typeOf(one) ?? one.name);
  const match = adviceByAnswer.find(
    ({ types, words }) =>
      types.some((type) => names.includes(type)) || (answer !== '' && words.test(answer)),
  );
  if (match !== undefined) return match.advice;
  const isAnswered = answer !== '' || chain.some((one) => one instanceof KafkaJSProtocolError);
  return isAnswered ? adviceOnAnswer : adviceOnSilence;
}

function lacksAnswer(error: unknown): boolean {
  return [...causes(error)].some(({ name }) => name in errorsWithoutAnswer);
}

/** Returns the broker's last error as a sentence when the error lacks it. */
function withBrokerError(error: unknown, { lastBrokerError }: FailureContext): string {
  if (lastBrokerError === undefined || !lacksAnswer(error)) return '';
  return `The last answer of a broker was: ${lastBrokerError}. `;
}

function kafkaAt({ options }: FailureContext): string {
  return `Kafka at ${options.brokers.join(', ')}`;
}

function answeredTo(error: unknown, context: FailureContext): string {
  return `${kafkaAt(context)} did not answer as expected while ${context.doing}: ${messageOf(error)}.`;
}

function refusedBy(context: FailureContext): string {
  return `${kafkaAt(context)} refused ${context.doing}`;
}

/** Offset below which clocks agree: the header `Date` has whole seconds, and answers take time. */
const clockToleranceMs = 60_000;

function clockAdvice({ clockAheadMs = null }: FailureContext): string {
  const limits = 'message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topics';
  if (clockAheadMs === null) {
    return `Compare this machine's clock with the brokers'; if they agree, compare ${limits}.`;
  }
  if (Math.abs(clockAheadMs) < clockToleranceMs) {
    return (
      "This machine's clock agrees with that of the Graph API. Compare the brokers' clocks, and " +
      `${limits}.`
    );
  }
  return (
    `This machine's clock is ${describeOffset(clockAheadMs)} that of the Graph API: set it right (NTP). ` +
    'Nothing has to be restarted afterwards.'
  );
}

/** Returns the message of the innermost authentication error: kafkajs wraps it in others. */
function loginWords(error: unknown): string {
  const rejections = [...causes(error)].filter((one) => classifyOne(one) === 'unauthenticated');
  return messageOf(rejections[0] ?? error);
}

const passwordAdvice = 'Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.';
const adviceByLogin = {
  PLAIN: passwordAdvice,
  'SCRAM-SHA-256': passwordAdvice,
  'SCRAM-SHA-512': passwordAdvice,
  OAUTHBEARER:
    'Check KAFKA_SASL_OAUTHBEARER_SCOPE and that the brokers trust who gives out the tokens.',
  AWS_MSK_IAM:
    'Check KAFKA_SASL_AWS_MSK_IAM_REGION, and that the IAM policy of this identity allows ' +
    'kafka-cluster:Connect on the cluster.',
} as const;

function loginAdvice({ options: { security } }: FailureContext): string {
  const mechanism = security.sasl?.mechanism;
  if (mechanism === undefined) {
    return 'Set KAFKA_SECURITY_PROTOCOL and KAFKA_SASL_MECHANISM as the brokers want them.';
  }
  return adviceByLogin[mechanism];
}
