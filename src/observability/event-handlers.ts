import type { TelemetryEvent } from '../engine/ports.ts';

type EventType = TelemetryEvent['type'];

export type EventOf<Type extends EventType> = Extract<TelemetryEvent, { type: Type }>;

export type EventHandlers<Rest extends readonly unknown[] = [], Result = void> = {
  readonly [Type in EventType]: (event: EventOf<Type>, ...rest: Rest) => Result;
};

/** Calls the handler of an event; without one for its type, it returns undefined. */
export function handle<Rest extends readonly unknown[], Result>(
  handlers: Partial<EventHandlers<Rest, Result>>,
  event: TelemetryEvent,
  ...rest: Rest
): Result | undefined {
  // The compiler does not relate the handler's type to the event's, which have the same key.
  type Handler = (event: TelemetryEvent, ...rest: Rest) => Result;
  return (handlers[event.type] as Handler | undefined)?.(event, ...rest);
}
