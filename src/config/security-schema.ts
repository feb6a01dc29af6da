import { securityProtocols, saslMechanisms } from './config.ts';
import { choice, list, optional, text } from './formats.ts';
import { leaf } from './leaf.ts';
import { httpsUrl, pemFile, secret } from './named-formats.ts';

const line = text('a text of one line', /^[^\p{Cc}]{1,200}$/u);
const password = secret('a password: one line', /^[^\p{Cc}]+$/u);
const host = text('a host name', /^[A-Za-z0-9.:_-]{1,253}$/);

/** The PEM files of a TLS client, under the names that librdkafka has for them. */
function tls(prefix: string, who: string) {
  return {
    caLocation: leaf(
      `${prefix}_SSL_CA_LOCATION`,
      optional(pemFile('certificate')),
      `The PEM file with the certificates of the authorities that ${who}'s certificate is checked with, in place of those that Node trusts. Read again for each connection.`,
    ),
    certificateLocation: leaf(
      `${prefix}_SSL_CERTIFICATE_LOCATION`,
      optional(pemFile('certificate')),
      "The PEM file with the client's certificate, those that it was signed with after it. Read again for each connection.",
    ),
    keyLocation: leaf(
      `${prefix}_SSL_KEY_LOCATION`,
      optional(pemFile('key')),
      "The PEM file with the private key of the client's certificate. Read again for each connection.",
    ),
    keyPassword: leaf(
      `${prefix}_SSL_KEY_PASSWORD`,
      optional(password),
      'What the private key is encrypted with.',
    ),
  };
}

/** What the brokers are reached by: `security.protocol` and its `ssl.` of any Kafka client. */
export const kafkaSsl = {
  ...tls('KAFKA', 'a broker'),
  serverName: leaf(
    'KAFKA_SSL_SERVER_NAME',
    optional(host),
    "The name that the brokers' certificates are for, where it is not the name that they are reached by.",
  ),
};

export const securityProtocol = leaf(
  'KAFKA_SECURITY_PROTOCOL',
  choice(securityProtocols),
  "How the brokers are reached, as in any Kafka client: with TLS (`SSL`), with a login (`SASL_…`), or both. Only `SSL` and `SASL_SSL` keep passwords and data from the network's eyes.",
);

const oauthbearer = {
  tokenEndpointUrl: leaf(
    'KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL',
    optional(httpsUrl()),
    'Where a token is had for the client id and secret (`grant_type=client_credentials`). An authority of its own is named by `NODE_EXTRA_CA_CERTS`.',
  ),
  clientId: leaf('KAFKA_SASL_OAUTHBEARER_CLIENT_ID', optional(line), "The client's id."),
  clientSecret: leaf(
    'KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET',
    optional(password),
    "The client's secret; its file is read again for each token.",
  ),
  scope: leaf(
    'KAFKA_SASL_OAUTHBEARER_SCOPE',
    optional(line),
    'The scope asked for; several are separated by spaces.',
  ),
  extensions: leaf(
    'KAFKA_SASL_OAUTHBEARER_EXTENSIONS',
    list(text('name=value', /^[A-Za-z]+=[\x21-\x7e]+$/)),
    'What is sent with the token: Confluent Cloud wants `logicalCluster=lkc-…,identityPoolId=pool-…`.',
  ),
};

/** Who logs in, by `sasl.` of any Kafka client. */
export const kafkaSasl = {
  mechanism: leaf(
    'KAFKA_SASL_MECHANISM',
    optional(choice(saslMechanisms)),
    'How the login goes. With `PLAIN` the password itself is sent.',
  ),
  username: leaf('KAFKA_SASL_USERNAME', optional(line), 'For `PLAIN` and `SCRAM-…`.'),
  password: leaf(
    'KAFKA_SASL_PASSWORD',
    optional(password),
    'For `PLAIN` and `SCRAM-…`; its file is read again for each connection.',
  ),
  oauthbearer,
};

/** How the registry knows this program, and the program the registry. */
export const registrySecurity = {
  username: leaf(
    'SCHEMA_REGISTRY_USERNAME',
    optional(line),
    'For basic authentication, together with the password.',
  ),
  password: leaf(
    'SCHEMA_REGISTRY_PASSWORD',
    optional(password),
    'For basic authentication, together with the user name; its file is read again for each request.',
  ),
  bearerToken: leaf(
    'SCHEMA_REGISTRY_BEARER_TOKEN',
    optional(secret('a token without spaces', /^[\x21-\x7e]+$/)),
    'Sent as `Authorization: Bearer`, in place of user name and password; its file is read again for each request.',
  ),
  ssl: tls('SCHEMA_REGISTRY', 'the registry'),
};
