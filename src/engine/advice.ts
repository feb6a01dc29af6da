/**
 * All error codes (`area.reason`) with the advice for each: the message states the problem, the
 * advice the remedy. `docs/operations/reference.md` explains each code; a test compares the two.
 */
export const advice = {
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
  'graph.field-refused': 'No action needed; a permission may bring the field back.',
  'graph.gone': 'No action needed: it was deleted.',
  'graph.hashtag-limit':
    'No action needed: it is searched once fewer than 30 hashtags have been searched in seven days.',
  'graph.hashtag-refused':
    'Correct or remove the hashtag in INSTAGRAM_HASHTAGS: Meta rejects sensitive ones. It is requested again in a day.',
  'graph.media-before-conversion': 'No action needed: this media never has insights.',
  'graph.metric-refused': 'No action needed: the other metrics are published.',
  'graph.metric-unknown':
    'No action needed; look for a newer version of this program if it stays absent.',
  'graph.network': 'If it persists, check the network, DNS, the proxy and INSTAGRAM_BASE_URL.',
  'graph.no-insights':
    'No action needed: it is read again when its counts change or it is next due.',
  'graph.not-enough-users': 'No action needed: demographics begin at 100 followers.',
  'graph.not-enough-viewers': 'No action needed: the insights of a story begin at five viewers.',
  'graph.permission':
    'Grant the permission and the role named in the message. A failed stream retries at its next poll; resume a stopped stream or restart the program.',
  'graph.rate-limited':
    'It continues automatically. If it happens often, use longer intervals, fewer streams or fewer accounts for each token.',
  'graph.refused':
    'The next interval tries again. If it persists, check INSTAGRAM_API_VERSION and INSTAGRAM_BASE_URL; otherwise report the message.',
  'graph.retired':
    'Install a newer version of this program: Meta has retired this form of request.',
  'graph.server': "It is retried automatically. If it persists, look at Meta's status page.",
  'graph.timeout':
    'It is retried automatically. If it persists, raise INSTAGRAM_REQUEST_TIMEOUT or lower INSTAGRAM_PAGE_SIZE.',
  'graph.token': 'Get a new token (instagram-kafka login) and replace the old one.',
  'graph.too-much-data':
    'No action needed: the batch size is halved automatically. Report the message if it persists.',
  'graph.user-not-public':
    'Correct or remove the user name in INSTAGRAM_DISCOVERED_USERS. It is requested again in a day.',
  'internal.unexpected': 'Report it as a bug, with the log line.',
  'kafka.clock': "Set this machine's clock (NTP); no restart is needed.",
  'kafka.commit-unknown':
    'No action needed: the next start reads the outcome from the state topic.',
  'kafka.fenced':
    'No action needed after a hand-over; if it repeats, find the other user of this transactional id prefix.',
  'kafka.group-shared':
    'Stop the other instances before `once`, or give it a prefix and topics of its own.',
  'kafka.not-enough-replicas':
    'It is retried automatically. If it persists, start the brokers that are down.',
  'kafka.record-too-large': 'Raise max.message.bytes of the topic that the message names.',
  'kafka.throttled':
    'It is retried automatically. If it persists, raise the quota of this client in Kafka, lower KAFKA_MAX_BATCH_RECORDS or raise KAFKA_TRANSACTION_TIMEOUT.',
  'kafka.tls': 'Correct the certificate, or the authority that is trusted, as the message says.',
  'kafka.topic-invalid': 'Run the command given with each problem in the message.',
  'kafka.transaction-open':
    'Find the producer that holds the transaction open, as the message says, and stop it, or abort the transaction.',
  'kafka.unauthenticated':
    'Check the login: mechanism, user and password, the client and its secret or key, or the role.',
  'kafka.unauthorized': 'Allow in Kafka what the message names.',
  'kafka.unavailable':
    'It is retried automatically. If it persists, check the brokers and look for a partition without a leader.',
  'mapping.invalid':
    'Look at the dead letter; if Meta has changed the type, look for a newer version of this program.',
  'person.suppressed':
    'No action needed: `forget` added the author to the suppression list of the account.',
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
    'It is retried automatically. If it persists, check the registry and SCHEMA_REGISTRY_URL.',
  'state.invalid': 'Correct what the message names and run the command again.',
  'state.owned': 'Add --hand-over or stop the named instance, then run the command again.',
  'state.unreadable':
    'Follow the message. Start the stream over only where it says so: that loses the state.',
} as const satisfies Readonly<Record<string, string>>;
