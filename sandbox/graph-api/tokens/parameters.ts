import { graphError } from '../errors.ts';
import type { World } from '../world/model.ts';

/** Returns the value of a required parameter. */
export function required(parameters: ReadonlyMap<string, string>, name: string): string {
  const value = parameters.get(name);
  if (value === undefined || value === '') throw graphError('missing-parameter', name);
  return value;
}

/** Rejects another `client_id` than the app's. */
export function checkClient(parameters: ReadonlyMap<string, string>, { app }: World): void {
  if (required(parameters, 'client_id') !== app.clientId) throw graphError('no-app');
}

/** Rejects another `client_secret` than the app's. */
export function checkSecret(parameters: ReadonlyMap<string, string>, { app }: World): void {
  if (required(parameters, 'client_secret') !== app.clientSecret) throw graphError('bad-secret');
}

/** Rejects another app. */
export function checkApp(parameters: ReadonlyMap<string, string>, world: World): void {
  checkClient(parameters, world);
  checkSecret(parameters, world);
}
