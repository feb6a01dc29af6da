import {
  isConnectorError,
  messageOf,
  RetryError,
  StopProcessError,
  StopStreamError,
} from '../core/errors.ts';
import { codeOf, isTlsCode, tlsAdvice } from '../core/tls.ts';
import { describeNeeds, narrowNeeds, type Need } from './acls.ts';
import { KafkaJSError } from './client-library.ts';
import type { KafkaOptions } from './options.ts';

/** What a failure of kafkajs or of the broker means here. */
type Failure =
  | 'unavailable'
  | 'missing'
  | 'fenced'
  | 'too-large'
  | 'unauthorized'
  | 'unauthenticated'
  | 'tls'
  | 'misconfigured';

/** One row a failure: kafkajs' `type` of a protocol error, or the `name` of an error of its own. */
const failures: Readonly<Record<string, Failure>> = {
  DeadlineError: 'unavailable',
  LeaderMovedError: 'unavailable',
  UNKNOWN_TOPIC_OR_PARTITION: 'missing',
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  TOPIC_AUTHORIZATION_FAILED: 'unauthorized',
  GROUP_AUTHORIZATION_FAILED: 'unauthorized',
  CLUSTER_AUTHORIZATION_FAILED: 'unauthorized',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'unauthorized',
  SECURITY_DISABLED: 'unauthorized',
  SASL_AUTHENTICATION_FAILED: 'unauthenticated',
  UNSUPPORTED_SASL_MECHANISM: 'unauthenticated',
  ILLEGAL_SASL_STATE: 'unauthenticated',
  KafkaJSSASLAuthenticationError: 'unauthenticated',
  INVALID_TRANSACTION_TIMEOUT: 'misconfigured',
  INVALID_SESSION_TIMEOUT: 'misconfigured',
  INCONSISTENT_GROUP_PROTOCOL: 'misconfigured',
};

/** Broker codes that kafkajs 2.2.4 does not know and reports by number alone. */
const unknownCodes: Readonly<Record<string, Failure>> = {
  'Unknown error code 90': 'fenced',
};

/** What a broker says when it does not allow something, in kafkajs' words. */
const refusalWords = /not authorized|authorization failed/i;

function* causes(error: unknown): Generator<Error> {
  for (let at = error; at instanceof Error; at = at.cause) yield at;
}

/** Where kafkajs put the broker's own name of an error. */
function typeOf(error: Error): string | undefined {
  return 'type' in error && typeof error.type === 'string' ? error.type : undefined;
}

function classifyOne(error: Error): Failure | undefined {
  if (isTlsCode(codeOf(error))) return 'tls';
  return failures[typeOf(error) ?? ''] ?? failures[error.name] ?? unknownCodes[error.message];
}

/**
 * When connections fail at a bad moment kafkajs throws plain errors ("Broker not connected") and
 * stumbles over answers that it did not get (a TypeError in `listTopics`): only the place tells.
 */
function isThrownByKafkajs(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const frame = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return /[\\/]node_modules[\\/]kafkajs[\\/]/.test(frame ?? '');
}

/**
 * Says what an error means; undefined for one that did not come from kafkajs (a bug).
 *
 * @param lastRefusal what the broker last refused, for the errors that kafkajs replaces by its own
 */
export function classify(error: unknown, lastRefusal?: string): Failure | undefined {
  for (const one of causes(error)) {
    const failure = classifyOne(one);
    if (failure !== undefined) return failure;
  }
  if (!(error instanceof KafkaJSError)) return isThrownByKafkajs(error) ? 'unavailable' : undefined;
  // The search for a coordinator forgets why each broker refused.
  const refused = error.name === 'KafkaJSGroupCoordinatorNotFound' && lastRefusal !== undefined;
  return refused && refusalWords.test(lastRefusal) ? 'unauthorized' : 'unavailable';
}

/** What a person needs to know beside the error itself. */
export interface FailureContext {
  readonly options: Pick<KafkaOptions, 'brokers' | 'security'>;
  /** What was being done: "committing to instagram.media". */
  readonly doing: string;
  /** What must be allowed for it. */
  readonly needs: readonly Need[];
  /** What to do when a topic is not there; without, it is taken for one that was deleted. */
  readonly ifMissing?: string;
  readonly lastRefusal?: string | undefined;
}

/** The taxonomy's error for a failure of kafkajs; anything that is not one comes back as it is. */
export function translate(error: unknown, context: FailureContext): unknown {
  // A token for the login could not be had: that is said already.
  const ours = [...causes(error)].find(isConnectorError);
  if (ours !== undefined) return ours;
  const failure = classify(error, context.lastRefusal);
  return failure === undefined ? error : errors[failure](error, context);
}

type Make = (error: unknown, context: FailureContext) => Error;

const ifDeleted =
  'If a topic was deleted, create it again with the same partitions, or restart this program.';

const errors: Readonly<Record<Failure, Make>> = {
  unauthorized: (error, context) => {
    const { brokers, security } = context.options;
    const refusal = [context.lastRefusal, ...[...causes(error)].map((one) => typeOf(one))];
    const needs = narrowNeeds(context.needs, refusal.filter(Boolean).join(' '));
    const allow = describeNeeds(needs, { brokers, principal: security.principal() });
    return new StopProcessError(
      'kafka.unauthorized',
      `${refusedBy(context)}: ${context.lastRefusal ?? messageOf(error)}. Allow ${allow}`,
      { exitCode: 3, cause: error },
    );
  },
  unauthenticated: (error, context) =>
    new StopProcessError(
      'kafka.unauthenticated',
      `Kafka at ${context.options.brokers.join(', ')} refused the login: ${loginWords(error)}. ` +
        loginAdvice(context),
      { exitCode: 3, cause: error },
    ),
  tls: (error, context) => {
    const failed = [...causes(error)].find((one) => isTlsCode(codeOf(one)));
    const said = messageOf(failed ?? error).replace(/^Connection error: /, '');
    const code = codeOf(failed) ?? '';
    return new StopProcessError(
      'kafka.tls',
      `TLS with Kafka at ${context.options.brokers.join(', ')} failed (${code}): ${said}. To mend it: ` +
        `${tlsAdvice('KAFKA', code, said)}.`,
      { exitCode: 3, cause: error },
    );
  },
  fenced: (error, context) =>
    new StopStreamError(
      'kafka.fenced',
      `Kafka refused ${context.doing}: another producer has taken over its transactional id. ` +
        'The partition is given up; this instance goes on with what its group gives it.',
      { cause: error },
    ),
  misconfigured: (error, context) =>
    new StopProcessError(
      'config.invalid',
      `${refusedBy(context)}: ${messageOf(error)}. Keep KAFKA_TRANSACTION_TIMEOUT at or ` +
        "below the broker's transaction.max.timeout.ms and KAFKA_GROUP_SESSION_TIMEOUT between its " +
        'group.min.session.timeout.ms and group.max.session.timeout.ms; and keep other programs out ' +
        'of the group.',
      { exitCode: 2, cause: error },
    ),
  missing: (error, context) =>
    new RetryError(
      'kafka.unavailable',
      `Kafka at ${context.options.brokers.join(', ')} does not know a topic or partition that ` +
        `${context.doing} needs: ${messageOf(error)}. ${context.ifMissing ?? ifDeleted}`,
      { cause: error },
    ),
  'too-large': unavailable,
  unavailable,
};

function unavailable(error: unknown, { options, doing }: FailureContext): Error {
  return new RetryError(
    'kafka.unavailable',
    `Kafka at ${options.brokers.join(', ')} did not answer as expected while ${doing}: ` +
      `${messageOf(error)}. Check that the brokers are up, that they can be reached, and that ` +
      'KAFKA_SECURITY_PROTOCOL is theirs.',
    { cause: error },
  );
}

function refusedBy({ options, doing }: FailureContext): string {
  return `Kafka at ${options.brokers.join(', ')} refused ${doing}`;
}

/** The innermost: kafkajs wraps it into what it was doing. */
function loginWords(error: unknown): string {
  const refusals = [...causes(error)].filter((one) => classifyOne(one) === 'unauthenticated');
  return messageOf(refusals[0] ?? error);
}

function loginAdvice({ options: { security } }: FailureContext): string {
  const mechanism = security.sasl?.mechanism;
  if (mechanism === undefined) {
    return 'Set KAFKA_SECURITY_PROTOCOL and KAFKA_SASL_MECHANISM as the brokers want them.';
  }
  return mechanism === 'OAUTHBEARER'
    ? 'Check KAFKA_SASL_OAUTHBEARER_SCOPE and that the brokers trust who gives out the tokens.'
    : 'Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.';
}
