import { StopAccountError, type ErrorCode } from '../../engine/errors.ts';
import type { Telemetry } from '../../engine/ports.ts';
import { type Tokens, shownName } from './tokens.ts';

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

/** The tokens that the API rejects; every change is reported. */
export class TokenRejections {
  readonly #tokens: Pick<Tokens, 'names' | 'text'>;
  readonly #telemetry: Telemetry;
  readonly #rejected = new Map<string, RejectedToken>();
  #sent = 0;

  constructor(tokens: Pick<Tokens, 'names' | 'text'>, telemetry: Telemetry) {
    this.#tokens = tokens;
    this.#telemetry = telemetry;
  }

  /** Records a token that Meta reports as invalid in an inspection or an answer. */
  reject(name: string, token: string, { code, message }: RejectionEntry): void {
    // Another token has replaced it meanwhile.
    if (this.#tokens.text(name) !== token) return;
    const before = this.#rejected.get(name);
    this.#rejected.set(name, { token, code, sentBefore: this.#sent });
    if (before?.token !== token || before.code !== code) this.#report(name, { code, message });
  }

  /** Records a request when it is sent. @returns a callback for its error; undefined for an answer */
  sent(name: string): (error: unknown) => void {
    const number = (this.#sent += 1);
    const token = this.#tokens.text(name);
    return (error) => {
      if (error instanceof StopAccountError && error.rejectsToken) {
        this.reject(name, token, error);
        return;
      }
      const names = this.#tokens.names();
      for (const gone of [...this.#rejected.keys()].filter((one) => !names.includes(one))) {
        this.#accept(gone);
      }
      const known = this.#rejected.get(name);
      if (error !== undefined || known === undefined) return;
      // An answer to a request sent before the rejection does not prove that the token is valid now.
      if (known.token !== token || number > known.sentBefore) this.#accept(name);
    };
  }

  #accept(name: string): void {
    this.#rejected.delete(name);
    this.#report(name, null);
  }

  #report(name: string, rejection: RejectionEntry | null): void {
    this.#telemetry.report({ type: 'token-rejected', name: shownName(name), rejection });
  }
}
