import { StopProcessError } from '../engine/errors.ts';
import { readAnswer } from '../instagram/api/login.ts';
import type { Granted } from '../instagram/api/oauth.ts';
import { describeError } from './outcome.ts';
import type { BrowserPage } from './redirect-listener.ts';

const foreignPage: BrowserPage = {
  status: 400,
  title: 'Not of this login',
  text: 'The "state" of this address is not that of the login that waits here: another page may have led the browser here. It was ignored. Follow the address that the command printed.',
  isIgnored: true,
};

/** The result of a login. */
export type LoginResult = Granted;

/** A login that waits for its redirect. */
export interface PendingLogin {
  readonly state: string;
  /** Exchanges a code for a token and writes it. */
  readonly redeem: (code: string) => Promise<Granted>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** The login's result, and the handler of the addresses that the browser is redirected to. */
export interface Receiver {
  readonly promise: Promise<LoginResult>;
  /** Returns the page for the browser; undefined for an address that is no answer. */
  readonly onAddress: (address: URL) => Promise<BrowserPage | undefined>;
  /** Ends the wait with an error: no address will follow. */
  giveUp(message: string): void;
}

/**
 * Accepts the first answer with the login's state; later answers change nothing. Any page can
 * redirect a browser here with another state, so an answer with another state is ignored: it must
 * not end the login.
 */
export function receive({ state, redeem, signal }: PendingLogin): Receiver {
  const { promise, resolve, reject } = Promise.withResolvers<LoginResult>();
  signal.addEventListener('abort', () => {
    reject(signal.reason as Error);
  });
  let isAnswered = false;
  const fail = (message: string): BrowserPage => {
    reject(new StopProcessError('graph.token', message));
    return { status: 400, title: 'Not logged in', text: message };
  };
  return {
    promise,
    giveUp(message) {
      // A code that is being redeemed decides the result itself.
      if (!isAnswered) fail(message);
    },
    async onAddress(address) {
      const answer = readAnswer(address, state);
      if (answer.kind === 'nothing') return undefined;
      if (answer.kind === 'foreign') return foreignPage;
      if (isAnswered) return { status: 400, title: 'Too late', text: 'The login has its answer.' };
      isAnswered = true;
      if (answer.kind === 'denied') {
        return fail(`the login was refused: "${answer.reason}"; run it again and consent`);
      }
      try {
        resolve(await redeem(answer.code));
        return {
          status: 200,
          title: 'Logged in',
          text: 'The token is written. You may close this.',
        };
      } catch (error) {
        reject(error);
        return {
          status: 502,
          title: 'Not logged in',
          text: describeError(error).split('\n')[0] ?? '',
        };
      }
    },
  };
}
