import { StopProcessError } from '../engine/errors.ts';
import { readAnswer } from '../instagram/api/login.ts';
import type { Granted } from '../instagram/api/oauth.ts';
import { describeError } from './outcome.ts';
import type { Told } from './redirect-listener.ts';

const ofAnother: Told = {
  status: 400,
  title: 'Not of this login',
  text: 'The "state" of this address is not that of the login that waits here: another page may have led the browser here. It was ignored. Follow the address that the command printed.',
  isIgnored: true,
};

/** What a login brought. */
export type Answered = Granted;

/** A login that is waited for. */
export interface Waiting {
  readonly state: string;
  /** Makes the token of a code, and writes it. */
  readonly redeem: (code: string) => Promise<Granted>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** The login's end, and who is told of the addresses that a browser was led to. */
export interface Receiver {
  readonly promise: Promise<Answered>;
  /** What to show in the browser; undefined for an address that is no answer. */
  readonly onAddress: (address: URL) => Promise<Told | undefined>;
  /** Ends the wait: no address will come. */
  giveUp(message: string): void;
}

/**
 * Takes the first answer that has the login's state; what comes after it changes nothing. Any page can lead
 * a browser here with another state, so that is ignored: it must not end the login.
 */
export function receive({ state, redeem, signal }: Waiting): Receiver {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  signal.addEventListener('abort', () => {
    reject(signal.reason as Error);
  });
  let isTaken = false;
  const fail = (message: string): Told => {
    reject(new StopProcessError('graph.token', message));
    return { status: 400, title: 'Not logged in', text: message };
  };
  return {
    promise,
    giveUp(message) {
      // What is being redeemed comes to its own end.
      if (!isTaken) fail(message);
    },
    async onAddress(address) {
      const answer = readAnswer(address, state);
      if (answer.kind === 'nothing') return undefined;
      if (answer.kind === 'foreign') return ofAnother;
      if (isTaken) return { status: 400, title: 'Too late', text: 'The login has its answer.' };
      isTaken = true;
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
