import { choice, list, optional, text } from './formats.ts';
import { setting } from './setting.ts';
import { httpsUrl, line, password, pemFile } from './named-formats.ts';

/** Algorithms of a client assertion, as RFC 7518 names them. */
const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

/** The login at the brokers, named like the `sasl.` settings of Kafka clients. */
export const sasl = {
  mechanism: setting(
    optional(choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'])),
    'The SASL mechanism of the login. `PLAIN` sends the password itself. `AWS_MSK_IAM` logs in at Amazon MSK by an IAM identity: OAUTHBEARER with a token that the AWS SDK signs; the SDK takes 12 MB of memory.',
  ),
  username: setting(optional(line), 'The user name for `PLAIN` and `SCRAM-…`.'),
  password: setting(
    optional(password),
    'The password for `PLAIN` and `SCRAM-…`; its file is read again for each connection.',
  ),
  oauthbearer: {
    tokenEndpointUrl: setting(
      optional(httpsUrl),
      'The endpoint that issues tokens to the client (`grant_type=client_credentials`). `NODE_EXTRA_CA_CERTS` names the file of a private CA.',
    ),
    clientId: setting(optional(line), "The client's id."),
    clientAuthentication: setting(
      choice(['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
      "The client's authentication at the token endpoint: its secret in the header or in the form, or a JWT that its private key signs.",
    ),
    clientSecret: setting(
      optional(password),
      "The client's secret for `client_secret_…`; its file is read again for each token.",
    ),
    keyLocation: setting(
      optional(pemFile('key')),
      'The PEM file with the private key for `private_key_jwt`. Read again for each token.',
    ),
    keyPassword: setting(optional(password), 'The password of the encrypted private key.'),
    keyAlgorithm: setting(
      choice(signatureAlgorithms),
      'The algorithm of the signature. `ES…` needs a key on the curve P-256, P-384 or P-521.',
    ),
    keyId: setting(
      optional(line),
      'The `kid` in the header of the JWT, if the endpoint requires it.',
    ),
    assertionAudience: setting(
      optional(line),
      'The `aud` of the JWT. Not set: the URL of the token endpoint. Some authorization servers require their issuer.',
    ),
    scope: setting(optional(line), 'The requested scope; several are separated by spaces.'),
    extensions: setting(
      list(text('name=value', /^[A-Za-z]+=[\x21-\x7e]+$/)),
      'The SASL extensions sent with the token. Confluent Cloud requires `logicalCluster=lkc-…,identityPoolId=pool-…`.',
    ),
  },
  awsMskIam: {
    region: setting(
      optional(text('a region of AWS, such as eu-central-1', /^[a-z]{2}(?:-[a-z]+)+-\d$/)),
      'The region of the MSK cluster. Credentials come from the default chain of AWS: environment, profile, web identity, container, instance.',
    ),
    roleArn: setting(
      optional(
        text('an ARN of an IAM role', /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/),
      ),
      'The IAM role to assume for the login. Not set: the identity of the credentials.',
    ),
  },
};
