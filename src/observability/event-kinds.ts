import type { TelemetryEvent } from '../engine/ports.ts';

/** The event of one type. */
export type EventOf<Type extends TelemetryEvent['type']> = Extract<TelemetryEvent, { type: Type }>;

/** True when the event has one of these types. */
export function isOneOf<Type extends TelemetryEvent['type']>(
  event: TelemetryEvent,
  types: readonly Type[],
): event is EventOf<Type> {
  return (types as readonly string[]).includes(event.type);
}
