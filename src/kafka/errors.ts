import { RetryError, StopProcessError, StopStreamError } from '../core/errors.ts';
import { KafkaJSError } from './client-library.ts';

/** What a failure of kafkajs or of the broker means here. */
type Failure =
  'unavailable' | 'missing' | 'fenced' | 'too-large' | 'unauthorized' | 'misconfigured';

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
  SASL_AUTHENTICATION_FAILED: 'unauthorized',
  UNSUPPORTED_SASL_MECHANISM: 'unauthorized',
  SECURITY_DISABLED: 'unauthorized',
  KafkaJSSASLAuthenticationError: 'unauthorized',
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
interface FailureContext {
  readonly brokers: readonly string[];
  /** What was being done: "committing to instagram.media". */
  readonly doing: string;
  /** What must be allowed for it: "topic instagram.media (Write), transactional id x-3 (Write)". */
  readonly needs: string;
  readonly lastRefusal?: string | undefined;
}

/** The taxonomy's error for a failure of kafkajs; anything that is not one comes back as it is. */
export function translate(error: unknown, context: FailureContext): unknown {
  const failure = classify(error, context.lastRefusal);
  const brokers = context.brokers.join(', ');
  const said = error instanceof Error ? error.message : String(error);
  switch (failure) {
    case undefined:
      return error;
    case 'unauthorized':
      return new StopProcessError(
        'kafka.unauthorized',
        `Kafka at ${brokers} refused ${context.doing}: ${context.lastRefusal ?? said}. ` +
          `Allow this user: ${context.needs}.`,
        { exitCode: 3, cause: error },
      );
    case 'fenced':
      return new StopStreamError(
        'kafka.fenced',
        `Kafka refused ${context.doing}: another producer has taken over its transactional id. ` +
          'The partition is given up; this instance goes on with what its group gives it.',
        { cause: error },
      );
    case 'misconfigured':
      return new StopProcessError(
        'config.invalid',
        `Kafka at ${brokers} refused ${context.doing}: ${said}. Keep KAFKA_TRANSACTION_TIMEOUT at or ` +
          "below the broker's transaction.max.timeout.ms and KAFKA_GROUP_SESSION_TIMEOUT between its " +
          'group.min.session.timeout.ms and group.max.session.timeout.ms; and keep other programs out ' +
          'of the group.',
        { exitCode: 2, cause: error },
      );
    case 'missing':
      return new RetryError(
        'kafka.unavailable',
        `Kafka at ${brokers} does not know a topic or partition that ${context.doing} needs: ${said}. ` +
          'If a topic was deleted, create it again with the same partitions, or restart this program.',
        { cause: error },
      );
    case 'too-large':
    case 'unavailable':
      return new RetryError(
        'kafka.unavailable',
        `Kafka at ${brokers} did not answer as expected while ${context.doing}: ${said}. ` +
          'Check that the brokers are up and that they can be reached.',
        { cause: error },
      );
  }
}
