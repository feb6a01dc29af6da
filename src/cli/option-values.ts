import { StopProcessError } from '../core/errors.ts';
import type { Options } from './own-options.ts';

/**
 * A whole number from 1 on.
 *
 * @returns undefined when the option was not given
 * @throws StopProcessError `config.invalid`
 */
export function parseCount(name: string, value: Options[string]): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  return number > 0 ? number : refuse(name, 'a whole number from 1 on, such as 10', value);
}

/**
 * Seconds, up to an hour.
 *
 * @returns undefined when the option was not given
 * @throws StopProcessError `config.invalid`
 */
export function parseSeconds(name: string, value: Options[string]): number | undefined {
  const seconds = parseCount(name, value);
  if (seconds === undefined || seconds <= 3600) return seconds;
  return refuse(name, 'seconds, 3600 at most', value);
}

/**
 * Account ids, separated by commas.
 *
 * @returns undefined when the option was not given
 * @throws StopProcessError `config.invalid`
 */
export function parseAccounts(value: Options[string]): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const ids = String(value).split(',');
  if (ids.every((id) => /^\d+$/.test(id))) return ids;
  return refuse('--account', 'account ids, digits such as 17841400000000001', value);
}

/** @throws StopProcessError `config.invalid` */
export function refuse(name: string, expected: string, came: Options[string]): never {
  throw new StopProcessError(
    'config.invalid',
    `${name} "${String(came).slice(0, 60)}": expected ${expected}`,
    { exitCode: 2 },
  );
}
