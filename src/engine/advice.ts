import type { ErrorCode } from './errors.ts';

/**
 * The advice for each error code, in a sentence: the message states the problem, the advice the
 * remedy. `docs/operations.md` explains each code in detail.
 */
export const advice: Readonly<Record<ErrorCode, string>> = {
  'accounts.none':
    "Check the account's type, its link to a page and the token's permissions, or correct INSTAGRAM_ACCOUNTS.",
  'config.invalid': 'Correct the fields that are named and restart.',
  'encoding.invalid': 'Report it as a bug, with the dead letter.',
  'graph.ambiguous':
    "Check that the account is professional, its link to its page, and the role and permissions of the token's user.",
  'graph.app-secret':
    "Set INSTAGRAM_CLIENT_SECRET to the secret of the token's own app, then restart.",
  'graph.bad-body':
    'Look at the dead letter; check INSTAGRAM_BASE_URL and the proxies on the way to it.',
  'graph.blocked':
    "Do what the app's dashboard at Meta asks for, then resume the stream, or restart.",
  'graph.field-refused': 'Nothing has to be done; a permission may bring the field back.',
  'graph.gone': 'Nothing has to be done: it was deleted.',
  'graph.media-before-conversion': 'Nothing has to be done: this media never has insights.',
  'graph.metric-refused': 'Nothing has to be done: the other metrics are published.',
  'graph.metric-unknown':
    'Nothing has to be done; look for a newer version of this program if it stays away.',
  'graph.network': 'If it stays, check the network, DNS, the proxy and INSTAGRAM_BASE_URL.',
  'graph.not-enough-users': 'Nothing has to be done: demographics begin at 100 followers.',
  'graph.not-enough-viewers':
    'Nothing has to be done: the insights of a story begin at five viewers.',
  'graph.permission':
    'Give the permission and the role that the message names, then resume a stream that has stopped, or restart.',
  'graph.rate-limited':
    'It goes on by itself. If it is often so: longer intervals, fewer streams or fewer accounts a token.',
  'graph.refused':
    'The next interval asks again. If it stays, check INSTAGRAM_API_VERSION and INSTAGRAM_BASE_URL; otherwise report the message.',
  'graph.retired':
    'Install a newer version of this program: Meta has retired this form of request.',
  'graph.server': "It is tried again by itself. If it stays, look at Meta's status page.",
  'graph.timeout':
    'It is tried again by itself. If it stays, raise INSTAGRAM_REQUEST_TIMEOUT or lower INSTAGRAM_PAGE_SIZE.',
  'graph.token': 'Get a new token (instagram-kafka login) and put it where the old one was.',
  'graph.too-much-data':
    'Nothing: what is asked for at once is halved by itself. If it stays, report the message.',
  'internal.unexpected': 'Report it as a bug, with the log line.',
  'kafka.clock': "Set this machine's clock right (NTP); nothing has to be restarted afterwards.",
  'kafka.commit-unknown': 'Nothing has to be done: the next start reads it in the state topic.',
  'kafka.fenced':
    'Nothing has to be done after a hand-over; if it comes again and again, find what else uses this transactional id prefix.',
  'kafka.group-shared':
    'Stop the other instances before `once`, or give it a prefix and topics of its own.',
  'kafka.not-enough-replicas':
    'It is tried again by itself. If it stays, start the brokers that are down.',
  'kafka.record-too-large': 'Raise max.message.bytes of the topic that the message names.',
  'kafka.throttled':
    'It is tried again by itself. If it stays, raise the quota of this client in Kafka, lower KAFKA_MAX_BATCH_RECORDS or raise KAFKA_TRANSACTION_TIMEOUT.',
  'kafka.tls': 'Correct the certificate, or the authority that is trusted, as the message says.',
  'kafka.topic-invalid': 'Run the command that stands behind each problem of the message.',
  'kafka.unauthenticated':
    'Check the login: mechanism, user and password, or the client and its secret.',
  'kafka.unauthorized': 'Allow in Kafka what the message names.',
  'kafka.unavailable':
    'It is tried again by itself. If it stays, check the brokers and look for a partition without a leader.',
  'mapping.invalid':
    'Look at the dead letter; if Meta has changed the type, look for a newer version of this program.',
  'registry.incompatible':
    'Run the version that registered the schema, give the topics another name, or change the subject.',
  'registry.mismatch':
    'Set SCHEMA_REGISTRY_URL to the registry that the states were written with, then restart. Reset no state.',
  'registry.missing': 'Register the schema under the subject that the message names.',
  'registry.rejected':
    'Follow the message: let the registry accept schemas again, or correct what it names.',
  'registry.tls': 'Correct the certificate, or the authority that is trusted, as the message says.',
  'registry.unauthorized': 'Check the user and the password, or the token, for the registry.',
  'registry.unavailable':
    'It is tried again by itself. If it stays, check the registry and SCHEMA_REGISTRY_URL.',
  'state.invalid': 'Correct what the message names and run the command again.',
  'state.owned': 'Stop the instance that is named and run the command again.',
  'state.unreadable':
    'Follow the message. Start the stream over only where it says so: that loses the state.',
};
