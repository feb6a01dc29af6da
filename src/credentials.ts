import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config, KafkaConfig, SchemaRegistryConfig, TlsConfig } from './config/config.ts';
import { parseTokens, type Secret, secretUrl } from './config/named-formats.ts';
import { controlToken } from './config/http-settings.ts';
import { StopProcessError } from './engine/errors.ts';
import type { TlsMaterial } from './engine/tls.ts';
import { secretsOf } from './instagram/api/redaction.ts';
import type { KafkaSasl, KafkaSecurity } from './kafka/index.ts';
import { requestClientToken, type ClientAuthentication } from './kafka/sasl/client-credentials.ts';
import { requestMskToken } from './kafka/sasl/msk-iam.ts';
import { createOauthTokens, type OauthTokens } from './kafka/sasl/tokens.ts';
import type { WebhookReceiverSettings } from './observability/http/webhook-receiver.ts';
import type { Observability } from './observability/index.ts';
import type { RegistryLogin } from './registry/index.ts';

/** Registers texts that logs and pages must redact from now on. */
type Hide = (secrets: readonly string[]) => void;

/** All secrets of the configuration, to be redacted everywhere. */
export function secretsOfConfig(config: Config): readonly string[] {
  const { instagram, kafka, schemaRegistry, http, webhookReceiver, fields, notifications } = config;
  const { oauthbearer } = kafka.sasl;
  const others = [
    schemaRegistry.password,
    schemaRegistry.bearerToken,
    schemaRegistry.ssl.keyPassword,
    kafka.ssl.keyPassword,
    kafka.sasl.password,
    oauthbearer.clientSecret,
    oauthbearer.keyPassword,
    http.token,
    webhookReceiver.verifyToken,
    notifications.webhook.url,
    notifications.webhook.secret,
    fields.hashSecret,
  ];
  const pairOf = (name: string | null, secret: Secret | null): readonly string[] =>
    name === null || secret === null ? [] : [basic(name, secret.text)];
  return [
    ...secretsOf(instagram.accessTokens, instagram.clientSecret),
    ...others.flatMap((secret) => secret?.text ?? []),
    ...pathsOf(notifications.webhook.url?.text ?? ''),
    ...pairOf(schemaRegistry.username, schemaRegistry.password),
    ...pairOf(oauthbearer.clientId, oauthbearer.clientSecret),
  ];
}

/** The secret part of a webhook's URL, which an error may show without the host. */
function pathsOf(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  const { pathname, search } = new URL(url);
  return pathname.length > 1 ? [pathname, `${pathname}${search}`] : [];
}

function basic(name: string, secret: string): string {
  return Buffer.from(`${name}:${secret}`, 'utf8').toString('base64');
}

/** Hides secrets also as HTTP basic authentication encodes them. */
function hidingPairs(name: string, hide: Hide): Hide {
  return (secrets) => {
    hide([...secrets, ...secrets.map((secret) => basic(name, secret))]);
  };
}

/** The file of the tokens, from which renewed tokens are loaded without a restart. */
export function tokenFileOf(
  { instagram }: Config,
  { hide, log }: Pick<Observability, 'hide' | 'log'>,
) {
  const path = instagram.accessTokenFile;
  if (path === null) return {};
  return {
    tokenFile: {
      path,
      parse: parseTokens,
      onRenewed: (tokens: readonly string[]) => {
        hide(secretsOf(tokens, instagram.clientSecret));
      },
      onInvalid: (reason: string) => {
        log.warn({ reason }, 'token file invalid');
      },
    },
  };
}

/** The TLS material and login for the brokers; files are read again for each use. */
export function kafkaSecurity(kafka: KafkaConfig, hide: Hide): KafkaSecurity {
  const { securityProtocol: protocol, ssl } = kafka;
  const tls = protocol.endsWith('SSL') ? createTls('KAFKA', ssl, hide) : null;
  const oauth = oauthTokens(kafka, hide);
  const sasl = protocol.startsWith('SASL_') ? saslOf(kafka, oauth, hide) : null;
  return { tls, sasl, principal: () => `User:${nameOf(kafka, oauth)}` };
}

function saslOf(kafka: KafkaConfig, oauth: OauthTokens | undefined, hide: Hide): KafkaSasl | null {
  const { mechanism, username, password } = kafka.sasl;
  if (mechanism === null) return null;
  if (mechanism === 'OAUTHBEARER' || mechanism === 'AWS_MSK_IAM') {
    return oauth === undefined ? null : { mechanism, token: () => oauth.token() };
  }
  return { mechanism, username: username ?? '', password: secretReader(password, hide) };
}

/** The tokens of a login by OAUTHBEARER or by IAM; undefined for other logins. */
function oauthTokens({ sasl, connectionTimeoutMs: timeoutMs }: KafkaConfig, hide: Hide) {
  const onToken = (token: string): void => {
    hide([token]);
  };
  if (sasl.mechanism === 'AWS_MSK_IAM') {
    const { region, roleArn } = sasl.awsMskIam;
    const options = { region: region ?? '', roleArn, timeoutMs };
    return createOauthTokens({ request: () => requestMskToken(options), extensions: {}, onToken });
  }
  if (sasl.mechanism !== 'OAUTHBEARER') return undefined;
  const { tokenEndpointUrl, clientId, scope, extensions } = sasl.oauthbearer;
  const client = {
    tokenEndpointUrl: tokenEndpointUrl ?? '',
    clientId: clientId ?? '',
    authentication: clientAuthentication(sasl.oauthbearer, hide),
    scope,
    timeoutMs,
  };
  return createOauthTokens({
    request: () => requestClientToken(client),
    extensions: Object.fromEntries(
      extensions.map((pair) => {
        const separator = pair.indexOf('=');
        return [pair.slice(0, separator), pair.slice(separator + 1)];
      }),
    ),
    onToken,
  });
}

function clientAuthentication(
  oauth: KafkaConfig['sasl']['oauthbearer'],
  hide: Hide,
): ClientAuthentication {
  const { clientAuthentication: method, clientId, clientSecret } = oauth;
  if (method !== 'private_key_jwt') {
    return { method, secret: secretReader(clientSecret, hidingPairs(clientId ?? '', hide)) };
  }
  const pem = pemReader('KAFKA_SASL_OAUTHBEARER_KEY_LOCATION', oauth.keyLocation);
  const password = oauth.keyPassword === null ? null : secretReader(oauth.keyPassword, hide);
  return {
    method,
    key: () => ({ pem: pem?.() ?? '', password: password?.() ?? null }),
    algorithm: oauth.keyAlgorithm,
    keyId: oauth.keyId,
    audience: oauth.assertionAudience,
  };
}

/** The principal that the brokers derive from the login, by their default naming rules. */
function nameOf({ sasl, ssl, securityProtocol }: KafkaConfig, oauth?: OauthTokens): string {
  if (sasl.mechanism === 'AWS_MSK_IAM') return '<the IAM identity>';
  if (oauth !== undefined) return oauth.subject() ?? '<the subject of the token>';
  if (securityProtocol.startsWith('SASL_')) return sasl.username ?? '';
  const file = securityProtocol === 'SSL' ? ssl.certificateLocation : null;
  if (file === null) return 'ANONYMOUS';
  const { subject } = new X509Certificate(readFileSync(file));
  // Java's notation of a distinguished name (RFC 2253) is the reverse of the certificate's order.
  return subject.split('\n').filter(Boolean).reverse().join(',');
}

/** Returns the current token of control requests; null disables the control API. */
export function controlTokenOf({ token }: Config['http'], hide: Hide): (() => string) | null {
  if (token === null) return null;
  return validReader(token, (text) => controlToken.test(text), hide);
}

/** The webhook of notifications; null without one. Its files are read again for each request. */
export function webhookOf({ webhook }: Config['notifications'], hide: Hide) {
  const { url, format, secret } = webhook;
  if (url === null) return null;
  const hideUrls: Hide = (urls) => {
    hide([...urls, ...urls.flatMap(pathsOf)]);
  };
  const isUrl = (text: string): boolean => secretUrl.parse(text, 0) !== undefined;
  return {
    url: validReader(url, isUrl, hideUrls),
    format,
    secret: secret === null ? null : secretReader(secret, hide),
  };
}

/** The settings of the receiver of Instagram's webhooks; null while it is off. */
export function webhookReceiverOf(
  { webhookReceiver, instagram }: Pick<Config, 'webhookReceiver' | 'instagram'>,
  hide: Hide,
): WebhookReceiverSettings | null {
  const { port, verifyToken, ...others } = webhookReceiver;
  const { clientSecret } = instagram;
  // The configuration is rejected when only one of them is set.
  if (port === null || verifyToken === null || clientSecret === null) return null;
  const isValid = (text: string): boolean => controlToken.test(text);
  return {
    ...others,
    port,
    verifyToken: validReader(verifyToken, isValid, hide),
    appSecret: () => clientSecret,
  };
}

/** The registry's address, TLS material, login and registration rules. */
export function registryAccess(registry: SchemaRegistryConfig, hide: Hide) {
  const { url, timeoutMs, compatibility, mode, ssl } = registry;
  const tls = url.startsWith('https:') ? createTls('SCHEMA_REGISTRY', ssl, hide) : null;
  return { url, timeoutMs, compatibility, mode, tls, login: loginOf(registry, hide) };
}

function loginOf(
  { username, password, bearerToken }: SchemaRegistryConfig,
  hide: Hide,
): RegistryLogin {
  if (bearerToken !== null) return { kind: 'bearer', token: secretReader(bearerToken, hide) };
  if (username === null) return { kind: 'none' };
  return { kind: 'basic', username, password: secretReader(password, hidingPairs(username, hide)) };
}

/** Returns a function that reads the secret's file; while it is unreadable, the last value. */
function secretReader(secret: Secret | null, hide: Hide): () => string {
  let last = secret?.text ?? '';
  const file = secret?.file ?? null;
  if (file === null) return () => last;
  return () => {
    const current = readOr(file, last).replace(/\r?\n$/, '');
    if (current === last || current === '') return last;
    hide([current]);
    return (last = current);
  };
}

/** Returns a function as `secretReader` does; an invalid new text is not used. */
function validReader(secret: Secret, isValid: (text: string) => boolean, hide: Hide): () => string {
  const read = secretReader(secret, hide);
  let last = secret.text;
  return () => {
    const current = read();
    if (isValid(current)) last = current;
    return last;
  };
}

function readOr(file: string, last: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return last;
  }
}

function createTls(prefix: string, ssl: TlsConfig & { serverName?: string | null }, hide: Hide) {
  const password = ssl.keyPassword === null ? undefined : secretReader(ssl.keyPassword, hide);
  const ca = pemReader(`${prefix}_SSL_CA_LOCATION`, ssl.caLocation);
  const cert = pemReader(`${prefix}_SSL_CERTIFICATE_LOCATION`, ssl.certificateLocation);
  const key = pemReader(`${prefix}_SSL_KEY_LOCATION`, ssl.keyLocation);
  const servername = ssl.serverName ?? null;
  return (): TlsMaterial => ({
    ...(ca && { ca: ca() }),
    ...(cert && { cert: cert() }),
    ...(key && { key: key() }),
    ...(password && { passphrase: password() }),
    ...(servername !== null && { servername }),
  });
}

/** Returns a function that reads the file; while it is unreadable, the last content. */
function pemReader(name: string, file: string | null): (() => string) | undefined {
  if (file === null) return undefined;
  let last = '';
  return () => {
    last = readOr(file, last);
    if (last !== '') return last;
    throw new StopProcessError('config.invalid', `the file of ${name} cannot be read any more`, {
      exitCode: 2,
    });
  };
}
