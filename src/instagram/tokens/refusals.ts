import { messageOf, StopAccountError, type ErrorCode } from '../../engine/errors.ts';
import type { Telemetry } from '../../engine/ports.ts';
import { type Tokens, shownName } from './tokens.ts';

/** The tokens that the API refuses; every change is reported. */
export interface TokenRefusals {
  /**
   * Notes a request as it is sent with the token of a name.
   *
   * @returns takes its outcome: the error, or undefined for an answer
   */
  sent(name: string): (error: unknown) => void;
  /** Notes that Meta calls a token invalid, without a request that needs it. */
  refuse(name: string, token: string, refusal: Refusal): void;
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A refused token, and how many requests had been sent when it was refused last. */
interface Refused {
  readonly token: string;
  readonly code: ErrorCode;
  readonly sentBefore: number;
}

/** Knows of no refusal yet. */
export function createTokenRefusals(
  tokens: Pick<Tokens, 'names' | 'text'>,
  telemetry: Telemetry,
): TokenRefusals {
  const refused = new Map<string, Refused>();
  let sent = 0;
  const report = (name: string, refusal: Refusal | null): void => {
    telemetry.report({ type: 'token-refused', name: shownName(name), refusal });
  };
  const refuse: TokenRefusals['refuse'] = (name, token, { code, message }) => {
    // Another one has taken its place meanwhile.
    if (tokens.text(name) !== token) return;
    const before = refused.get(name);
    refused.set(name, { token, code, sentBefore: sent });
    if (before?.token !== token || before.code !== code) report(name, { code, message });
  };
  const take = (name: string): void => {
    refused.delete(name);
    report(name, null);
  };
  return {
    refuse,
    sent(name) {
      const number = (sent += 1);
      const token = tokens.text(name);
      return (error) => {
        if (error instanceof StopAccountError && error.refusesToken) {
          refuse(name, token, { code: error.code, message: messageOf(error) });
          return;
        }
        for (const gone of [...refused.keys()].filter((one) => !tokens.names().includes(one))) {
          take(gone);
        }
        const known = refused.get(name);
        if (error !== undefined || known === undefined) return;
        // An answer to what was sent before the refusal says nothing of the time after it.
        if (known.token !== token || number > known.sentBefore) take(name);
      };
    },
  };
}
