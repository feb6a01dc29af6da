import type { Mechanism } from 'kafkajs';
import type { OauthToken } from '../options.ts';
import { KafkaJSSASLAuthenticationError } from './kafkajs.ts';

// The types of kafkajs lack the message.
const LoginError = KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error;

/** Separator and end of the mechanism's messages. */
const separator = '\u0001';

/**
 * Creates the mechanism OAUTHBEARER (RFC 7628). That of kafkajs 2.2.4 takes every answer for
 * success: after a rejected token its next request fails with a closed connection.
 */
export function createOauthbearer(token: () => Promise<OauthToken>): Mechanism {
  return {
    mechanism: 'OAUTHBEARER',
    authenticationProvider: ({ saslAuthenticate }) => {
      const send = (message: string) =>
        saslAuthenticate({
          request: { encode: () => framed(message) },
          // Without the length of four bytes.
          response: {
            decode: (raw) => raw.subarray(4),
            parse: (bytes) => bytes.toString('utf8'),
          },
        });
      return {
        authenticate: async () => {
          const rejection = await send(firstMessage(await token()));
          if (rejection === undefined || rejection === '') return;
          // A rejection arrives as a challenge; the broker expects this answer before it ends the login.
          await send(separator).catch(() => undefined);
          throw new LoginError(`the broker rejects the token: ${rejection.slice(0, 300)}`);
        },
      };
    },
  };
}

function firstMessage({ value, extensions }: OauthToken): string {
  const pairs = Object.entries({ auth: `Bearer ${value}`, ...extensions });
  const fields = pairs.map(([name, text]) => `${name}=${text}${separator}`);
  return `n,,${separator}${fields.join('')}${separator}`;
}

function framed(message: string): Buffer {
  const bytes = Buffer.from(message, 'utf8');
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
