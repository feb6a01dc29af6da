import { type ConnectorError, FailError, SkipError } from '../../engine/errors.ts';
import type { Listed } from './rejections.ts';

/** An object whose request failed, and the error. */
export interface Failed {
  readonly listed: Listed;
  readonly error: ConnectorError;
}

/** The evidence that an error is an object's own rather than common to all. */
export interface Evidence<T> {
  /** True when one of the objects requested together was answered. */
  readonly isAnswered: boolean;
  /** Other objects of the list: a sample of them is requested when none was answered. */
  readonly controls: readonly T[];
  /** Requests a control sample; true when one of its objects is answered. */
  readonly areAnswered: (controls: readonly T[]) => Promise<boolean>;
}

/** The size of the control sample, objects. */
const controlSample = 3;

/**
 * Finds the objects whose error is their own: other objects are answered. When every requested
 * object fails, and a control sample of the others too, the error is attributed to none.
 *
 * @throws the first error, when no object is answered; as a FailError where it is an object's
 */
export async function attribute<T>(
  failed: readonly Failed[],
  { isAnswered, controls, areAnswered }: Evidence<T>,
): Promise<readonly Failed[]> {
  const [first] = failed;
  if (first === undefined || isAnswered) return failed;
  const sample = spread(controls, controlSample);
  if (sample.length > 0 && (await areAnswered(sample))) return failed;
  throw ofAll(first.error);
}

/** An object's error that every object has: it fails the poll, and no object is left out. */
function ofAll(error: ConnectorError): ConnectorError {
  if (!(error instanceof SkipError)) return error;
  const message = `none of the account's objects that were requested is answered, so none is left out. The first: ${error.message}`;
  return new FailError(error.code, message, { cause: error });
}

/** A sample of a list: its first entry, its last, and entries spread evenly between. */
function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  const step = (list.length - 1) / (count - 1);
  return list.filter((_, index) => Math.round(Math.round(index / step) * step) === index);
}
