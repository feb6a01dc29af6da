import { describe, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { RetryError } from '../../../../src/engine/errors.ts';
import { DeadlineError, ThrottledError } from '../../../../src/kafka/client/deadline.ts';
import { classify, translate, type FailureContext } from '../../../../src/kafka/client/errors.ts';

const {
  Kafka,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
} = kafkajs;

/** An error as kafkajs makes it of what a broker answered. */
function refusal(type: string, message = type): Error {
  const answer = Object.assign(new Error(message), { type, code: 1 });
  return new KafkaJSProtocolError(answer);
}

describe('classify', () => {
  test.each([
    ['INVALID_PRODUCER_EPOCH', 'fenced'],
    ['MESSAGE_TOO_LARGE', 'too-large'],
    ['RECORD_LIST_TOO_LARGE', 'too-large'],
    ['TOPIC_AUTHORIZATION_FAILED', 'unauthorized'],
    ['GROUP_AUTHORIZATION_FAILED', 'unauthorized'],
    ['CLUSTER_AUTHORIZATION_FAILED', 'unauthorized'],
    ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'unauthorized'],
    ['SASL_AUTHENTICATION_FAILED', 'unauthenticated'],
    ['UNSUPPORTED_SASL_MECHANISM', 'unauthenticated'],
    ['ILLEGAL_SASL_STATE', 'unauthenticated'],
    ['SECURITY_DISABLED', 'unauthorized'],
    ['INVALID_TRANSACTION_TIMEOUT', 'misconfigured'],
    ['NOT_LEADER_FOR_PARTITION', 'unavailable'],
    ['INVALID_PRODUCER_ID_MAPPING', 'forgotten'],
    ['UNKNOWN_PRODUCER_ID', 'forgotten'],
    ['NOT_ENOUGH_REPLICAS', 'replicas'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'replicas'],
    ['INVALID_TIMESTAMP', 'clock'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'missing'],
  ])('takes %s for %s', (type, failure) => {
    expect(classify(refusal(type))).toBe(failure);
  });

  test('knows the code of a fenced producer that kafkajs does not', () => {
    const unknown = refusal('KAFKAJS_UNKNOWN_ERROR_CODE', 'Unknown error code 90');
    expect(classify(unknown)).toBe('fenced');
  });

  test('takes the plain errors of kafkajs, which throws TypeErrors when connections fail, for an outage', async () => {
    const kafka = new Kafka({ brokers: ['127.0.0.1:1'] });
    const failing: Promise<unknown> = kafka.admin().createTopics(undefined as never);
    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(classify(error)).toBe('unavailable');
    expect(classify(new TypeError('of our own'))).toBeUndefined();
  });

  test('looks for the cause inside what kafkajs wraps it in', () => {
    const inner = refusal('INVALID_PRODUCER_EPOCH');
    const retries = { retryCount: 3, retryTime: 10 };
    expect(classify(new KafkaJSNumberOfRetriesExceeded(inner, retries))).toBe('fenced');
    expect(classify(new Error('outer', { cause: inner }))).toBe('fenced');
  });

  test('finds a refusal that kafkajs swallows in what the broker said last', () => {
    const hidden = Object.assign(new KafkaJSNonRetriableError('Failed to find group coordinator'), {
      name: 'KafkaJSGroupCoordinatorNotFound',
    });
    expect(classify(hidden, 'Transactional Id authorization failed')).toBe('unauthorized');
    expect(classify(hidden, 'The coordinator is loading')).toBe('unavailable');
    expect(classify(hidden)).toBe('unavailable');
  });

  test('finds too few replicas in what the broker said last when a deadline ends the tries', () => {
    const late = new DeadlineError('a transaction took longer than 20000 ms');
    const few = 'Messages are rejected since there are fewer in-sync replicas than required';
    expect(classify(late, few)).toBe('replicas');
    expect(classify(late, 'Not authorized to access topics')).toBe('unavailable');
    expect(classify(late)).toBe('unavailable');
  });

  test('does not judge an error that is not from kafkajs', () => {
    expect(classify(new TypeError('a bug'))).toBeUndefined();
  });
});

describe('translate', () => {
  const context: FailureContext = {
    options: {
      brokers: ['one:9092', 'two:9092'],
      clientId: 'me',
      security: { tls: null, sasl: null, principal: () => 'User:CN=me, O=us' },
    },
    doing: 'a transaction of x-3',
    needs: [
      { operation: 'Write', resource: 'transactional-id', name: 'x-', prefixed: true },
      { operation: 'Write', resource: 'topic', name: 'x.media' },
    ],
  };

  test('names the brokers and asks for another try when Kafka is away', () => {
    expect(translate(new KafkaJSNonRetriableError('no route'), context)).toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
      message:
        'Kafka at one:9092, two:9092 did not answer as expected while a transaction of x-3: no route. ' +
        'Check that the brokers are up, that they can be reached, and that KAFKA_SECURITY_PROTOCOL is theirs.',
    });
  });

  const messageOf = (error: unknown, changes: Partial<FailureContext> = {}): string =>
    (translate(error, { ...context, ...changes }) as Error).message;

  test('does not ask to check the way to brokers that have answered', () => {
    const away = /Check that the brokers are up/;
    for (const type of ['LEADER_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'CONCURRENT_TRANSACTIONS']) {
      expect(messageOf(refusal(type))).not.toMatch(away);
    }
    expect(messageOf(refusal('LEADER_NOT_AVAILABLE'))).toMatch(/--unavailable-partitions/);
    expect(messageOf(refusal('KAFKA_STORAGE_ERROR'))).toMatch(/disk/);
    const late = new DeadlineError('a transaction took longer than 20000 ms');
    expect(messageOf(late)).toMatch(away);
    const lastRejection = 'The coordinator is loading';
    expect(messageOf(late, { lastRejection })).not.toMatch(away);
    expect(messageOf(late, { lastRejection })).toMatch(
      /The last answer of a broker was: The coord/,
    );
  });

  test('calls a producer that the broker has dropped no outage', () => {
    expect(messageOf(refusal('INVALID_PRODUCER_ID_MAPPING'))).toMatch(
      /transactional\.id\.expiration\.ms.*nothing is lost\.$/,
    );
  });

  test('names too few replicas, and how to list the partitions', () => {
    const error = refusal('NOT_ENOUGH_REPLICAS', 'fewer in-sync replicas than required');
    expect(translate(error, context)).toMatchObject({
      disposition: 'retry',
      code: 'kafka.not-enough-replicas',
      message:
        'Kafka at one:9092, two:9092 did not answer as expected while a transaction of x-3: fewer ' +
        'in-sync replicas than required. Fewer replicas of a partition are in sync than ' +
        'min.insync.replicas asks for. Start the brokers that are down; to list the partitions: ' +
        'kafka-topics.sh --bootstrap-server one:9092,two:9092 --describe --under-min-isr-partitions',
    });
  });

  test('names the client whose quota holds a transaction up, and waits as long as the broker asks', () => {
    const error = new ThrottledError('a transaction needs longer than 27000 ms', 41_000);
    expect(translate(error, context)).toMatchObject({
      disposition: 'retry',
      code: 'kafka.throttled',
      retryAfterMs: 41_000,
      message: expect.stringMatching(
        /throttles this client \(client\.id me, User:CN=me, O=us\) by a quota: .*KAFKA_MAX_BATCH_RECORDS/,
      ),
    });
  });

  test.each([
    [2 * 3_600_000 + 300_000, /clock is 2 h 5 min ahead of that of the Graph API: set it right/],
    [-7_200_000, /clock is 2 h behind that of the Graph API: set it right/],
    [900, /clock agrees with that of the Graph API\. Compare the brokers' clocks, and message\./],
    [null, /Compare this machine's clock with the brokers'/],
  ])('gives up at once for a timestamp that is refused, and says the clock: %p', (ms, words) => {
    const error = refusal('INVALID_TIMESTAMP', 'The timestamp is out of acceptable range');
    const known = translate(error, { ...context, clockAheadMs: ms });
    expect(known).toMatchObject({ disposition: 'fail', code: 'kafka.clock' });
    expect((known as Error).message).toMatch(words);
  });

  test('says what must be allowed when something is not', () => {
    const error = refusal('TOPIC_AUTHORIZATION_FAILED', 'Not authorized to access topics');
    expect(translate(error, context)).toMatchObject({
      disposition: 'stop-process',
      code: 'kafka.unauthorized',
      exitCode: 3,
      message:
        'Kafka at one:9092, two:9092 refused a transaction of x-3: Not authorized to access topics. ' +
        'Allow Write on the topic x.media: kafka-acls.sh --bootstrap-server one:9092,two:9092 --add ' +
        "--allow-principal 'User:CN=me, O=us' --operation Write --topic x.media",
    });
  });

  test('names what a refusal is about where kafkajs has swallowed it', () => {
    const error = Object.assign(new KafkaJSError('no coordinator'), {
      name: 'KafkaJSGroupCoordinatorNotFound',
    });
    const lastRejection = 'The transactional id authorization failed';
    expect(translate(error, { ...context, lastRejection })).toMatchObject({
      code: 'kafka.unauthorized',
      message: expect.stringMatching(
        /Allow Write on each transactional id that begins with x-: .* --transactional-id x- --resource-pattern-type prefixed$/,
      ),
    });
  });

  test('tells a login that is refused from something that is not allowed', () => {
    const error = refusal('SASL_AUTHENTICATION_FAILED', 'Authentication failed');
    expect(translate(error, context)).toMatchObject({
      disposition: 'stop-process',
      code: 'kafka.unauthenticated',
      exitCode: 3,
    });
  });

  test('says how to mend TLS, by what has failed', () => {
    const failed = (code: string) =>
      translate(Object.assign(new KafkaJSError('Connection error: no'), { code }), context);
    const mended = (code: string) => (failed(code) as Error).message.split('To mend it: ')[1];

    expect(failed('SELF_SIGNED_CERT_IN_CHAIN')).toMatchObject({ code: 'kafka.tls', exitCode: 3 });
    expect(mended('SELF_SIGNED_CERT_IN_CHAIN')).toMatch(/KAFKA_SSL_CA_LOCATION/);
    expect(mended('ERR_TLS_CERT_ALTNAME_INVALID')).toMatch(/KAFKA_SSL_SERVER_NAME/);
    expect(mended('CERT_HAS_EXPIRED')).toMatch(/renew/);
    expect(mended('ERR_SSL_WRONG_VERSION_NUMBER')).toMatch(/speaks TLS/);
  });

  test('leaves an error of ours as it is, however kafkajs has wrapped it', () => {
    const ours = new RetryError('kafka.unavailable', 'no token');
    expect(
      translate(Object.assign(new KafkaJSNonRetriableError(ours), { cause: ours }), context),
    ).toBe(ours);
  });

  test('stops the stream when another instance has taken over', () => {
    expect(translate(refusal('INVALID_PRODUCER_EPOCH'), context)).toMatchObject({
      disposition: 'stop-stream',
      code: 'kafka.fenced',
    });
  });

  test('stops the process when the broker does not take the transaction timeout', () => {
    expect(translate(refusal('INVALID_TRANSACTION_TIMEOUT'), context)).toMatchObject({
      disposition: 'stop-process',
      code: 'config.invalid',
      exitCode: 2,
    });
  });

  test('leaves what is not from kafkajs as it is', () => {
    const bug = new TypeError('a bug');
    expect(translate(bug, context)).toBe(bug);
  });
});
