import { messageOf, StopAccountError, type ErrorCode } from '../../engine/errors.ts';
import type { Telemetry } from '../../engine/ports.ts';
import { type Tokens, shownName } from './tokens.ts';

/** The tokens that the API rejects; every change is reported. */
export interface TokenRejections {
  /**
   * Records a request when it is sent with the token of a name.
   * @returns a callback for the outcome: the error, or undefined for an answer
   */
  sent(name: string): (error: unknown) => void;
  /** Records a token that Meta reports as invalid in an inspection. */
  reject(name: string, token: string, rejection: RejectionEntry): void;
}

interface RejectionEntry {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A rejected token, with the number of requests sent before its last rejection. */
interface RejectedToken {
  readonly token: string;
  readonly code: ErrorCode;
  readonly sentBefore: number;
}

export function createTokenRejections(
  tokens: Pick<Tokens, 'names' | 'text'>,
  telemetry: Telemetry,
): TokenRejections {
  const rejected = new Map<string, RejectedToken>();
  let sent = 0;
  const report = (name: string, rejection: RejectionEntry | null): void => {
    telemetry.report({ type: 'token-refused', name: shownName(name), refusal: rejection });
  };
  const reject: TokenRejections['reject'] = (name, token, { code, message }) => {
    // Another token has replaced it meanwhile.
    if (tokens.text(name) !== token) return;
    const before = rejected.get(name);
    rejected.set(name, { token, code, sentBefore: sent });
    if (before?.token !== token || before.code !== code) report(name, { code, message });
  };
  const accept = (name: string): void => {
    rejected.delete(name);
    report(name, null);
  };
  return {
    reject,
    sent(name) {
      const number = (sent += 1);
      const token = tokens.text(name);
      return (error) => {
        if (error instanceof StopAccountError && error.refusesToken) {
          reject(name, token, { code: error.code, message: messageOf(error) });
          return;
        }
        for (const gone of [...rejected.keys()].filter((one) => !tokens.names().includes(one))) {
          accept(gone);
        }
        const known = rejected.get(name);
        if (error !== undefined || known === undefined) return;
        // An answer to a request sent before the rejection does not prove that the token is valid now.
        if (known.token !== token || number > known.sentBefore) accept(name);
      };
    },
  };
}
