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

/** The error that kafkajs makes of a broker's error code. */
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
  ])('maps %s to %s', (type, failure) => {
    expect(classify(refusal(type))).toBe(failure);
  });

  test('recognizes error code 90 of a fenced producer, which kafkajs does not know', () => {
    const unknown = refusal('KAFKAJS_UNKNOWN_ERROR_CODE', 'Unknown error code 90');
    expect(classify(unknown)).toBe('fenced');
  });

  test('maps the TypeErrors that kafkajs throws after failed connections to an outage', async () => {
    const kafka = new Kafka({ brokers: ['127.0.0.1:1'] });
    const failing: Promise<unknown> = kafka.admin().createTopics(undefined as never);
    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(classify(error)).toBe('unavailable');
    expect(classify(new TypeError('of our own'))).toBeUndefined();
  });

  test('finds the cause inside the wrappers of kafkajs', () => {
    const inner = refusal('INVALID_PRODUCER_EPOCH');
    const retries = { retryCount: 3, retryTime: 10 };
    expect(classify(new KafkaJSNumberOfRetriesExceeded(inner, retries))).toBe('fenced');
    expect(classify(new Error('outer', { cause: inner }))).toBe('fenced');
  });

  test("uses the broker's last message when kafkajs hides a rejection", () => {
    const hidden = Object.assign(new KafkaJSNonRetriableError('Failed to find group coordinator'), {
      name: 'KafkaJSGroupCoordinatorNotFound',
    });
    expect(classify(hidden, 'Transactional Id authorization failed')).toBe('unauthorized');
    expect(classify(hidden, 'The coordinator is loading')).toBe('unavailable');
    expect(classify(hidden)).toBe('unavailable');
  });

  test("uses the broker's last message when a deadline ends the retries: too few replicas", () => {
    const late = new DeadlineError('a transaction took longer than 20000 ms');
    const few = 'Messages are rejected since there are fewer in-sync replicas than required';
    expect(classify(late, few)).toBe('replicas');
    expect(classify(late, 'Not authorized to access topics')).toBe('unavailable');
    expect(classify(late)).toBe('unavailable');
  });

  test('returns undefined for an error that does not come from kafkajs', () => {
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

  test('names the brokers and retries when Kafka is unavailable', () => {
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

  test('omits the advice to check the connection when the brokers have answered', () => {
    const away = /Check that the brokers are up/;
    for (const type of ['LEADER_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'CONCURRENT_TRANSACTIONS']) {
      expect(messageOf(refusal(type))).not.toMatch(away);
    }
    expect(messageOf(refusal('LEADER_NOT_AVAILABLE'))).toMatch(/--unavailable-partitions/);
    expect(messageOf(refusal('KAFKA_STORAGE_ERROR'))).toMatch(/disk/);
    const late = new DeadlineError('a transaction took longer than 20000 ms');
    expect(messageOf(late)).toMatch(away);
    const lastBrokerError = 'The coordinator is loading';
    expect(messageOf(late, { lastBrokerError })).not.toMatch(away);
    expect(messageOf(late, { lastBrokerError })).toMatch(
      /The last answer of a broker was: The coord/,
    );
  });

  test('explains an expired transactional id as harmless', () => {
    expect(messageOf(refusal('INVALID_PRODUCER_ID_MAPPING'))).toMatch(
      /transactional\.id\.expiration\.ms.*nothing is lost\.$/,
    );
  });

  test('names too few in-sync replicas and the command that lists the partitions', () => {
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

  test("names the client whose quota delays a transaction, and retries after the broker's delay", () => {
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
  ])(
    "fails without a retry for a rejected timestamp and reports the clock's offset: %p",
    (ms, words) => {
      const error = refusal('INVALID_TIMESTAMP', 'The timestamp is out of acceptable range');
      const known = translate(error, { ...context, clockAheadMs: ms });
      expect(known).toMatchObject({ disposition: 'fail', code: 'kafka.clock' });
      expect((known as Error).message).toMatch(words);
    },
  );

  test('names the missing permission and the command that grants it', () => {
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

  test('names the actions of IAM in place of ACLs when the login is AWS_MSK_IAM', () => {
    const token = () => Promise.resolve({ value: 'token', extensions: {} });
    const sasl = { mechanism: 'AWS_MSK_IAM', token } as const;
    const options = { ...context.options, security: { ...context.options.security, sasl } };
    const arn = 'arn:aws:kafka:<region>:<account>';
    const refused = (type: string) =>
      (translate(refusal(type), { ...context, options }) as Error).message;

    expect(refused('TOPIC_AUTHORIZATION_FAILED')).toContain(
      'Allow Write on the topic x.media: in the IAM policy, kafka-cluster:DescribeTopic and ' +
        `kafka-cluster:WriteData on ${arn}:topic/<cluster>/<uuid>/x.media`,
    );
    expect(refused('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')).toContain(
      'kafka-cluster:DescribeTransactionalId and kafka-cluster:AlterTransactionalId on ' +
        `${arn}:transactional-id/<cluster>/<uuid>/x-*`,
    );
    expect(refused('SASL_AUTHENTICATION_FAILED')).toMatch(/KAFKA_SASL_AWS_MSK_IAM_REGION/);
  });

  test('names the missing permission when kafkajs hides the rejection', () => {
    const error = Object.assign(new KafkaJSError('no coordinator'), {
      name: 'KafkaJSGroupCoordinatorNotFound',
    });
    const lastBrokerError = 'The transactional id authorization failed';
    expect(translate(error, { ...context, lastBrokerError })).toMatchObject({
      code: 'kafka.unauthorized',
      message: expect.stringMatching(
        /Allow Write on each transactional id that begins with x-: .* --transactional-id x- --resource-pattern-type prefixed$/,
      ),
    });
  });

  test('distinguishes a rejected login from a missing permission', () => {
    const error = refusal('SASL_AUTHENTICATION_FAILED', 'Authentication failed');
    expect(translate(error, context)).toMatchObject({
      disposition: 'stop-process',
      code: 'kafka.unauthenticated',
      exitCode: 3,
    });
  });

  test('advises on TLS by the kind of failure', () => {
    const failed = (code: string) =>
      translate(Object.assign(new KafkaJSError('Connection error: no'), { code }), context);
    const fixOf = (code: string) => (failed(code) as Error).message.split('To fix it: ')[1];

    expect(failed('SELF_SIGNED_CERT_IN_CHAIN')).toMatchObject({ code: 'kafka.tls', exitCode: 3 });
    expect(fixOf('SELF_SIGNED_CERT_IN_CHAIN')).toMatch(/KAFKA_SSL_CA_LOCATION/);
    expect(fixOf('ERR_TLS_CERT_ALTNAME_INVALID')).toMatch(/KAFKA_SSL_SERVER_NAME/);
    expect(fixOf('CERT_HAS_EXPIRED')).toMatch(/renew/);
    expect(fixOf('ERR_SSL_WRONG_VERSION_NUMBER')).toMatch(/speaks TLS/);
  });

  test('returns an error of this program unchanged from inside the wrappers of kafkajs', () => {
    const ours = new RetryError('kafka.unavailable', 'no token');
    expect(
      translate(Object.assign(new KafkaJSNonRetriableError(ours), { cause: ours }), context),
    ).toBe(ours);
  });

  test('stops the stream when another instance has fenced the producer', () => {
    expect(translate(refusal('INVALID_PRODUCER_EPOCH'), context)).toMatchObject({
      disposition: 'stop-stream',
      code: 'kafka.fenced',
    });
  });

  test('stops the process when the broker rejects the transaction timeout', () => {
    expect(translate(refusal('INVALID_TRANSACTION_TIMEOUT'), context)).toMatchObject({
      disposition: 'stop-process',
      code: 'config.invalid',
      exitCode: 2,
    });
  });

  test('returns an error that does not come from kafkajs unchanged', () => {
    const bug = new TypeError('a bug');
    expect(translate(bug, context)).toBe(bug);
  });
});
