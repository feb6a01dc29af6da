import { type ConnectorError, FailError, SkipError, type Skipped } from '../../engine/errors.ts';
import type { Listed, Rejections } from './rejections.ts';

export interface FailedObject {
  readonly listed: Listed;
  readonly error: ConnectorError;
}

/** The evidence that separates an object's own error from one that is common to all objects. */
interface Evidence<T> {
  /** True when one of the objects requested together was answered. */
  readonly isAnswered: boolean;
  /** Other objects of the list, to draw a control sample from when no object was answered. */
  readonly controls: readonly T[];
  /** Requests a control sample; true when one of its objects is answered. */
  readonly areAnswered: (controls: readonly T[]) => Promise<boolean>;
}

const controlSample = 3;

/**
 * Finds the culprits: objects that fail while other objects are answered. When every requested
 * object and the control sample fail, the error is attributed to no object.
 * @throws the first error when no object is answered; a SkipError becomes a FailError
 */
export async function attribute<T>(
  failed: readonly FailedObject[],
  { isAnswered, controls, areAnswered }: Evidence<T>,
): Promise<readonly FailedObject[]> {
  const [first] = failed;
  if (first === undefined || isAnswered) return failed;
  const sample = spread(controls, controlSample);
  if (sample.length > 0 && (await areAnswered(sample))) return failed;
  throw commonError(first.error);
}

/** Excludes the culprits for a while, a week or `atMostMs` at most. @throws as `attribute` */
export async function excludeCulprits<T>(
  failed: readonly FailedObject[],
  poll: { rejections: Rejections; skipped: Skipped[]; atMostMs?: number },
  evidence: Evidence<T>,
): Promise<void> {
  const atMost = poll.atMostMs === undefined ? {} : { atMostMs: poll.atMostMs };
  for (const { listed, error } of await attribute(failed, evidence)) {
    poll.rejections.exclude({ listed, reason: error.code, ...atMost });
    poll.skipped.push({ reason: error.code, subject: listed.id });
  }
}

/** Returns the error that fails the poll when all objects have it; no object is excluded. */
function commonError(error: ConnectorError): ConnectorError {
  if (!(error instanceof SkipError)) return error;
  const message = `none of the account's objects that were requested is answered, so none is left out. The first: ${error.message}`;
  return new FailError(error.code, message, { cause: error });
}

/** Samples a list: its first entry, its last, and entries spread evenly between. */
function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  const step = (list.length - 1) / (count - 1);
  return list.filter((_, index) => Math.round(Math.round(index / step) * step) === index);
}
