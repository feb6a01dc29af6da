import { choice, flag, integer, list, optional, text } from './formats.ts';
import { secret, secretUrl } from './named-formats.ts';
import { setting } from './setting.ts';

/** The form of tokens and keys that requests are compared or signed with. */
export const controlToken = /^[\x21-\x7e]{16,500}$/;

const host = text('a host name or an address, such as 127.0.0.1', /^[A-Za-z0-9.:_-]{1,253}$/);

/** The server of health, metrics, the status page and control requests. */
export const http = {
  enabled: setting(
    flag,
    'True serves health, metrics and the status page. Without them, the health check of the container image fails.',
  ),
  host: setting(
    host,
    'The address to listen on; `0.0.0.0` in a container. Reading needs no authentication.',
  ),
  port: setting(integer(0, 65_535), 'The port to listen on; 0 selects a free port.'),
  allowedHosts: setting(
    list(text('a host name without a port', /^[A-Za-z0-9._-]{1,253}$/)),
    'Names that the `Host` header may contain besides `localhost` and loopback addresses; other names get 421. This prevents web pages from reading the server by DNS rebinding. Empty: no other name when the server listens on loopback, any name when it listens elsewhere.',
  ),
  token: setting(
    optional(secret('a token of 16 to 500 visible characters', controlToken)),
    'The token of control requests (`Authorization: Bearer …`), which poll, pause or resume a stream or change the log level. Not set: the control API is disabled. The file is read again for each request.',
  ),
};

/** The receiver of Instagram's webhooks. */
export const webhookReceiver = {
  port: setting(
    optional(integer(0, 65_535)),
    "The port that receives Instagram's webhooks ([webhooks](webhooks.md)); 0 selects a free port. Not set: no webhooks. It needs `INSTAGRAM_CLIENT_SECRET`, with which Meta signs them.",
  ),
  host: setting(
    host,
    'The address to listen on; `0.0.0.0` in a container. Only `/webhooks/instagram` of this port must be reachable from the internet, by a proxy with TLS.',
  ),
  verifyToken: setting(
    optional(secret('a text of 16 to 500 visible characters', controlToken)),
    "The verify token: a text of your choice, the same as in the webhook settings of the app's dashboard. The file is read again for each request.",
  ),
  maxBodyBytes: setting(
    integer(10_000, 100_000_000),
    'The largest body of a webhook in bytes; a larger one gets 413. Meta puts at most 1,000 changes into one.',
  ),
  maxRequestsPerSecond: setting(
    integer(1, 100_000),
    'The webhooks that are accepted in a second; others get 429, and Meta sends them again.',
  ),
};

/** The topic of notifications, and the webhook that also receives them. */
export const notifications = {
  enabled: setting(
    flag,
    'True writes a record to the topic of notifications when a condition begins that only a person can end, such as a rejected token, and when it is over.',
  ),
  webhook: {
    url: setting(
      optional(secretUrl),
      'The URL that also receives the notifications, by POST. Not set: no webhook. It is a secret, because an incoming webhook of Slack has its token in the path; its file is read again for each request.',
    ),
    format: setting(
      choice(['json', 'slack']),
      'The body of the requests: `json` has the records; `slack` is a message for an incoming webhook of Slack, or of a service with the same form.',
    ),
    secret: setting(
      optional(secret('a text of 16 to 500 visible characters', controlToken)),
      'The key of the signature: requests carry the HMAC-SHA-256 of their body as `X-Signature-256: sha256=<hex>`. Not set: no signature.',
    ),
  },
};
